// See listener.h.

#include "listener.h"
#include "frame_check.h"
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PORT_TRIES 256 // ports in use that are passed over for one session
#define BIND_MS    20  // until what could not be bound is tried again
#define TELL_BINDS 100 // that fail in a row for each line of it
#define WHY_MAX    (MM_NAME_MAX + 128)
#define SPARE_MS   1000  // between two searches for a port when there was none
#define TELL_MS    10000 // between two lines of that
#define NONE_MAX   160

// A socket of both addresses.
typedef struct {
    mm_socket_t *socket;
    const char *domain;
    char endpoint[MM_ENDPOINT_MAX];
    char bound[MM_ENDPOINT_MAX]; // as libzmq calls it; empty: not bound
} shared_t;

struct listener {
    listener_config_t config;
    mm_loop_t *loop;
    zap_t *zap;
    shared_t shared[2];         // jobs and inbox
    broadcast_t *broadcasts[2]; // events and viewers; NULL: not yet
    const mm_allowed_t *sender;
    char why[WHY_MAX];
    mm_socket_t *spare; // bound for the next session; NULL: not yet
    uint64_t ticket;    // its
    int64_t spare_ms;   // before this none is searched for
    int64_t tell_ms;    // nor told of
    char no_port[NONE_MAX];
    unsigned next_port; // counts on from session to session
    bool is_bound;
    int64_t bind_ms; // when what is not bound is tried again
    unsigned binds;  // that have failed in a row
};

// ---- what has changed

// Nobody whose key counts no more hears anything from here on.
static void on_revoked(void *arg, const mm_allowed_t *row)
{
    listener_t *self = arg;
    for (size_t i = 0; i < 2 && self->broadcasts[i]; i++)
        broadcast_close_remote(self->broadcasts[i]);
    self->is_bound = false;
    self->config.revoked(self->config.arg, row);
}

// No-op without one.
static void drop_spare(listener_t *self)
{
    if (!self->spare)
        return;
    mm_socket_destroy(&self->spare);
    zap_end_ticket(self->zap, self->ticket);
}

// Sessions stay: their connections have been made, and a new one would be refused.
static void on_replaced(void *arg)
{
    listener_t *self = arg;
    drop_spare(self);
    for (size_t i = 0; i < 2; i++) {
        shared_t *shared = &self->shared[i];
        if (*shared->bound)
            mm_socket_unbind(shared->socket, shared->bound);
        *shared->bound = '\0';
        if (self->broadcasts[i])
            broadcast_close_remote(self->broadcasts[i]);
    }
    self->is_bound = false;
    self->config.replaced(self->config.arg);
}

static void on_cut(void *arg, uint64_t session)
{
    listener_t *self = arg;
    self->config.cut(self->config.arg, session);
}

static const char *on_taken(void *arg, const mm_allowed_t *row)
{
    listener_t *self = arg;
    return self->config.taken(self->config.arg, row);
}

static void on_drop(void *arg, const char *domain, const char *why, const mm_allowed_t *row)
{
    listener_t *self = arg;
    (void)snprintf(self->why, sizeof self->why, row ? "%s (key %s)" : "%s", why,
                   row ? row->name.text : "");
    self->is_bound = false; // it may have been closed
    self->config.drop(self->config.arg, domain, self->why);
}

// ---- binding

static int bind_shared(listener_t *self, shared_t *shared)
{
    if (*shared->bound)
        return 0;
    zap_serve(self->zap, shared->socket, shared->domain);
    int error = mm_socket_bind(shared->socket, shared->endpoint);
    if (error == 0)
        mm_socket_endpoint(shared->socket, shared->bound, sizeof shared->bound);
    return error;
}

// Binds what is not bound. Returns 0, or the last errno and its port.
static int bind_all(listener_t *self, unsigned *ret_port)
{
    int last = 0;
    unsigned port = self->config.address.port; // of jobs, inbox, events and viewers
    for (unsigned i = 0; i < 4; i++) {
        int error =
            i < 2 ? bind_shared(self, &self->shared[i]) : broadcast_bind(self->broadcasts[i - 2]);
        if (error == 0)
            continue;
        last = error;
        *ret_port = port + i;
    }
    self->is_bound = last == 0;
    return last;
}

