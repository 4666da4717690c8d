// What viewers hear when they ask the consumer, by real sockets.

#include "viewers.h"

#include "temp_folder.h"

#include <jansson.h>

static gather_t *gather;
static gather_actions_t actions;
static viewers_t *viewers;
static broadcast_t *events;
static mm_socket_t *viewer;
static mm_decoder_t *decoder;
static mm_drops_t drops;
static zmq_msg_t message;
static json_t *heard;

enum { START_MS = 100000, PATIENCE = 400, WAIT_MS = 50 };

// first_session: sessions are higher.
static void open_viewers(uint64_t first_session)
{
    char path[TEMP_PATH_MAX], text[TEMP_PATH_MAX + 8], endpoint[MM_ENDPOINT_MAX];
    viewers_config_t config = {.drops = &drops, .name = "consumer", .max_in_flight = 100};
    temp_path(path, "c");
    (void)snprintf(text, sizeof text, "ipc://%s", path);
    assert_true(mm_endpoint_parse(text, &config.base));
    gather = gather_new(&(gather_config_t){.epoch = 1,
                                           .first_session = first_session,
                                           .attempts = 3,
                                           .backoff_low_ms = 100,
                                           .backoff_high_ms = 1000,
                                           .heartbeat_ms = 500,
                                           .lost_after_ms = 1500,
                                           .extend_every_ms = 1000,
                                           .max_lease_ms = 3600000,
                                           .drain_ms = 24000,
                                           .max_in_flight = 100,
                                           .settled_max = 100,
                                           .nacked_max = 100,
                                           .savers_max = 1,
                                           .restarters_max = 4},
                        START_MS);
    config.gather = gather;
    config.events = events = broadcast_new(mm_socket_new(ZMQ_PUB));
    viewers = viewers_new(&config);
    assert_non_null(viewers);
    viewer = mm_socket_new(ZMQ_SUB);
    mm_socket_subscribe(viewer, mm_str(""));
    assert_int_equal(mm_socket_connect(viewer, mm_endpoint_viewers(&config.base, endpoint)), 0);
}

static int make(void **state)
{
    (void)state;
    make_temp_folder();
    (void)zmq_msg_init(&message);
    decoder = mm_decoder_new();
    return 0;
}

static int end(void **state)
{
    json_decref(heard);
    heard = NULL;
    mm_socket_destroy(&viewer);
    viewers_destroy(&viewers);
    broadcast_destroy(&events);
    gather_destroy(&gather);
    gather_actions_clear(&actions);
    mm_decoder_destroy(&decoder);
    (void)zmq_msg_close(&message);
    mm_socket_end();
    return remove_temp_folder(state);
}

static void join(const char *name)
{
    mm_report_t report = {.is_hello = true,
                          .worker = mm_str(name),
                          .instance = 7,
                          .role = MM_ROLE_RESTARTER,
                          .sequence = 1,
                          .stamp_ms = START_MS,
                          .slots = 4,
                          .parts = 1};
    gather_event_t event = {.kind = GATHER_REPORT, .now_ms = START_MS, .as.report = &report};
    gather_step(gather, &event, &actions);
}

static bool hears_stats(void)
{
    mm_frame_t frame;
    zmq_pollitem_t item = {.socket = mm_socket_zmq(viewer), .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, WAIT_MS) <= 0 ||
        mm_socket_receive(viewer, true, &message) != MM_RECEIVED_FRAME)
        return false;
    assert_int_equal(mm_decode(decoder, zmq_msg_data(&message), zmq_msg_size(&message), &frame),
                     MM_WIRE_OK);
    assert_int_equal(frame.kind, MM_FRAME_TELL);
    heard = json_loadb(frame.as.tell.text.data, frame.as.tell.text.size, 0, NULL);
    assert_non_null(heard);
    return true;
}

// The reply to a query about stats, which is repeated: the first ones come before the subscription.
static void ask_for_stats(void)
{
    const mm_frame_t query = {
        .kind = MM_FRAME_QUERY,
        .as.query = {.viewer = 1, .about = MM_ABOUT_STATS, .process = mm_str("")}};
    int64_t now_ms = START_MS;
    for (int i = 0; i < PATIENCE && !heard; i++) {
        now_ms += 500;
        viewers_query(viewers, &query, now_ms);
        (void)hears_stats();
    }
    assert_non_null(heard);
}

// Sessions count from the epoch, the Unix time of the start, times 2^32: as integers of JSON they
// would be negative from 2038 on, and in many readers they have lost digits already.
static void a_session_has_all_its_digits(void **state)
{
    (void)state;
    open_viewers(UINT64_C(1) << 63); // the first one is one higher
    join("restarter-1");
    ask_for_stats();
    const json_t *worker = json_array_get(json_object_get(heard, "workers"), 0);
    const json_t *session = json_object_get(worker, "session");
    assert_true(json_is_string(session));
    assert_string_equal(json_string_value(json_object_get(worker, "name")), "restarter-1");
    assert_string_equal(json_string_value(session), "9223372036854775809");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_has_all_its_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
