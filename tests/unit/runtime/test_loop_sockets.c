// The event loop on sockets: whatever arrives is read, although libzmq tells of it once and any
// call on the socket may take that sign. A miss is a message that stays in its socket while the
// loop sleeps, so each of these tests then ends at its limit.
//
// test_loop_sockets [MESSAGES]: so many at least in the last test.

#include "clock.h"
#include "loop.h"
#include "random.h"
#include "socket.h"
#include "temp_folder.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

static int make_folder(void **state)
{
    (void)state;
    make_temp_folder();
    return 0;
}

// Binds one end and connects the other one, which are of these types.
static void open_ends(const char *endpoint, int type, int peer_type, mm_socket_t *ret_ends[2])
{
    char bound[128];
    ret_ends[0] = mm_socket_new(type);
    ret_ends[1] = mm_socket_new(peer_type);
    assert_int_equal(mm_socket_bind(ret_ends[0], endpoint), 0);
    mm_socket_endpoint(ret_ends[0], bound, sizeof bound);
    assert_int_equal(mm_socket_connect(ret_ends[1], bound), 0);
}

static void close_ends(mm_socket_t *ends[2])
{
    mm_socket_destroy(&ends[0]);
    mm_socket_destroy(&ends[1]);
    mm_socket_end();
}

static bool is_readable(mm_socket_t *socket, int wait_ms)
{
    struct pollfd item = {.fd = mm_socket_descriptor(socket), .events = POLLIN};
    return poll(&item, 1, wait_ms) == 1;
}

// ---- one socket

static struct {
    mm_loop_t *loop;
    mm_socket_t *ends[2];
    zmq_msg_t message;
    int received;
    int expected;
    int64_t end_ms;
} scene;

static int64_t stop_at_the_end(void *arg)
{
    (void)arg;
    if (scene.received == scene.expected || mm_clock_ms() >= scene.end_ms)
        mm_loop_stop(scene.loop);
    return scene.end_ms;
}

static void receive_one(void *arg)
{
    (void)arg;
    scene.received += mm_socket_receive(scene.ends[1], false, &scene.message) == MM_RECEIVED_FRAME;
}

static void open_scene(int type, int peer_type, int expected)
{
    open_ends("inproc://scene", type, peer_type, scene.ends);
    (void)zmq_msg_init(&scene.message);
    scene.received = 0;
    scene.expected = expected;
    scene.end_ms = mm_clock_ms() + PATIENCE_MS;
    scene.loop = mm_loop_new(stop_at_the_end, NULL);
}

static void close_scene(void)
{
    mm_loop_destroy(&scene.loop);
    (void)zmq_msg_close(&scene.message);
    close_ends(scene.ends);
}

static void play_scene(void)
{
    mm_loop_add_socket(scene.loop, "end", scene.ends[1], ZMQ_POLLIN, receive_one, NULL);
    mm_loop_run(scene.loop);
    assert_int_equal(scene.received, scene.expected);
}

// libzmq tells of the first of them only.
static void what_a_handler_leaves_is_read_in_the_next_rounds(void **state)
{
    (void)state;
    open_scene(ZMQ_PUSH, ZMQ_PULL, 5);
    for (int i = 0; i < 5; i++)
        assert_true(mm_socket_send(scene.ends[0], mm_str("x")));
    play_scene();
    close_scene();
}

static void what_came_before_the_socket_was_added_is_read(void **state)
{
    (void)state;
    open_scene(ZMQ_PUSH, ZMQ_PULL, 1);
    assert_true(mm_socket_send(scene.ends[0], mm_str("x")));
    assert_true(mm_socket_events(scene.ends[1]) & ZMQ_POLLIN);
    assert_false(is_readable(scene.ends[1], 0));
    play_scene();
    close_scene();
}

// In the first turn a message arrives at a socket that was read dry, and a send takes the sign.
static int64_t send_once(void *arg)
{
    static bool has_sent;
    if (!has_sent) {
        has_sent = true;
        assert_int_equal(mm_socket_receive(scene.ends[1], false, &scene.message), MM_RECEIVED_NONE);
        assert_int_equal(mm_socket_missing(scene.ends[1]), ZMQ_POLLIN);
        assert_true(mm_socket_send(scene.ends[0], mm_str("x")));
        assert_true(is_readable(scene.ends[1], PATIENCE_MS));
        assert_true(mm_socket_send(scene.ends[1], mm_str("x")));
        assert_false(is_readable(scene.ends[1], 0));
    }
    return stop_at_the_end(arg);
}

static void a_send_may_take_the_sign_of_an_arrival(void **state)
{
    (void)state;
    open_scene(ZMQ_DEALER, ZMQ_DEALER, 1);
    mm_loop_destroy(&scene.loop);
    scene.loop = mm_loop_new(send_once, NULL);
    play_scene();
    close_scene();
}

