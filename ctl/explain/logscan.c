// See logscan.h.

#include "logscan.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define BUFFER (1U << 20) // fits into the cache while it is searched for each word

typedef struct {
    const char *const *words;
    size_t sizes[LOGSCAN_WORDS];
    size_t count;
    void (*take)(void *arg, mm_str_t line);
    void *arg;
    char *buffer;
} scan_t;

// Whether the line has one of the words before this one, and was given for that.
static bool was_given(const scan_t *self, size_t word, mm_str_t line)
{
    for (size_t i = 0; i < word; i++)
        if (memmem(line.data, line.size, self->words[i], self->sizes[i]))
            return true;
    return false;
}

// Searches whole lines.
static void search(const scan_t *self, const char *data, size_t size)
{
    const char *end = data + size;
    for (size_t i = 0; i < self->count; i++) {
        const char *at = data, *hit;
        while ((hit = memmem(at, (size_t)(end - at), self->words[i], self->sizes[i])) != NULL) {
            const char *start = memrchr(at, '\n', (size_t)(hit - at));
            const char *stop = memchr(hit, '\n', (size_t)(end - hit));
            start = start ? start + 1 : at;
            stop = stop ? stop : end;
            mm_str_t line = {start, (size_t)(stop - start)};
            if (!was_given(self, i, line))
                self->take(self->arg, line);
            at = stop < end ? stop + 1 : end;
        }
    }
}

static bool scan_file(const scan_t *self, int file)
{
    size_t kept = 0; // bytes of a line whose end has not been read
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
        // A full buffer without a newline is not a log of ours; it is searched as it is.
        size_t whole = last ? (size_t)(last - self->buffer) + 1 : filled < BUFFER ? 0 : filled;
        search(self, self->buffer, whole);
        kept = filled - whole;
        memmove(self->buffer, self->buffer + whole, kept);
    }
    search(self, self->buffer, kept);
    return true;
}

static int is_log(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 4 && strcmp(entry->d_name + size - 4, ".log") == 0;
}

static int scan_path(const scan_t *self, const char *path, char error[MM_ERROR_MAX])
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return 0; // just deleted
    bool is_good = file >= 0 && scan_file(self, file);
    if (!is_good)
        (void)snprintf(error, MM_ERROR_MAX, "cannot read '%s': %s; check its owner and mode", path,
                       strerror(errno));
    if (file >= 0)
        (void)close(file);
    return is_good ? 0 : EX_IOERR;
}

int logscan(const char *dir, const char *const *words, size_t count,
            void (*take)(void *arg, mm_str_t line), void *arg, char error[MM_ERROR_MAX])
{
    assert(count <= LOGSCAN_WORDS);
    scan_t self = {.words = words, .count = count, .take = take, .arg = arg};
    for (size_t i = 0; i < count; i++)
        self.sizes[i] = strlen(words[i]);
    char *folder;
    int length = asprintf(&folder, "%s/log", dir);
    assert(length > 0);
    struct dirent **entries = NULL;
    int files = scandir(folder, &entries, is_log, versionsort), code = 0;
    self.buffer = malloc(BUFFER);
    assert(self.buffer);
    for (int i = 0; i < files; i++) {
        char *path;
        length = asprintf(&path, "%s/%s", folder, entries[i]->d_name);
        assert(length > 0);
        if (code == 0)
            code = scan_path(&self, path, error);
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(self.buffer);
    free(folder);
    return code;
}
