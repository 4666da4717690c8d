// What a source gives, for tests of publisher/source*.c.

#ifndef SOURCE_READ_H
#define SOURCE_READ_H

#include "source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// The hosts given until there is something else, each with a blank behind it; then that.
source_status_t read_hosts(source_t *source, char hosts[1024], source_item_t *ret_item);
source_progress_t progress_of(const source_t *source);

#endif
