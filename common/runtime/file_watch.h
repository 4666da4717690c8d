// Whether paths still name the files that they named: tells when an open file was removed, moved or
// replaced. The kernel reports what happens to the files (inotify(7)), so that the paths need not
// be looked up each time: 0.3 us for all of them, instead of 1 us each. What it does not report, a
// folder further up that was moved, is found by a look at the paths.

#ifndef MM_FILE_WATCH_H
#define MM_FILE_WATCH_H

#include <stdbool.h>

#define MM_FILE_WATCH_MAX 2

typedef struct mm_file_watch mm_file_watch_t;

mm_file_watch_t *mm_file_watch_new(void);
// Idempotent.
void mm_file_watch_delete(mm_file_watch_t **self_p);

// From now on the path is to name the file that it names now; at most MM_FILE_WATCH_MAX paths.
// False, with errno, when it names none.
bool mm_file_watch_add(mm_file_watch_t *self, const char *path);
// Whether the kernel has reported something of the files since the last call; always true where it
// gives no reports (a user has 128 descriptors for them by default).
bool mm_file_watch_has_news(mm_file_watch_t *self);
// The first path that no longer names its file, owned by self; NULL when all do.
const char *mm_file_watch_lost(const mm_file_watch_t *self);

#endif
