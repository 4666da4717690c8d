// A client's way into the consumer, over real connections: each honest mistake has one line, and
// ends as soon as it is mended; and nothing is tried more often than link.h says.

#include "clock.h"
#include "curve_server.h"
#include "hear.h"
#include "link.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static mm_link_t *way;
static mm_socket_t *events, *inbox, *tasks;
static int renewals;
static mm_key_t key;
static const char *key_file; // of the client; NULL: none

// ---- the client

static void open_client(void)
{
    events = mm_socket_new(ZMQ_SUB);
    inbox = mm_socket_new(ZMQ_PUSH);
    mm_socket_subscribe(events, mm_str(""));
    assert_int_equal(mm_link_connect(way, events, curve_events_at, false), 0);
    assert_int_equal(mm_link_connect(way, inbox, curve_inbox_at, false), 0);
}

static void close_client(void)
{
    mm_link_leave(way, tasks);
    mm_link_leave(way, events);
    mm_link_leave(way, inbox);
    mm_socket_destroy(&tasks);
    mm_socket_destroy(&events);
    mm_socket_destroy(&inbox);
}

static void renew(void *arg)
{
    (void)arg;
    renewals++;
    close_client();
    open_client();
}

// with: NULL: a client without a key.
static void begin(const mm_key_t *with)
{
    mm_endpoint_t base;
    assert_true(mm_endpoint_parse("tcp://127.0.0.1:5550", &base));
    renewals = 0;
    way = mm_link_new(&(mm_link_config_t){.loop = loop,
                                          .base = &base,
                                          .key = with,
                                          .key_file = key_file,
                                          .logs = true,
                                          .renew = renew});
    open_client();
    hear_begin();
}

// Ends the client. Returns what it has logged.
static const char *end(void)
{
    const char *heard = hear_end();
    close_client();
    mm_link_destroy(&way);
    curve_end();
    mm_socket_end();
    key_file = NULL;
    return heard;
}

static void holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in: %s", part, text);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

// ---- what comes true

// What is sent before the connection is there is dropped, so it is sent again.
static bool frames_arrive(size_t count)
{
    (void)mm_socket_send(inbox, mm_str("x"));
    if (curve_frames < count)
        return false;
    curve_frames = 0;
    return true;
}

static bool a_frame_arrives(void)
{
    return frames_arrive(1);
}

static bool many_frames_arrive(void)
{
    return frames_arrive(30);
}

static bool it_complains(void)
{
    return *mm_link_complaint(way) != '\0';
}

static bool it_is_content(void)
{
    return *mm_link_complaint(way) == '\0';
}

static bool it_is_let_in(void)
{
    strcpy(curve_allowed, key.public_key);
    return true;
}

// ---- the tests

static void the_right_key_gets_in(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    strcpy(curve_allowed, key.public_key);
    begin(&key);
    play((step_fn *const[]){a_frame_arrives, NULL});
    assert_int_equal(renewals, 0);
    assert_string_equal(end(), "");
}

static bool it_was_asked_twice(void)
{
    return curve_asked_of_events >= 2;
}

static bool it_was_asked_three_times(void)
{
    return curve_asked_of_events >= 3;
}

// It is asked again after 1 s and 2 s, and not in between.
static void a_refused_key_waits_longer_each_time_and_is_let_in_when_that_is_mended(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    begin(&key);
    play((step_fn *const[]){it_complains, it_was_asked_twice, it_is_let_in, a_frame_arrives,
                            it_is_content, NULL});
    assert_true(curve_asked_ms[1] - curve_asked_ms[0] >= 1000);
    assert_true(curve_asked_ms[2] - curve_asked_ms[1] >= 2000);
    const char *heard = end();
    assert_int_equal(count_of(heard, "Cannot reach the consumer"), 1);
    holds(heard, "refuses the key eu-1 of a restarter");
    holds(heard, MM_LINK_WHY_REFUSED);
    assert_int_equal(count_of(heard, "The consumer is reached"), 1);
}

// As with a key that has another role on the list: events are for all, the inbox is not.
static void a_key_that_one_socket_refuses_is_refused(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_OPERATOR, "anna", &curve_own, 1);
    strcpy(curve_allowed, key.public_key);
    curve_refused = "inbox";
    begin(&key);
    play((step_fn *const[]){it_complains, NULL});
    assert_true(renewals >= 1);
    holds(end(), "refuses the key anna of an operator");
}

