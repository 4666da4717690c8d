// A client of two consumers, which are a PUB and a PULL each: whom it follows, whom it asks, and
// what it hears of the other one.

#include "consumers.h"
#include "clock.h"
#include "loop_play.h"
#include "wire.h"

enum { A, B, CONSUMERS, HEARTBEAT_MS = 200, LOST_AFTER_MS = 600, INSTANCE = 77 };

typedef struct {
    char address[MM_ENDPOINT_MAX];
    mm_socket_t *events;
    mm_socket_t *inbox;
    size_t asked; // frames that have arrived
} peer_t;

static peer_t peers[CONSUMERS];
static mm_consumers_t *consumers;
static mm_receiver_t receiver;
static mm_encoder_t *encoder;
static zmq_msg_t message;
static size_t heard[32];            // frames that count, by their kind
static char named[MM_NAME_MAX + 1]; // by the last BEAT of them; empty: nobody
static size_t others;
static size_t cuts;

// ---- the consumers

static void open_peer(size_t at)
{
    peer_t *peer = &peers[at];
    mm_endpoint_t base;
    char endpoint[MM_ENDPOINT_MAX];
    (void)snprintf(peer->address, sizeof peer->address, "ipc://%s/%zu", folder, at);
    assert_true(mm_endpoint_parse(peer->address, &base));
    peer->events = mm_socket_new(ZMQ_PUB);
    peer->inbox = mm_socket_new(ZMQ_PULL);
    assert_int_equal(
        mm_socket_bind(peer->events, mm_endpoint_of(&base, MM_SOCKET_EVENTS, endpoint)), 0);
    assert_int_equal(mm_socket_bind(peer->inbox, mm_endpoint_of(&base, MM_SOCKET_INBOX, endpoint)),
                     0);
    peer->asked = 0;
}

static void close_peer(size_t at)
{
    mm_socket_destroy(&peers[at].events);
    mm_socket_destroy(&peers[at].inbox);
}

static void say(size_t at, const char *topic_name, const mm_frame_t *frame)
{
    char topic[MM_TOPIC_MAX];
    mm_encode_frame(encoder, frame);
    mm_socket_publish(peers[at].events, mm_topic(topic_name, NULL, topic),
                      mm_encoder_bytes(encoder));
}

static void beat_naming(size_t at, uint64_t epoch, const char *worker)
{
    const mm_acknowledgement_t item = {.worker = mm_str(worker), .session = 1};
    say(at, "consumer",
        &(mm_frame_t){.kind = MM_FRAME_BEAT,
                      .as.beat = {.consumer = mm_str("consumer"),
                                  .epoch = epoch,
                                  .items = &item,
                                  .count = *worker ? 1 : 0}});
}

static void beat(size_t at, uint64_t epoch)
{
    beat_naming(at, epoch, "");
}

static size_t asked(size_t at)
{
    while (mm_socket_receive(peers[at].inbox, false, &message) == MM_RECEIVED_FRAME)
        peers[at].asked++;
    return peers[at].asked;
}

// ---- the client

static void subscribe(void *arg, mm_socket_t *events)
{
    (void)arg;
    mm_socket_subscribe(events, mm_str(""));
}

static void keep_named(const mm_beat_body_t *beat)
{
    mm_str_t name = beat->count > 0 ? beat->items[0].worker : mm_str("");
    (void)snprintf(named, sizeof named, "%.*s", (int)name.size, name.data);
}

static void on_events(void *arg)
{
    mm_frame_t frame;
    mm_received_t received;
    (void)arg;
    while ((received = mm_consumers_receive(consumers, &receiver, mm_clock_ms(), &frame)) !=
           MM_RECEIVED_NONE) {
        heard[frame.kind] += received == MM_RECEIVED_FRAME;
        if (received == MM_RECEIVED_FRAME && frame.kind == MM_FRAME_BEAT)
            keep_named(&frame.as.beat);
        others += received == MM_RECEIVED_OTHER;
    }
}

static void cut(void *arg)
{
    (void)arg;
    cuts++;
    mm_consumers_reopen(consumers);
}

static void begin(const char *worker)
{
    mm_addresses_t addresses = {.count = CONSUMERS};
    (void)zmq_msg_init(&message);
    encoder = mm_encoder_new();
    mm_receiver_open(&receiver);
    memset(heard, 0, sizeof heard);
    others = cuts = 0;
    for (size_t i = 0; i < CONSUMERS; i++) {
        open_peer(i);
        assert_true(mm_endpoint_parse(peers[i].address, &addresses.items[i]));
    }
    consumers = mm_consumers_new(&(mm_consumers_config_t){.loop = loop,
                                                          .addresses = &addresses,
                                                          .role = MM_SOCKET_INBOX,
                                                          .name = "inbox",
                                                          .instance = worker ? INSTANCE : 0,
                                                          .worker = worker,
                                                          .heartbeat_ms = HEARTBEAT_MS,
                                                          .lost_after_ms = LOST_AFTER_MS,
                                                          .subscribe = subscribe,
                                                          .on_events = on_events,
                                                          .cut = cut});
}

