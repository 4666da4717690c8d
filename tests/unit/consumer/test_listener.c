// The second address of the consumer: its ports, whose frames are believed, its sessions, and what
// becomes of all connections when keys change.

#include "clock.h"
#include "curve_play.h"
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

static char keys[TEMP_PATH_MAX], endpoint[MM_ENDPOINT_MAX];
static listener_t *listener;
static listener_config_t config;
static mm_socket_t *jobs, *inbox;
static broadcast_t *events, *viewers;
static mm_receiver_t receiver;
static mm_encoder_t *encoder;
static curve_client_t good, other;
static unsigned revoked, replaced, drops;

static void on_revoked(void *arg, const mm_allowed_t *row)
{
    (void)arg;
    assert_string_equal(row->name.text, "eu-2");
    revoked++;
}

static void on_replaced(void *arg)
{
    (void)arg;
    replaced++;
}

static void on_cut(void *arg, uint64_t session)
{
    (void)arg;
    (void)session;
}

static void on_drop(void *arg, const char *where, const char *why)
{
    (void)arg;
    (void)where;
    (void)why;
    drops++;
}

// So many ports in a row that nobody has; the first of them.
static unsigned free_ports(unsigned count)
{
    static unsigned port = 21000;
    for (unsigned free = 0; free < count; port++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_free = bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0;
        free = is_free ? free + 1 : 0;
        assert_int_equal(close(descriptor), 0);
    }
    return port - count;
}

static const char *on_taken(void *arg, const mm_allowed_t *row)
{
    (void)arg;
    (void)row;
    return curve_taken;
}

static int64_t look(int64_t now_ms)
{
    return listener ? listener_turn(listener, now_ms) : now_ms + 1000;
}

static int make(void **state)
{
    (void)make_curve(state);
    revoked = replaced = drops = 0;
    temp_path(keys, "keys");
    config = (listener_config_t){.keys = keys,
                                 .address = {.host = "127.0.0.1", .port = free_ports(4)},
                                 .revoked = on_revoked,
                                 .replaced = on_replaced,
                                 .cut = on_cut,
                                 .drop = on_drop,
                                 .taken = on_taken};
    mm_receiver_open(&receiver);
    encoder = mm_encoder_new();
    return 0;
}

static void start(void)
{
    int exit_code;
    char error[MM_ERROR_MAX];
    listener = listener_new(curve_loop, &config, &exit_code, error);
    if (!listener)
        fail_msg("%s", error);
    jobs = mm_socket_new(ZMQ_PULL);
    inbox = mm_socket_new(ZMQ_PULL);
    events = broadcast_new(mm_socket_new(ZMQ_PUB));
    viewers = broadcast_new(mm_socket_new(ZMQ_PUB));
    assert_int_equal(listener_bind(listener, jobs, inbox, events, viewers, 200, error), 0);
    curve_look = look;
}

static int end(void **state)
{
    curve_close(&good);
    curve_close(&other);
    mm_socket_destroy(&jobs);
    mm_socket_destroy(&inbox);
    broadcast_destroy(&events);
    broadcast_destroy(&viewers);
    listener_destroy(&listener);
    mm_receiver_close(&receiver);
    mm_encoder_destroy(&encoder);
    return end_curve(state);
}

static void connect_to(curve_client_t *self, int type, const mm_key_t *key, const char *server_key,
                       const char *place)
{
    if (strcmp(place, MM_SUFFIX_VIEWERS) == 0)
        mm_endpoint_suffix(&config.address, place, endpoint);
    else
        mm_endpoint_of(&config.address,
                       strcmp(place, "events") == 0 ? MM_SOCKET_EVENTS : MM_SOCKET_INBOX, endpoint);
    const char *topic = strcmp(place, "events") == 0 ? "consumer" : place;
    curve_connect(self, type, key, server_key, type == ZMQ_SUB ? topic : NULL, endpoint);
}

// ---- frames