static void listen_on(listener_t *self, broadcast_t *broadcast, bool is_viewers, int frames,
                      const char *endpoint)
{
    broadcast_listen(broadcast, &(broadcast_listener_t){.loop = self->loop,
                                                        .zap = self->zap,
                                                        .domain = is_viewers ? "viewers" : "events",
                                                        .endpoint = endpoint,
                                                        .is_viewers = is_viewers,
                                                        .frames = frames,
                                                        .drop = on_drop,
                                                        .arg = self});
    self->broadcasts[is_viewers] = broadcast;
}

static int refuse_address(const listener_t *self, unsigned port, int code, char error[MM_ERROR_MAX])
{
    const mm_endpoint_t *address = &self->config.address;
    const char *fix;
    if (code == ENODEV)
        fix = "that is neither an IP address nor an interface of this machine: give one to "
              "--listen, no name, or * for all";
    else if (code == EADDRNOTAVAIL)
        fix = "this machine does not have that address: give --listen one of its own, or * for all";
    else if (code == EADDRINUSE)
        fix = "stop what uses that port, or choose another --listen; it takes four in a row";
    else
        fix = "choose another --listen";
    (void)snprintf(error, MM_ERROR_MAX, "cannot listen on tcp://%.200s:%u: %s; %s", address->host,
                   port, zmq_strerror(code), fix);
    return EX_UNAVAILABLE;
}

int listener_bind(listener_t *self, mm_socket_t *jobs, mm_socket_t *inbox, broadcast_t *events,
                  broadcast_t *viewers, int viewers_frames, char error[MM_ERROR_MAX])
{
    char endpoint[MM_ENDPOINT_MAX];
    const mm_endpoint_t *address = &self->config.address;
    self->shared[0] = (shared_t){.socket = jobs, .domain = "jobs"};
    self->shared[1] = (shared_t){.socket = inbox, .domain = "inbox"};
    (void)mm_endpoint_of(address, MM_SOCKET_JOBS, self->shared[0].endpoint);
    (void)mm_endpoint_of(address, MM_SOCKET_INBOX, self->shared[1].endpoint);
    listen_on(self, events, false, 0, mm_endpoint_of(address, MM_SOCKET_EVENTS, endpoint));
    listen_on(self, viewers, true, viewers_frames,
              mm_endpoint_suffix(address, MM_SUFFIX_VIEWERS, endpoint));
    unsigned port;
    int code = bind_all(self, &port);
    return code == 0 ? 0 : refuse_address(self, port, code, error);
}

// ---- messages

const char *listener_check(listener_t *self, mm_receiver_t *receiver, const mm_frame_t *frame,
                           bool is_jobs)
{
    if (!zap_sender(self->zap, &receiver->message, &self->sender))
        return "its key no longer counts";
    if (!self->sender)
        return NULL;
    const char *why = self->config.taken(self->config.arg, self->sender);
    if (why)
        zap_shut_down(&receiver->message); // its next connection is refused, which it is told
    else if (frame)
        why = frame_check(self->sender, is_jobs, frame);
    return why;
}

const mm_allowed_t *listener_sender(const listener_t *self)
{
    return self->sender;
}

void listener_forget_sender(listener_t *self)
{
    self->sender = NULL;
}

// ---- sessions

static int bind_tasks(listener_t *self, mm_socket_t *socket)
{
    char endpoint[MM_ENDPOINT_MAX], port[16];
    const mm_ports_t *ports = &self->config.task_ports;
    unsigned count = ports->last - ports->first + 1;
    int error = EADDRINUSE;
    if (ports->first == 0)
        return mm_socket_bind(socket, mm_endpoint_suffix(&self->config.address, "*", endpoint));
    for (unsigned i = 0; i < count && i < PORT_TRIES && error == EADDRINUSE; i++) {
        (void)snprintf(port, sizeof port, "%u", ports->first + self->next_port++ % count);
        error = mm_socket_bind(socket, mm_endpoint_suffix(&self->config.address, port, endpoint));
    }
    return error;
}

// Returns 0, or an errno.
static int bind_spare(listener_t *self)
{
    if (self->spare)
        return 0;
    self->spare = mm_socket_try(ZMQ_PUSH);
    if (!self->spare)
        return errno;
    self->ticket = zap_serve_session(self->zap, self->spare);
    int error = bind_tasks(self, self->spare);
    if (error != 0)
        drop_spare(self);
    return error;
}