// Also behind a test that has failed: what it left open would keep the next one from ending.
static int end(void **state)
{
    mm_consumers_destroy(&consumers);
    mm_consumers_destroy(&consumers);
    for (size_t i = 0; i < CONSUMERS; i++)
        close_peer(i);
    mm_receiver_close(&receiver);
    mm_encoder_destroy(&encoder);
    (void)zmq_msg_close(&message);
    mm_socket_end();
    return end_loop(state);
}

// Tries until it is true, and receives meanwhile.
static void until(step_fn *step)
{
    int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
    while (on_events(NULL), !step()) {
        zmq_pollitem_t items[CONSUMERS] = {{0}};
        for (size_t i = 0; i < CONSUMERS; i++) {
            items[i].socket = mm_socket_zmq(mm_consumers_events(consumers, i));
            items[i].events = ZMQ_POLLIN;
        }
        (void)zmq_poll(items, CONSUMERS, 10);
        assert_true(mm_clock_ms() < end_ms);
    }
}

// ---- what comes true

static bool both_are_asked(void)
{
    (void)mm_consumers_ask(consumers, mm_str("x"));
    return asked(A) > 0 && asked(B) > 0;
}

// Since a subscription takes a moment to arrive, it beats until it is heard.
static bool a_is_followed(void)
{
    beat(A, 5);
    return mm_consumers_follows(consumers) && mm_consumers_followed(consumers) == A;
}

static bool b_is_followed(void)
{
    beat(B, 6);
    return mm_consumers_followed(consumers) == B;
}

static bool a_is_followed_anew(void)
{
    beat(A, 7);
    return mm_consumers_followed(consumers) == A;
}

static bool a_lower_one_is_passed_over(void)
{
    beat(A, 5);
    return others > 0;
}

static bool b_is_passed_over(void)
{
    beat(B, 4);
    return others > 0;
}

static bool frames_arrive_at_b(void)
{
    (void)mm_consumers_ask(consumers, mm_str("x"));
    return asked(B) > 2;
}

// How many frames arrive before this one.
static size_t arrived_before(size_t at, const char *text)
{
    int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
    for (size_t count = 0; mm_clock_ms() < end_ms;) {
        if (mm_socket_receive(peers[at].inbox, false, &message) != MM_RECEIVED_FRAME)
            continue;
        if (zmq_msg_size(&message) == strlen(text) &&
            memcmp(zmq_msg_data(&message), text, strlen(text)) == 0)
            return count;
        count++;
    }
    fail_msg("%s has not arrived", text);
    return 0;
}

// Behind a BEAT of A that names this worker, and not only behind one that was sent before, A alone
// is asked. Frames arrive in the order in which they were sent.
static void a_is_asked_alone(const char *worker)
{
    assert_true(mm_consumers_send_to(consumers, B, mm_str("first")));
    (void)arrived_before(B, "first");
    int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
    for (size_t beats = heard[MM_FRAME_BEAT];
         heard[MM_FRAME_BEAT] == beats || strcmp(named, worker) != 0; on_events(NULL)) {
        beat_naming(A, 5, worker);
        assert_true(mm_clock_ms() < end_ms);
    }
    assert_true(mm_consumers_ask(consumers, mm_str("ask")));
    assert_true(mm_consumers_send_to(consumers, B, mm_str("last")));
    (void)arrived_before(A, "ask");
    assert_int_equal(arrived_before(B, "last"), 0);
}

// ---- the tests

static void all_are_asked_until_one_is_followed(void **state)
{
    (void)state;
    begin(NULL);
    assert_false(mm_consumers_follows(consumers));
    until(both_are_asked);
    until(a_is_followed);
    a_is_asked_alone("");
    assert_string_equal(mm_consumers_complaint(consumers), "");
}

static void the_highest_epoch_is_followed_and_back(void **state)
{
    (void)state;
    begin(NULL);
    until(a_is_followed);
    until(b_is_followed);
    until(a_lower_one_is_passed_over);
    until(frames_arrive_at_b);
    until(a_is_followed_anew);
    assert_string_equal(mm_consumers_base(consumers)->path + strlen(folder), "/0");
    assert_int_equal(cuts, 0);
}

static void a_lower_one_is_never_followed(void **state)
{
    (void)state;
    begin(NULL);
    until(a_is_followed);
    until(b_is_passed_over);
    assert_int_equal(mm_consumers_followed(consumers), A);
}

// Frames that could not be sent to the former one would reach it as another consumer.
static void what_waits_for_a_former_one_is_dropped(void **state)
{
    (void)state;
    begin(NULL);
    until(a_is_followed);
    close_peer(A);
    for (int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
         mm_sender_waiting(mm_consumers_sender(consumers)) == 0;
         assert_true(mm_clock_ms() < end_ms))
        mm_sender_send(mm_consumers_sender(consumers), mm_str("job"));
    assert_false(mm_consumers_send_to(consumers, A, mm_str("x"))); // nothing overtakes them
    until(b_is_followed);
    assert_int_equal(mm_sender_waiting(mm_consumers_sender(consumers)), 0);
    open_peer(A);
    until(a_is_followed_anew);
    assert_int_equal(mm_sender_waiting(mm_consumers_sender(consumers)), 0);
    assert_int_equal(asked(A), 0);
}

