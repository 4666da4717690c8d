// See host_lock.h.

#include "host_lock.h"

#include "host_fold.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOTS_FOLDER "/var/lib/mayhem/hosts"
#define BELOW_HOME   "mayhem/hosts"
#define TRIES        3 // at a file that is removed meanwhile

struct host_locks {
    int folder;           // its descriptor
    host_dir_t path, dir; // to be named
};

struct host_lock {
    int file;
    char host_text[MM_HOST_MAX];
    mm_str_t host;
    host_record_t record;
};

// ---- the folder

// Makes it with all that it is in. Returns 0 or an errno.
static int make_folders(char *path)
{
    for (char *at = path + 1;; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        int error = mkdir(path, S_IRWXU) == 0 || errno == EEXIST ? 0 : errno;
        *at = end;
        if (error != 0 || end == '\0')
            return error;
    }
}

// NULL: there is neither an option nor a home.
static char *choose_path(const mm_options_t *options)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int size = 0;
    if (options->locks && *options->locks)
        size = asprintf(&path, "%s", options->locks);
    else if (geteuid() == 0)
        size = asprintf(&path, "%s", ROOTS_FOLDER);
    else if (state && *state == '/') // others are to be ignored, says the XDG specification
        size = asprintf(&path, "%s/" BELOW_HOME, state);
    else if (home && *home == '/')
        size = asprintf(&path, "%s/.local/state/" BELOW_HOME, home);
    assert(size >= 0);
    return path;
}

static host_dir_t find_dir(const mm_options_t *options)
{
    const char *dir = options->dir && *options->dir ? options->dir : ".";
    char *real = realpath(dir, NULL), *here = real || *dir == '/' ? NULL : realpath(".", NULL);
    char *joined = NULL;
    int size = asprintf(&joined, "%s%s%s", here ? here : "", here ? "/" : "", real ? real : dir);
    assert(size >= 0);
    host_dir_t kept = host_dir(mm_str(joined));
    free(joined);
    free(here);
    free(real);
    return kept;
}

// Whether files can be made and locked there is tried out. Returns 0 or an errno.
static int try_out(int folder)
{
    int file = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
        file =
            openat(folder, ".check", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
        (void)unlinkat(folder, ".check", 0);
    }
    int error = file < 0 || flock(file, LOCK_SH | LOCK_NB) != 0 ? errno : 0;
    if (file >= 0)
        (void)close(file);
    return error == EWOULDBLOCK ? 0 : error;
}

static void complain_of_folder(const char *path, int error, char ret_complaint[MM_ERROR_MAX])
{
    if (path)
        (void)snprintf(ret_complaint, MM_ERROR_MAX,
                       "cannot use %.300s, which has the locks on hosts: %s; without them nothing "
                       "is restarted: make it writable or name another folder with --locks",
                       path, strerror(error));
    else
        (void)snprintf(ret_complaint, MM_ERROR_MAX,
                       "there is no folder for the locks on hosts, since HOME is not set: name one "
                       "with --locks");
}

// Whether files can be made there; in the nearest folder above it, when it is not there. Returns 0
// or an errno.
static int look_at(const char *path)
{
    char *at = strdup(path), *end;
    struct stat status;
    assert(at);
    while ((end = strrchr(at, '/')) && end > at && stat(at, &status) != 0 && errno == ENOENT)
        *end = '\0';
    bool is_there = stat(at, &status) == 0;
    if (!is_there && errno == ENOENT) { // nothing is left but the root, or this folder
        strcpy(at, *at == '/' ? "/" : ".");
        is_there = stat(at, &status) == 0;
    }
    int error = !is_there || faccessat(AT_FDCWD, at, W_OK | X_OK, AT_EACCESS) != 0 ? errno
                : !S_ISDIR(status.st_mode)                                         ? ENOTDIR
                                                                                   : 0;
    free(at);
    return error;
}

bool host_locks_check(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX])
{
    char *path = choose_path(options);
    int error = path ? look_at(path) : 0;
    if (error != 0 || !path)
        complain_of_folder(path, error, ret_complaint);
    bool is_good = path && error == 0;
    free(path);
    return is_good;
}

host_locks_t *host_locks_open(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX])
{
    char *path = choose_path(options);
    if (!path) {
        complain_of_folder(NULL, 0, ret_complaint);
        return NULL;
    }
    int error = make_folders(path);
    int folder = error == 0 ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (error == 0)
        error = folder < 0 ? errno : try_out(folder);
    if (error != 0) {
        complain_of_folder(path, error, ret_complaint);
        if (folder >= 0)
            (void)close(folder);
        free(path);
        return NULL;
    }
    host_locks_t *self = malloc(sizeof *self);
    assert(self);
    *self =
        (host_locks_t){.folder = folder, .path = host_dir(mm_str(path)), .dir = find_dir(options)};
    free(path);
    return self;
}

void host_locks_close(host_locks_t **self_p)
{
    if (!*self_p)
        return;
    (void)close((*self_p)->folder);
    free(*self_p);
    *self_p = NULL;
}

const host_dir_t *host_locks_dir(const host_locks_t *self)
{
    return &self->dir;
}

// ---- a host

// Returns 0 or an errno; EBADMSG: it is no record.
static int read_record(int file, host_record_t *ret_record)
{
    char text[HOST_RECORD_MAX];
    ssize_t size = pread(file, text, sizeof text, 0);
    if (size < 0)
        return errno;
    return host_record_parse((mm_str_t){text, (size_t)size}, ret_record) ? 0 : EBADMSG;
}

