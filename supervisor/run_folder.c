// See run_folder.h.

#include "run_folder.h"
#include "array.h"
#include "caller.h"
#include "clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static char *path_in(const char *dir, const char *name, const char *ending, char path[RUN_PATH_MAX])
{
    (void)snprintf(path, RUN_PATH_MAX, "%s/%s%s", dir, name, ending);
    return path;
}

// ---- pid files

void run_folder_set_pid(const run_folder_t *self, const char *name, pid_t pid)
{
    char path[RUN_PATH_MAX];
    FILE *file = fopen(path_in(self->dir, name, ".pid", path), "we");
    if (!file)
        return; // a full disk: the process is there all the same
    (void)fprintf(file, "%d\n", (int)pid);
    (void)fclose(file);
}

void run_folder_remove_pid(const run_folder_t *self, const char *name)
{
    char path[RUN_PATH_MAX];
    (void)unlink(path_in(self->dir, name, ".pid", path));
}

static pid_t read_pid(const char *dir, const char *name)
{
    char path[RUN_PATH_MAX];
    int pid = 0;
    FILE *file = fopen(path_in(dir, name, ".pid", path), "re");
    if (!file)
        return 0;
    if (fscanf(file, "%d", &pid) != 1)
        pid = 0;
    (void)fclose(file);
    return pid > 0 ? (pid_t)pid : 0;
}

#define ENDING_MS   5000 // for a process that was killed to be gone, or that borrows to be ready
#define BORROWED_MS 20   // between two looks whether it is

static int is_pid_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name), end = strlen(".pid");
    return size > end && size - end < RUN_NAME_MAX &&
           strcmp(entry->d_name + size - end, ".pid") == 0;
}

void run_folder_each(const char *dir, run_folder_fn *fn, void *arg)
{
    struct dirent **files;
    int count = scandir(dir, &files, is_pid_file, versionsort);
    for (int i = 0; i < count; i++) {
        char *name = files[i]->d_name;
        name[strlen(name) - strlen(".pid")] = '\0';
        fn(arg, name, read_pid(dir, name));
        free(files[i]);
    }
    if (count >= 0)
        free(files);
}

// The words of a process's command line, each ended by a zero byte. Returns their bytes.
static size_t read_words(pid_t pid, char *words, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? 0 : read(file, words, size - 1);
    if (file >= 0)
        close(file);
    size_t used = count > 0 ? (size_t)count : 0;
    words[used] = '\0';
    return used;
}

// ---- who runs here

bool run_folder_find(const char *dir, pid_t *ret_pid, char *ret_who, size_t size)
{
    char path[RUN_PATH_MAX], words[512], since[32] = "?";
    struct stat status;
    int lock = open(path_in(dir, "run", ".lock", path), O_RDONLY | O_CLOEXEC);
    // Shared: several that look do not find each other.
    bool is_free = lock < 0 || flock(lock, LOCK_SH | LOCK_NB) == 0;
    if (lock >= 0)
        close(lock);
    if (is_free)
        return false;
    *ret_pid = read_pid(dir, "run");
    if (stat(path_in(dir, "run", ".pid", path), &status) != 0 || *ret_pid == 0) {
        *ret_pid = 0;
        (void)snprintf(ret_who, size, "its pid file is gone");
        return true;
    }
    const struct passwd *owner = getpwuid(status.st_uid);
    (void)strftime(since, sizeof since, "%F %T", localtime(&status.st_mtime));
    size_t used = read_words(*ret_pid, words, sizeof words);
    for (size_t i = 0; i + 1 < used; i++)
        if (words[i] == '\0' || words[i] == '\n')
            words[i] = ' ';
    (void)snprintf(ret_who, size, "pid %d of %s, since %s: %s", (int)*ret_pid,
                   owner ? owner->pw_name : "an unknown user", since, words);
    return true;
}