static void a_full_socket_tells_when_there_is_room(void **state)
{
    (void)state;
    open_ends("inproc://full", ZMQ_PULL, ZMQ_PUSH, scene.ends);
    (void)zmq_msg_init(&scene.message);
    int sent = 0;
    while (mm_socket_send(scene.ends[1], mm_str("x")))
        sent++;
    assert_int_equal(mm_socket_missing(scene.ends[1]), ZMQ_POLLOUT);
    assert_false(mm_socket_events(scene.ends[1]) & ZMQ_POLLOUT);
    for (int i = 0; i < sent; i++)
        assert_int_equal(mm_socket_receive(scene.ends[0], false, &scene.message),
                         MM_RECEIVED_FRAME);
    assert_true(is_readable(scene.ends[1], PATIENCE_MS));
    assert_true(mm_socket_events(scene.ends[1]) & ZMQ_POLLOUT);
    assert_true(mm_socket_send(scene.ends[1], mm_str("x")));
    (void)zmq_msg_close(&scene.message);
    close_ends(scene.ends);
}

// ---- two loops
//
// Two threads with a loop each play with balls. There is one lane for each kind of socket; a ball
// goes to and fro on its lane as often as it says, and ends where it began. In a round each lane
// has a few balls; the next round begins when all have ended. So a ball that is not read stops its
// round for good. Between these calls the players send chaff on any of their lanes, and read there.

enum { LANES = 8, HOPS = 12, BALLS_MAX = 3, CHAFF = 0, LOOK_MS = 100 };

typedef struct player player_t;

typedef struct {
    player_t *player;
    mm_socket_t *in, *out; // may be one
    bool is_event;
} lane_t;

struct player {
    mm_loop_t *loop;
    lane_t lanes[LANES];
    zmq_msg_t message;
    uint64_t random;
    uint64_t received;
    bool has_caught; // a ball, since the last turn
    // Of the first one:
    int balls; // in play
    uint64_t expected;
    uint64_t rounds;
    int64_t end_ms; // of this round
};

static atomic_bool is_over;

static void throw_ball(const lane_t *lane, uint8_t hops)
{
    mm_str_t ball = {(const char *)&hops, 1};
    if (lane->is_event)
        mm_socket_publish(lane->out, mm_str("ball"), ball);
    else if (!mm_socket_send(lane->out, ball))
        assert(hops == CHAFF); // only that may be too much
}

static bool catch_ball(lane_t *lane)
{
    player_t *self = lane->player;
    if (mm_socket_receive(lane->in, lane->is_event, &self->message) != MM_RECEIVED_FRAME)
        return false;
    uint8_t hops = *(const uint8_t *)zmq_msg_data(&self->message);
    self->received++;
    self->has_caught = true;
    if (hops > 1)
        throw_ball(lane, (uint8_t)(hops - 1));
    else if (hops == 1)
        self->balls--;
    return true;
}

// What takes signs: a read or a send on any lane. Not in a turn that only time has brought: it
// would read what was missed.
static void disturb(player_t *self)
{
    lane_t *lane = &self->lanes[mm_random_below(&self->random, LANES)];
    uint64_t what = mm_random_below(&self->random, 8);
    if (!self->has_caught)
        return;
    if (what == 0)
        (void)catch_ball(lane);
    if (what == 1)
        throw_ball(lane, CHAFF);
}

static void on_ball(void *arg)
{
    lane_t *lane = arg;
    uint64_t limit = 1 + mm_random_below(&lane->player->random, 4);
    while (limit-- > 0 && catch_ball(lane))
        disturb(lane->player);
}

static int64_t turn_of_second(void *arg)
{
    player_t *self = arg;
    disturb(self);
    self->has_caught = false;
    if (is_over)
        mm_loop_stop(self->loop);
    return mm_clock_ms() + LOOK_MS;
}

static int64_t turn_of_first(void *arg)
{
    player_t *self = arg;
    int64_t now_ms = mm_clock_ms();
    disturb(self);
    self->has_caught = false;
    if (self->balls > 0 && now_ms < self->end_ms)
        return self->end_ms;
    if (self->balls > 0 || self->received >= self->expected) {
        mm_loop_stop(self->loop);
        return MM_NEVER;
    }
    self->rounds++;
    self->end_ms = now_ms + PATIENCE_MS;
    for (size_t i = 0; i < LANES; i++)
        for (uint64_t left = mm_random_below(&self->random, BALLS_MAX + 1); left > 0; left--) {
            self->balls++;
            throw_ball(&self->lanes[i], HOPS); // even: it ends here
        }
    return self->end_ms;
}

