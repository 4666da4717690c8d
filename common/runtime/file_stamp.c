// See file_stamp.h.

#include "file_stamp.h"

#include <sys/stat.h>

mm_file_stamp_t mm_file_stamp_of(const char *path)
{
    struct stat status;
    mm_file_stamp_t stamp = {0};
    if (stat(path, &status) != 0)
        return stamp;
    stamp.device = status.st_dev;
    stamp.number = status.st_ino;
    stamp.size = status.st_size;
    stamp.changed = status.st_ctim;
    return stamp;
}

bool mm_file_stamp_is_same(const mm_file_stamp_t *one, const mm_file_stamp_t *other)
{
    return one->device == other->device && one->number == other->number &&
           one->size == other->size && one->changed.tv_sec == other->changed.tv_sec &&
           one->changed.tv_nsec == other->changed.tv_nsec;
}
