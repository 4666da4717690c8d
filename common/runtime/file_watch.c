// See file_watch.h.

#include "file_watch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEWS (IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF) // a removed name changes the link count

typedef struct {
    char *path;
    dev_t device;
    ino_t number;
} watched_t;

struct mm_file_watch {
    int reports; // of inotify; -1: none
    watched_t files[MM_FILE_WATCH_MAX];
    size_t count;
};

mm_file_watch_t *mm_file_watch_new(void)
{
    mm_file_watch_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->reports = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return self;
}

void mm_file_watch_delete(mm_file_watch_t **self_p)
{
    mm_file_watch_t *self = *self_p;
    if (self == NULL)
        return;
    *self_p = NULL;
    if (self->reports >= 0)
        (void)close(self->reports);
    for (size_t i = 0; i < self->count; i++)
        free(self->files[i].path);
    free(self);
}

static void stop_reports(mm_file_watch_t *self)
{
    (void)close(self->reports);
    self->reports = -1;
}

bool mm_file_watch_add(mm_file_watch_t *self, const char *path)
{
    assert(self->count < MM_FILE_WATCH_MAX);
    // Before the look: what happens between the two is then reported.
    if (self->reports >= 0 && inotify_add_watch(self->reports, path, NEWS) < 0)
        stop_reports(self);
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    char *copy = strdup(path);
    assert(copy != NULL);
    self->files[self->count++] = (watched_t){copy, status.st_dev, status.st_ino};
    return true;
}

bool mm_file_watch_has_news(mm_file_watch_t *self)
{
    if (self->reports < 0)
        return true;
    char reports[1024];
    bool has_news = false;
    while (read(self->reports, reports, sizeof reports) > 0)
        has_news = true;
    if (errno != EAGAIN) {
        stop_reports(self);
        return true;
    }
    return has_news;
}

const char *mm_file_watch_lost(const mm_file_watch_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const watched_t *file = &self->files[i];
        struct stat status;
        if (stat(file->path, &status) != 0 || status.st_dev != file->device ||
            status.st_ino != file->number)
            return file->path;
    }
    return NULL;
}