static bool a_silent_one_is_not_the_only_one_asked(void)
{
    size_t before = asked(B);
    (void)mm_consumers_ask(consumers, mm_str("x"));
    (void)asked(A); // or it could take no more
    return asked(B) > before;
}

static void all_are_asked_when_the_one_that_is_followed_is_silent(void **state)
{
    (void)state;
    begin(NULL);
    until(both_are_asked);
    int64_t since_ms = mm_clock_ms(); // before it is named last
    until(a_is_followed);
    while (!a_silent_one_is_not_the_only_one_asked())
        assert_true(mm_clock_ms() < since_ms + PATIENCE_MS);
    assert_true(mm_clock_ms() - since_ms >= LOST_AFTER_MS - HEARTBEAT_MS);
    assert_int_equal(mm_consumers_followed(consumers), A);
}

// A worker that its consumer does not name can be heard by another one alone.
static void a_worker_that_is_not_named_asks_all(void **state)
{
    (void)state;
    begin("r1");
    until(both_are_asked);
    int64_t since_ms = mm_clock_ms(); // before it is named last
    until(a_is_followed);
    while (!a_silent_one_is_not_the_only_one_asked()) {
        beat_naming(A, 5, "r2");
        on_events(NULL);
        assert_true(mm_clock_ms() < since_ms + PATIENCE_MS);
    }
    assert_true(mm_clock_ms() - since_ms >= LOST_AFTER_MS - HEARTBEAT_MS);
    a_is_asked_alone("r1");
}

// What counts of these frames from A, while B is followed with epoch 6.
static void of_others_only_outcomes_and_leases_count(void **state)
{
    (void)state;
    begin("r1");
    until(a_is_followed);
    until(b_is_followed);
    const mm_frame_t frames[] = {
        {.kind = MM_FRAME_NOTICES, .as.notices = {.epoch = 5}},
        {.kind = MM_FRAME_LEASE_ASK},
        {.kind = MM_FRAME_NOTICES, .as.notices = {.epoch = 6}}, // none of its own
        {.kind = MM_FRAME_BEAT, .as.beat = {.epoch = 5}},
        {.kind = MM_FRAME_BEAT, .as.beat = {.epoch = (uint64_t)MM_EPOCH_MAX + 1}},
        {.kind = MM_FRAME_LEAVING, .as.leaving = {.epoch = 5}},
        {.kind = MM_FRAME_WELCOME, .as.answer = {.epoch = 5, .instance = INSTANCE}},
        {.kind = MM_FRAME_WELCOME, .as.answer = {.epoch = 7, .instance = INSTANCE + 1}},
        {.kind = MM_FRAME_REFUSED, .as.answer = {.epoch = 7, .instance = INSTANCE}},
        {.kind = MM_FRAME_REJOIN, .as.answer = {.epoch = 7, .instance = INSTANCE}},
        {.kind = MM_FRAME_QUERY},
        {.kind = MM_FRAME_TELL},
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        assert_int_equal(mm_consumers_counts(consumers, A, &frames[i], mm_clock_ms()), i < 2);
        assert_int_equal(mm_consumers_followed(consumers), B);
    }
    const mm_frame_t welcome = {.kind = MM_FRAME_WELCOME,
                                .as.answer = {.epoch = 7, .instance = INSTANCE}};
    assert_true(mm_consumers_counts(consumers, A, &welcome, mm_clock_ms()));
    assert_int_equal(mm_consumers_followed(consumers), A);
}

// A standby that has sent nothing may have sockets that are dead.
static void silent_sockets_are_made_anew(void **state)
{
    (void)state;
    begin(NULL);
    until(a_is_followed);
    const mm_socket_t *before = mm_consumers_events(consumers, B);
    int64_t due_ms = mm_consumers_turn(consumers, mm_clock_ms());
    assert_true(due_ms > mm_clock_ms() && due_ms <= mm_clock_ms() + MM_CONSUMERS_SPARE_MS);
    assert_ptr_equal(mm_consumers_events(consumers, B), before);
    due_ms = mm_consumers_turn(consumers, due_ms);
    assert_true(due_ms > mm_clock_ms() + MM_CONSUMERS_SPARE_MS / 2);
    until(b_is_followed); // they work
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_loop, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_are_asked_until_one_is_followed),
        TEST(the_highest_epoch_is_followed_and_back),
        TEST(a_lower_one_is_never_followed),
        TEST(what_waits_for_a_former_one_is_dropped),
        TEST(all_are_asked_when_the_one_that_is_followed_is_silent),
        TEST(a_worker_that_is_not_named_asks_all),
        TEST(of_others_only_outcomes_and_leases_count),
        TEST(silent_sockets_are_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
