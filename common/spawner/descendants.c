// See descendants.h.

#include "descendants.h"
#include "table.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEP_PROCESSES  256 // in one step
#define CLEAN_PASSES    2
#define CHASED_CHILDREN 32
#define PAUSE_FIRST_MS  1 // between passes that only wait for deaths; doubled up to PAUSE_MAX_MS
#define PAUSE_MAX_MS    64

typedef enum { PHASE_STOP, PHASE_KILL } phase_t;

// A doomed attempt.
typedef struct doomed {
    uint64_t tag;
    phase_t phase;
    int64_t phase_until_ms;
    uint64_t first_pass; // the first one that sees all processes
    int clean_passes;
    bool is_dirty;             // in this pass a signal was sent
    bool is_alive;             // in this pass somebody lived who was sent KILL
    uint64_t chase_until_pass; // a member died before it was seen: it may have left a child
    bool is_over;
    mm_survivors_t survivors;
    struct doomed *next;
} doomed_t;

typedef struct {
    mm_process_t process;
    doomed_t *doomed;
    uint64_t seen_pass; // alive
    bool is_stopped, is_killed, is_denied;
} member_t;

typedef struct {
    char state;
    pid_t parent;
    long threads;
    uint64_t started;
} stat_t;

struct mm_descendants {
    mm_descendants_fn *is_running;
    void *arg;
    bool reaps;
    uint64_t since; // the ancestor's start
    DIR *proc;      // NULL: nothing is doomed
    uint64_t pass;
    int64_t due_ms;
    int64_t pause_ms;
    doomed_t *doomed; // being killed
    doomed_t *over;   // to be told
    mm_table_t by_tag;
    mm_table_t members; // by pid
};

// ---- what /proc says

// Reads a small file of a process. False: it has gone, or no descriptor is free.
static bool read_file(int proc, pid_t pid, const char *name, char *ret_text, size_t size)
{
    char path[32];
    (void)snprintf(path, sizeof path, "%d/%s", (int)pid, name);
    int file = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = read(file, ret_text, size - 1);
    (void)close(file);
    if (got <= 0)
        return false;
    ret_text[got] = '\0';
    return true;
}

// The program's name, in brackets, may hold anything.
static bool read_stat(int proc, pid_t pid, stat_t *ret_stat)
{
    char text[1024];
    if (!read_file(proc, pid, "stat", text, sizeof text))
        return false;
    const char *end = strrchr(text, ')');
    int parent;
    unsigned long long started;
    if (!end ||
        sscanf(end + 1,
               " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
               &ret_stat->state, &parent, &ret_stat->threads, &started) != 4)
        return false;
    ret_stat->parent = parent;
    ret_stat->started = started;
    return true;
}

// A zombie whose threads live on is alive.
static bool is_dead(const stat_t *stat)
{
    return stat->state == 'X' || (stat->state == 'Z' && stat->threads <= 1);
}

// The soft RLIMIT_RTTIME from /proc/PID/limits; 0: unlimited, or the process has gone.
static uint64_t read_limit(int proc, pid_t pid)
{
    static const char name[] = "\nMax realtime timeout";
    char text[4096];
    if (!read_file(proc, pid, "limits", text, sizeof text))
        return 0;
    const char *line = strstr(text, name);
    return line ? strtoull(line + strlen(name), NULL, 10) : 0;
}

// The tag of a process; 0: none.
static uint64_t tag_of(const mm_descendants_t *self, pid_t pid)
{
    struct rlimit limit;
    uint64_t tag = 0;
    if (prlimit(pid, RLIMIT_RTTIME, NULL, &limit) == 0) {
        tag = limit.rlim_cur;
    } else if (errno == EPERM) {
        // Of another user, as most daemons are: those that are older cost only this.
        stat_t stat;
        if (read_stat(dirfd(self->proc), pid, &stat) && stat.started >= self->since)
            tag = read_limit(dirfd(self->proc), pid);
    }
    return tag >= MM_TAG_MIN && tag <= MM_TAG_MAX ? tag : 0;
}

// ---- attempts and members

static bool is_tag(const void *item, const void *key)
{
    return ((const doomed_t *)item)->tag == *(const uint64_t *)key;
}

static bool is_pid(const void *item, const void *key)
{
    return ((const member_t *)item)->process.pid == *(const pid_t *)key;
}

static doomed_t *find_doomed(const mm_descendants_t *self, uint64_t tag)
{
    return tag == 0 ? NULL : mm_table_find(&self->by_tag, mm_table_number(tag), is_tag, &tag);
}

