// See link.h. One epoll holds the monitors and a timer, so that a loop, or a poll, waits for all of
// them by one descriptor.

#include "link.h"
#include "clock.h"
#include "file_stamp.h"
#include "log.h"
#include "monitor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#define FIRST_MS    1000 // the first pause after a failure; each further one is twice as long, up to
#define LAST_MS     30000
#define ROTATION_MS 5000 // with several server keys: one of them is about to be the consumer's
#define LOOK_MS     1000 // between two looks at the key file while nothing may connect
#define SOCKETS_MAX 4
#define BROKEN_MAX  8 // handshakes; among fewer there may be one that tells more

typedef struct {
    mm_socket_t *socket; // NULL: free
    mm_monitor_t *monitor;
    bool is_session;
    bool is_up; // its handshake has succeeded, and the connection lasts
} watched_t;

typedef enum {
    PROBLEM_NONE,
    PROBLEM_REFUSED,
    PROBLEM_ENDED, // the handshake is, by either side: why cannot always be told
    PROBLEM_SILENT,
    PROBLEM_MUTE,
    PROBLEM_TASKS,
    PROBLEM_OF_FORMER_KEY // there is another one, which has not been tried
} problem_t;

struct mm_link {
    mm_link_config_t config;
    mm_endpoint_t base;
    mm_key_t key;
    bool has_key;
    mm_file_stamp_t read; // what the key file was then
    int epoll;            // -1: on ipc
    int timer;
    watched_t watched[SOCKETS_MAX];
    unsigned broken;    // handshakes, with this server key
    size_t server;      // the key that is tried, or works
    size_t tried;       // server keys that have failed one after the other
    unsigned rounds;    // failures since all was well, all server keys tried in each
    int64_t connect_ms; // until then nothing may connect; 0: it may
    int64_t silent_ms;  // then nobody has answered; MM_NEVER: all is up, or nothing may connect
    bool was_up;        // one of its connections, once
    problem_t problem;
    char complaint[MM_ERROR_MAX]; // about it
};

// ---- what is said

// Only another problem is another line.
__attribute__((format(printf, 3, 4))) static void complain(mm_link_t *self, problem_t problem,
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->complaint, sizeof self->complaint, format, arguments);
    va_end(arguments);
    if (self->problem != problem && self->config.logs)
        mm_log(MM_LOG_WARN, "Cannot reach the consumer; trying on",
               MM_STRING("why", self->complaint));
    self->problem = problem;
}

static void complain_refused(mm_link_t *self)
{
    const char *role = mm_key_role_name(self->key.role), *name = self->key.name.text;
    if (mm_key_days_left(self->key.not_after_ms, mm_clock_wall_ms()) == 0)
        complain(self, PROBLEM_REFUSED,
                 "the key %s of this %s has ended: have a new one made (mayhem keys new %s "
                 "--role %s)",
                 name, role, name, role);
    else
        complain(self, PROBLEM_REFUSED,
                 "tcp://%.100s:%u refuses the key %s of %s: " MM_LINK_WHY_REFUSED, self->base.host,
                 self->base.port, name, mm_key_role_phrase(self->key.role));
}

static void complain_broken(mm_link_t *self)
{
    complain(
        self, PROBLEM_ENDED,
        "none of the %zu server keys in the key file works at tcp://%.100s:%u: the consumer has "
        "another one, there are no keys at that port, or this is not the port of its --listen but "
        "perhaps another program's; mayhem doctor tells which",
        self->key.server_count, self->base.host, self->base.port);
}

static void complain_foreign(mm_link_t *self, bool is_other)
{
    const char *host = self->base.host;
    unsigned port = self->base.port;
    if (!is_other)
        complain(self, PROBLEM_ENDED,
                 "what listens at tcp://%.100s:%u is no consumer: check the port", host, port);
    else if (self->has_key)
        complain(
            self, PROBLEM_ENDED,
            "there are no keys at tcp://%.100s:%u: give the port of the consumer's --listen, or "
            "leave --key out",
            host, port);
    else
        complain(self, PROBLEM_ENDED,
                 "tcp://%.100s:%u wants a key: have one made there (mayhem keys new NAME --role "
                 "ROLE), and name its file with --key",
                 host, port);
}