// Opens and locks the file; one that was removed meanwhile locks nobody out. Returns 0 or an errno,
// and *ret_file is -1; EWOULDBLOCK: somebody has it, and *ret_file is open.
static int lock_file(int folder, const char *name, int *ret_file)
{
    int error = ENOENT;
    for (int i = 0; i < TRIES && error == ENOENT; i++) {
        struct stat status;
        int file =
            openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
                   S_IRUSR | S_IWUSR);
        *ret_file = file;
        if (file < 0)
            return errno == EISDIR || errno == ELOOP || errno == ENXIO ? EBADMSG : errno;
        error = flock(file, LOCK_EX | LOCK_NB) != 0 || fstat(file, &status) != 0 ? errno : 0;
        if (error == 0 && !S_ISREG(status.st_mode))
            error = EBADMSG;
        if (error == 0 && status.st_nlink == 0)
            error = ENOENT;
        if (error != 0 && error != EWOULDBLOCK) {
            (void)close(file);
            *ret_file = -1;
        }
    }
    return error;
}

// Whether it is there: with this number and this start. What /proc hides of other users is there as
// long as the number is.
static bool is_alive(int64_t pid, uint64_t started)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        (void)close(file);
    if (size <= 0)
        return kill((pid_t)pid, 0) == 0 || errno == EPERM;
    text[size] = '\0';
    char *at = strrchr(text, ')'); // its name may hold anything
    bool is_zombie = at && strncmp(at, ") Z", 3) == 0;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at && !is_zombie && strtoull(at, NULL, 10) == started;
}

static void say_who(int file, mm_str_t host, char *ret_why)
{
    host_record_t record = {0};
    (void)read_record(file, &record);
    if (record.held_pid > 0)
        (void)snprintf(ret_why, MM_ERROR_MAX, "held by pid %" PRId64 " of %s", record.held_pid,
                       record.held_dir.text);
    else
        (void)snprintf(ret_why, MM_ERROR_MAX, "another restarter has %.*s", (int)host.size,
                       host.data);
}

static void say_what(const host_locks_t *self, const char *name, int error, char *ret_why)
{
    const char *text =
        error == EBADMSG ? "it is no record of a host; look at it and remove it" : strerror(error);
    int size = snprintf(ret_why, MM_ERROR_MAX, "cannot use the lock %s: %s; it is in ", name, text);
    size_t room = MM_ERROR_MAX - 1 - (size_t)size, length = strlen(self->path.text);
    (void)snprintf(ret_why + size, room + 1, "%s", length <= room ? self->path.text : "--locks");
}

// What was left there is gone, or is named.
static bool is_left(host_record_t *record, char *ret_why)
{
    if (record->left_pid > 0 && is_alive(record->left_pid, record->left_started)) {
        (void)snprintf(ret_why, MM_ERROR_MAX, "left-running: pid %" PRId64 " of %s",
                       record->left_pid, record->left_dir.text);
        return true;
    }
    record->left_pid = 0;
    return false;
}

static int write_holder(const host_locks_t *self, host_lock_t *lock)
{
    lock->record.held_pid = getpid();
    lock->record.held_dir = self->dir;
    return host_lock_write(lock);
}

host_lock_t *host_locks_take(const host_locks_t *self, mm_str_t host, char ret_why[MM_ERROR_MAX],
                             bool *ret_is_held)
{
    char name[HOST_FILE_MAX + 1];
    host_lock_t *lock = calloc(1, sizeof *lock);
    assert(lock && host.size <= MM_HOST_MAX);
    lock->file = -1;
    lock->host = mm_host_fold(host, lock->host_text);
    if (lock->host.data != lock->host_text) {
        memcpy(lock->host_text, lock->host.data, lock->host.size);
        lock->host.data = lock->host_text;
    }
    host_record_file(lock->host, name);
    int error = lock_file(self->folder, name, &lock->file);
    if (error == 0)
        error = read_record(lock->file, &lock->record);
    bool has_left = error == 0 && is_left(&lock->record, ret_why);
    if (error == 0 && !has_left)
        error = write_holder(self, lock);
    if (error == 0 && !has_left)
        return lock;
    *ret_is_held = has_left || error == EWOULDBLOCK || error == EBADMSG;
    if (error == EWOULDBLOCK)
        say_who(lock->file, host, ret_why);
    else if (!has_left)
        say_what(self, name, error, ret_why);
    host_lock_release(&lock);
    return NULL;
}

host_record_t *host_lock_record(host_lock_t *self)
{
    return &self->record;
}

// In one write, which a kill does not cut: the text fits into a page.
int host_lock_write(host_lock_t *self)
{
    char text[HOST_RECORD_MAX];
    size_t size = host_record_print(&self->record, self->host, text);
    ssize_t written = pwrite(self->file, text, size, 0);
    if (written < 0)
        return errno;
    if ((size_t)written != size)
        return ENOSPC;
    return ftruncate(self->file, (off_t)size) == 0 ? 0 : errno;
}

void host_lock_release(host_lock_t **self_p)
{
    if (!*self_p)
        return;
    if ((*self_p)->file >= 0)
        (void)close((*self_p)->file);
    free(*self_p);
    *self_p = NULL;
}
