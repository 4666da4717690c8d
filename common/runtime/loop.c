// See loop.h.

#include "loop.h"
#include "clock.h"
#include "inherited.h"
#include "span.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utlist.h>

#define REPEAT_MS 1000 // in which the supervisor's signal and another one are the same
#define READY_MAX 64   // descriptors that one wait reports; the next one reports the others

typedef struct reader {
    const char *name;
    mm_socket_t *socket; // NULL: a descriptor
    int descriptor;      // the socket's, or its own
    short events;
    mm_loop_fn *fn;
    void *arg;
    bool is_file;     // always ready, as poll has it: epoll takes no files
    bool is_reported; // its descriptor was ready in this round's wait
    bool is_removed;  // freed when the list is gone through next
    struct reader *prev, *next;
} reader_t;

struct mm_loop {
    int epoll;
    mm_loop_turn_fn *turn;
    void *arg;
    reader_t *readers;
    int64_t deadline_ms; // that the turn function returned last
    int signals;         // signalfd
    mm_loop_signal_fn *signal_fn;
    void *signal_arg;
    bool takes_all_signals;
    bool signalled;
    int64_t signalled_ms;
    bool stopped;
};

static void set_of_signals(sigset_t *ret_set)
{
    sigemptyset(ret_set);
    sigaddset(ret_set, SIGTERM);
    sigaddset(ret_set, SIGINT);
    if (!mm_inherited_ignores_hup()) // a blocked signal would be read though it is ignored
        sigaddset(ret_set, SIGHUP);
    sigaddset(ret_set, SIGUSR1);
}

void mm_loop_block_signals(void)
{
    sigset_t set;
    mm_inherited_repair();
    set_of_signals(&set);
    int rc = sigprocmask(SIG_BLOCK, &set, NULL);
    assert(rc == 0);
    zsys_init();
    zsys_handler_set(NULL);
}

mm_loop_t *mm_loop_new(mm_loop_turn_fn *turn, void *arg)
{
    mm_loop_t *self = calloc(1, sizeof *self);
    assert(self);
    *self =
        (mm_loop_t){.epoll = epoll_create1(EPOLL_CLOEXEC), .turn = turn, .arg = arg, .signals = -1};
    assert(self->epoll >= 0);
    return self;
}

void mm_loop_destroy(mm_loop_t **self_p)
{
    mm_loop_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    reader_t *reader, *next;
    DL_FOREACH_SAFE (self->readers, reader, next)
        free(reader);
    if (self->signals >= 0)
        close(self->signals);
    close(self->epoll);
    free(self);
}

// ---- readers

static void add(mm_loop_t *self, const reader_t *which)
{
    reader_t *reader = malloc(sizeof *reader);
    assert(reader);
    *reader = *which;
    DL_APPEND(self->readers, reader);
    // A socket's descriptor is readable for whatever changes.
    struct epoll_event event = {.data.ptr = reader};
    if (reader->socket || reader->events & ZMQ_POLLIN)
        event.events |= EPOLLIN;
    if (!reader->socket && reader->events & ZMQ_POLLOUT)
        event.events |= EPOLLOUT;
    int rc = epoll_ctl(self->epoll, EPOLL_CTL_ADD, reader->descriptor, &event);
    assert(rc == 0 || errno == EPERM);
    reader->is_file = rc != 0;
}

void mm_loop_add_socket(mm_loop_t *self, const char *name, mm_socket_t *socket, short events,
                        mm_loop_fn *fn, void *arg)
{
    add(self, &(reader_t){.name = name,
                          .socket = socket,
                          .descriptor = mm_socket_descriptor(socket),
                          .events = events,
                          .fn = fn,
                          .arg = arg});
}

void mm_loop_add_descriptor(mm_loop_t *self, const char *name, int descriptor, short events,
                            mm_loop_fn *fn, void *arg)
{
    add(self, &(reader_t){
                  .name = name, .descriptor = descriptor, .events = events, .fn = fn, .arg = arg});
}

static void remove_reader(mm_loop_t *self, mm_socket_t *socket, int descriptor)
{
    reader_t *reader;
    DL_FOREACH (self->readers, reader) {
        if (reader->is_removed || reader->socket != socket || reader->descriptor != descriptor)
            continue;
        int rc = reader->is_file ? 0 : epoll_ctl(self->epoll, EPOLL_CTL_DEL, descriptor, NULL);
        assert(rc == 0); // else it was closed before
        reader->is_removed = true;
        return;
    }
}

