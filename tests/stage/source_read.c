// See source_read.h.

#include "source_read.h"

#include <fcntl.h>
#include <unistd.h>

char list_path[TEMP_PATH_MAX];

int make_list_folder(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(list_path, "hosts.txt");
    return 0;
}

void write_list(const void *data, size_t size)
{
    int fd = open(list_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    (void)close(fd);
}

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
