// Strangers at a consumer's listener.
//
//   rogue keys FOLDER                    makes a folder of keys, for the consumer and all others
//   rogue attack ADDRESS FOLDER DRIVER   tries what nobody may; exit 1 when that has gone otherwise
//   rogue stay ADDRESS FOLDER DRIVER     is an honest restarter, eu-2, that takes no task
//
// DRIVER is the name of the driver of the run's restarters.

#include "rogue.h"

#include "allow_list.h"
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define WAIT_MS 3000
#define PATH    512
#define EVENTS                                                                                     \
    (ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |                             \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)

static const struct {
    mm_key_role_t role;
    const char *name;
} all[KEYS] = {
    [PUBLISHER] = {MM_KEY_PUBLISHER, "p9"},     [SAVER] = {MM_KEY_SAVER, "s9"},
    [EU_1] = {MM_KEY_RESTARTER, "eu-1"},        [EU_2] = {MM_KEY_RESTARTER, "eu-2"},
    [TWIN] = {MM_KEY_RESTARTER, "restarter-1"}, [NAMESAKE] = {MM_KEY_PUBLISHER, "publisher"},
    [VIEWER] = {MM_KEY_VIEWER, "v9"},           [OPERATOR] = {MM_KEY_OPERATOR, "anna"},
    [STRANGER] = {MM_KEY_RESTARTER, "stranger"}};

void rogue_report(rogue_t *self, bool is_ok, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)printf(is_ok ? "ok - " : "not ok - ");
    (void)vprintf(format, arguments);
    (void)printf("\n");
    va_end(arguments);
    self->has_failed = self->has_failed || !is_ok;
}

// ---- keys

static void end_with(const char *error)
{
    (void)fprintf(stderr, "rogue: %s\n", error);
    exit(EXIT_FAILURE);
}

static const char *path_of(const char *folder, const char *name, char path[PATH])
{
    (void)snprintf(path, PATH, "%.400s/%.100s", folder, name);
    return path;
}

static void make_key(const char *folder, mm_key_role_t role, const char *name,
                     const mm_key_t *consumer, bool is_allowed, mm_key_t *ret_key)
{
    char path[PATH], file[PATH], error[MM_ERROR_MAX];
    *ret_key = (mm_key_t){.role = role, .not_after_ms = INT64_MAX};
    bool is_name = mm_name_from(mm_str(name), &ret_key->name);
    assert(is_name);
    mm_key_draw(ret_key);
    if (consumer) {
        memcpy(ret_key->server_keys[0], consumer->public_key, MM_KEY_TEXT);
        ret_key->server_count = 1;
    }
    (void)snprintf(file, sizeof file, "%s.key", name);
    if (mm_key_write(ret_key, path_of(folder, file, path), false, error) != 0 ||
        (is_allowed && mm_allow_list_add(path_of(folder, "allowed", path), ret_key, error) != 0))
        end_with(error);
}

static void make_keys(const char *folder)
{
    mm_key_t consumer, key;
    if (mkdir(folder, 0700) != 0)
        end_with(strerror(errno));
    make_key(folder, MM_KEY_CONSUMER, "consumer", NULL, false, &consumer);
    for (whose_t i = 0; i < KEYS; i++)
        make_key(folder, all[i].role, all[i].name, &consumer, i != STRANGER, &key);
}

static void read_keys(rogue_t *self, const char *folder)
{
    char path[PATH], file[PATH], error[MM_ERROR_MAX];
    for (whose_t i = 0; i < KEYS; i++) {
        (void)snprintf(file, sizeof file, "%s.key", all[i].name);
        if (mm_key_read(path_of(folder, file, path), &self->keys[i], error) != 0)
            end_with(error);
    }
}

// ---- connections

static void set_key(mm_socket_t *socket, int option, const char *key)
{
    int rc = zmq_setsockopt(mm_socket_zmq(socket), option, key, MM_KEY_TEXT);
    assert(rc == 0);
}

mm_socket_t *rogue_socket(rogue_t *self, int type, const mm_key_t *key, const char *server_key)
{
    mm_socket_t *socket = mm_socket_new(type);
    if (type != ZMQ_PUSH) // what that has sent is to leave
        mm_socket_limit(socket, 1000);
    if (!key)
        return socket;
    set_key(socket, ZMQ_CURVE_SERVERKEY, server_key ? server_key : self->keys[0].server_keys[0]);
    set_key(socket, ZMQ_CURVE_PUBLICKEY, key->public_key);
    set_key(socket, ZMQ_CURVE_SECRETKEY, key->secret_key);
    return socket;
}