static member_t *find_member(const mm_descendants_t *self, pid_t pid)
{
    return mm_table_find(&self->members, mm_table_number((uint64_t)pid), is_pid, &pid);
}

static member_t *add_member(mm_descendants_t *self, pid_t pid, uint64_t started, doomed_t *doomed)
{
    member_t *member = calloc(1, sizeof *member);
    assert(member);
    member->process = (mm_process_t){pid, started};
    member->doomed = doomed;
    mm_table_add(&self->members, mm_table_number((uint64_t)pid), member);
    return member;
}

static void remove_member(mm_descendants_t *self, member_t *member)
{
    mm_table_remove(&self->members, mm_table_number((uint64_t)member->process.pid), member);
    free(member);
}

// The attempt that the parent is a member of. The parent is looked at again: its number may have
// been used again since it was found; and then the child, which may have lost it meanwhile.
static doomed_t *doomed_of_parent(const mm_descendants_t *self, pid_t pid, const stat_t *stat)
{
    const member_t *parent = find_member(self, stat->parent);
    stat_t now;
    int proc = dirfd(self->proc);
    if (!parent || !read_stat(proc, stat->parent, &now) || now.started != parent->process.started ||
        !read_stat(proc, pid, &now) || now.parent != stat->parent || now.started != stat->started)
        return NULL;
    return parent->doomed;
}

// The member that has this number now, added when it is new; NULL: the process is none, or dead.
static member_t *identify(mm_descendants_t *self, pid_t pid, stat_t *ret_stat)
{
    doomed_t *doomed = find_doomed(self, tag_of(self, pid));
    if (!read_stat(dirfd(self->proc), pid, ret_stat) || is_dead(ret_stat))
        return NULL;
    member_t *member = find_member(self, pid);
    if (member && member->process.started == ret_stat->started)
        return member;
    if (member)
        remove_member(self, member);
    if (!doomed && ret_stat->started >= self->since)
        doomed = doomed_of_parent(self, pid, ret_stat);
    return doomed ? add_member(self, pid, ret_stat->started, doomed) : NULL;
}

// ---- a pass

// Whether it has been sent what its attempt's phase sends. A stopped one may have been continued by
// one that was not stopped yet; in state D (a parent in vfork) a STOP waits.
static bool has_signal(const member_t *member, const stat_t *stat)
{
    if (member->is_denied)
        return true;
    if (member->doomed->phase == PHASE_KILL)
        return member->is_killed;
    return member->is_stopped && stat->state != 'R' && stat->state != 'S';
}

static void send_signal(member_t *member, int pidfd)
{
    bool is_stop = member->doomed->phase == PHASE_STOP;
    member->doomed->is_dirty = true;
    if (pidfd_send_signal(pidfd, is_stop ? SIGSTOP : SIGKILL, NULL, 0) != 0)
        member->is_denied = errno == EPERM;
    else if (is_stop)
        member->is_stopped = true;
    else
        member->is_killed = true;
}

// Somebody may have been missed: no attempt has a clean pass.
static void soil_all(mm_descendants_t *self)
{
    for (doomed_t *doomed = self->doomed; doomed; doomed = doomed->next)
        doomed->is_dirty = true;
}

static void keep_on(const mm_descendants_t *self, doomed_t *doomed)
{
    doomed->is_dirty = true;
    doomed->chase_until_pass = self->pass + CLEAN_PASSES;
}

void mm_descendants_saw_zombie(mm_descendants_t *self, pid_t pid)
{
    struct rlimit limit;
    if (!self->doomed || prlimit(pid, RLIMIT_RTTIME, NULL, &limit) != 0)
        return;
    doomed_t *doomed = find_doomed(self, limit.rlim_cur);
    if (!doomed)
        return;
    const member_t *member = find_member(self, pid);
    if (member && member->is_killed)
        return;
    keep_on(self, doomed);
    // The zombie keeps the number of its group, which a child of it cannot have left by fork alone.
    pid_t group = getpgid(pid);
    if (group > 1 && group != getpgrp())
        (void)kill(-group, doomed->phase == PHASE_STOP ? SIGSTOP : SIGKILL);
}

// Whether the walk has to look at the process more closely; most it has not.
static bool is_suspect(mm_descendants_t *self, pid_t pid)
{
    uint64_t tag = tag_of(self, pid);
    if (tag != 0 && self->is_running(self->arg, tag) && !find_member(self, pid))
        return false;
    stat_t stat;
    if (!read_stat(dirfd(self->proc), pid, &stat) || stat.started < self->since)
        return false;
    bool is_own = find_doomed(self, tag) || find_member(self, pid);
    if (is_dead(&stat)) { // one whose parent does not wait costs its number only
        if (is_own && self->reaps && stat.parent == getpid()) {
            mm_descendants_saw_zombie(self, pid);
            (void)waitpid(pid, NULL, WNOHANG);
        }
        return false;
    }
    return is_own || find_member(self, stat.parent);
}

