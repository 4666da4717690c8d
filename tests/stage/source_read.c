// See source_read.h.

#include "source_read.h"

source_status_t read_hosts(source_t *source, char hosts[1024], source_item_t *ret_item)
{
    size_t length = 0;
    source_status_t status;
    while ((status = source_next(source, 0, ret_item)) == SOURCE_ITEM)
        length += (size_t)snprintf(hosts + length, 1024 - length, "%.*s ", (int)ret_item->host.size,
                                   ret_item->host.data);
    hosts[length] = '\0';
    return status;
}

source_progress_t progress_of(const source_t *source)
{
    source_progress_t progress;
    source_progress(source, &progress);
    return progress;
}