static bool send_bye(curve_client_t *self, const char *worker)
{
    mm_encode_frame(encoder, &(mm_frame_t){.kind = MM_FRAME_BYE, .as.bye.worker = mm_str(worker)});
    return mm_socket_send(self->socket, mm_encoder_bytes(encoder));
}

// What is said of the next frame; "" when there is none.
static const char *next_doubt(void)
{
    mm_frame_t frame;
    if (mm_receive(&receiver, inbox, false, "inbox", mm_clock_ms(), &frame) != MM_RECEIVED_FRAME)
        return "";
    const char *why = listener_check(listener, &receiver, &frame, false);
    return why ? why : "none";
}

static bool own_frame_is_believed(void)
{
    (void)send_bye(&good, "eu-1");
    if (strcmp(next_doubt(), "none") != 0)
        return false;
    assert_string_equal(listener_sender(listener)->name.text, "eu-1");
    return true;
}

static bool inbox_is_empty(void)
{
    while (*next_doubt())
        ;
    return true;
}

static bool anothers_frame_is_sent(void)
{
    return send_bye(&good, "eu-2");
}

static bool it_is_not_believed(void)
{
    return strcmp(next_doubt(), "a frame in another's name") == 0;
}

static void a_frame_is_believed_as_far_as_its_key_goes(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {own_frame_is_believed, inbox_is_empty,
                                           anothers_frame_is_sent, it_is_not_believed, NULL};
    start();
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "inbox");
    curve_play(steps);
    listener_forget_sender(listener);
    assert_null(listener_sender(listener));
}

static bool name_is_taken(void)
{
    curve_taken = "taken";
    return send_bye(&good, "eu-1");
}

static bool own_frame_is_not_believed(void)
{
    return strcmp(next_doubt(), "taken") == 0;
}

static bool the_next_connection_is_refused(void)
{
    return good.cut > 0 && good.refused > 0;
}

static bool name_is_free(void)
{
    curve_taken = NULL;
    curve_close(&good);
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "inbox");
    return true;
}

static void whose_name_is_taken_is_cut_and_refused(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {own_frame_is_believed,
                                           inbox_is_empty,
                                           name_is_taken,
                                           own_frame_is_not_believed,
                                           the_next_connection_is_refused,
                                           name_is_free,
                                           own_frame_is_believed,
                                           NULL};
    start();
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "inbox");
    curve_play(steps);
}

// ---- the four ports

static bool viewer_hears(void)
{
    static const char topic[] = "viewers";
    char heard[64];
    broadcast_send(viewers, (mm_str_t){topic, sizeof topic}, mm_str("x"));
    return zmq_recv(mm_socket_zmq(good.socket), heard, sizeof heard, ZMQ_DONTWAIT) == sizeof topic;
}

static void viewers_are_behind_the_other_three(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {viewer_hears, NULL};
    start();
    connect_to(&good, ZMQ_SUB, &curve_keys[VIEWER], curve_keys[CONSUMER].public_key, "viewers");
    curve_play(steps);
}

static void a_port_in_use_is_told(void **state)
{
    (void)state;
    char error[MM_ERROR_MAX];
    start();
    mm_socket_t *first = jobs, *second = inbox;
    jobs = mm_socket_new(ZMQ_PULL);
    inbox = mm_socket_new(ZMQ_PULL);
    broadcast_t *third = events, *fourth = viewers;
    events = broadcast_new(mm_socket_new(ZMQ_PUB));
    viewers = broadcast_new(mm_socket_new(ZMQ_PUB));
    assert_int_equal(listener_bind(listener, jobs, inbox, events, viewers, 200, error),
                     EX_UNAVAILABLE);
    assert_non_null(strstr(error, "cannot listen on tcp://127.0.0.1:"));
    assert_non_null(strstr(error, "Address already in use; stop what uses that port"));
    mm_socket_destroy(&first);
    mm_socket_destroy(&second);
    broadcast_destroy(&third);
    broadcast_destroy(&fourth);
}

