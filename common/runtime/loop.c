// See loop.h.

#include "loop.h"
#include "clock.h"
#include "inherited.h"
#include "span.h"

#include <assert.h>
#include <czmq.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utlist.h>

#define REPEAT_MS 1000 // in which the supervisor's signal and another one are the same

typedef struct reader {
    mm_loop_t *loop;
    const char *name;
    void *socket; // NULL: a descriptor
    int descriptor;
    mm_loop_fn *fn;
    void *arg;
    bool removed; // zloop may call a handler once more in the round of its removal
    struct reader *prev, *next;
} reader_t;

struct mm_loop {
    zloop_t *zloop;
    mm_loop_turn_fn *turn;
    void *arg;
    reader_t *readers;
    reader_t *removed;
    int timer; // zloop's id; -1: none
    int64_t timer_ms;
    int signals; // signalfd
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

static void run_turn(mm_loop_t *self);

// zloop rebuilds its poll set, then calls timers, then handlers: it no longer refers to readers
// that were removed in an earlier round.
static void free_removed(mm_loop_t *self)
{
    reader_t *reader, *next;
    DL_FOREACH_SAFE (self->removed, reader, next)
        free(reader);
    self->removed = NULL;
}

static int on_timer(zloop_t *zloop, int timer, void *arg)
{
    (void)zloop;
    (void)timer;
    mm_loop_t *self = arg;
    self->timer = -1;
    free_removed(self);
    mm_span_begin_turn();
    run_turn(self);
    mm_span_end_turn();
    return self->stopped ? -1 : 0;
}

// Calls the turn function and sets the timer to its deadline, unless the timer fires before that
// anyway.
static void run_turn(mm_loop_t *self)
{
    int64_t deadline = self->turn(self->arg);
    if (self->timer >= 0 && self->timer_ms <= deadline)
        return;
    if (self->timer >= 0)
        zloop_timer_end(self->zloop, self->timer);
    self->timer = -1;
    if (deadline == MM_NEVER)
        return;
    int64_t delay = deadline - mm_clock_ms();
    self->timer = zloop_timer(self->zloop, delay > 0 ? (size_t)delay : 0, 1, on_timer, self);
    assert(self->timer >= 0);
    self->timer_ms = deadline;
}

mm_loop_t *mm_loop_new(mm_loop_turn_fn *turn, void *arg)
{
    mm_loop_t *self = calloc(1, sizeof *self);
    assert(self);
    self->zloop = zloop_new();
    assert(self->zloop);
    self->turn = turn;
    self->arg = arg;
    self->timer = -1;
    self->signals = -1;
    return self;
}

void mm_loop_destroy(mm_loop_t **self_p)
{
    mm_loop_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    zloop_destroy(&self->zloop);
    reader_t *reader, *next;
    DL_CONCAT(self->readers, self->removed);
    DL_FOREACH_SAFE (self->readers, reader, next)
        free(reader);
    if (self->signals >= 0)
        close(self->signals);
    free(self);
}

static int on_ready(zloop_t *zloop, zmq_pollitem_t *item, void *arg)
{
    (void)zloop;
    (void)item;
    reader_t *reader = arg;
    if (reader->removed)
        return 0;
    mm_loop_t *self = reader->loop;
    mm_span_begin_turn();
    reader->fn(reader->arg);
    run_turn(self);
    mm_span_end_turn();
    return self->stopped ? -1 : 0;
}

static void add(mm_loop_t *self, const char *name, void *socket, int descriptor, short events,
                mm_loop_fn *fn, void *arg)
{
    reader_t *reader = calloc(1, sizeof *reader);
    assert(reader);
    *reader = (reader_t){.loop = self,
                         .name = name,
                         .socket = socket,
                         .descriptor = descriptor,
                         .fn = fn,
                         .arg = arg};
    DL_APPEND(self->readers, reader);
    zmq_pollitem_t item = {.socket = socket, .fd = descriptor, .events = events};
    int rc = zloop_poller(self->zloop, &item, on_ready, reader);
    assert(rc == 0);
    zloop_poller_set_tolerant(self->zloop, &item); // an error is for the handler to find
}

void mm_loop_add_socket(mm_loop_t *self, const char *name, void *socket, short events,
                        mm_loop_fn *fn, void *arg)
{
    add(self, name, socket, -1, events, fn, arg);
}

void mm_loop_add_descriptor(mm_loop_t *self, const char *name, int descriptor, short events,
                            mm_loop_fn *fn, void *arg)
{
    add(self, name, NULL, descriptor, events, fn, arg);
}

static void remove_reader(mm_loop_t *self, void *socket, int descriptor)
{
    reader_t *reader;
    DL_FOREACH (self->readers, reader)
        if (reader->socket == socket && reader->descriptor == descriptor)
            break;
    if (!reader)
        return;
    zmq_pollitem_t item = {.socket = socket, .fd = descriptor};
    zloop_poller_end(self->zloop, &item);
    reader->removed = true;
    DL_DELETE(self->readers, reader);
    DL_APPEND(self->removed, reader); // zloop may still refer to it
}

void mm_loop_remove_socket(mm_loop_t *self, void *socket)
{
    remove_reader(self, socket, -1);
}

void mm_loop_remove_descriptor(mm_loop_t *self, int descriptor)
{
    remove_reader(self, NULL, descriptor);
}

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

void mm_loop_run(mm_loop_t *self)
{
    mm_span_begin_turn();
    run_turn(self);
    mm_span_end_turn();
    if (!self->stopped)
        (void)zloop_start(self->zloop);
    mm_span_see_threads();
}

void mm_loop_stop(mm_loop_t *self)
{
    self->stopped = true;
}