static void a_wrong_server_key_has_one_line(void **state)
{
    (void)state;
    curve_begin(true);
    curve_pair_t other = curve_draw();
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &other, 1);
    strcpy(curve_allowed, key.public_key);
    begin(&key);
    play((step_fn *const[]){it_complains, NULL});
    assert_int_equal(curve_asked, 0);
    const char *heard = end();
    assert_int_equal(count_of(heard, "Cannot reach the consumer"), 1);
    holds(heard, "none of the 1 server keys");
}

// A pause would be two renewals more.
static void the_next_server_key_is_tried_at_once(void **state)
{
    (void)state;
    curve_begin(true);
    curve_pair_t keys[] = {curve_draw(), curve_draw(), curve_own};
    key = curve_key(MM_KEY_RESTARTER, "eu-1", keys, 3);
    strcpy(curve_allowed, key.public_key);
    begin(&key);
    play((step_fn *const[]){a_frame_arrives, NULL});
    assert_int_equal(renewals, 2);
    assert_string_equal(end(), "");
}

static curve_pair_t next_pair;

static bool the_server_key_is_replaced(void)
{
    curve_own = next_pair;
    curve_rebind();
    return true;
}

static void a_server_key_may_be_replaced_while_it_works(void **state)
{
    (void)state;
    curve_begin(true);
    next_pair = curve_draw();
    curve_pair_t keys[] = {curve_own, next_pair};
    key = curve_key(MM_KEY_RESTARTER, "eu-1", keys, 2);
    strcpy(curve_allowed, key.public_key);
    begin(&key);
    play((step_fn *const[]){a_frame_arrives, the_server_key_is_replaced, a_frame_arrives, NULL});
    assert_string_equal(end(), "");
}

// ---- the key file

static mm_key_t next_key;
static size_t asked_before;
static int64_t replaced_ms, took_ms;

static void write_key(const mm_key_t *which)
{
    char error[MM_ERROR_MAX];
    assert_int_equal(mm_key_write(which, key_file, true, error), 0);
}

// Begins a client with this key in a file.
static void begin_with_file(void)
{
    static char path[TEMP_PATH_MAX];
    temp_path(path, "eu-1.key");
    key_file = path;
    write_key(&key);
    begin(&key);
}

static bool the_next_key_is_put_there(void)
{
    write_key(&next_key);
    return true;
}

static bool a_bad_file_is_put_there(void)
{
    temp_write(key_file, "role = restarter\n", 17, 0600);
    return true;
}

static bool the_next_key_is_let_in(void)
{
    strcpy(curve_allowed, next_key.public_key);
    return true;
}

// As by `mayhem keys trust` after the consumer's key was replaced.
static void new_server_keys_are_taken_from_the_file(void **state)
{
    (void)state;
    curve_begin(true);
    curve_pair_t keys[] = {curve_draw(), curve_own};
    key = curve_key(MM_KEY_RESTARTER, "eu-1", keys, 1);
    next_key = key;
    strcpy(next_key.server_keys[next_key.server_count++], curve_own.public_key);
    strcpy(curve_allowed, key.public_key);
    begin_with_file();
    play((step_fn *const[]){it_complains, the_next_key_is_put_there, a_frame_arrives, it_is_content,
                            NULL});
    const char *heard = end();
    assert_int_equal(count_of(heard, "Read the key file anew"), 1);
    holds(heard, "server_keys=2");
    assert_int_equal(count_of(heard, "The consumer is reached"), 1);
}

static bool the_server_key_is_rotated(void)
{
    write_key(&next_key);
    replaced_ms = mm_clock_ms();
    return the_server_key_is_replaced();
}

static bool frames_arrive_soon(void)
{
    if (!a_frame_arrives())
        return false;
    took_ms = mm_clock_ms() - replaced_ms;
    return true;
}

// A client that was started before the rotation has the former key alone, and its file both. A
// pause of 1 s would cost a worker: the consumer presumes it lost after 1.5 s.
static void a_rotation_costs_no_pause(void **state)
{
    (void)state;
    curve_begin(true);
    next_pair = curve_draw();
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    next_key = key;
    strcpy(next_key.server_keys[next_key.server_count++], next_pair.public_key);
    strcpy(curve_allowed, key.public_key);
    begin_with_file();
    play((step_fn *const[]){a_frame_arrives, the_server_key_is_rotated, frames_arrive_soon, NULL});
    assert_in_range(took_ms, 0, 900);
    const char *heard = end();
    assert_int_equal(count_of(heard, "Read the key file anew"), 1);
    assert_int_equal(count_of(heard, "Cannot reach the consumer"), 0);
}

