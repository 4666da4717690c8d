// See folder_watch.h.

#include "folder_watch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <zmq.h>

struct folder_watch {
    mm_loop_t *loop;
    folder_watch_fn *fn;
    void *arg;
    int changes; // inotify
};

static void on_change(void *arg)
{
    folder_watch_t *self = arg;
    _Alignas(struct inotify_event) char bytes[4096];
    for (ssize_t size; (size = read(self->changes, bytes, sizeof bytes)) > 0;) {
        const struct inotify_event *event;
        for (char *next = bytes; next < bytes + size; next += sizeof *event + event->len) {
            event = (const struct inotify_event *)(void *)next;
            if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF))
                self->fn(self->arg, NULL);
            else if (event->len > 0)
                self->fn(self->arg, event->name);
        }
    }
}

folder_watch_t *folder_watch_new(mm_loop_t *loop, const char *dir, folder_watch_fn *fn, void *arg)
{
    int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (changes < 0)
        return NULL;
    if (inotify_add_watch(changes, dir, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF) <
        0) {
        int error = errno;
        close(changes);
        errno = error;
        return NULL;
    }
    folder_watch_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (folder_watch_t){loop, fn, arg, changes};
    mm_loop_add_descriptor(loop, "folder", changes, ZMQ_POLLIN, on_change, self);
    return self;
}

void folder_watch_destroy(folder_watch_t **self_p)
{
    folder_watch_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_loop_remove_descriptor(self->loop, self->changes);
    close(self->changes);
    free(self);
}
