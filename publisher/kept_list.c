// See kept_list.h.

#include "kept_list.h"
#include "kept_line.h"
#include "line_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct kept_list {
    FILE *file;
    char path[4096];
    bool is_named; // its name is durable in its folder
    uint64_t count;
    uint64_t bytes;
    uint64_t digest;
};

void kept_list_name(const char *dir, int64_t number, char path[4096])
{
    (void)snprintf(path, 4096, "%s/list.%" PRId64, dir, number);
}

void kept_list_remove(const char *dir, int64_t number)
{
    char path[4096];
    kept_list_name(dir, number, path);
    (void)unlink(path);
}

static bool fail(const char *path, const char *what, char error[SOURCE_ERROR_MAX])
{
    (void)snprintf(error, SOURCE_ERROR_MAX, "the list of this run, %.3000s, %s: %s", path, what,
                   errno != 0 ? strerror(errno) : "it is shorter than what was accepted of it");
    return false;
}

static kept_list_t *open_file(const char *dir, int64_t number, int flags,
                              char error[SOURCE_ERROR_MAX])
{
    kept_list_t *self = calloc(1, sizeof *self);
    assert(self);
    kept_list_name(dir, number, self->path);
    self->digest = LINE_READER_START;
    int fd = open(self->path, O_WRONLY | O_CLOEXEC | flags, 0600);
    self->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (self->file)
        return self;
    (void)fail(self->path, "cannot be written", error);
    if (fd >= 0)
        (void)close(fd);
    free(self);
    return NULL;
}

kept_list_t *kept_list_new(const char *dir, int64_t number, char error[SOURCE_ERROR_MAX])
{
    return open_file(dir, number, O_CREAT | O_TRUNC, error);
}

static void add_size(void *arg, mm_str_t host, mm_str_t attributes)
{
    *(uint64_t *)arg += host.size + (attributes.size > 0) + attributes.size + 1;
}

kept_list_t *kept_list_grow(const char *dir, int64_t number, uint64_t hosts,
                            char error[SOURCE_ERROR_MAX])
{
    uint64_t bytes = 0;
    if (!kept_list_read(dir, number, hosts, add_size, &bytes, error))
        return NULL;
    kept_list_t *self = open_file(dir, number, 0, error);
    if (!self)
        return NULL;
    if (ftruncate(fileno(self->file), (off_t)bytes) != 0 ||
        fseeko(self->file, (off_t)bytes, SEEK_SET) != 0) {
        (void)fail(self->path, "cannot be written", error);
        kept_list_close(&self);
        return NULL;
    }
    return self;
}

void kept_list_close(kept_list_t **self_p)
{
    kept_list_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    (void)fclose(self->file);
    free(self);
}

void kept_list_add(kept_list_t *self, mm_str_t host, mm_str_t attributes)
{
    char line[KEPT_LIST_LINE_MAX];
    size_t size = host.size;
    memcpy(line, host.data, size);
    if (attributes.size > 0) {
        line[size++] = ' ';
        memcpy(line + size, attributes.data, attributes.size);
        size += attributes.size;
    }
    line[size++] = '\n';
    (void)fwrite_unlocked(line, 1, size, self->file); // what fails shows when it is synced
    self->digest = line_reader_digest(self->digest, line, size);
    self->bytes += size;
    self->count++;
}

static bool sync_folder(const char *path)
{
    char folder[4096];
    (void)snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_synced;
}

bool kept_list_sync(kept_list_t *self, char error[SOURCE_ERROR_MAX])
{
    errno = 0;
    bool is_written =
        fflush(self->file) == 0 && !ferror(self->file) && fdatasync(fileno(self->file)) == 0;
    self->is_named = self->is_named || (is_written && sync_folder(self->path));
    if (is_written && self->is_named)
        return true;
    return fail(self->path, "cannot be written", error);
}

uint64_t kept_list_count(const kept_list_t *self)
{
    return self->count;
}

uint64_t kept_list_bytes(const kept_list_t *self)
{
    return self->bytes;
}

uint64_t kept_list_digest(const kept_list_t *self)
{
    return self->digest != 0 ? self->digest : 1;
}

bool kept_list_read(const char *dir, int64_t number, uint64_t hosts,
                    void (*see)(void *arg, mm_str_t host, mm_str_t attributes), void *arg,
                    char error[SOURCE_ERROR_MAX])
{
    char path[4096], *line = NULL;
    size_t capacity = 0;
    kept_list_name(dir, number, path);
    FILE *file = fopen(path, "re");
    if (!file)
        return fail(path, "cannot be read", error);
    uint64_t count = 0;
    ssize_t size = 1;
    errno = 0;
    for (; count < hosts && (size = getline(&line, &capacity, file)) > 0; count++) {
        mm_str_t host, attributes;
        if (!kept_line_parse(line, (size_t)size, &host, &attributes))
            break;
        see(arg, host, attributes);
    }
    bool is_all = hosts == KEPT_LIST_ALL && size <= 0 && !ferror(file);
    free(line);
    (void)fclose(file);
    return count == hosts || is_all || fail(path, "cannot be read", error);
}