// What is found out after pidfd_open is true for the process that the signal reaches, or that has
// gone.
static void pursue(mm_descendants_t *self, pid_t pid, int pidfd)
{
    stat_t stat;
    member_t *member = identify(self, pid, &stat);
    if (!member)
        return;
    member->seen_pass = self->pass;
    if (!has_signal(member, &stat))
        send_signal(member, pidfd);
    else if (member->is_killed)
        member->doomed->is_alive = true;
}

static void look_at(mm_descendants_t *self, pid_t pid)
{
    errno = 0;
    int pidfd = is_suspect(self, pid) ? pidfd_open(pid, 0) : -1;
    if (pidfd >= 0) {
        pursue(self, pid, pidfd);
        (void)close(pidfd);
    }
    // A file that could not be opened looks like a process that has gone.
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        soil_all(self);
}

// Looks at the newest children of this process. A member that forks and exits again and again has
// gone wherever a pass finds it; but each time it has become an orphan, and so the last child here.
static void chase(mm_descendants_t *self)
{
    static char text[256 * 1024];
    int file = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t size = 0, got;
    while (file >= 0 && (got = read(file, text + size, sizeof text - 1 - (size_t)size)) > 0)
        size += got;
    if (file >= 0)
        (void)close(file);
    for (int i = 0; i < CHASED_CHILDREN && size > 0; i++) {
        text[size] = '\0';
        while (size > 0 && text[size - 1] == ' ')
            text[--size] = '\0';
        while (size > 0 && text[size - 1] != ' ')
            size--;
        if (text[size] != '\0')
            look_at(self, atoi(text + size));
    }
}

static void keep_survivor(mm_survivors_t *survivors, mm_process_t process)
{
    if (survivors->count < MM_SURVIVORS_MAX)
        survivors->named[survivors->count] = process;
    survivors->count++;
}

// Forgets the members that were not seen in this pass, and those of attempts that are over.
static void forget_members(mm_descendants_t *self)
{
    size_t count = 0;
    member_t *member, **kept = malloc((self->members.count + 1) * sizeof(member_t *));
    assert(kept);
    for (size_t at = 0; (member = mm_table_next(&self->members, &at));) {
        if (member->seen_pass == self->pass && !member->doomed->is_over) {
            kept[count++] = member;
            continue;
        }
        if (member->seen_pass == self->pass)
            keep_survivor(&member->doomed->survivors, member->process);
        free(member);
    }
    mm_table_empty(&self->members);
    while (count > 0) {
        member = kept[--count];
        mm_table_add(&self->members, mm_table_number((uint64_t)member->process.pid), member);
    }
    free(kept);
}

// Decides about an attempt after a pass.
static void advance(doomed_t *doomed, uint64_t pass, int64_t now_ms)
{
    bool was_dirty = doomed->is_dirty;
    bool is_clean = !doomed->is_dirty && !doomed->is_alive && pass >= doomed->first_pass;
    doomed->clean_passes = is_clean ? doomed->clean_passes + 1 : 0;
    doomed->is_dirty = doomed->is_alive = false;
    if (doomed->clean_passes < CLEAN_PASSES && now_ms < doomed->phase_until_ms)
        return;
    if (doomed->phase == PHASE_STOP) {
        doomed->phase = PHASE_KILL;
        doomed->phase_until_ms = now_ms + MM_DESCENDANTS_PHASE_MS;
        doomed->clean_passes = 0;
    } else {
        doomed->is_over = true;
        if (was_dirty)
            keep_survivor(&doomed->survivors, (mm_process_t){.pid = 0});
    }
}

static void remove_over(mm_descendants_t *self)
{
    for (doomed_t **link = &self->doomed; *link;) {
        doomed_t *doomed = *link;
        if (!doomed->is_over) {
            link = &doomed->next;
            continue;
        }
        mm_table_remove(&self->by_tag, mm_table_number(doomed->tag), doomed);
        *link = doomed->next;
        doomed->next = self->over;
        self->over = doomed;
    }
}

static int64_t longer(int64_t pause_ms)
{
    if (pause_ms == 0)
        return PAUSE_FIRST_MS;
    return pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
}

