// What a source gives, for tests of publisher/source*.c.

#ifndef SOURCE_READ_H
#define SOURCE_READ_H

#include "source.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

extern char list_path[TEMP_PATH_MAX]; // of the list, in the folder of the test that runs

// Makes the folder, for the begin of a test.
int make_list_folder(void **state);
// The list from now on.
void write_list(const void *data, size_t size);

// The hosts given until there is something else, each with a blank behind it; then that.
source_status_t read_hosts(source_t *source, char hosts[1024], source_item_t *ret_item);
source_progress_t progress_of(const source_t *source);

#endif
