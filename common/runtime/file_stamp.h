// What a file is at a moment, as far as stat(2) tells: whether a path names another file, or one
// with another content, than at an earlier moment. It costs 1 us; file_watch.h is cheaper, and
// tells less.

#ifndef MM_FILE_STAMP_H
#define MM_FILE_STAMP_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

// All zero: there is none.
typedef struct {
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec changed; // its content, its owner or its mode
} mm_file_stamp_t;

// Take it before the file is read: what changes in between then counts as a change.
mm_file_stamp_t mm_file_stamp_of(const char *path);
bool mm_file_stamp_is_same(const mm_file_stamp_t *one, const mm_file_stamp_t *other);

#endif
