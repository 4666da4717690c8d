// See file_id.h.

#include "file_id.h"

#include <sys/stat.h>

bool mm_file_id(const char *path, mm_file_id_t *ret_id)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    *ret_id = (mm_file_id_t){.device = status.st_dev, .number = status.st_ino};
    return true;
}

bool mm_file_id_is_at(const mm_file_id_t *self, const char *path)
{
    mm_file_id_t found;
    return mm_file_id(path, &found) && found.device == self->device && found.number == self->number;
}
