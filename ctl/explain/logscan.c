// See logscan.h.

#include "logscan.h"
#include "ctl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER (1U << 20) // stays in the cache while it is searched for each of the words

typedef struct {
    const char *const *words;
    size_t count;
    void (*add)(void *arg, mm_str_t line);
    void *arg;
    char *buffer;
} scan_t;

// Whether an earlier word is in the line: then it has been added for that.
static bool was_added(const scan_t *self, size_t word, mm_str_t line)
{
    for (size_t i = 0; i < word; i++)
        if (memmem(line.data, line.size, self->words[i], strlen(self->words[i])))
            return true;
    return false;
}

// data: whole lines.
static void search(const scan_t *self, const char *data, size_t size)
{
    const char *end = data + size;
    for (size_t i = 0; i < self->count; i++) {
        const char *at = data, *hit, *word = self->words[i];
        while ((hit = memmem(at, (size_t)(end - at), word, strlen(word))) != NULL) {
            const char *start = memrchr(at, '\n', (size_t)(hit - at));
            const char *stop = memchr(hit, '\n', (size_t)(end - hit));
            start = start ? start + 1 : at;
            stop = stop ? stop : end;
            mm_str_t line = {start, (size_t)(stop - start)};
            if (!was_added(self, i, line))
                self->add(self->arg, line);
            at = stop < end ? stop + 1 : end;
        }
    }
}

static bool scan_file(const scan_t *self, int file)
{
    size_t kept = 0; // the beginning of a line whose end has not been read yet
    for (;;) {
        ssize_t size = read(file, self->buffer + kept, BUFFER - kept);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        if (size == 0)
            break;
        size_t filled = kept + (size_t)size;
        const char *last = memrchr(self->buffer, '\n', filled);
        // A full buffer without an end of line is no log of ours: it is searched as it is.
        size_t whole = last ? (size_t)(last - self->buffer) + 1 : filled < BUFFER ? 0 : filled;
        search(self, self->buffer, whole);
        kept = filled - whole;
        memmove(self->buffer, self->buffer + whole, kept);
    }
    search(self, self->buffer, kept);
    return true;
}

static bool scan_path(void *arg, const char *path, char error[MM_ERROR_MAX])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return true; // just deleted
    bool is_good =
        (file >= 0 && scan_file(arg, file)) ||
        ctl_error(error, "cannot read '%s': %s; check its owner and mode", path, strerror(errno));
    if (file >= 0)
        (void)close(file);
    return is_good;
}

bool logscan(const char *dir, const char *const *words, size_t count,
             void (*add)(void *arg, mm_str_t line), void *arg, char error[MM_ERROR_MAX])
{
    scan_t self = {words, count, add, arg, malloc(BUFFER)};
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s/log", dir);
    assert(self.buffer);
    bool is_good = ctl_read_files(folder, ".log", NULL, scan_path, &self, error);
    free(self.buffer);
    return is_good;
}