void mm_loop_remove_socket(mm_loop_t *self, mm_socket_t *socket)
{
    remove_reader(self, socket, mm_socket_descriptor(socket));
}

void mm_loop_remove_descriptor(mm_loop_t *self, int descriptor)
{
    remove_reader(self, NULL, descriptor);
}

// ---- signals

static void on_signal(void *arg)
{
    mm_loop_t *self = arg;
    struct signalfd_siginfo info;
    while (read(self->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        int number = (int)info.ssi_signo;
        if (self->takes_all_signals) {
            self->signal_fn(self->signal_arg, number);
            continue;
        }
        if (number == SIGUSR1) {
            mm_span_save(true);
            continue;
        }
        // One to all at once, as of a service manager, comes beside the one of the supervisor.
        bool is_repeat =
            mm_inherited_has_parent() && mm_clock_ms() - self->signalled_ms < REPEAT_MS;
        if (self->signalled && number != SIGHUP && !is_repeat)
            _exit(128 + number);
        if (!self->signalled) {
            self->signalled = true;
            self->signalled_ms = mm_clock_ms();
            self->signal_fn(self->signal_arg, number);
        }
    }
}

void mm_loop_on_signal(mm_loop_t *self, mm_loop_signal_fn *fn, void *arg)
{
    sigset_t set;
    set_of_signals(&set);
    self->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    assert(self->signals >= 0);
    self->signal_fn = fn;
    self->signal_arg = arg;
    mm_loop_add_descriptor(self, "signal", self->signals, ZMQ_POLLIN, on_signal, self);
}

void mm_loop_on_every_signal(mm_loop_t *self, mm_loop_signal_fn *fn, void *arg)
{
    mm_loop_on_signal(self, fn, arg);
    self->takes_all_signals = true;
}

// ---- rounds

// It may have what it waits for although its descriptor does not report it.
static bool may_be_ready(const reader_t *reader)
{
    return reader->socket ? (reader->events & ~mm_socket_missing(reader->socket)) != 0
                          : reader->is_file;
}

static bool is_ready(const reader_t *reader)
{
    if (!reader->is_reported && !may_be_ready(reader))
        return false;
    return !reader->socket || (reader->events & mm_socket_events(reader->socket)) != 0;
}

// In milliseconds, rounded up; -1: none.
static int timeout(const mm_loop_t *self)
{
    const reader_t *reader;
    DL_FOREACH (self->readers, reader)
        if (!reader->is_removed && may_be_ready(reader))
            return 0;
    if (self->deadline_ms == MM_NEVER)
        return -1;
    int64_t long_ms = self->deadline_ms - mm_clock_ms();
    return long_ms < 0 ? 0 : long_ms > INT_MAX ? INT_MAX : (int)long_ms;
}

static void wait_for_ready(mm_loop_t *self)
{
    struct epoll_event events[READY_MAX];
    int count = epoll_wait(self->epoll, events, READY_MAX, timeout(self));
    assert(count >= 0 || errno == EINTR); // as by SIGCONT
    for (int i = 0; i < count; i++)
        ((reader_t *)events[i].data.ptr)->is_reported = true;
}

// reader: NULL for a turn without a handler.
static void run_turn(mm_loop_t *self, const reader_t *reader)
{
    mm_span_begin_turn();
    if (reader)
        reader->fn(reader->arg);
    self->deadline_ms = self->turn(self->arg);
    mm_span_end_turn();
}

static void run_round(mm_loop_t *self)
{
    bool has_run = false;
    reader_t *reader, *next;
    wait_for_ready(self);
    DL_FOREACH_SAFE (self->readers, reader, next) {
        if (reader->is_removed) {
            DL_DELETE(self->readers, reader);
            free(reader);
            continue;
        }
        if (!self->stopped && is_ready(reader)) {
            run_turn(self, reader);
            has_run = true;
        }
        reader->is_reported = false;
    }
    if (!has_run && mm_clock_ms() >= self->deadline_ms)
        run_turn(self, NULL);
}

void mm_loop_run(mm_loop_t *self)
{
    run_turn(self, NULL);
    while (!self->stopped)
        run_round(self);
    mm_span_see_threads();
}

void mm_loop_stop(mm_loop_t *self)
{
    self->stopped = true;
}