static void complain_unanswered(mm_link_t *self, bool is_mute)
{
    const char *host = self->base.host;
    unsigned first = self->base.port, last = first + MM_PORTS_ABOVE;
    if (is_mute)
        complain(self, PROBLEM_MUTE, "what listens at tcp://%.100s:%u to %u " MM_LINK_WHY_MUTE,
                 host, first, last);
    else
        complain(self, PROBLEM_SILENT,
                 "nobody answers at tcp://%.100s:%u to %u: does a consumer --listen there, and "
                 "does the firewall let these ports through? mayhem doctor tells",
                 host, first, last);
}

static void complain_silent(mm_link_t *self)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        const watched_t *watched = &self->watched[i];
        if (watched->socket && !watched->is_up && !watched->is_session) {
            complain_unanswered(self, mm_monitor_is_mute(watched->monitor));
            return;
        }
    }
    complain(self, PROBLEM_TASKS,
             "no tasks can come from %.100s: let its --task-ports through the firewall",
             self->base.host);
}

// ---- the key file

// A process is called as its key was at the start.
static int check_name(const mm_link_t *self, const mm_key_t *key, char error[MM_ERROR_MAX])
{
    const mm_key_t *own = &self->key;
    if (key->role == own->role && strcmp(key->name.text, own->name.text) == 0)
        return 0;
    (void)snprintf(error, MM_ERROR_MAX,
                   "%.200s: it is the key of the %s %s now, and this is the %s %s: put a key of "
                   "that name there, or start again",
                   self->config.key_file, mm_key_role_name(key->role), key->name.text,
                   mm_key_role_name(own->role), own->name.text);
    return EX_CONFIG;
}

static bool is_same_key(const mm_key_t *one, const mm_key_t *other)
{
    return strcmp(one->public_key, other->public_key) == 0 &&
           one->server_count == other->server_count &&
           memcmp(one->server_keys, other->server_keys, sizeof one->server_keys) == 0;
}

static bool has_server_key(const mm_key_t *key, const char *server_key)
{
    for (size_t i = 0; i < key->server_count; i++)
        if (strcmp(key->server_keys[i], server_key) == 0)
            return true;
    return false;
}

// The first server key that the former key did not have; 0: it had them all.
static size_t new_server_of(const mm_key_t *former, const mm_key_t *key)
{
    for (size_t i = 0; i < key->server_count; i++)
        if (!has_server_key(former, key->server_keys[i]))
            return i;
    return 0;
}

// Whether there is something new to try.
static bool read_key_anew(mm_link_t *self)
{
    mm_key_t key = {0};
    char error[MM_ERROR_MAX];
    const char *path = self->config.key_file;
    mm_file_stamp_t now = path ? mm_file_stamp_of(path) : self->read;
    if (mm_file_stamp_is_same(&now, &self->read))
        return false;
    self->read = now;
    int exit_code = mm_key_read(path, &key, error);
    if (exit_code == 0)
        exit_code = check_name(self, &key, error);
    if (exit_code != 0 && self->config.logs)
        mm_log(MM_LOG_WARN, "Cannot read the key file anew: the former key holds",
               MM_STRING("error", error));
    bool is_news = exit_code == 0 && !is_same_key(&key, &self->key);
    size_t server = is_news ? new_server_of(&self->key, &key) : self->server;
    if (exit_code == 0)
        self->key = key; // its date may have changed
    mm_key_clear(&key);
    if (is_news) {
        self->server = server;
        self->tried = self->broken = self->rounds = 0;
        self->problem = PROBLEM_OF_FORMER_KEY;
    }
    if (is_news && self->config.logs)
        mm_log(MM_LOG_INFO, "Read the key file anew", MM_STRING("file", path),
               MM_INT("server_keys", self->key.server_count));
    return is_news;
}