static void open_lane(player_t players[2], size_t place, const char *endpoint, int type, int peer)
{
    mm_socket_t *there[2], *back[2];
    char other[128];
    bool is_both = type == peer;
    open_ends(endpoint, type, peer, there);
    if (!is_both) {
        const char *colon = strrchr(endpoint, ':');
        (void)snprintf(other, sizeof other, "%s%s", endpoint, strcmp(colon, ":*") == 0 ? "" : ".b");
        open_ends(other, type, peer, back);
    }
    bool is_event = type == ZMQ_PUB;
    players[0].lanes[place] =
        (lane_t){&players[0], is_both ? there[0] : back[1], there[0], is_event};
    players[1].lanes[place] =
        (lane_t){&players[1], there[1], is_both ? there[1] : back[0], is_event};
}

// Sends until it arrives: a connection, or a subscription, takes a moment. What is on its way
// behind it is chaff.
static void await_lane(const lane_t *from, lane_t *to)
{
    int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
    if (from->is_event)
        mm_socket_subscribe(to->in, mm_str("ball"));
    do {
        assert_true(mm_clock_ms() < end_ms);
        throw_ball(from, CHAFF);
        (void)is_readable(to->in, 5);
    } while (!catch_ball(to));
}

static void open_lanes(player_t players[2])
{
    char ipc[3][TEMP_PATH_MAX + 8];
    for (int i = 0; i < 3; i++)
        (void)snprintf(ipc[i], sizeof ipc[i], "ipc://%s/%d", folder, i);
    open_lane(players, 0, "inproc://push", ZMQ_PUSH, ZMQ_PULL);
    open_lane(players, 1, "inproc://pub", ZMQ_PUB, ZMQ_SUB);
    open_lane(players, 2, "inproc://both", ZMQ_DEALER, ZMQ_DEALER);
    open_lane(players, 3, ipc[0], ZMQ_PUSH, ZMQ_PULL);
    open_lane(players, 4, ipc[1], ZMQ_PUB, ZMQ_SUB);
    open_lane(players, 5, ipc[2], ZMQ_DEALER, ZMQ_DEALER);
    open_lane(players, 6, "tcp://127.0.0.1:*", ZMQ_PUSH, ZMQ_PULL);
    open_lane(players, 7, "tcp://127.0.0.1:*", ZMQ_DEALER, ZMQ_DEALER);
    for (size_t i = 0; i < LANES; i++) {
        await_lane(&players[0].lanes[i], &players[1].lanes[i]);
        await_lane(&players[1].lanes[i], &players[0].lanes[i]);
    }
}

static void close_lanes(player_t *self)
{
    for (size_t i = 0; i < LANES; i++) {
        if (self->lanes[i].in != self->lanes[i].out)
            mm_socket_destroy(&self->lanes[i].in);
        mm_socket_destroy(&self->lanes[i].out);
    }
}

static void open_player(player_t *self, mm_loop_turn_fn *turn)
{
    self->loop = mm_loop_new(turn, self);
    (void)zmq_msg_init(&self->message);
}

static void *play(void *arg)
{
    player_t *self = arg;
    for (size_t i = 0; i < LANES; i++)
        mm_loop_add_socket(self->loop, "lane", self->lanes[i].in, ZMQ_POLLIN, on_ball,
                           &self->lanes[i]);
    mm_loop_run(self->loop);
    return NULL;
}

static uint64_t messages = 100000;

static void no_arrival_is_missed(void **state)
{
    (void)state;
    static player_t players[2];
    pthread_t second;
    for (uint64_t i = 0; i < 2; i++)
        players[i].random = 1 + i;
    players[0].expected = messages / 2; // of the two
    open_player(&players[0], turn_of_first);
    open_player(&players[1], turn_of_second);
    open_lanes(players);
    int64_t begin_ms = mm_clock_ms();
    assert_int_equal(pthread_create(&second, NULL, play, &players[1]), 0);
    (void)play(&players[0]);
    int left = players[0].balls;
    is_over = true;
    assert_int_equal(pthread_join(second, NULL), 0);
    print_message("%d messages in %d rounds, %d ms\n",
                  (int)(players[0].received + players[1].received), (int)players[0].rounds,
                  (int)(mm_clock_ms() - begin_ms));
    assert_int_equal(left, 0);
    for (int i = 0; i < 2; i++) {
        mm_loop_destroy(&players[i].loop);
        (void)zmq_msg_close(&players[i].message);
        close_lanes(&players[i]);
    }
    mm_socket_end();
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, remove_temp_folder)

int main(int argc, char **argv)
{
    if (argc == 2)
        messages = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        TEST(what_a_handler_leaves_is_read_in_the_next_rounds),
        TEST(what_came_before_the_socket_was_added_is_read),
        TEST(a_send_may_take_the_sign_of_an_arrival),
        TEST(a_full_socket_tells_when_there_is_room),
        TEST(no_arrival_is_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