static end_t first_event(mm_socket_t *monitor)
{
    zmq_pollitem_t item = {.socket = mm_socket_zmq(monitor), .events = ZMQ_POLLIN};
    uint16_t event = 0;
    char data[64];
    if (zmq_poll(&item, 1, WAIT_MS) <= 0 || zmq_recv(item.socket, data, sizeof data, 0) < 0)
        return NOTHING;
    memcpy(&event, data, sizeof event);
    return event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED     ? LET_IN
           : event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH ? REFUSED
                                                      : FAILED;
}

end_t rogue_connect(mm_socket_t *socket, const char *endpoint)
{
    static unsigned count;
    char name[64];
    (void)snprintf(name, sizeof name, "inproc://rogue-%u", ++count);
    int rc = zmq_socket_monitor(mm_socket_zmq(socket), name, EVENTS);
    assert(rc == 0);
    mm_socket_t *monitor = mm_socket_new(ZMQ_PAIR);
    rc = mm_socket_connect(monitor, name);
    assert(rc == 0);
    end_t end = mm_socket_connect(socket, endpoint) == 0 ? first_event(monitor) : NOTHING;
    (void)zmq_socket_monitor(mm_socket_zmq(socket), NULL, 0);
    mm_socket_destroy(&monitor);
    return end;
}

const char *rogue_endpoint(const rogue_t *self, const char *place, char buffer[MM_ENDPOINT_MAX])
{
    if (strcmp(place, "viewers") == 0)
        return mm_endpoint_suffix(&self->base, MM_SUFFIX_VIEWERS, buffer);
    mm_socket_role_t role = strcmp(place, "jobs") == 0    ? MM_SOCKET_JOBS
                            : strcmp(place, "inbox") == 0 ? MM_SOCKET_INBOX
                                                          : MM_SOCKET_EVENTS;
    return mm_endpoint_of(&self->base, role, buffer);
}

// ---- who gets in

static end_t try_to_enter(rogue_t *self, const char *place, int type, const mm_key_t *key,
                          const char *server_key)
{
    char endpoint[MM_ENDPOINT_MAX];
    mm_socket_t *socket = rogue_socket(self, type, key, server_key);
    end_t end = rogue_connect(socket, rogue_endpoint(self, place, endpoint));
    if (end != LET_IN && type == ZMQ_PUSH && mm_socket_send(socket, mm_str("x")))
        end = LET_IN;
    mm_socket_destroy(&socket);
    return end;
}

// Each key at each socket.
static void knock(rogue_t *self)
{
    static const struct {
        const char *place;
        int type;
        const char *admitted; // letters of whose_t, in its order
    } places[] = {{"jobs", ZMQ_PUSH, "P"},
                  {"inbox", ZMQ_PUSH, "S12VO"},
                  {"events", ZMQ_SUB, "PS12VO"},
                  {"viewers", ZMQ_SUB, "VO"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *place = places[i].place;
        int type = places[i].type;
        for (whose_t whose = 0; whose < KEYS; whose++) {
            bool may = strchr(places[i].admitted, "PS12TNVOX"[whose]) != NULL;
            end_t end = try_to_enter(self, place, type, &self->keys[whose], NULL);
            rogue_report(self, end == (may ? LET_IN : REFUSED), "%s is %s at %s", all[whose].name,
                         may ? "let in" : "refused", place);
        }
        rogue_report(self, try_to_enter(self, place, type, NULL, NULL) == FAILED,
                     "without a key nobody is let in at %s", place);
        rogue_report(self,
                     try_to_enter(self, place, type, &self->keys[EU_1],
                                  self->keys[STRANGER].public_key) == FAILED,
                     "with another server key nobody is let in at %s", place);
    }
}

int main(int argc, char **argv)
{
    rogue_t self = {0};
    mm_loop_block_signals();
    if (argc == 3 && strcmp(argv[1], "keys") == 0) {
        make_keys(argv[2]);
        return EXIT_SUCCESS;
    }
    bool stays = argc == 5 && strcmp(argv[1], "stay") == 0;
    bool attacks = argc == 5 && strcmp(argv[1], "attack") == 0;
    if (!(stays || attacks) || !mm_endpoint_parse(argv[2], &self.base)) {
        (void)fprintf(stderr,
                      "usage: rogue keys FOLDER | rogue attack|stay ADDRESS FOLDER DRIVER\n");
        return EX_USAGE;
    }
    read_keys(&self, argv[3]);
    self.driver = argv[4];
    self.encoder = mm_encoder_new();
    self.decoder = mm_decoder_new();
    if (stays) {
        rogue_stay(&self);
    } else {
        knock(&self);
        rogue_lies(&self);
    }
    mm_encoder_destroy(&self.encoder);
    mm_decoder_destroy(&self.decoder);
    mm_socket_end();
    return self.has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