static void expect_address_refused(const char *host, const char *fix)
{
    char error[MM_ERROR_MAX];
    int exit_code;
    (void)snprintf(config.address.host, sizeof config.address.host, "%s", host);
    listener = listener_new(curve_loop, &config, &exit_code, error);
    assert_non_null(listener);
    jobs = mm_socket_new(ZMQ_PULL);
    inbox = mm_socket_new(ZMQ_PULL);
    events = broadcast_new(mm_socket_new(ZMQ_PUB));
    viewers = broadcast_new(mm_socket_new(ZMQ_PUB));
    assert_int_equal(listener_bind(listener, jobs, inbox, events, viewers, 200, error),
                     EX_UNAVAILABLE);
    assert_non_null(strstr(error, fix));
    assert_null(strstr(error, "stop what uses"));
}

static void a_name_is_no_address_to_listen_on(void **state)
{
    (void)state;
    expect_address_refused("localhost", "neither an IP address nor an interface");
}

static void an_address_of_another_machine_is_refused(void **state)
{
    (void)state;
    expect_address_refused("192.0.2.1", "this machine does not have that address");
}

// ---- sessions

static void each_session_has_a_port_of_the_range(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {own_frame_is_believed, NULL};
    unsigned first = free_ports(6), seen = 0;
    config.task_ports = (mm_ports_t){first, first + 5}; // the list has three workers
    start();
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "inbox");
    curve_play(steps);
    mm_socket_t *sockets[6];
    for (uint64_t i = 0; i < 6; i++) {
        sockets[i] = listener_open_session(listener, i + 1);
        assert_non_null(sockets[i]);
        mm_socket_endpoint(sockets[i], endpoint, sizeof endpoint);
        unsigned port = (unsigned)strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
        assert_in_range(port, first, first + 5);
        seen |= 1U << (port - first);
    }
    assert_int_equal(seen, 63);
    assert_null(listener_open_session(listener, 7));
    assert_int_equal(errno, EADDRINUSE);
    for (uint64_t i = 0; i < 6; i++) {
        mm_socket_destroy(&sockets[i]);
        listener_close_session(listener, i + 1);
    }
}

// A session has its port before it begins, so no worker is welcomed without one.
static void a_range_that_is_in_use_is_told(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {own_frame_is_believed, NULL};
    unsigned first = free_ports(6);
    mm_socket_t *others[6], *tasks;
    config.task_ports = (mm_ports_t){first, first + 5};
    start();
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "inbox");
    curve_play(steps);
    for (unsigned i = 0; i < 6; i++) {
        others[i] = mm_socket_new(ZMQ_PULL);
        (void)snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", first + i);
        assert_int_equal(mm_socket_bind(others[i], endpoint), 0);
    }
    char expected[64];
    (void)snprintf(expected, sizeof expected, "all of --task-ports=%u..%u are in use", first,
                   first + 5);
    assert_non_null(strstr(listener_no_port(listener, 1000), expected));
    mm_socket_destroy(&others[3]);
    assert_non_null(strstr(listener_no_port(listener, 1999), expected)); // not so soon again
    int64_t now_ms = 2000, limit_ms = mm_clock_ms() + 5000; // libzmq closes in its own thread
    while (listener_no_port(listener, now_ms) && mm_clock_ms() < limit_ms)
        now_ms += 1000;
    assert_null(listener_no_port(listener, now_ms));
    tasks = listener_open_session(listener, 1);
    assert_non_null(tasks);
    mm_socket_endpoint(tasks, endpoint, sizeof endpoint);
    assert_int_equal(strtoul(strrchr(endpoint, ':') + 1, NULL, 10), first + 3);
    assert_non_null(listener_no_port(listener, now_ms + 1000));
    mm_socket_destroy(&tasks);
    listener_close_session(listener, 1);
    for (unsigned i = 0; i < 6; i++)
        mm_socket_destroy(&others[i]);
}

