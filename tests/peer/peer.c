// A hostile peer: attaches to a live consumer and sends what no honest process would.
//
//   peer ADDRESS list        the names of all messages, each with how many drops it must cause
//   peer ADDRESS send NAME   sends one of them
//   peer ADDRESS all         sends them all, and then says how many drops they must have caused
//   peer ADDRESS alive       whether the consumer's heartbeat is heard
//   peer ADDRESS jobs MS     delivers new jobs for so long; workers MS: has workers join
//   peer ADDRESS crowd COUNT silent|idle MS
//                            holds so many connections for so long
//
// The exit code is 0 when the consumer's heartbeat is heard afterwards, else 1.

#include "peer.h"

#include "clock.h"
#include "loop.h"
#include "uuid_source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define SEND_MS  2000
#define ALIVE_MS 3000

mm_socket_t *peer_push(peer_t *self, mm_socket_role_t place)
{
    char endpoint[MM_ENDPOINT_MAX];
    if (self->push[place])
        return self->push[place];
    int wait_ms = SEND_MS;
    mm_socket_t *socket = mm_socket_new(ZMQ_PUSH);
    int rc = zmq_setsockopt(mm_socket_zmq(socket), ZMQ_SNDTIMEO, &wait_ms, sizeof wait_ms);
    assert(rc == 0);
    rc = mm_socket_connect(socket, mm_endpoint_of(&self->base, place, endpoint));
    assert(rc == 0);
    self->push[place] = socket;
    return socket;
}

void peer_reset(peer_t *self)
{
    for (size_t i = 0; i < PEER_SOCKETS; i++)
        mm_socket_destroy(&self->push[i]);
}

void peer_send(peer_t *self, mm_socket_role_t place, const void *data, size_t size)
{
    if (zmq_send(mm_socket_zmq(peer_push(self, place)), data, size, 0) >= 0)
        return;
    (void)fprintf(stderr, "peer: cannot send: %s\n", zmq_strerror(errno));
    exit(EXIT_FAILURE);
}

void peer_send_frame(peer_t *self, mm_socket_role_t place, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(self->encoder);
    peer_send(self, place, bytes.data, bytes.size);
}

bool peer_hear_bytes(peer_t *self, int wait_ms, mm_str_t *ret_bytes)
{
    static zmq_msg_t message; // they live in it
    static bool is_open;
    zmq_pollitem_t item = {.socket = mm_socket_zmq(self->events), .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, wait_ms) <= 0)
        return false;
    if (is_open)
        (void)zmq_msg_close(&message);
    (void)zmq_msg_init(&message);
    is_open = true;
    if (mm_socket_receive(self->events, true, &message) != MM_RECEIVED_FRAME)
        return false;
    *ret_bytes = (mm_str_t){zmq_msg_data(&message), zmq_msg_size(&message)};
    return true;
}

bool peer_hear(peer_t *self, int wait_ms, mm_frame_t *ret_frame)
{
    mm_str_t bytes;
    return peer_hear_bytes(self, wait_ms, &bytes) &&
           mm_decode(self->decoder, bytes.data, bytes.size, ret_frame) == MM_WIRE_OK;
}

void peer_listen(peer_t *self, mm_str_t topic)
{
    char endpoint[MM_ENDPOINT_MAX];
    mm_socket_destroy(&self->events);
    self->events = mm_socket_new(ZMQ_SUB);
    mm_socket_subscribe(self->events, topic);
    int rc =
        mm_socket_connect(self->events, mm_endpoint_of(&self->base, MM_SOCKET_EVENTS, endpoint));
    assert(rc == 0);
}

static bool is_alive(peer_t *self)
{
    char topic[MM_TOPIC_MAX];
    int64_t limit_ms = mm_clock_ms() + ALIVE_MS;
    mm_frame_t frame;
    peer_listen(self, mm_topic("consumer", NULL, topic));
    while (mm_clock_ms() < limit_ms)
        if (peer_hear(self, 100, &frame) && frame.kind == MM_FRAME_BEAT)
            return true;
    return false;
}

typedef bool source_fn(peer_t *self, size_t number, bool send, peer_item_t *ret_item);
static source_fn *const sources[] = {peer_frame, peer_bytes, peer_tale, peer_flood, peer_raw};

// Returns how many messages there were, those of that name or all.
static unsigned send_all(peer_t *self, const char *name, bool lists)
{
    unsigned count = 0, drops = 0;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        peer_item_t item;
        for (size_t number = 0; sources[i](self, number, false, &item); number++) {
            if (name && strcmp(name, item.name) != 0)
                continue;
            count++;
            drops += item.drops;
            if (lists)
                (void)printf("%-36s %u\n", item.name, item.drops);
            else
                (void)sources[i](self, number, true, &item);
        }
    }
    if (!lists)
        (void)printf("sent %u kinds, to be dropped: %u\n", count, drops);
    return count;
}

static int run(peer_t *self, const char *verb, const char *name)
{
    bool lists = strcmp(verb, "list") == 0;
    if (strcmp(verb, "alive") != 0 && send_all(self, name, lists) == 0) {
        (void)fprintf(stderr, "peer: no message of that name: see `peer ADDRESS list`\n");
        return EX_USAGE;
    }
    if (lists)
        return EXIT_SUCCESS;
    peer_reset(self); // nothing lingers behind it
    if (is_alive(self))
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "peer: the consumer is not heard any more\n");
    return EXIT_FAILURE;
}

// For a while; false: argv is something else.
static bool run_long(peer_t *self, int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[2], "jobs") == 0)
        peer_flood_jobs(self, atol(argv[3]));
    else if (argc == 4 && strcmp(argv[2], "workers") == 0)
        peer_flood_workers(self, atol(argv[3]));
    else if (argc == 6 && strcmp(argv[2], "crowd") == 0)
        peer_crowd(self, (size_t)atol(argv[3]), strcmp(argv[4], "silent") == 0, atol(argv[5]));
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    peer_t self = {.instance = mm_instance_draw()};
    bool sends = argc == 4 && strcmp(argv[2], "send") == 0;
    bool other = argc == 3 && (strcmp(argv[2], "list") == 0 || strcmp(argv[2], "all") == 0 ||
                               strcmp(argv[2], "alive") == 0);
    bool is_long = argc > 3 && !sends;
    if (!(sends || other || is_long) || !mm_endpoint_parse(argv[1], &self.base)) {
        (void)fprintf(stderr, "usage: peer ADDRESS list|all|alive|send NAME|jobs MS|workers MS|"
                              "crowd COUNT silent|idle MS\n");
        return EX_USAGE;
    }
    mm_loop_block_signals();
    self.encoder = mm_encoder_new();
    self.decoder = mm_decoder_new();
    int exit_code = is_long ? run_long(&self, argc, argv) ? EXIT_SUCCESS : EX_USAGE
                            : run(&self, argv[2], sends ? argv[3] : NULL);
    peer_reset(&self);
    mm_socket_destroy(&self.events);
    mm_encoder_destroy(&self.encoder);
    mm_decoder_destroy(&self.decoder);
    mm_socket_end();
    return exit_code;
}
