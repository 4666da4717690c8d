// See guard.h. A pidfd tells of its end; one timer serves the start that is put off, the limit, and
// the answer to a start that has failed.

#include "guard.h"

#include "clock.h"
#include "guard_command.h"
#include "inherited.h"
#include "log.h"
#include "span.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#define KILLED_MS 1000 // what the kernel may take for a kill, when the program ends

extern char **environ;

struct guard {
    guard_config_t config;
    mm_loop_t *loop;
    mm_command_t *command;
    int timer;
    int pidfd; // -1: nothing runs
    pid_t pid;
    bool is_asked;    // and not started yet
    bool is_owed;     // an answer to what was started
    int64_t start_ms; // not before
};

// ---- times

// At CLOCK_BOOTTIME ms; the past: at once.
static void set_timer(const guard_t *self, int64_t at_ms)
{
    struct itimerspec timer = {
        .it_value = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000 + 1}};
    int rc = timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &timer, NULL);
    assert(rc == 0);
}

static void clear_timer(const guard_t *self)
{
    int rc = timerfd_settime(self->timer, 0, &(struct itimerspec){0}, NULL);
    assert(rc == 0);
}

// ---- processes

static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    (void)sigemptyset(&none);
    (void)sigfillset(&defaults);
    (void)posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setpgroup(attributes, 0);
    (void)posix_spawnattr_setsigmask(attributes, &none);
    (void)posix_spawnattr_setsigdefault(attributes, &defaults);
}

// As with restart commands, a script without #! is for sh.
static int spawn_script(guard_t *self, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attributes, char *const *arguments)
{
    size_t count = 0;
    while (arguments[count])
        count++;
    char **words = calloc(count + 2, sizeof *words);
    assert(words);
    words[0] = (char[]){"/bin/sh"};
    words[1] = (char *)(uintptr_t)mm_command_path(self->command);
    for (size_t i = 1; i < count; i++)
        words[i + 1] = arguments[i];
    int error = posix_spawn(&self->pid, words[0], actions, attributes, words, environ);
    free(words);
    return error;
}

// Its three descriptors are /dev/null, and it has no other. Returns 0 or an errno.
static int spawn(guard_t *self)
{
    static const mm_task_t nobodys;
    char **arguments = mm_command_fill(self->command, &nobodys);
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_init(&actions);
    set_attributes(&attributes);
    for (int i = 0; i <= STDERR_FILENO; i++)
        (void)posix_spawn_file_actions_addopen(&actions, i, "/dev/null", O_RDWR, 0);
    (void)posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    mode_t mask = umask(mm_inherited_umask());
    int error = posix_spawn(&self->pid, mm_command_path(self->command), &actions, &attributes,
                            arguments, environ);
    if (error == ENOEXEC)
        error = spawn_script(self, &actions, &attributes, arguments);
    (void)umask(mask);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return error;
}

// Its number is not used again before it is waited for, so the group is its own.
static void kill_group(const guard_t *self)
{
    (void)kill(-self->pid, SIGKILL);
}

static void answer(guard_t *self, bool says_yes)
{
    if (!self->is_owed)
        return;
    self->is_owed = false;
    self->config.answer(self->config.arg, says_yes);
}

static void complain(const char *why)
{
    mm_log(MM_LOG_WARN, "The guard has not answered: nothing begins", MM_STRING("why", why));
}

static void on_end(void *arg);

// The timer comes at the limit, or at once when it could not be started.
static void start(guard_t *self, int64_t now_ms)
{
    self->is_asked = false;
    self->is_owed = true;
    self->start_ms = now_ms + self->config.gap_ms;
    int error = spawn(self);
    if (error == 0) {
        self->pidfd = pidfd_open(self->pid, 0);
        error = self->pidfd < 0 ? errno : 0;
        if (error != 0) { // its end would be missed
            kill_group(self);
            (void)waitpid(self->pid, NULL, 0);
        }
    }
    if (error == 0) {
        mm_loop_add_descriptor(self->loop, "guard", self->pidfd, ZMQ_POLLIN, on_end, self);
        set_timer(self, now_ms + self->config.limit_ms);
    } else {
        complain(strerror(error));
        set_timer(self, now_ms);
    }
}

// What is asked for waits for its time, and for the end of what runs.
static void start_if_asked(guard_t *self)
{
    int64_t now_ms = mm_clock_ms();
    if (!self->is_asked || self->pidfd >= 0)
        return;
    if (now_ms >= self->start_ms)
        start(self, now_ms);
    else
        set_timer(self, self->start_ms);
}

static void on_end(void *arg)
{
    MM_SPAN("guard ended");
    guard_t *self = arg;
    int status = -1;
    kill_group(self); // what it has left
    if (waitpid(self->pid, &status, WNOHANG) == 0)
        return;
    mm_loop_remove_descriptor(self->loop, self->pidfd);
    (void)close(self->pidfd);
    self->pidfd = -1;
    clear_timer(self);
    answer(self, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    start_if_asked(self);
}

static void on_timer(void *arg)
{
    MM_SPAN("guard timer");
    guard_t *self = arg;
    uint64_t times;
    if (read(self->timer, &times, sizeof times) < 0)
        return;
    if (self->pidfd >= 0) {
        complain("it has not ended in time");
        kill_group(self);
    }
    answer(self, false);
    start_if_asked(self);
}

// ---- the interface

guard_t *guard_new(mm_loop_t *loop, const guard_config_t *config, char ret_complaint[MM_ERROR_MAX])
{
    mm_command_t *command = mm_guard_command_new(config->line, ret_complaint);
    if (!command)
        return NULL;
    guard_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->config.line = NULL; // the caller's
    self->config.gap_ms = config->gap_ms > 0 ? config->gap_ms : GUARD_GAP_MS;
    self->config.limit_ms = config->limit_ms > 0 ? config->limit_ms : GUARD_LIMIT_MS;
    self->loop = loop;
    self->command = command;
    self->pidfd = -1;
    self->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(self->timer >= 0);
    mm_loop_add_descriptor(loop, "guard timer", self->timer, ZMQ_POLLIN, on_timer, self);
    return self;
}

void guard_destroy(guard_t **self_p)
{
    guard_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_loop_remove_descriptor(self->loop, self->timer);
    (void)close(self->timer);
    if (self->pidfd >= 0) {
        mm_loop_remove_descriptor(self->loop, self->pidfd);
        kill_group(self);
        (void)poll(&(struct pollfd){.fd = self->pidfd, .events = POLLIN}, 1, KILLED_MS);
        (void)waitpid(self->pid, NULL, WNOHANG);
        (void)close(self->pidfd);
    }
    mm_command_destroy(&self->command);
    free(self);
}

void guard_ask(guard_t *self)
{
    if (self->is_owed && self->pidfd >= 0)
        return; // its answer is for all
    self->is_asked = true;
    if (!self->is_owed) // else the timer is about to tell that it could not be started
        start_if_asked(self);
}