static void tell_no_port(listener_t *self, int error, int64_t now_ms)
{
    const mm_ports_t *ports = &self->config.task_ports;
    if (error == EADDRINUSE && ports->first != 0)
        (void)snprintf(self->no_port, sizeof self->no_port,
                       "all of --task-ports=%u..%u are in use there: stop what uses them, or give "
                       "the consumer a longer range",
                       ports->first, ports->last);
    else
        (void)snprintf(self->no_port, sizeof self->no_port,
                       "the consumer has no port for its tasks: %s", zmq_strerror(error));
    if (now_ms < self->tell_ms)
        return;
    self->tell_ms = now_ms + TELL_MS;
    mm_log(MM_LOG_ERROR, "No port for the tasks of a worker: it is refused",
           MM_STRING("name", self->sender->name.text), MM_STRING("why", self->no_port));
}

const char *listener_no_port(listener_t *self, int64_t now_ms)
{
    if (!self->spare && now_ms < self->spare_ms)
        return self->no_port;
    int error = bind_spare(self);
    if (error == 0)
        return NULL;
    self->spare_ms = now_ms + SPARE_MS;
    tell_no_port(self, error, now_ms);
    return self->no_port;
}

mm_socket_t *listener_open_session(listener_t *self, uint64_t session)
{
    assert(self->sender);
    int error = bind_spare(self);
    mm_socket_t *socket = self->spare;
    if (error != 0) {
        errno = error;
        return NULL;
    }
    self->spare = NULL;
    zap_give_session(self->zap, self->ticket, session, self->sender);
    return socket;
}

void listener_close_session(listener_t *self, uint64_t session)
{
    zap_end_session(self->zap, session);
}

// ---- the rest

uint64_t listener_refused(const listener_t *self)
{
    return zap_refused(self->zap);
}

int64_t listener_turn(listener_t *self, int64_t now_ms)
{
    int64_t next_ms = zap_turn(self->zap, now_ms);
    if (self->is_bound || !self->broadcasts[1])
        return next_ms;
    if (now_ms < self->bind_ms)
        return mm_earlier(next_ms, self->bind_ms);
    unsigned port;
    int error = bind_all(self, &port);
    if (error == 0) {
        self->binds = 0;
        return next_ms;
    }
    self->bind_ms = now_ms + BIND_MS;
    if (++self->binds % TELL_BINDS == 0) // a port that was closed is in use for a moment
        mm_log(MM_LOG_ERROR, "Cannot listen again", MM_INT("port", port),
               MM_STRING("error", zmq_strerror(error)));
    return mm_earlier(next_ms, self->bind_ms);
}

// A worker that joins anew has its former port for a moment longer.
static int check_ports(const listener_t *self, char error[MM_ERROR_MAX])
{
    const mm_ports_t *ports = &self->config.task_ports;
    size_t workers = zap_workers(self->zap), count = ports->last - ports->first + 1;
    if (ports->first == 0 || count >= 2 * workers)
        return 0;
    (void)snprintf(
        error, MM_ERROR_MAX,
        "--task-ports=%u..%u has %zu ports, and the %zu workers of %.200s/allowed need two "
        "each: give a longer range",
        ports->first, ports->last, count, workers, self->config.keys);
    return EX_CONFIG;
}

listener_t *listener_new(mm_loop_t *loop, const listener_config_t *config, int *ret_exit_code,
                         char error[MM_ERROR_MAX])
{
    listener_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->loop = loop;
    mm_socket_serve_apart();
    zap_config_t zap = {.folder = config->keys,
                        .revoked = on_revoked,
                        .replaced = on_replaced,
                        .cut = on_cut,
                        .taken = on_taken,
                        .arg = self};
    self->zap = zap_new(loop, &zap, ret_exit_code, error);
    if (self->zap)
        *ret_exit_code = check_ports(self, error);
    if (*ret_exit_code != 0)
        listener_destroy(&self);
    return self;
}

void listener_destroy(listener_t **self_p)
{
    listener_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    drop_spare(self);
    zap_destroy(&self->zap);
    free(self);
}
