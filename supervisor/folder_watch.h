// Notices files of the folder that somebody takes away under a running pipeline.

#ifndef FOLDER_WATCH_H
#define FOLDER_WATCH_H

#include "loop.h"

typedef struct folder_watch folder_watch_t;

// A file of this name has gone; NULL: the folder itself has.
typedef void(folder_watch_fn)(void *arg, const char *name);

// NULL, with errno: the folder cannot be watched.
folder_watch_t *folder_watch_new(mm_loop_t *loop, const char *dir, folder_watch_fn *fn, void *arg);
void folder_watch_destroy(folder_watch_t **self_p);

#endif
