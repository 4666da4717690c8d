// Which file a path names: the file itself, whatever its name. Tells whether a file that is open
// was removed, moved or replaced.

#ifndef MM_FILE_ID_H
#define MM_FILE_ID_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    dev_t device;
    ino_t number;
} mm_file_id_t;

// False, with errno, when the path names no file.
bool mm_file_id(const char *path, mm_file_id_t *ret_id);
// Whether the path still names that file. One call of stat.
bool mm_file_id_is_at(const mm_file_id_t *self, const char *path);

#endif