// Waits for the end of a process that was killed a moment ago: it has no command line any more, and
// gives the lock back as it ends. False: it lives, or nobody waits for it any longer.
static bool await_end(pid_t pid, int64_t until_ms)
{
    char words[2];
    if (pid == 0 || read_words(pid, words, sizeof words) > 0 || mm_clock_ms() >= until_ms)
        return false;
    int end = pidfd_open(pid, 0);
    (void)poll(&(struct pollfd){.fd = end, .events = POLLIN}, 1, end < 0 ? 10 : ENDING_MS);
    if (end >= 0)
        close(end);
    return true;
}

// Whoever has the lock without a pid file has only borrowed it. False: it has been waited for.
static bool await_return(pid_t pid, int64_t until_ms)
{
    if (pid != 0 || mm_clock_ms() >= until_ms)
        return false;
    (void)poll(NULL, 0, BORROWED_MS);
    return true;
}

// False: another run has the lock. Whoever only looks has it for a moment.
static bool take_lock(const char *dir, int lock, char *ret_who, size_t size)
{
    pid_t pid;
    int64_t until_ms = mm_clock_ms() + ENDING_MS;
    while (flock(lock, LOCK_EX | LOCK_NB) != 0)
        if (run_folder_find(dir, &pid, ret_who, size) && !await_end(pid, until_ms) &&
            !await_return(pid, until_ms))
            return false;
    return true;
}

bool run_folder_may_look(const char *dir)
{
    char path[RUN_PATH_MAX];
    if (access(dir, R_OK | X_OK) != 0)
        return errno != EACCES;
    return access(path_in(dir, "run", ".lock", path), R_OK) == 0 || errno != EACCES;
}

// ---- what a killed run has left

typedef struct {
    const char *dir;
    struct pollfd *items; // pidfds
    pid_t *pids;
    size_t count, capacity, pid_count, pid_capacity;
} others_t;

// A process of this folder says so in its command line.
static bool is_ours(const char *dir, const char *name, pid_t pid)
{
    char words[16384], wanted[RUN_PATH_MAX + 64];
    size_t used = read_words(pid, words, sizeof words);
    (void)snprintf(wanted, sizeof wanted, "--log-file=%s/log/%s.log", dir, name);
    for (size_t i = 0; i < used; i += strlen(words + i) + 1)
        if (strcmp(words + i, wanted) == 0)
            return true;
    return false;
}

// Looks at one pid file; removes it when its process has gone.
static void add_other(void *arg, const char *name, pid_t pid)
{
    others_t *self = arg;
    char path[RUN_PATH_MAX];
    int descriptor = pid > 0 ? pidfd_open(pid, 0) : -1;
    if (descriptor >= 0 && strcmp(name, "run") != 0 && is_ours(self->dir, name, pid)) {
        *MM_ARRAY_ADD(self->items, self->count, self->capacity) =
            (struct pollfd){.fd = descriptor, .events = POLLIN};
        *MM_ARRAY_ADD(self->pids, self->pid_count, self->pid_capacity) = pid;
        return;
    }
    if (descriptor >= 0)
        close(descriptor);
    (void)unlink(path_in(self->dir, name, ".pid", path));
}

static void name_others(const others_t *self, char *names, size_t size)
{
    size_t used = 0;
    *names = '\0';
    for (size_t i = 0; i < self->count && used + 16 < size; i++)
        if (self->items[i].fd >= 0)
            used += (size_t)snprintf(names + used, size - used, "%s%d", used ? " " : "",
                                     (int)self->pids[i]);
}

// Waits until all have ended, or the time is over. Returns how many have not.
static size_t wait_for_others(others_t *self, int64_t end_ms)
{
    size_t left = self->count;
    for (int64_t now_ms; left > 0 && (now_ms = mm_clock_ms()) < end_ms;) {
        if (poll(self->items, self->count, (int)(end_ms - now_ms)) < 0 && errno != EINTR)
            break;
        for (size_t i = 0; i < self->count; i++) {
            if (self->items[i].fd < 0 || self->items[i].revents == 0)
                continue;
            close(self->items[i].fd);
            self->items[i].fd = -1; // poll ignores it
            left--;
        }
    }
    return left;
}

