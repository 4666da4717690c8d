// See child.h. The supervisor (child_main) is single-threaded, blocks every signal and takes them
// with sigwaitinfo, so that nothing in it races. It never exits before its group: it reports and
// waits to be killed with the others.

#include "child.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define REPORT_FD  3            // in the supervisor
#define READ_BYTES (16 * 1024)  // at once
#define STEP_BYTES (128 * 1024) // in one child_step: a loud command must not hold up the loop

// Sent to the supervisor when the restarter ends. It may come from elsewhere too ("kill -USR1 0"
// in the command), so getppid has the last word.
#define PARENT_DIED SIGUSR1

_Noreturn static void run_command(pid_t supervisor, uint64_t open_files, char **arguments)
{
    // The supervisor may have been killed by itself before prctl was called.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor)
        _exit(126);
    struct rlimit limit;
    if (open_files > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = open_files < limit.rlim_max ? open_files : limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    (void)close(REPORT_FD);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)execvp(arguments[0], arguments);
    int why = errno;
    (void)dprintf(STDERR_FILENO, "cannot run %s: %s\n", arguments[0], strerror(why));
    _exit(why == ENOENT ? 127 : 126);
}

static void send_report(int status)
{
    // Not written: there is no restarter that reads it. Exiting here would leave the group alone.
    if (write(REPORT_FD, &status, sizeof status) != (ssize_t)sizeof status)
        (void)kill(0, SIGKILL);
}

_Noreturn static void supervise(pid_t parent, pid_t command)
{
    sigset_t awaited;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigaddset(&awaited, PARENT_DIED);
    for (;;) {
        (void)sigwaitinfo(&awaited, NULL);
        if (getppid() != parent)
            (void)kill(0, SIGKILL);
        int status = 0;
        if (command > 0 && waitpid(command, &status, WNOHANG) == command) {
            command = 0;
            send_report(status);
        }
    }
}

int child_main(int argc, char **argv)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);

    pid_t parent = argc > 5 ? (pid_t)strtol(argv[2], NULL, 10) : 0;
    // kill(0, ...) must never reach anything but the command.
    if (parent <= 0 || strcmp(argv[4], "--") != 0 || getpgrp() != getpid()) {
        (void)dprintf(STDERR_FILENO, CHILD_MODE " is for the restarter's own use\n");
        return EX_USAGE;
    }
    (void)prctl(PR_SET_NAME, CHILD_MODE);
    // The restarter may have ended before prctl was called: then no signal comes.
    if (prctl(PR_SET_PDEATHSIG, PARENT_DIED) != 0 || getppid() != parent)
        return EX_TEMPFAIL;
    closefrom(REPORT_FD + 1);

    pid_t self = getpid();
    pid_t command = fork();
    if (command == 0)
        run_command(self, strtoull(argv[3], NULL, 10), argv + 5);
    if (command < 0) {
        (void)dprintf(STDERR_FILENO, "cannot start a process: %s\n", strerror(errno));
        return 126;
    }
    supervise(parent, command);
}

int child_open_program(void)
{
    int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -1;
    // child_start uses the low numbers for something else.
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    int why = errno;
    (void)close(fd);
    errno = why;
    return high;
}

