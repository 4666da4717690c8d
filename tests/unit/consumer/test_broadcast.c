// What is told beyond this machine: each hears what its key may hear, whatever it subscribes to.

#include "broadcast.h"
#include "clock.h"
#include "curve_play.h"

#include <string.h>

static broadcast_t *broadcast;
static char endpoint[TEMP_PATH_MAX];
static curve_client_t good, rogue;
static unsigned drops;
static char dropped[128];
static bool is_closed;

static void on_drop(void *arg, const char *domain, const char *why, const mm_allowed_t *row)
{
    (void)arg;
    drops++;
    (void)snprintf(dropped, sizeof dropped, "%s: %s (%s)", domain, why,
                   row ? row->name.text : "nobody");
}

static int make(void **state)
{
    (void)make_curve(state);
    curve_open();
    drops = 0;
    is_closed = false;
    // A free port, for a socket that is to be bound there twice.
    mm_socket_t *probe = mm_socket_new(ZMQ_PULL);
    assert_int_equal(mm_socket_bind(probe, "tcp://127.0.0.1:*"), 0);
    mm_socket_endpoint(probe, endpoint, sizeof endpoint);
    mm_socket_unbind(probe, endpoint);
    mm_socket_destroy(&probe);
    broadcast = broadcast_new(mm_socket_new(ZMQ_PUB));
    broadcast_listen(broadcast, &(broadcast_listener_t){.loop = curve_loop,
                                                        .zap = zap,
                                                        .domain = "events",
                                                        .endpoint = endpoint,
                                                        .drop = on_drop});
    return 0;
}

static int end(void **state)
{
    curve_close(&good);
    curve_close(&rogue);
    broadcast_destroy(&broadcast);
    return end_curve(state);
}

static void subscribe(curve_client_t *self, int type, whose_t whose, const char *topic)
{
    curve_connect(self, type, &curve_keys[whose], curve_keys[CONSUMER].public_key, topic, endpoint);
}

static void send(const char *topic, const char *frame)
{
    broadcast_send(broadcast, (mm_str_t){topic, strlen(topic) + 1}, mm_str(frame));
}

// Whether a frame has come to this client, of this topic.
static bool hears(curve_client_t *self, const char *topic)
{
    char heard[64] = "", frame[64];
    if (zmq_recv(mm_socket_zmq(self->socket), heard, sizeof heard, ZMQ_DONTWAIT) < 0)
        return false;
    assert_true(zmq_recv(mm_socket_zmq(self->socket), frame, sizeof frame, ZMQ_DONTWAIT) > 0);
    assert_string_equal(heard, topic);
    return true;
}

static bool is_bound(void)
{
    return broadcast_bind(broadcast) == 0; // the port is free some milliseconds later
}

static bool good_hears_its_own(void)
{
    send("worker.eu-2", "for another");
    send("worker.eu-1", "for it");
    return hears(&good, "worker.eu-1");
}

static bool good_subscribes(void)
{
    subscribe(&good, ZMQ_SUB, EU_1, "worker.eu-1");
    return true;
}

static bool rogue_subscribes_to_the_others_topic(void)
{
    subscribe(&rogue, ZMQ_SUB, EU_2, "worker.eu-1");
    return true;
}

static bool rogue_subscribes_to_all(void)
{
    subscribe(&rogue, ZMQ_SUB, EU_2, "");
    assert_int_equal(zmq_setsockopt(mm_socket_zmq(rogue.socket), ZMQ_SUBSCRIBE, "", 0), 0);
    return true;
}

// It is cut, and comes again by itself.
static bool rogue_is_dropped_and_hears_nothing(void)
{
    send("worker.eu-1", "for another");
    assert_false(hears(&rogue, ""));
    if (drops < 2 || rogue.cut < 2)
        return false;
    assert_string_equal(dropped, "events: a subscription to what is not its own (eu-2)");
    return true;
}

static void each_hears_what_its_key_may_hear(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {is_bound,
                                           good_subscribes,
                                           good_hears_its_own,
                                           rogue_subscribes_to_the_others_topic,
                                           rogue_is_dropped_and_hears_nothing,
                                           good_hears_its_own,
                                           NULL};
    curve_play(steps);
}

static void a_prefix_of_all_topics_is_no_topic(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {is_bound, rogue_subscribes_to_all,
                                           rogue_is_dropped_and_hears_nothing, NULL};
    curve_play(steps);
}

// ---- a message where only subscriptions belong

static bool rogue_is_let_in(void)
{
    if (!rogue.socket)
        subscribe(&rogue, ZMQ_XSUB, EU_2, NULL);
    return rogue.let_in > 0;
}

static bool rogue_sends_a_message(void)
{
    return zmq_send(mm_socket_zmq(rogue.socket), "x", 1, ZMQ_DONTWAIT) == 1;
}

static bool all_are_cut(void)
{
    if (drops == 0 || good.cut == 0)
        return false;
    assert_string_equal(dropped, "events: a message where only subscriptions belong (eu-2)");
    curve_close(&rogue);
    return true;
}

// libzmq would have taken the next subscription for that of whoever has subscribed behind it.
static void after_a_message_the_socket_is_made_anew(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {
        is_bound,        good_subscribes,       good_hears_its_own,
        rogue_is_let_in, rogue_sends_a_message, all_are_cut,
        is_bound,        good_hears_its_own,    NULL};
    curve_play(steps);
}

// ---- when a key was revoked

static bool it_is_closed(void)
{
    if (!is_closed)
        broadcast_close_remote(broadcast);
    is_closed = true;
    send("worker.eu-1", "to nobody");
    return good.cut > 0;
}

static void a_socket_that_is_closed_tells_nothing_and_is_bound_anew(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {is_bound,     good_subscribes, good_hears_its_own,
                                           it_is_closed, is_bound,        good_hears_its_own,
                                           NULL};
    curve_play(steps);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_hears_what_its_key_may_hear),
        TEST(a_prefix_of_all_topics_is_no_topic),
        TEST(after_a_message_the_socket_is_made_anew),
        TEST(a_socket_that_is_closed_tells_nothing_and_is_bound_anew),
    };
    mm_loop_block_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