// What was wrong with the former key is no news of this one: a second line tells of that.
static void a_new_key_is_taken_from_the_file(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    next_key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    begin_with_file();
    play((step_fn *const[]){it_complains, the_next_key_is_put_there, it_was_asked_twice,
                            the_next_key_is_let_in, a_frame_arrives, NULL});
    const char *heard = end();
    assert_int_equal(count_of(heard, "Read the key file anew"), 1);
    assert_int_equal(count_of(heard, "refuses the key eu-1"), 2);
    assert_int_equal(count_of(heard, "The consumer is reached"), 1);
}

static bool it_is_rewritten(void)
{
    write_key(&key);
    return true;
}

// The pauses are those of the same key: see link.h.
static void the_same_key_again_changes_nothing(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    begin_with_file();
    play((step_fn *const[]){it_complains, it_is_rewritten, it_was_asked_twice, it_is_rewritten,
                            it_was_asked_three_times, NULL});
    assert_true(curve_asked_ms[2] - curve_asked_ms[1] >= 2000);
    const char *heard = end();
    assert_int_equal(count_of(heard, "key file"), 0);
}

// One line, and the former key is tried on.
static void a_bad_key_file_is_told_of_once_and_may_be_mended(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    next_key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    strcpy(curve_allowed, next_key.public_key);
    begin_with_file();
    play((step_fn *const[]){it_complains, a_bad_file_is_put_there, it_was_asked_twice,
                            it_was_asked_three_times, the_next_key_is_put_there, a_frame_arrives,
                            NULL});
    const char *heard = end();
    assert_int_equal(count_of(heard, "Cannot read the key file anew: the former key holds"), 1);
    holds(heard, "eu-1.key: it has no line 'name = ...'");
}

// Its frames would be in another's name.
static void a_key_of_another_name_is_not_taken(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    next_key = curve_key(MM_KEY_RESTARTER, "eu-2", &curve_own, 1);
    strcpy(curve_allowed, next_key.public_key);
    begin_with_file();
    play((step_fn *const[]){it_complains, the_next_key_is_put_there, it_was_asked_three_times,
                            NULL});
    const char *heard = end();
    assert_int_equal(curve_frames, 0);
    holds(heard, "it is the key of the restarter eu-2 now, and this is the restarter eu-1");
}

static void a_client_without_a_key_is_told_that_it_needs_one(void **state)
{
    (void)state;
    curve_begin(true);
    begin(NULL);
    play((step_fn *const[]){it_complains, NULL});
    assert_int_equal(renewals, 0);
    const char *heard = end();
    assert_int_equal(count_of(heard, "Cannot reach the consumer"), 1);
    holds(heard, "wants a key");
}

static void a_key_where_there_are_none_is_told_so(void **state)
{
    (void)state;
    curve_begin(false);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    begin(&key);
    play((step_fn *const[]){it_complains, NULL});
    holds(end(), "there are no keys at"); // of which it may not be sure
}

static void where_nobody_answers_that_is_said(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    strcpy(curve_allowed, key.public_key);
    mm_socket_destroy(&curve_events); // its port is closed
    begin(&key);
    play((step_fn *const[]){it_complains, NULL});
    assert_int_equal(renewals, 0);
    const char *heard = end();
    assert_int_equal(count_of(heard, "Cannot reach the consumer"), 1);
    holds(heard, "nobody answers at tcp://127.0.0.1:5550 to 5553");
}

// Listens at the port of a ZeroMQ socket that is closed, as another program. Returns its
// descriptor.
static int take_port_of(const char *endpoint)
{
    int on = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10));
    assert_int_equal(setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    int rc = -1;
    for (int64_t end_ms = mm_clock_ms() + 5000; rc != 0 && mm_clock_ms() < end_ms;) {
        rc = bind(descriptor, (struct sockaddr *)&address, sizeof address);
        if (rc != 0)
            (void)poll(NULL, 0, 10); // libzmq's thread closes its own some time later
    }
    assert_int_equal(rc, 0);
    assert_int_equal(listen(descriptor, 16), 0);
    return descriptor;
}

