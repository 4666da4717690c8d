// See curve_server.h.

#include "curve_server.h"
#include "clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { PARTS = 8 };

curve_pair_t curve_own;
char curve_allowed[MM_KEY_TEXT];
const char *curve_refused;
mm_socket_t *curve_events, *curve_inbox;
char curve_events_at[64], curve_inbox_at[64];
size_t curve_asked, curve_asked_of_events;
int64_t curve_asked_ms[16];
size_t curve_frames;
static mm_socket_t *zap;
static bool has_keys;
static int tick = -1;

curve_pair_t curve_draw(void)
{
    curve_pair_t pair;
    assert_int_equal(zmq_curve_keypair(pair.public_key, pair.secret_key), 0);
    return pair;
}

mm_key_t curve_key(mm_key_role_t role, const char *name, const curve_pair_t *servers, size_t count)
{
    mm_key_t key = {.role = role, .server_count = count, .not_after_ms = INT64_MAX};
    curve_pair_t own = curve_draw();
    assert_true(mm_name_from(mm_str(name), &key.name));
    strcpy(key.public_key, own.public_key);
    strcpy(key.secret_key, own.secret_key);
    for (size_t i = 0; i < count; i++)
        strcpy(key.server_keys[i], servers[i].public_key);
    return key;
}

// Receives one question; false: there is none. texts: of its parts, in messages.
static bool receive_question(zmq_msg_t *messages, mm_str_t *ret_parts)
{
    void *socket = mm_socket_zmq(zap);
    for (int i = 0; i < PARTS; i++) {
        if (zmq_msg_recv(&messages[i], socket, ZMQ_DONTWAIT) < 0)
            return false;
        ret_parts[i] = (mm_str_t){zmq_msg_data(&messages[i]), zmq_msg_size(&messages[i])};
        if (!zmq_msg_more(&messages[i]))
            return i >= 6; // version, id, domain, address, identity, mechanism, credentials
    }
    return true;
}

static void answer(mm_str_t id, bool may)
{
    void *socket = mm_socket_zmq(zap);
    const mm_str_t parts[] = {mm_str("1.0"),    id,        mm_str(may ? "200" : "400"), mm_str(""),
                              mm_str("tester"), mm_str("")};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_true(zmq_send(socket, parts[i].data, parts[i].size, i < 5 ? ZMQ_SNDMORE : 0) >= 0);
}

static void on_question(void *arg)
{
    zmq_msg_t messages[PARTS];
    mm_str_t parts[PARTS] = {{0}};
    (void)arg;
    for (int i = 0; i < PARTS; i++)
        (void)zmq_msg_init(&messages[i]);
    while (receive_question(messages, parts)) {
        char key[MM_KEY_TEXT] = "";
        if (mm_str_equal(parts[5], mm_str("CURVE")))
            assert_non_null(zmq_z85_encode(key, (const uint8_t *)parts[6].data, parts[6].size));
        bool is_refused = curve_refused && mm_str_equal(parts[2], mm_str(curve_refused));
        if (mm_str_equal(parts[2], mm_str("events")) && curve_asked_of_events < 16)
            curve_asked_ms[curve_asked_of_events++] = mm_clock_ms();
        curve_asked++;
        answer(parts[1], *key && !is_refused && strcmp(key, curve_allowed) == 0);
    }
    for (int i = 0; i < PARTS; i++)
        (void)zmq_msg_close(&messages[i]);
}

static mm_socket_t *serve(int type, const char *domain, char endpoint[64])
{
    mm_socket_t *socket = mm_socket_new(type);
    void *zmq = mm_socket_zmq(socket);
    int one = 1;
    if (has_keys) {
        assert_int_equal(zmq_setsockopt(zmq, ZMQ_CURVE_SERVER, &one, sizeof one), 0);
        assert_int_equal(
            zmq_setsockopt(zmq, ZMQ_CURVE_SECRETKEY, curve_own.secret_key, MM_KEY_TEXT), 0);
        assert_int_equal(zmq_setsockopt(zmq, ZMQ_ZAP_DOMAIN, domain, strlen(domain)), 0);
    }
    int rc;
    int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
    do // a port that was bound a moment ago is freed by libzmq's thread
        rc = mm_socket_bind(socket, endpoint);
    while (rc != 0 && mm_clock_ms() < end_ms);
    assert_int_equal(rc, 0);
    mm_socket_endpoint(socket, endpoint, 64);
    return socket;
}

static void on_inbox(void *arg)
{
    zmq_msg_t message;
    (void)arg;
    (void)zmq_msg_init(&message);
    while (mm_socket_receive(curve_inbox, false, &message) == MM_RECEIVED_FRAME)
        curve_frames++;
    (void)zmq_msg_close(&message);
}

static void bind_both(void)
{
    curve_events = serve(ZMQ_PUB, "events", curve_events_at);
    curve_inbox = serve(ZMQ_PULL, "inbox", curve_inbox_at);
    mm_loop_add_socket(loop, "inbox", curve_inbox, ZMQ_POLLIN, on_inbox, NULL);
}

static void unbind_both(void)
{
    mm_loop_remove_socket(loop, curve_inbox);
    mm_socket_destroy(&curve_events);
    mm_socket_destroy(&curve_inbox);
}

// The steps of a story are asked again at least that often.
static void on_tick(void *arg)
{
    uint64_t count;
    (void)arg;
    ssize_t size = read(tick, &count, sizeof count);
    (void)size;
}

static void begin_tick(void)
{
    const struct itimerspec often = {{0, 10000000}, {0, 10000000}};
    tick = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert_true(tick >= 0);
    assert_int_equal(timerfd_settime(tick, 0, &often, NULL), 0);
    mm_loop_add_descriptor(loop, "tick", tick, ZMQ_POLLIN, on_tick, NULL);
}

void curve_begin(bool with_keys)
{
    has_keys = with_keys;
    curve_own = curve_draw();
    *curve_allowed = '\0';
    curve_refused = NULL;
    curve_asked = curve_asked_of_events = curve_frames = 0;
    begin_tick();
    zap = mm_socket_new(ZMQ_REP);
    assert_int_equal(mm_socket_bind(zap, "inproc://zeromq.zap.01"), 0);
    mm_loop_add_socket(loop, "zap", zap, ZMQ_POLLIN, on_question, NULL);
    strcpy(curve_events_at, "tcp://127.0.0.1:*");
    strcpy(curve_inbox_at, "tcp://127.0.0.1:*");
    bind_both();
}

void curve_rebind(void)
{
    unbind_both();
    bind_both();
}

void curve_end(void)
{
    unbind_both();
    mm_loop_remove_socket(loop, zap);
    mm_socket_destroy(&zap);
    mm_loop_remove_descriptor(loop, tick);
    close(tick);
}
