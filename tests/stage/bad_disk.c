// See bad_disk.h.

#include "bad_disk.h"

#include "array.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FULL_CALLS 9 // that a long one lasts

// A write or truncation that is not synced.
typedef struct {
    char path[PATH_MAX];
    off_t offset;
    off_t size_before; // of the file
    size_t size;       // of the write, or of what a truncation has cut off
    bool truncates;
    char *before; // what was there, `size` bytes but for those behind the file's end
    char *after;
} change_t;

static bad_disk_t kind;
static unsigned calls, fails_at, failures;
static bool short_follows;
static uint32_t chance;
static change_t *changes;
static size_t change_count, change_capacity;

static void forget(change_t *change)
{
    free(change->before);
    free(change->after);
}

void bad_disk_begin(bad_disk_t new_kind, unsigned at, unsigned seed)
{
    kind = new_kind;
    fails_at = at;
    calls = failures = 0;
    short_follows = false;
    chance = seed * 2654435761u + 1;
    for (size_t i = 0; i < change_count; i++)
        forget(&changes[i]);
    change_count = 0;
}

unsigned bad_disk_calls(void)
{
    return calls;
}

bool bad_disk_has_failed(void)
{
    return failures > 0;
}

static uint32_t draw(uint32_t below)
{
    chance = chance * 1664525u + 1013904223u;
    return (chance >> 8) % below;
}

typedef enum { CALL_WRITE, CALL_TRUNCATE, CALL_SYNC } call_t;

static bool is_of_kind(call_t call)
{
    switch (kind) {
    case DISK_GOOD: return false;
    case DISK_WRITE_FAILS: return call != CALL_SYNC;
    case DISK_FULL:
    case DISK_SHORT:
    case DISK_LONG_FULL: return call == CALL_WRITE;
    case DISK_SYNC_FAILS: return call == CALL_SYNC;
    case DISK_POWER_CUT:
    case DISK_KILL: return true;
    }
    abort();
}

// Whether this call fails.
static bool fails(call_t call)
{
    calls++;
    unsigned limit = kind == DISK_POWER_CUT ? UINT_MAX : kind == DISK_LONG_FULL ? FULL_CALLS : 1;
    if (calls < fails_at || failures >= limit || !is_of_kind(call))
        return false;
    failures++;
    return true;
}

static int error_of_kind(void)
{
    return kind == DISK_FULL || kind == DISK_LONG_FULL || kind == DISK_SHORT ? ENOSPC : EIO;
}

// ---- what is not durable

static bool name_of(int fd, char ret_path[PATH_MAX])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, ret_path, PATH_MAX - 1);
    assert(size > 0);
    ret_path[size] = '\0';
    return strstr(ret_path, "-shm") == NULL; // memory
}

static void remember(int fd, const void *data, size_t size, off_t offset, bool truncates)
{
    char name[PATH_MAX];
    struct stat status;
    if (kind != DISK_POWER_CUT || !name_of(fd, name) || fstat(fd, &status) != 0)
        return;
    change_t *change = MM_ARRAY_ADD(changes, change_count, change_capacity);
    *change = (change_t){.offset = offset,
                         .size_before = status.st_size,
                         .size = size,
                         .truncates = truncates,
                         .before = calloc(1, size + 1),
                         .after = calloc(1, size + 1)};
    memcpy(change->path, name, sizeof name);
    (void)!syscall(SYS_pread64, fd, change->before, size, offset);
    if (data != NULL)
        memcpy(change->after, data, size);
}

static void apply(const change_t *change, const char *data, size_t size, off_t file_size)
{
    int fd = open(change->path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return; // removed since
    if (size > 0)
        (void)!syscall(SYS_pwrite64, fd, data, size, change->offset);
    if (file_size >= 0)
        (void)!syscall(SYS_ftruncate, fd, file_size);
    (void)close(fd);
}

void bad_disk_restart(void)
{
    // Without a failure nothing was lost.
    for (; failures == 0 && change_count > 0; change_count--)
        forget(&changes[change_count - 1]);
    for (size_t i = change_count; i > 0; i--)
        apply(&changes[i - 1], changes[i - 1].before, changes[i - 1].size,
              changes[i - 1].size_before);
    bool all = draw(4) == 0;
    for (size_t i = 0; i < change_count; i++) {
        const change_t *change = &changes[i];
        uint32_t fate = all ? 2 : draw(4);
        if (fate == 0)
            continue;
        if (change->truncates)
            apply(change, NULL, 0, change->offset);
        else
            apply(change, change->after, fate == 1 ? draw((uint32_t)change->size) : change->size,
                  -1);
    }
    bad_disk_begin(DISK_GOOD, 0, 0);
}

// ---- the calls

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
    if (short_follows || fails(CALL_WRITE)) {
        bool is_rest = short_follows;
        short_follows = kind == DISK_SHORT && !is_rest && size > 1;
        if (kind == DISK_KILL || short_follows) {
            ssize_t half = syscall(SYS_pwrite64, fd, data, size / 2, offset);
            if (kind == DISK_KILL)
                _exit(137);
            return half;
        }
        errno = error_of_kind();
        return -1;
    }
    remember(fd, data, size, offset, false);
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

int ftruncate64(int fd, off_t size)
{
    if (fails(CALL_TRUNCATE)) {
        if (kind == DISK_KILL)
            _exit(137);
        errno = error_of_kind();
        return -1;
    }
    struct stat status;
    if (fstat(fd, &status) == 0 && status.st_size > size)
        remember(fd, NULL, (size_t)(status.st_size - size), size, true);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return 0; // SQLite does not care for the result
    if (fails(CALL_SYNC)) {
        if (kind == DISK_KILL)
            _exit(137);
        errno = EIO;
        return -1;
    }
    char name[PATH_MAX];
    if (change_count == 0 || !name_of(fd, name))
        return 0;
    size_t kept = 0;
    for (size_t i = 0; i < change_count; i++)
        if (strcmp(changes[i].path, name) == 0)
            forget(&changes[i]);
        else
            changes[kept++] = changes[i];
    change_count = kept;
    return 0;
}