// No firewall is to blame for it.
static void what_listens_and_says_nothing_is_no_consumer(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    strcpy(curve_allowed, key.public_key);
    mm_socket_destroy(&curve_events);
    int descriptor = take_port_of(curve_events_at);
    begin(&key);
    play((step_fn *const[]){it_complains, NULL});
    const char *heard = end();
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(count_of(heard, "Cannot reach the consumer"), 1);
    holds(heard, "what listens at tcp://127.0.0.1:5550 to 5553 is no consumer, or is stopped");
}

static bool a_session_is_refused(void)
{
    curve_refused = "inbox"; // which stands for the session's endpoint
    asked_before = curve_asked;
    tasks = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_link_connect(way, tasks, curve_inbox_at, true), 0);
    return true;
}

static bool it_was_asked_for_the_session(void)
{
    return curve_asked > asked_before;
}

// The consumer answers that with REJOIN.
static void what_becomes_of_a_session_is_no_failure(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    strcpy(curve_allowed, key.public_key);
    begin(&key);
    play((step_fn *const[]){a_frame_arrives, a_session_is_refused, it_was_asked_for_the_session,
                            many_frames_arrive, NULL});
    assert_int_equal(renewals, 0);
    assert_string_equal(end(), "");
}

static bool a_session_is_where_nobody_is(void)
{
    char endpoint[64];
    mm_socket_t *closed = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_bind(closed, "tcp://127.0.0.1:*"), 0);
    mm_socket_endpoint(closed, endpoint, sizeof endpoint);
    mm_socket_destroy(&closed);
    tasks = mm_socket_new(ZMQ_PULL);
    assert_int_equal(mm_link_connect(way, tasks, endpoint, true), 0);
    return true;
}

static void a_session_that_cannot_be_reached_is_told(void **state)
{
    (void)state;
    curve_begin(true);
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    strcpy(curve_allowed, key.public_key);
    begin(&key);
    play((step_fn *const[]){a_frame_arrives, it_is_content, a_session_is_where_nobody_is,
                            it_complains, NULL});
    assert_int_equal(renewals, 0);
    holds(end(), "let its --task-ports through the firewall");
}

static void on_ipc_there_is_nothing_to_watch(void **state)
{
    (void)state;
    mm_endpoint_t base;
    char endpoint[MM_ENDPOINT_MAX];
    assert_true(mm_endpoint_parse("ipc:///tmp/x", &base));
    key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    way = mm_link_new(&(mm_link_config_t){.loop = loop, .base = &base, .key = &key});
    assert_int_equal(mm_link_descriptor(way), -1);
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/events", folder);
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL), *push = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_bind(pull, endpoint), 0);
    assert_int_equal(mm_link_connect(way, push, endpoint, false), 0);
    zmq_pollitem_t item = {.socket = mm_socket_zmq(push), .events = ZMQ_POLLOUT};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1); // without a key
    mm_link_leave(way, push);
    mm_socket_destroy(&push);
    mm_socket_destroy(&pull);
    mm_link_destroy(&way);
    mm_socket_end();
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_loop, end_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_right_key_gets_in),
        TEST(a_refused_key_waits_longer_each_time_and_is_let_in_when_that_is_mended),
        TEST(a_key_that_one_socket_refuses_is_refused),
        TEST(a_wrong_server_key_has_one_line),
        TEST(the_next_server_key_is_tried_at_once),
        TEST(a_server_key_may_be_replaced_while_it_works),
        TEST(new_server_keys_are_taken_from_the_file),
        TEST(a_rotation_costs_no_pause),
        TEST(a_new_key_is_taken_from_the_file),
        TEST(the_same_key_again_changes_nothing),
        TEST(a_bad_key_file_is_told_of_once_and_may_be_mended),
        TEST(a_key_of_another_name_is_not_taken),
        TEST(a_client_without_a_key_is_told_that_it_needs_one),
        TEST(a_key_where_there_are_none_is_told_so),
        TEST(where_nobody_answers_that_is_said),
        TEST(what_listens_and_says_nothing_is_no_consumer),
        TEST(what_becomes_of_a_session_is_no_failure),
        TEST(a_session_that_cannot_be_reached_is_told),
        TEST(on_ipc_there_is_nothing_to_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