static void clear_others(others_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].fd >= 0)
            close(self->items[i].fd);
    free(self->items);
    free(self->pids);
    *self = (others_t){.dir = self->dir};
}

static int outlast_others(const char *dir, int64_t limit_ms)
{
    others_t others = {.dir = dir};
    char names[256];
    int exit_code = 0;
    run_folder_each(dir, add_other, &others);
    if (others.count > 0) {
        name_others(&others, names, sizeof names);
        (void)caller_fail(0, "what a run that was killed has left in %s (%s) still stops: waiting",
                          dir, names);
        if (wait_for_others(&others, mm_clock_ms() + limit_ms) > 0) {
            name_others(&others, names, sizeof names);
            exit_code = caller_fail(EX_UNAVAILABLE,
                                    "processes of a former run are still running in %s (%s): end "
                                    "them first",
                                    dir, names);
        }
        clear_others(&others);
        // Once more: it removes the pid files of those that have ended.
        run_folder_each(dir, add_other, &others);
    }
    clear_others(&others);
    return exit_code;
}

// ---- taking

static int refuse_folder(const char *dir)
{
    return caller_fail(EX_CANTCREAT,
                       "cannot create files in the folder %s: %s; choose another with "
                       "--dir",
                       dir, strerror(errno));
}

static bool make_folder(const char *path)
{
    struct stat status;
    if (mkdir(path, 0700) == 0)
        return true;
    int error = errno;
    bool is_there = error == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    errno = error == EEXIST ? ENOTDIR : error;
    return is_there;
}

// With the folders above it.
static bool make_folders(const char *dir)
{
    char path[RUN_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", dir);
    for (char *slash = path; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return make_folder(dir) && make_folder(path_in(dir, "log", "", path));
}

int run_folder_take(run_folder_t *self, const char *dir, int64_t limit_ms)
{
    char path[RUN_PATH_MAX], who[1024];
    *self = (run_folder_t){.dir = dir, .lock = -1, .record = -1};
    if (!make_folders(dir))
        return refuse_folder(dir);
    self->record = open(path_in(dir, "log/run", ".log", path),
                        O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    int lock = self->record < 0
                   ? -1
                   : open(path_in(dir, "run", ".lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return refuse_folder(dir);
    if (!take_lock(dir, lock, who, sizeof who)) {
        close(lock);
        return caller_fail(
            EX_UNAVAILABLE,
            "another run (%s) has the folder %s: stop it first, or choose another folder with "
            "--dir",
            who, dir);
    }
    self->lock = lock;
    int exit_code = outlast_others(dir, limit_ms);
    if (exit_code != 0)
        return exit_code;
    run_folder_set_pid(self, "run", getpid());
    (void)unlink(path_in(dir, "publisher", ".run", path));
    return 0;
}

int run_folder_borrow(run_folder_t *self, const char *dir, int64_t limit_ms)
{
    char path[RUN_PATH_MAX], who[1024];
    *self = (run_folder_t){.dir = dir, .lock = -1, .record = -1};
    int lock = open(path_in(dir, "run", ".lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return refuse_folder(dir);
    if (!take_lock(dir, lock, who, sizeof who)) {
        close(lock);
        return EX_UNAVAILABLE;
    }
    self->lock = lock;
    return outlast_others(dir, limit_ms);
}

void run_folder_release(run_folder_t *self)
{
    if (self->lock >= 0) {
        run_folder_remove_pid(self, "run");
        close(self->lock);
    }
    if (self->record >= 0)
        close(self->record);
    self->lock = self->record = -1;
}

void run_folder_record(const run_folder_t *self, const char *line)
{
    char stamp[64];
    time_t now = time(NULL);
    (void)strftime(stamp, sizeof stamp, "%FT%T%z", localtime(&now));
    // Its name as in its pid file; that of the caller may have a blank, which no reader expects.
    (void)dprintf(self->record, "%s run[%d] %s\n", stamp, (int)getpid(), line);
}
