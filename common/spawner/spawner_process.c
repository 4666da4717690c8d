// See spawner_process.h.

#include "spawner_process.h"
#include "array.h"
#include "clock.h"
#include "heap.h"
#include "inherited.h"
#include "spawner_child.h"
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

// Descriptors. OUTPUT_FD is free between two starts, and the lowest free one: what comes with a
// request gets it. A child keeps those up to it.
enum {
    OUTPUT_FD = MM_SPAWNER_OUTPUT_FD,
    SOCKET_FD = 4,
    SIGNALS_FD = 5,
    TIMER_FD = 6,
    LAST_FD = TIMER_FD
};

#define TURN_REQUESTS 64      // in one turn of the loop
#define TURN_ENDS     256     // also
#define USER_DIED     SIGTERM // getppid tells it from one that somebody else sends

typedef struct {
    mm_heap_node_t end; // when it is killed
    uint64_t tag;       // 0: free
    pid_t pid;          // 0: its end has been seen
    uint32_t slot;
    int status;
    bool has_status;
    bool is_doomed;
} attempt_t;

typedef struct {
    pid_t user;
    uint32_t slots;
    attempt_t *attempts; // by slot
    mm_table_t by_pid, by_tag;
    mm_heap_t ends;   // CLOCK_BOOTTIME
    int64_t timer_ms; // what the timer is set to; MM_NEVER: nothing
    mm_descendants_t *descendants;
    mm_spawner_event_t *events; // not sent yet
    size_t count, capacity;
    bool user_has_ended;
    bool has_more_ends;
    char *request; // MM_REQUEST_BYTES, and a NUL
    mm_spawner_child_t child;
} spawner_t;

// ---- attempts

static bool is_pid(const void *item, const void *key)
{
    return ((const attempt_t *)item)->pid == *(const pid_t *)key;
}

static bool is_tag(const void *item, const void *key)
{
    return ((const attempt_t *)item)->tag == *(const uint64_t *)key;
}

static bool is_running(void *arg, uint64_t tag)
{
    const spawner_t *self = arg;
    const attempt_t *attempt = mm_table_find(&self->by_tag, mm_table_number(tag), is_tag, &tag);
    return attempt && !attempt->is_doomed;
}

// The attempt has ended: its slot is free, and the event waits to be sent.
static void end_attempt(spawner_t *self, attempt_t *attempt, mm_spawner_event_t event)
{
    event.slot = attempt->slot;
    event.tag = attempt->tag;
    event.has_status = attempt->has_status;
    event.status = attempt->status;
    mm_table_remove(&self->by_tag, mm_table_number(attempt->tag), attempt);
    mm_heap_remove(&self->ends, &attempt->end);
    if (attempt->pid > 0)
        mm_table_remove(&self->by_pid, mm_table_number((uint64_t)attempt->pid), attempt);
    attempt->tag = 0;
    *MM_ARRAY_ADD(self->events, self->count, self->capacity) = event;
}

static void command_ended(spawner_t *self, attempt_t *attempt, int status)
{
    mm_table_remove(&self->by_pid, mm_table_number((uint64_t)attempt->pid), attempt);
    attempt->pid = 0;
    attempt->status = status;
    attempt->has_status = true;
    if (!attempt->is_doomed)
        end_attempt(self, attempt, (mm_spawner_event_t){.kind = MM_SPAWNER_ENDED});
}

// The next zombie, which is reaped; 0: none.
static pid_t reap_one(spawner_t *self, int *ret_status)
{
    siginfo_t info = {.si_pid = 0};
    if (mm_descendants_deadline(self->descendants) != INT64_MAX &&
        waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0)
        mm_descendants_saw_zombie(self->descendants, info.si_pid);
    pid_t pid = waitpid(info.si_pid > 0 ? info.si_pid : -1, ret_status, WNOHANG);
    return pid > 0 ? pid : 0;
}

// Reaps the commands, and orphans that were left to this process. There is one thread, so between
// the end of a command and the removal of its number nobody uses that number.
static void reap(spawner_t *self)
{
    int status;
    pid_t pid = 0;
    for (int i = 0; i < TURN_ENDS && (pid = reap_one(self, &status)) > 0; i++) {
        attempt_t *attempt =
            mm_table_find(&self->by_pid, mm_table_number((uint64_t)pid), is_pid, &pid);
        if (attempt)
            command_ended(self, attempt, status);
    }
    self->has_more_ends = pid > 0;
}

static void doom(spawner_t *self, attempt_t *attempt)
{
    if (attempt->tag == 0 || attempt->is_doomed)
        return;
    attempt->is_doomed = true;
    mm_heap_remove(&self->ends, &attempt->end);
    mm_descendants_doom(self->descendants, attempt->tag, mm_clock_ms());
}