// ---- the timer

static void set_timer(mm_link_t *self)
{
    int64_t due_ms = self->silent_ms;
    if (self->connect_ms > 0)
        due_ms = mm_earlier(self->connect_ms, mm_clock_ms() + LOOK_MS);
    struct itimerspec at = {0}; // of zeros: never
    if (due_ms != MM_NEVER) {
        at.it_value.tv_sec = due_ms / 1000;
        at.it_value.tv_nsec = due_ms % 1000 * 1000000 + 1; // not zero
    }
    int rc = timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &at, NULL);
    assert(rc == 0);
}

// From now on an answer is awaited.
static void await(mm_link_t *self)
{
    if (!self->has_key || self->silent_ms != MM_NEVER)
        return;
    self->silent_ms = mm_clock_ms() + MM_LINK_SILENT_MS;
    set_timer(self);
}

static void on_time(mm_link_t *self)
{
    uint64_t count;
    if (read(self->timer, &count, sizeof count) != (ssize_t)sizeof count)
        return; // not yet
    if (self->connect_ms > 0 && !read_key_anew(self) && mm_clock_ms() < self->connect_ms) {
        set_timer(self);
    } else if (self->connect_ms > 0) {
        self->connect_ms = 0;
        self->config.renew(self->config.arg);
    } else if (self->silent_ms != MM_NEVER) {
        self->silent_ms = MM_NEVER;
        complain_silent(self);
    }
}

// ---- how it went

static void see_connected(mm_link_t *self, watched_t *watched)
{
    bool is_in = true, is_all = true;
    watched->is_up = self->was_up = true;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        const watched_t *other = &self->watched[i];
        bool lacks = other->socket && !other->is_up;
        is_all = is_all && !lacks;
        is_in = is_in && (!lacks || other->is_session);
    }
    if (is_in)
        self->tried = self->broken = self->rounds = 0;
    if (!is_all)
        return;
    self->silent_ms = MM_NEVER;
    set_timer(self);
    if (self->problem != PROBLEM_NONE && self->config.logs)
        mm_log(MM_LOG_INFO, "The consumer is reached");
    self->problem = PROBLEM_NONE;
    *self->complaint = '\0';
}

// Nothing connects for a while.
static void back_off(mm_link_t *self)
{
    int64_t most_ms = self->key.server_count > 1 ? ROTATION_MS : LAST_MS;
    int64_t pause_ms = FIRST_MS << (self->rounds < 6 ? self->rounds : 6);
    self->rounds++;
    self->tried = 0;
    self->connect_ms = mm_clock_ms() + mm_earlier(pause_ms, most_ms);
}

// To the next server key, or, after the last one and with all other failures, to a pause.
static void give_way(mm_link_t *self, mm_monitor_event_t event)
{
    bool is_broken = event == MM_MONITOR_BROKEN;
    if (is_broken)
        self->server = (self->server + 1) % self->key.server_count;
    if (is_broken && ++self->tried < self->key.server_count)
        return;
    if (is_broken && self->rounds > 0)
        complain_broken(self); // once it may have been a consumer that ended
    back_off(self);
}

// Returns whether all sockets were renewed.
static bool see_failed(mm_link_t *self, mm_monitor_event_t event, bool is_other)
{
    if (event == MM_MONITOR_FOREIGN)
        complain_foreign(self, is_other);
    if (!self->has_key || (event == MM_MONITOR_BROKEN && ++self->broken < BROKEN_MAX))
        return false; // libzmq, or the client's own silence, tries again
    self->broken = 0;
    if (event == MM_MONITOR_REFUSED)
        complain_refused(self);
    // First the file: in a rotation it has the key, and the worker less than lost-after (R1).
    if (!read_key_anew(self))
        give_way(self, event);
    self->silent_ms = MM_NEVER;
    set_timer(self);
    self->config.renew(self->config.arg);
    return true;
}

