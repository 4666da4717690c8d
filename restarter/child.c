// See child.h. The restarter has threads, so between fork and exec only async-signal-safe functions
// are called. The supervisor has one thread, blocks every signal and waits for signals with
// sigwaitinfo, so it has no races. It never exits before its group: it reports the command's
// status, then waits for the KILL that ends the group.

#include "child.h"
#include "inherited.h"
#include "utf8.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD  3            // in the supervisor
#define READ_BYTES (16 * 1024)  // in one read
#define STEP_BYTES (128 * 1024) // in one child_step, so that much output does not block the loop

// Sent to the supervisor when the restarter ends. The command may send it too ("kill -USR1 0"), so
// getppid decides.
#define PARENT_DIED SIGUSR1

// ---- the supervisor

// Writes into the output of the command, which becomes the error.
static void complain(const char *what, const char *name, int why)
{
    const char *reason = strerrordesc_np(why);
    const char *words[] = {what, name, ": ", reason ? reason : "unknown error", "\n"};
    struct iovec parts[5];
    for (size_t i = 0; i < 5; i++)
        parts[i] = (struct iovec){(char *)words[i], strlen(words[i])};
    if (writev(STDERR_FILENO, parts, 5) < 0)
        return; // the restarter has closed it
}

_Noreturn static void run_command(pid_t supervisor, char *const *arguments, uint64_t open_files)
{
    // The supervisor may have been killed before prctl was called; then no signal comes.
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
    (void)umask(mm_inherited_umask());
    (void)execvp(arguments[0], arguments);
    int why = errno;
    complain("cannot run ", arguments[0], why);
    _exit(why == ENOENT ? 127 : 126);
}

static void send_report(int status)
{
    // If that fails, the restarter is gone. To exit here would let the group live on.
    if (write(REPORT_FD, &status, sizeof status) != (ssize_t)sizeof status)
        (void)kill(0, SIGKILL);
}

_Noreturn static void watch_over(pid_t parent, pid_t command)
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

// Keeps the signal handlers and descriptors of the restarter from the command.
static bool become_clean(int output, int report)
{
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_DFL);
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0 || dup2(report, REPORT_FD) < 0)
        return false;
    closefrom(REPORT_FD + 1);
    return true;
}

// Runs in the child of the fork, with all signals blocked.
_Noreturn static void supervise(pid_t parent, char *const *arguments, uint64_t open_files,
                                int output, int report)
{
    // The restarter may have ended before prctl was called; then no signal comes.
    if (setsid() < 0 || !become_clean(output, report) ||
        prctl(PR_SET_PDEATHSIG, PARENT_DIED) != 0 || getppid() != parent)
        _exit(126);
    (void)prctl(PR_SET_NAME, CHILD_NAME);
    pid_t self = getpid();
    pid_t command = fork();
    if (command == 0)
        run_command(self, arguments, open_files);
    if (command < 0) {
        complain("cannot start ", arguments[0], errno);
        _exit(126);
    }
    watch_over(parent, command);
}

// ---- the restarter's side

// Forks the supervisor. Returns 0 or an errno.
static int spawn(pid_t *ret_pid, char *const *arguments, uint64_t open_files, int output,
                 int report)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    *ret_pid = fork();
    int why = *ret_pid < 0 ? errno : 0;
    if (*ret_pid == 0)
        supervise(parent, arguments, open_files, output, report);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return why;
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

int child_start(child_t *self, char *const *arguments, uint64_t open_files, int epoll,
                uint64_t data)
{
    assert(self->pid == 0);
    int output[2] = {-1, -1};
    int report[2] = {-1, -1};
    pid_t pid = 0;
    int why = 0;
    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(report, O_CLOEXEC) != 0 ||
        fcntl(output[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(report[0], F_SETFL, O_NONBLOCK) != 0)
        why = errno;
    else
        why = spawn(&pid, arguments, open_files, output[1], report[1]);
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

// Whether the supervisor has ended. Reads its report, if there is one, and then kills the group.
static bool read_report(child_t *self)
{
    for (;;) {
        int status = 0;
        ssize_t size = read(self->report, &status, sizeof status);
        if (size < 0)
            return false; // EAGAIN: no report yet, or the supervisor has not quite ended
        // The supervisor has not been reaped, so its group's number cannot belong to another group.
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
    // The supervisor has closed its descriptors, so it exits at once and reap does not block.
    int status = reap(self);
    if (!self->has_report)
        self->status = status; // the supervisor was killed, or could not start the command
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

// The size of the terminal escape sequence ("\033[31m") at `at`; 0: there is none.
static size_t escape_size(const char *at, const char *end)
{
    if (end - at < 2 || at[0] != '\033' || at[1] != '[')
        return 0;
    const char *c = at + 2;
    while (c < end && !(*c >= '@' && *c <= '~'))
        c++;
    return (size_t)(c - at) + (c < end ? 1 : 0);
}

// The size of the printable character at `at`; 0: it is a control character or not UTF-8.
static size_t shown_size(const char *at, const char *end)
{
    size_t size = mm_utf8_character(at, (size_t)(end - at));
    return size > 0 && !mm_utf8_is_control(at) ? size : 0;
}

static size_t append(char *to, const char *data, size_t size)
{
    memcpy(to, data, size);
    return size;
}

// The whole tail in its clean form, which has at most three bytes for each byte of the tail.
static size_t clean_tail(const child_t *self, char ret_text[3 * CHILD_TAIL_MAX])
{
    const char *at = self->tail;
    const char *end = self->tail + self->tail_size;
    const char *gap = "";
    size_t size = 0;
    while (at < end && mm_utf8_is_continuation(*at))
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
    while (skip < all && mm_utf8_is_continuation(clean[skip]))
        skip++;
    memcpy(ret_text, clean + skip, all - skip);
    ret_text[all - skip] = '\0';
    return all - skip;
}