// An attempt that the walk has left survivors of comes back, without a command.
static void doom_again(spawner_t *self, uint32_t slot, uint64_t tag)
{
    attempt_t *attempt = &self->attempts[slot];
    assert(attempt->tag == 0);
    *attempt = (attempt_t){.slot = slot, .tag = tag};
    mm_table_add(&self->by_tag, mm_table_number(tag), attempt);
    doom(self, attempt);
}

// The timer is of CLOCK_BOOTTIME, so that an end is not put off by suspend.
static void set_timer(spawner_t *self)
{
    int64_t due_ms = mm_heap_deadline(&self->ends);
    if (due_ms >= self->timer_ms)
        return; // it comes early, and is set again then
    struct itimerspec timer = {
        .it_value = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000}};
    int rc = timerfd_settime(TIMER_FD, TFD_TIMER_ABSTIME, &timer, NULL);
    assert(rc == 0);
    self->timer_ms = due_ms;
}

static void kill_overdue(spawner_t *self)
{
    uint64_t times;
    if (read(TIMER_FD, &times, sizeof times) < 0)
        return;
    self->timer_ms = MM_NEVER;
    int64_t now_ms = mm_clock_ms();
    while (mm_heap_deadline(&self->ends) <= now_ms)
        doom(self, MM_HEAP_OWNER(mm_heap_first(&self->ends), attempt_t, end));
    set_timer(self);
}

static void kill_more(spawner_t *self)
{
    mm_spawner_event_t event = {.kind = MM_SPAWNER_KILLED};
    uint64_t tag;
    mm_descendants_step(self->descendants, mm_clock_ms());
    while (mm_descendants_next(self->descendants, &tag, &event.survivors)) {
        attempt_t *attempt = mm_table_find(&self->by_tag, mm_table_number(tag), is_tag, &tag);
        int status;
        if (attempt->pid > 0 && waitpid(attempt->pid, &status, WNOHANG) == attempt->pid)
            command_ended(self, attempt, status);
        end_attempt(self, attempt, event);
    }
}

// ---- a start

// `error`: the output did not come with the request.
static void start(spawner_t *self, mm_request_t *request, int error)
{
    attempt_t *attempt = &self->attempts[request->slot];
    assert(attempt->tag == 0);
    *attempt = (attempt_t){.slot = request->slot, .tag = request->tag};
    mm_table_add(&self->by_tag, mm_table_number(attempt->tag), attempt);
    pid_t pid = -1;
    if (error == 0) {
        error = mm_spawner_child_start(&self->child, request, &pid);
    }
    if (error == 0) {
        attempt->pid = pid;
        mm_table_add(&self->by_pid, mm_table_number((uint64_t)pid), attempt);
        if (request->end_ms > 0)
            mm_heap_put(&self->ends, &attempt->end, request->end_ms);
        return;
    }
    end_attempt(self, attempt,
                (mm_spawner_event_t){.kind = MM_SPAWNER_NOT_STARTED, .error = error});
}

// ---- requests and events

static bool is_own_fault(int error)
{
    return error != EAGAIN && error != EINTR;
}

// Takes one request. False: there is none for now.
static bool receive(spawner_t *self)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec part = {self->request, MM_REQUEST_BYTES};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(SOCKET_FD, &message, MSG_CMSG_CLOEXEC);
    if (size <= 0) {
        self->user_has_ended |= size == 0 || is_own_fault(errno);
        return false;
    }
    mm_request_t *request = (mm_request_t *)(void *)self->request;
    assert((size_t)size >= sizeof *request && request->slot < self->slots);
    self->request[size] = '\0';
    attempt_t *attempt = &self->attempts[request->slot];
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    assert(!header || *(int *)(void *)CMSG_DATA(header) == OUTPUT_FD);
    switch (request->kind) {
    case MM_REQUEST_START:
        start(self, request, header ? 0 : EMFILE);
        if (header)
            (void)close(OUTPUT_FD);
        break;
    case MM_REQUEST_SIGNAL:
        if (attempt->tag == request->tag && attempt->pid > 0)
            (void)kill(-attempt->pid, request->signal);
        break;
    case MM_REQUEST_KILL:
        if (attempt->tag == request->tag)
            doom(self, attempt);
        break;
    case MM_REQUEST_KILL_AGAIN: doom_again(self, request->slot, request->tag); break;
    }
    return true;
}

static void send_events(spawner_t *self)
{
    size_t sent = 0;
    while (sent < self->count) {
        size_t count = self->count - sent;
        if (count > MM_SPAWNER_EVENTS)
            count = MM_SPAWNER_EVENTS;
        ssize_t size =
            send(SOCKET_FD, self->events + sent, count * sizeof *self->events, MSG_NOSIGNAL);
        if (size < 0)
            break; // no room: POLLOUT says when; or the user has ended: POLLHUP
        sent += count;
    }
    self->count -= sent;
    memmove(self->events, self->events + sent, self->count * sizeof *self->events);
}