// Returns whether all sockets were renewed.
static bool read_monitor(mm_link_t *self, watched_t *watched)
{
    mm_monitor_event_t event;
    bool is_other = false;
    while ((event = mm_monitor_next(watched->monitor, &is_other)) != MM_MONITOR_NONE) {
        switch (event) {
        case MM_MONITOR_NONE: break;
        case MM_MONITOR_CONNECTED: see_connected(self, watched); break;
        case MM_MONITOR_CLOSED:
            watched->is_up = false;
            await(self);
            break;
        case MM_MONITOR_REFUSED:
        case MM_MONITOR_BROKEN:
        case MM_MONITOR_FOREIGN:
            if (!watched->is_session && see_failed(self, event, is_other))
                return true;
            watched->is_up = watched->is_session; // the consumer tells of that
        }
    }
    return false;
}

void mm_link_step(mm_link_t *self)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++)
        if (self->watched[i].socket && read_monitor(self, &self->watched[i]))
            return;
    if (self->epoll >= 0)
        on_time(self);
}

static void on_ready(void *arg)
{
    mm_link_step(arg);
}

// ---- sockets

static void watch(mm_link_t *self, mm_socket_t *socket, bool is_session)
{
    size_t i = 0;
    while (i < SOCKETS_MAX && self->watched[i].socket)
        i++;
    assert(i < SOCKETS_MAX);
    self->watched[i] =
        (watched_t){.socket = socket, .monitor = mm_monitor_new(socket), .is_session = is_session};
    struct epoll_event event = {.events = EPOLLIN};
    int rc = epoll_ctl(self->epoll, EPOLL_CTL_ADD, mm_monitor_descriptor(self->watched[i].monitor),
                       &event);
    assert(rc == 0);
}

int mm_link_connect(mm_link_t *self, mm_socket_t *socket, const char *endpoint, bool is_session)
{
    if (self->connect_ms > 0)
        return 0;
    if (self->has_key)
        mm_socket_set_keys(socket, self->key.public_key, self->key.secret_key,
                           self->key.server_keys[self->server]);
    if (self->epoll >= 0) {
        watch(self, socket, is_session);
        await(self);
    }
    return mm_socket_connect(socket, endpoint);
}

void mm_link_leave(mm_link_t *self, mm_socket_t *socket)
{
    for (size_t i = 0; i < SOCKETS_MAX && socket; i++) {
        if (self->watched[i].socket != socket)
            continue;
        (void)epoll_ctl(self->epoll, EPOLL_CTL_DEL, mm_monitor_descriptor(self->watched[i].monitor),
                        NULL);
        mm_monitor_destroy(&self->watched[i].monitor);
        self->watched[i] = (watched_t){0};
    }
}

const char *mm_link_complaint(const mm_link_t *self)
{
    return self->complaint;
}

bool mm_link_was_up(const mm_link_t *self)
{
    return self->was_up;
}

int mm_link_descriptor(const mm_link_t *self)
{
    return self->epoll;
}

// ---- start and end

mm_link_t *mm_link_new(const mm_link_config_t *config)
{
    mm_link_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->base = *config->base;
    self->silent_ms = MM_NEVER;
    self->epoll = self->timer = -1;
    if (self->base.is_ipc)
        return self;
    self->has_key = config->key != NULL;
    if (self->has_key)
        self->key = *config->key;
    self->read.size = -1; // it is compared with the file when that may matter
    struct epoll_event event = {.events = EPOLLIN};
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(self->epoll >= 0 && self->timer >= 0);
    int rc = epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->timer, &event);
    assert(rc == 0);
    if (config->loop)
        mm_loop_add_descriptor(config->loop, "link", self->epoll, ZMQ_POLLIN, on_ready, self);
    return self;
}

void mm_link_destroy(mm_link_t **self_p)
{
    mm_link_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->config.loop && self->epoll >= 0)
        mm_loop_remove_descriptor(self->config.loop, self->epoll);
    if (self->epoll >= 0)
        close(self->epoll);
    if (self->timer >= 0)
        close(self->timer);
    mm_key_clear(&self->key);
    free(self);
}
