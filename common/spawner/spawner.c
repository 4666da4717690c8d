// See spawner.h. This is the user's side.

#include "spawner.h"
#include "clock.h"
#include "spawner_messages.h"
#include "spawner_process.h"
#include "table.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    uint64_t tag; // 0: free
    bool is_doomed;
    bool is_kill_sent;
    bool is_again; // it was killed before
} slot_t;

struct mm_spawner {
    pid_t pid;    // 0: it has been waited for
    bool is_lost; // all that it has sent has been read
    int socket;
    int epoll;
    uint32_t slots;
    uint32_t unsent_kills;
    bool wants_room; // the epoll descriptor says when the socket has some
    bool is_lost_told;
    slot_t *by_slot;
    mm_table_t by_tag; // once the spawner has ended
    mm_descendants_t *descendants;
    mm_spawner_event_t events[MM_SPAWNER_EVENTS];
    size_t at, count;
    char request[MM_REQUEST_BYTES];
};

static bool is_tag(const void *item, const void *key)
{
    return ((const slot_t *)item)->tag == *(const uint64_t *)key;
}

static bool is_running(void *arg, uint64_t tag)
{
    const mm_spawner_t *self = arg;
    const slot_t *slot = mm_table_find(&self->by_tag, mm_table_number(tag), is_tag, &tag);
    return slot && !slot->is_doomed;
}

// ---- the beginning

static int check_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTTIME, &limit) != 0)
        return errno;
    return limit.rlim_max == RLIM_INFINITY ? 0 : EPERM;
}

// Forks with all signals blocked.
static int fork_spawner(mm_spawner_t *self, const mm_spawner_config_t *config, int other)
{
    sigset_t all, before;
    pid_t user = getpid();
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    self->pid = fork();
    int error = self->pid < 0 ? errno : 0;
    if (self->pid == 0)
        mm_spawner_process(config, other, user);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        self->pid = 0;
    return error;
}