static void read_signals(spawner_t *self)
{
    struct signalfd_siginfo signals[4];
    while (read(SIGNALS_FD, signals, sizeof signals) > 0)
        continue;
    self->user_has_ended |= getppid() != self->user;
}

static int poll_ms(const spawner_t *self)
{
    int64_t due_ms = mm_descendants_deadline(self->descendants);
    if (self->has_more_ends)
        return 0;
    if (due_ms == INT64_MAX)
        return -1;
    int64_t now_ms = mm_clock_ms();
    return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void turn(spawner_t *self)
{
    struct pollfd items[] = {
        {.fd = SOCKET_FD, .events = (short)(self->count > 0 ? POLLIN | POLLOUT : POLLIN)},
        {.fd = SIGNALS_FD, .events = POLLIN},
        {.fd = TIMER_FD, .events = POLLIN}};
    if (poll(items, 3, poll_ms(self)) < 0)
        return; // EINTR: stopped and continued
    if (items[1].revents)
        read_signals(self);
    if (items[0].revents & (POLLHUP | POLLERR))
        self->user_has_ended = true; // what it has still asked for is not started
    reap(self);
    for (int i = 0; i < TURN_REQUESTS && !self->user_has_ended && items[0].revents & POLLIN; i++)
        if (!receive(self))
            break;
    set_timer(self);
    if (items[2].revents)
        kill_overdue(self);
    kill_more(self);
    if (self->count > 0)
        send_events(self);
}

// Kills all that runs. Bounded by the walk's limits.
_Noreturn static void leave(spawner_t *self)
{
    for (uint32_t i = 0; i < self->slots; i++)
        doom(self, &self->attempts[i]);
    while (mm_descendants_deadline(self->descendants) != INT64_MAX) {
        struct pollfd item = {.fd = SIGNALS_FD, .events = POLLIN};
        if (poll(&item, 1, poll_ms(self)) > 0)
            read_signals(self);
        reap(self);
        kill_more(self);
    }
    _exit(0);
}

// ---- the beginning

static bool arrange_descriptors(int socket)
{
    // Out of the way first: it may have one of the numbers.
    int moved = fcntl(socket, F_DUPFD_CLOEXEC, LAST_FD + 1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (moved < 0 || null < 0)
        return false;
    for (int i = 0; i <= STDERR_FILENO; i++)
        if (dup2(null, i) < 0)
            return false;
    if (dup3(moved, SOCKET_FD, O_CLOEXEC) < 0)
        return false;
    sigset_t awaited;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigaddset(&awaited, USER_DIED);
    int signals = signalfd(-1, &awaited, SFD_NONBLOCK | SFD_CLOEXEC);
    if (signals < 0 || (signals != SIGNALS_FD && dup3(signals, SIGNALS_FD, O_CLOEXEC) < 0))
        return false;
    int timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer < 0 || (timer != TIMER_FD && dup3(timer, TIMER_FD, O_CLOEXEC) < 0))
        return false;
    (void)close(OUTPUT_FD);
    return close_range(LAST_FD + 1, ~0U, 0) == 0;
}

static void default_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &action, NULL);
}

// Returns 0 or an errno.
static int prepare_all(spawner_t *self, const mm_spawner_config_t *config, int socket, pid_t user)
{
    default_signals();
    (void)umask(mm_inherited_umask());
    (void)prctl(PR_SET_NAME, MM_SPAWNER_NAME);
    if (setsid() < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 ||
        prctl(PR_SET_PDEATHSIG, USER_DIED) != 0 || !arrange_descriptors(socket))
        return errno;
    int error = mm_spawner_child_open(&self->child, config->open_files);
    if (error != 0)
        return error;
    self->user = user;
    self->slots = config->slots;
    self->timer_ms = MM_NEVER;
    self->attempts = calloc(config->slots, sizeof *self->attempts);
    self->request = malloc(MM_REQUEST_BYTES + 1);
    assert(self->attempts && self->request);
    self->descendants = mm_descendants_new(getpid(), false, is_running, self);
    return self->descendants ? 0 : ENOENT;
}

// All signals are blocked since before the fork.
void mm_spawner_process(const mm_spawner_config_t *config, int socket, pid_t user)
{
    static spawner_t self;
    int error = prepare_all(&self, config, socket, user);
    // Without its descriptors in order it says it where it can.
    if (send(error == 0 ? SOCKET_FD : socket, &error, sizeof error, MSG_NOSIGNAL) < 0 || error != 0)
        _exit(126);
    self.user_has_ended = getppid() != user; // before prctl was called
    while (!self.user_has_ended)
        turn(&self);
    leave(&self);
}