// Decides about each attempt, and when the next pass begins.
static void end_pass(mm_descendants_t *self, int64_t now_ms)
{
    bool only_waits = true;
    for (doomed_t *doomed = self->doomed; doomed; doomed = doomed->next) {
        only_waits &= doomed->is_alive && !doomed->is_dirty;
        advance(doomed, self->pass, now_ms);
    }
    forget_members(self);
    remove_over(self);
    self->pass++;
    self->pause_ms = only_waits ? longer(self->pause_ms) : 0;
    self->due_ms = now_ms + self->pause_ms;
    if (self->doomed) {
        rewinddir(self->proc);
        return;
    }
    (void)closedir(self->proc);
    self->proc = NULL;
}

// ---- the interface

// The numbers below are the caller's, to whom they may mean something.
static DIR *open_proc(void)
{
    int low = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int high = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, MM_DESCENDANTS_FD);
    if (low >= 0)
        (void)close(low);
    DIR *proc = high < 0 ? NULL : fdopendir(high);
    if (high >= 0 && !proc)
        (void)close(high);
    return proc;
}

mm_descendants_t *mm_descendants_new(pid_t ancestor, bool reaps, mm_descendants_fn *is_running,
                                     void *arg)
{
    stat_t stat;
    int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = proc >= 0 && read_stat(proc, ancestor, &stat);
    if (proc >= 0)
        (void)close(proc);
    if (!found)
        return NULL;
    mm_descendants_t *self = calloc(1, sizeof *self);
    assert(self);
    self->is_running = is_running;
    self->arg = arg;
    self->reaps = reaps;
    self->since = stat.started;
    self->pass = 1;
    return self;
}

static void free_list(doomed_t *doomed)
{
    while (doomed) {
        doomed_t *next = doomed->next;
        free(doomed);
        doomed = next;
    }
}

void mm_descendants_destroy(mm_descendants_t **self_p)
{
    mm_descendants_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    member_t *member;
    for (size_t at = 0; (member = mm_table_next(&self->members, &at));)
        free(member);
    mm_table_clear(&self->members);
    mm_table_clear(&self->by_tag);
    free_list(self->doomed);
    free_list(self->over);
    if (self->proc)
        (void)closedir(self->proc);
    free(self);
}

void mm_descendants_doom(mm_descendants_t *self, uint64_t tag, int64_t now_ms)
{
    assert(tag >= MM_TAG_MIN && tag <= MM_TAG_MAX && !find_doomed(self, tag));
    doomed_t *doomed = calloc(1, sizeof *doomed);
    assert(doomed);
    *doomed = (doomed_t){.tag = tag,
                         .phase_until_ms = now_ms + MM_DESCENDANTS_PHASE_MS,
                         .first_pass = self->proc ? self->pass + 1 : self->pass,
                         .next = self->doomed};
    self->doomed = doomed;
    mm_table_add(&self->by_tag, mm_table_number(tag), doomed);
    self->due_ms = now_ms;
}

static bool is_chasing(const mm_descendants_t *self)
{
    for (const doomed_t *doomed = self->doomed; doomed; doomed = doomed->next)
        if (doomed->chase_until_pass >= self->pass)
            return true;
    return false;
}

void mm_descendants_step(mm_descendants_t *self, int64_t now_ms)
{
    if (now_ms < mm_descendants_deadline(self))
        return;
    if (!self->proc)
        self->proc = open_proc();
    if (!self->proc) { // no descriptor is free
        self->due_ms = now_ms + PAUSE_MAX_MS;
        return;
    }
    if (is_chasing(self))
        chase(self);
    for (int i = 0; i < STEP_PROCESSES; i++) {
        errno = 0;
        const struct dirent *entry = readdir(self->proc);
        if (!entry) {
            if (errno != 0)
                soil_all(self); // not all were seen
            end_pass(self, now_ms);
            return;
        }
        int pid = *entry->d_name >= '1' && *entry->d_name <= '9' ? atoi(entry->d_name) : 0;
        if (pid > 0)
            look_at(self, pid);
    }
}

int64_t mm_descendants_deadline(const mm_descendants_t *self)
{
    return self->doomed ? self->due_ms : INT64_MAX;
}

bool mm_descendants_next(mm_descendants_t *self, uint64_t *ret_tag, mm_survivors_t *ret_survivors)
{
    doomed_t *doomed = self->over;
    if (!doomed)
        return false;
    self->over = doomed->next;
    *ret_tag = doomed->tag;
    *ret_survivors = doomed->survivors;
    free(doomed);
    return true;
}
