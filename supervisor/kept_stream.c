// See kept_stream.h.

#include "kept_stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define STEP_BYTES 65536 // read or written in one call of a handler

struct kept_stream {
    mm_loop_t *loop;
    int source; // -1: it has ended
    int file;
    int pipe; // to the publisher; -1: none, or it has all
    char *path;
    char *mark;  // the file that says that it has ended
    off_t kept;  // bytes in the file
    off_t given; // bytes of them that the pipe has got
    bool is_fed; // the pipe is in the loop: there is something to give
    int error;
    char bytes[STEP_BYTES];
};

static void stop_feeding(kept_stream_t *self)
{
    if (self->is_fed)
        mm_loop_remove_descriptor(self->loop, self->pipe);
    self->is_fed = false;
}

static void close_pipe(kept_stream_t *self)
{
    stop_feeding(self);
    if (self->pipe >= 0)
        close(self->pipe);
    self->pipe = -1;
}

// Only the end of the stream itself leaves the mark: a reader whose pipe ends without it knows that
// there is more.
static void end_source(kept_stream_t *self)
{
    if (self->source < 0)
        return;
    mm_loop_remove_descriptor(self->loop, self->source);
    close(self->source);
    self->source = -1;
}

static void leave_mark(kept_stream_t *self)
{
    int mark = open(self->mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (mark < 0)
        self->error = errno;
    else
        close(mark);
}

static void on_pipe(void *arg);

// Watches the pipe only while there is something to give; closes it at the end of the stream.
static void feed(kept_stream_t *self)
{
    bool has_more = self->given < self->kept;
    if (self->pipe < 0)
        return;
    if (!has_more && self->source < 0) {
        close_pipe(self);
    } else if (has_more && !self->is_fed) {
        mm_loop_add_descriptor(self->loop, "publisher's input", self->pipe, ZMQ_POLLOUT, on_pipe,
                               self);
        self->is_fed = true;
    } else if (!has_more) {
        stop_feeding(self);
    }
}

static void on_pipe(void *arg)
{
    kept_stream_t *self = arg;
    ssize_t size = pread(self->file, self->bytes, sizeof self->bytes, self->given);
    if (size <= 0) {
        self->error = size < 0 ? errno : EIO; // somebody has shortened the file
        close_pipe(self);
        return;
    }
    size = write(self->pipe, self->bytes, (size_t)size);
    if (size > 0)
        self->given += size;
    else if (errno != EAGAIN && errno != EINTR)
        close_pipe(self); // the publisher has gone: the next one gets a pipe of its own
    feed(self);
}

// Appends all of it, or sets the error.
static void keep(kept_stream_t *self, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t count = write(self->file, self->bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            self->error = errno;
            return;
        }
        done += (size_t)count;
        self->kept += count;
    }
}

static void on_source(void *arg)
{
    kept_stream_t *self = arg;
    ssize_t size = read(self->source, self->bytes, sizeof self->bytes);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size > 0)
        keep(self, (size_t)size);
    else if (size < 0)
        self->error = errno;
    if (size == 0)
        leave_mark(self);
    if (size <= 0 || self->error != 0)
        end_source(self);
    feed(self);
}

kept_stream_t *kept_stream_new(mm_loop_t *loop, int source, const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        int error = errno;
        close(source);
        errno = error;
        return NULL;
    }
    kept_stream_t *self = calloc(1, sizeof *self);
    assert(self);
    self->loop = loop;
    self->source = source;
    self->file = file;
    self->pipe = -1;
    self->path = strdup(path);
    int length = asprintf(&self->mark, "%s.ended", path);
    assert(self->path && length > 0);
    (void)unlink(self->mark); // of a run that was killed
    mm_loop_add_descriptor(loop, "input", source, ZMQ_POLLIN, on_source, self);
    return self;
}

void kept_stream_destroy(kept_stream_t **self_p)
{
    kept_stream_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    end_source(self);
    close_pipe(self);
    close(self->file);
    (void)unlink(self->path);
    (void)unlink(self->mark);
    free(self->path);
    free(self->mark);
    free(self);
}

int kept_stream_open(kept_stream_t *self)
{
    int ends[2];
    close_pipe(self);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    // Only this end: the publisher reads as it likes.
    (void)fcntl(ends[1], F_SETFL, O_NONBLOCK);
    self->pipe = ends[1];
    self->given = 0;
    feed(self);
    return ends[0];
}

int kept_stream_error(const kept_stream_t *self)
{
    return self->error;
}

bool kept_stream_has_ended(const kept_stream_t *self)
{
    return self->source < 0 && self->error == 0;
}