static void a_range_that_is_too_short_for_the_list_is_refused(void **state)
{
    (void)state;
    int exit_code;
    char error[MM_ERROR_MAX];
    config.task_ports = (mm_ports_t){7100, 7104};
    assert_null(listener_new(curve_loop, &config, &exit_code, error));
    assert_int_equal(exit_code, EX_CONFIG);
    assert_non_null(strstr(error, "--task-ports=7100..7104 has 5 ports, and the 3 workers of"));
}

// ---- keys that change

static bool both_hear(void)
{
    static const char topic[] = "consumer";
    char heard[64];
    static bool has_good, has_other;
    broadcast_send(events, (mm_str_t){topic, sizeof topic}, mm_str("x"));
    has_good |= zmq_recv(mm_socket_zmq(good.socket), heard, sizeof heard, ZMQ_DONTWAIT) > 0;
    has_other |= zmq_recv(mm_socket_zmq(other.socket), heard, sizeof heard, ZMQ_DONTWAIT) > 0;
    return has_good && has_other;
}

static bool eu_2_is_taken_off(void)
{
    curve_disallow(&curve_keys[EU_2]);
    return true;
}

static bool it_is_told(void)
{
    return revoked == 1;
}

static bool it_is_out_for_good(void)
{
    return other.cut > 0 && other.refused > 0;
}

static bool good_is_in_again(void)
{
    return good.cut > 0 && good.let_in == 2;
}

static bool only_good_hears(void)
{
    static const char topic[] = "consumer";
    char heard[64];
    while (zmq_recv(mm_socket_zmq(other.socket), heard, sizeof heard, ZMQ_DONTWAIT) > 0)
        ; // from before
    while (zmq_recv(mm_socket_zmq(good.socket), heard, sizeof heard, ZMQ_DONTWAIT) > 0)
        ;
    broadcast_send(events, (mm_str_t){topic, sizeof topic}, mm_str("y"));
    zmq_pollitem_t items[] = {{.socket = mm_socket_zmq(good.socket), .events = ZMQ_POLLIN}};
    if (zmq_poll(items, 1, 100) <= 0)
        return false;
    assert_true(zmq_recv(mm_socket_zmq(other.socket), heard, sizeof heard, ZMQ_DONTWAIT) < 0);
    return true;
}

static void who_is_revoked_hears_nothing_more(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {
        both_hear,        eu_2_is_taken_off, it_is_told, it_is_out_for_good,
        good_is_in_again, only_good_hears,   NULL};
    start();
    connect_to(&good, ZMQ_SUB, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "events");
    connect_to(&other, ZMQ_SUB, &curve_keys[EU_2], curve_keys[CONSUMER].public_key, "events");
    curve_play(steps);
}

static mm_key_t another;

static bool key_is_replaced(void)
{
    curve_replace_key(&another);
    return true;
}

static bool former_key_fails(void)
{
    // libzmq ends the connections of the former ports while their sockets are used.
    (void)inbox_is_empty();
    if (good.cut == 0 || good.failed == 0)
        return false;
    curve_close(&good);
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], another.public_key, "inbox");
    return true;
}

static void all_ports_take_another_key_of_the_consumer(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {own_frame_is_believed, inbox_is_empty,
                                           key_is_replaced,       former_key_fails,
                                           own_frame_is_believed, NULL};
    start();
    connect_to(&good, ZMQ_PUSH, &curve_keys[EU_1], curve_keys[CONSUMER].public_key, "inbox");
    curve_play(steps);
    assert_int_equal(replaced, 1);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_frame_is_believed_as_far_as_its_key_goes),
        TEST(whose_name_is_taken_is_cut_and_refused),
        TEST(viewers_are_behind_the_other_three),
        TEST(a_port_in_use_is_told),
        TEST(a_name_is_no_address_to_listen_on),
        TEST(an_address_of_another_machine_is_refused),
        TEST(each_session_has_a_port_of_the_range),
        TEST(a_range_that_is_in_use_is_told),
        TEST(a_range_that_is_too_short_for_the_list_is_refused),
        TEST(who_is_revoked_hears_nothing_more),
        TEST(all_ports_take_another_key_of_the_consumer),
    };
    mm_loop_block_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