// Spawns the supervisor. Returns 0 or an errno.
static int spawn(pid_t *ret_pid, int program, char **arguments, int output, int report)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", program);
    sigset_t signals;
    (void)sigfillset(&signals);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int rc = posix_spawnattr_init(&attributes);
    assert(rc == 0);
    rc = posix_spawn_file_actions_init(&actions);
    assert(rc == 0);
    rc = posix_spawnattr_setflags(
        &attributes, (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
    assert(rc == 0);
    rc = posix_spawnattr_setsigmask(&attributes, &signals);
    assert(rc == 0);
    (void)sigdelset(&signals, SIGKILL);
    (void)sigdelset(&signals, SIGSTOP);
    rc = posix_spawnattr_setsigdefault(&attributes, &signals);
    assert(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    assert(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    assert(rc == 0);
    rc = posix_spawn_file_actions_adddup2(&actions, report, REPORT_FD);
    assert(rc == 0);
    rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    assert(rc == 0);
    rc = posix_spawn(ret_pid, path, &actions, &attributes, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return rc;
}

static void close_all(child_t *self)
{
    if (self->output >= 0)
        (void)close(self->output);
    if (self->report >= 0)
        (void)close(self->report);
    self->output = self->report = -1;
}

static int reap(child_t *self)
{
    int status = 0;
    while (waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
        ;
    self->pid = 0;
    return status;
}

static bool watch(const child_t *self, int epoll, uint64_t data)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, self->output, &event) == 0 &&
           epoll_ctl(epoll, EPOLL_CTL_ADD, self->report, &event) == 0;
}

int child_start(child_t *self, int program, char *const *arguments, size_t count,
                uint64_t open_files, int epoll, uint64_t data)
{
    assert(self->pid == 0);
    char parent[24];
    char files[24];
    (void)snprintf(parent, sizeof parent, "%ld", (long)getpid());
    (void)snprintf(files, sizeof files, "%llu", (unsigned long long)open_files);
    static char name[] = "mayhem-child";
    static char mode[] = CHILD_MODE;
    static char dashes[] = "--";
    char **all = calloc(count + 6, sizeof *all);
    assert(all);
    memcpy(all, (char *[]){name, mode, parent, files, dashes}, 5 * sizeof *all);
    memcpy(all + 5, arguments, count * sizeof *all);

    int output[2] = {-1, -1};
    int report[2] = {-1, -1};
    pid_t pid = 0;
    int why = 0;
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0 ||
        fcntl(output[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(report[0], F_SETFL, O_NONBLOCK) != 0)
        why = errno;
    else
        why = spawn(&pid, program, all, output[1], report[1]);
    free(all);
    if (output[1] >= 0)
        (void)close(output[1]);
    if (report[1] >= 0)
        (void)close(report[1]);

    *self = (child_t){.pid = pid, .output = output[0], .report = report[0]};
    if (why == 0 && !watch(self, epoll, data)) {
        why = errno;
        child_kill(self);
    } else if (why != 0) {
        self->pid = 0;
        close_all(self);
    }
    return why;
}

static void keep_tail(child_t *self, const char *data, size_t size)
{
    if (size > CHILD_TAIL_MAX) {
        data += size - CHILD_TAIL_MAX;
        size = CHILD_TAIL_MAX;
    }
    size_t keep = CHILD_TAIL_MAX - size;
    if (keep > self->tail_size)
        keep = self->tail_size;
    memmove(self->tail, self->tail + self->tail_size - keep, keep);
    memcpy(self->tail + keep, data, size);
    self->tail_size = keep + size;
}

static void read_output(child_t *self)
{
    char buffer[READ_BYTES];
    for (size_t total = 0; self->output >= 0 && total < STEP_BYTES;) {
        ssize_t size = read(self->output, buffer, sizeof buffer);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return; // EAGAIN: nothing more for now
        if (size == 0) {
            (void)close(self->output);
            self->output = -1;
            return;
        }
        keep_tail(self, buffer, (size_t)size);
        total += (size_t)size;
    }
}

// Whether the supervisor has ended. Takes its report, and then kills the group.
static bool read_report(child_t *self)
{
    for (;;) {
        int status = 0;
        ssize_t size = read(self->report, &status, sizeof status);
        if (size < 0)
            return false; // EAGAIN: there is no report yet, or the supervisor is still dying
        // In both cases it has not been reaped, so the group's number cannot be another's.
        child_signal(self, SIGKILL);
        if (size == 0)
            return true;
        assert(size == (ssize_t)sizeof status);
        self->has_report = true;
        self->status = status;
    }
}

bool child_step(child_t *self)
{
    if (self->pid == 0)
        return false;
    read_output(self);
    if (!read_report(self))
        return false;
    // Its descriptors are closed, so it is past all that could make us wait.
    int status = reap(self);
    if (!self->has_report)
        self->status = status; // somebody killed the supervisor, or it could not start the command
    read_output(self);
    close_all(self);
    return true;
}

void child_signal(const child_t *self, int signal)
{
    if (self->pid > 0)
        (void)kill(-self->pid, signal);
}

void child_kill(child_t *self)
{
    if (self->pid == 0)
        return;
    child_signal(self, SIGKILL);
    (void)reap(self);
    close_all(self);
}

// The bytes of an escape sequence for the terminal ("\033[31m") at `at`; 0: there is none.
static size_t escape_size(const char *at, const char *end)
{
    if (end - at < 2 || at[0] != '\033' || at[1] != '[')
        return 0;
    const char *c = at + 2;
    while (c < end && !(*c >= '@' && *c <= '~'))
        c++;
    return (size_t)(c - at) + (c < end ? 1 : 0);
}

// The bytes of the character at `at` that may be shown; 0: it is a control character or no UTF-8.
static size_t shown_size(const char *at, const char *end)
{
    unsigned char lead = (unsigned char)*at;
    if (lead < 0x80)
        return lead >= 0x20 && lead != 0x7f ? 1 : 0;
    size_t size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (size > (size_t)(end - at) || mm_wire_utf8_prefix((mm_text_t){at, size}, size) != size)
        return 0;
    bool is_control = lead == 0xc2 && (unsigned char)at[1] < 0xa0;
    return is_control ? 0 : size;
}

static size_t append(char *to, const char *data, size_t size)
{
    memcpy(to, data, size);
    return size;
}

// Writes the tail in its clean form, not cut: up to three bytes for each that it has.
static size_t clean_tail(const child_t *self, char ret_text[3 * CHILD_TAIL_MAX])
{
    const char *at = self->tail;
    const char *end = self->tail + self->tail_size;
    const char *gap = "";
    size_t size = 0;
    while (at < end && ((unsigned char)*at & 0xc0) == 0x80)
        at++; // the rest of a character that was cut
    while (at < end) {
        size_t escape = escape_size(at, end);
        if (escape > 0) {
            at += escape;
            continue;
        }
        size_t shown = *at == ' ' ? 0 : shown_size(at, end);
        if (shown > 0) {
            if (size > 0)
                size += append(ret_text + size, gap, strlen(gap));
            size += append(ret_text + size, at, shown);
            gap = "";
            at += shown;
        } else {
            if (*at == '\n' || *at == '\r')
                gap = " | ";
            else if (*gap == '\0')
                gap = " ";
            at++;
        }
    }
    return size;
}

size_t child_tail_text(const child_t *self, char *ret_text, size_t size)
{
    char clean[3 * CHILD_TAIL_MAX];
    size_t all = clean_tail(self, clean);
    size_t skip = all < size ? 0 : all - (size - 1);
    while (skip < all && ((unsigned char)clean[skip] & 0xc0) == 0x80)
        skip++;
    memcpy(ret_text, clean + skip, all - skip);
    ret_text[all - skip] = '\0';
    return all - skip;
}