// Whether it has left in order, with all that ran dead.
static bool wait_for_end(mm_spawner_t *self)
{
    int status = 0;
    while (self->pid > 0 && waitpid(self->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    self->pid = 0;
    return status == 0;
}

// Waits until the spawner is ready. Returns 0 or an errno.
static int wait_for_beginning(const mm_spawner_t *self)
{
    int error = ECHILD; // it has ended without a word
    struct pollfd item = {.fd = self->socket, .events = POLLIN};
    while (poll(&item, 1, -1) < 0 && errno == EINTR)
        continue;
    if (recv(self->socket, &error, sizeof error, 0) < 0)
        return errno;
    return error;
}

static void free_all(mm_spawner_t *self)
{
    if (self->socket >= 0)
        (void)close(self->socket);
    (void)wait_for_end(self);
    if (self->epoll >= 0)
        (void)close(self->epoll);
    mm_descendants_destroy(&self->descendants);
    mm_table_clear(&self->by_tag);
    free(self->by_slot);
    free(self);
}

int mm_spawner_new(const mm_spawner_config_t *config, mm_spawner_t **ret_self)
{
    assert(config->slots > 0);
    int pair[2];
    int error = check_limit();
    if (error == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        error = errno;
    if (error == 0 &&
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        error = errno;
    if (error != 0)
        return error;

    mm_spawner_t *self = calloc(1, sizeof *self);
    assert(self);
    self->socket = pair[0];
    self->slots = config->slots;
    self->by_slot = calloc(config->slots, sizeof *self->by_slot);
    assert(self->by_slot);
    struct epoll_event event = {.events = EPOLLIN};
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0 || epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->socket, &event) != 0)
        error = errno;
    else
        error = fork_spawner(self, config, pair[1]);
    (void)close(pair[1]);
    if (error == 0)
        error = wait_for_beginning(self);
    if (error == 0) {
        self->descendants = mm_descendants_new(self->pid, true, is_running, self);
        error = self->descendants ? 0 : ENOENT;
    }
    if (error == 0)
        *ret_self = self;
    else
        free_all(self);
    return error;
}

// ---- requests

// Sends the first `size` bytes of the request. Returns 0 or an errno.
static int send_request(const mm_spawner_t *self, const void *request, size_t size, int output)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {.bytes = {0}};
    struct iovec part = {(void *)(uintptr_t)request, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (output >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof output);
        memcpy(CMSG_DATA(header), &output, sizeof output);
    }
    while (sendmsg(self->socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno == ENOBUFS)
            return EAGAIN;
        if (errno == ECONNRESET)
            return EPIPE;
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

// Appends a text with its NUL. False: no room.
static bool append(mm_spawner_t *self, size_t *size, const char *text)
{
    size_t more = strlen(text) + 1;
    if (more > sizeof self->request - *size)
        return false;
    memcpy(self->request + *size, text, more);
    *size += more;
    return true;
}

// Appends all texts, and counts them. False: no room.
static bool append_all(mm_spawner_t *self, size_t *size, char *const *texts, uint32_t *ret_count)
{
    *ret_count = 0;
    for (; texts && texts[*ret_count]; ++*ret_count)
        if (!append(self, size, texts[*ret_count]))
            return false;
    return true;
}

static void want_room(mm_spawner_t *self, bool wants_room)
{
    if (self->wants_room == wants_room)
        return;
    struct epoll_event event = {.events = wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN};
    int rc = epoll_ctl(self->epoll, EPOLL_CTL_MOD, self->socket, &event);
    assert(rc == 0);
    self->wants_room = wants_room;
}

int mm_spawner_start(mm_spawner_t *self, const mm_spawner_start_t *start)
{
    slot_t *slot = &self->by_slot[start->slot];
    assert(start->slot < self->slots && slot->tag == 0);
    assert(start->tag >= MM_TAG_MIN && start->tag <= MM_TAG_MAX);
    assert(start->arguments[0] && start->output >= 0);
    if (self->is_lost)
        return EPIPE;
    mm_request_t request = {.kind = MM_REQUEST_START,
                            .slot = start->slot,
                            .tag = start->tag,
                            .not_after_ms = start->not_after_ms,
                            .end_ms = start->end_ms};
    size_t size = sizeof request;
    if (!append(self, &size, start->path) ||
        !append_all(self, &size, start->arguments, &request.arguments) ||
        !append_all(self, &size, start->environment, &request.environment))
        return E2BIG;
    memcpy(self->request, &request, sizeof request);
    int error = send_request(self, self->request, size, start->output);
    if (error == 0)
        *slot = (slot_t){.tag = start->tag};
    else if (error == EAGAIN)
        want_room(self, true);
    return error;
}

void mm_spawner_signal(mm_spawner_t *self, uint32_t slot, int signal)
{
    assert(slot < self->slots);
    mm_request_t request = {
        .kind = MM_REQUEST_SIGNAL, .slot = slot, .tag = self->by_slot[slot].tag, .signal = signal};
    if (!self->is_lost && request.tag != 0)
        (void)send_request(self, &request, sizeof request, -1);
}

static bool send_kill(mm_spawner_t *self, uint32_t slot)
{
    const slot_t *at = &self->by_slot[slot];
    mm_request_t request = {.kind = at->is_again ? MM_REQUEST_KILL_AGAIN : MM_REQUEST_KILL,
                            .slot = slot,
                            .tag = at->tag};
    // When the spawner has ended, that is found out by the next read.
    if (send_request(self, &request, sizeof request, -1) == EAGAIN)
        return false;
    self->by_slot[slot].is_kill_sent = true;
    return true;
}

void mm_spawner_kill(mm_spawner_t *self, uint32_t slot)
{
    slot_t *at = &self->by_slot[slot];
    assert(slot < self->slots);
    if (at->tag == 0 || at->is_doomed)
        return;
    at->is_doomed = true;
    if (self->is_lost)
        mm_descendants_doom(self->descendants, at->tag, mm_clock_ms());
    else if (!send_kill(self, slot)) {
        self->unsent_kills++;
        want_room(self, true);
    }
}

void mm_spawner_kill_again(mm_spawner_t *self, uint32_t slot, uint64_t tag)
{
    slot_t *at = &self->by_slot[slot];
    assert(slot < self->slots && at->tag == 0 && tag >= MM_TAG_MIN && tag <= MM_TAG_MAX);
    *at = (slot_t){.tag = tag, .is_again = true};
    if (self->is_lost)
        mm_table_add(&self->by_tag, mm_table_number(tag), at);
    mm_spawner_kill(self, slot);
}

// Sends the kills that there was no room for. Starts are tried again by the caller.
static void use_room(mm_spawner_t *self)
{
    for (uint32_t i = 0; i < self->slots && self->unsent_kills > 0; i++) {
        const slot_t *slot = &self->by_slot[i];
        if (slot->tag == 0 || !slot->is_doomed || slot->is_kill_sent)
            continue;
        if (!send_kill(self, i))
            return;
        self->unsent_kills--;
    }
    want_room(self, false);
}

// ---- events

// The spawner has ended: what it has started are children of this process now.
static void take_over(mm_spawner_t *self)
{
    (void)wait_for_end(self);
    self->is_lost = true;
    (void)epoll_ctl(self->epoll, EPOLL_CTL_DEL, self->socket, NULL);
    self->unsent_kills = 0;
    self->wants_room = false;
    for (uint32_t i = 0; i < self->slots; i++) {
        slot_t *slot = &self->by_slot[i];
        if (slot->tag == 0)
            continue;
        mm_table_add(&self->by_tag, mm_table_number(slot->tag), slot);
        if (slot->is_doomed)
            mm_descendants_doom(self->descendants, slot->tag, mm_clock_ms());
    }
}

static void receive(mm_spawner_t *self)
{
    ssize_t size;
    do
        size = recv(self->socket, self->events, sizeof self->events, 0);
    while (size < 0 && errno == EINTR);
    if (size > 0) {
        assert((size_t)size % sizeof *self->events == 0);
        self->at = 0;
        self->count = (size_t)size / sizeof *self->events;
    } else if (size == 0 || errno != EAGAIN) {
        take_over(self);
    }
}

// An attempt that was killed here.
static bool next_killed(mm_spawner_t *self, mm_spawner_event_t *ret_event)
{
    mm_spawner_event_t event = {.kind = MM_SPAWNER_KILLED};
    mm_descendants_step(self->descendants, mm_clock_ms());
    if (!mm_descendants_next(self->descendants, &event.tag, &event.survivors))
        return false;
    slot_t *slot = mm_table_find(&self->by_tag, mm_table_number(event.tag), is_tag, &event.tag);
    mm_table_remove(&self->by_tag, mm_table_number(event.tag), slot);
    event.slot = (uint32_t)(slot - self->by_slot);
    *slot = (slot_t){.tag = 0};
    *ret_event = event;
    return true;
}

bool mm_spawner_next(mm_spawner_t *self, mm_spawner_event_t *ret_event)
{
    if (self->at == self->count && !self->is_lost) {
        if (self->wants_room)
            use_room(self);
        receive(self);
    }
    if (self->at < self->count) {
        *ret_event = self->events[self->at++];
        slot_t *slot = &self->by_slot[ret_event->slot];
        assert(slot->tag == ret_event->tag);
        self->unsent_kills -= slot->is_doomed && !slot->is_kill_sent && !self->is_lost;
        *slot = (slot_t){.tag = 0};
        return true;
    }
    if (!self->is_lost)
        return false;
    if (!self->is_lost_told) {
        self->is_lost_told = true;
        *ret_event = (mm_spawner_event_t){.kind = MM_SPAWNER_LOST};
        return true;
    }
    return next_killed(self, ret_event);
}

int mm_spawner_descriptor(const mm_spawner_t *self)
{
    return self->epoll;
}

int64_t mm_spawner_deadline(const mm_spawner_t *self)
{
    return mm_descendants_deadline(self->descendants);
}

pid_t mm_spawner_pid(const mm_spawner_t *self)
{
    return self->pid;
}

// ---- the end

// What the spawner cannot kill any more.
static void kill_all(mm_spawner_t *self)
{
    mm_spawner_event_t event;
    while (!self->is_lost_told)
        (void)mm_spawner_next(self, &event); // attempts that ended by themselves are not killed
    for (uint32_t i = 0; i < self->slots; i++)
        mm_spawner_kill(self, i);
    for (int64_t due_ms; (due_ms = mm_spawner_deadline(self)) != INT64_MAX;) {
        int64_t wait_ms = due_ms - mm_clock_ms();
        if (wait_ms > 0)
            (void)poll(NULL, 0, (int)wait_ms);
        (void)mm_spawner_next(self, &event);
    }
}

void mm_spawner_destroy(mm_spawner_t **self_p)
{
    mm_spawner_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    (void)shutdown(self->socket, SHUT_RDWR); // what was received stays readable
    if (!wait_for_end(self) || self->is_lost)
        kill_all(self);
    free_all(self);
}
