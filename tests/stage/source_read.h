// What a source gives, for tests of publisher/source*.c.

#ifndef SOURCE_READ_H
#define SOURCE_READ_H

#include "source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// The hosts given until there is something else, each with a blank behind it; then that.
static inline source_status_t read_hosts(source_t *source, char hosts[1024],
                                         source_item_t *ret_item)
{
    size_t length = 0;
    source_status_t status;
    while ((status = source_next(source, 0, ret_item)) == SOURCE_ITEM)
        length += (size_t)snprintf(hosts + length, 1024 - length, "%.*s ", (int)ret_item->host.size,
                                   ret_item->host.data);
    hosts[length] = '\0';
    return status;
}

static inline source_progress_t progress_of(const source_t *source)
{
    source_progress_t progress;
    source_progress(source, &progress);
    return progress;
}

#endif
