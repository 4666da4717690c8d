// Who may connect, with real sockets: the ZAP handler, what libzmq does with its answers, and what
// it does without one. The handler and the clients share the thread; libzmq has its own.
//
// test_zap [COUNT]: so many wrong handshakes of each kind.

#include "clock.h"
#include "curve_play.h"
#include "zap_probe.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { AT_ONCE = 50, DAY_MS = 86400000 };

static unsigned flood_count = 1000;
static mm_socket_t *server;
static char endpoint[TEMP_PATH_MAX];
static curve_client_t good, other;
static zmq_msg_t message;

static int make(void **state)
{
    (void)zmq_msg_init(&message);
    server = NULL;
    return make_curve(state);
}

static int end(void **state)
{
    (void)zmq_msg_close(&message);
    curve_close(&good);
    curve_close(&other);
    return end_curve(state);
}

static void connect_good(int type, whose_t whose)
{
    curve_connect(&good, type, &curve_keys[whose], curve_keys[CONSUMER].public_key, NULL, endpoint);
}

static void connect_other(int type, whose_t whose)
{
    curve_connect(&other, type, &curve_keys[whose], curve_keys[CONSUMER].public_key, NULL,
                  endpoint);
}

// What has come first is a byte, and its sender has this row.
static bool has_come(char byte, whose_t whose)
{
    const mm_allowed_t *row;
    if (zmq_msg_recv(&message, mm_socket_zmq(server), ZMQ_DONTWAIT) < 0)
        return false;
    assert_int_equal(zmq_msg_size(&message), 1);
    assert_int_equal(*(char *)zmq_msg_data(&message), byte);
    assert_true(zap_sender(zap, &message, &row));
    assert_non_null(row);
    assert_int_equal(row->role, curve_keys[whose].role);
    assert_string_equal(row->name.text, curve_keys[whose].name.text);
    return true;
}

static bool good_is_heard(void)
{
    (void)mm_socket_send(good.socket, (mm_str_t){"g", 1});
    return has_come('g', EU_1);
}

static bool good_is_in(void)
{
    return good.let_in == 1;
}

static bool other_is_in(void)
{
    return other.let_in == 1;
}

static bool other_is_refused(void)
{
    return other.refused == 1;
}

// ---- the start

static void without_a_handler_a_stranger_is_let_in_and_the_probe_notices(void **state)
{
    (void)state;
    assert_false(zap_probe(NULL, NULL, NULL, 2000));
    curve_open(); // with one it does not
}

static void serve_nothing(void *arg)
{
    (void)arg;
}

static void a_handler_that_does_not_answer_is_noticed(void **state)
{
    (void)state;
    mm_socket_t *silent = curve_keep(mm_socket_new(ZMQ_ROUTER));
    assert_int_equal(mm_socket_bind(silent, "inproc://zeromq.zap.01"), 0);
    assert_false(zap_probe(silent, serve_nothing, NULL, 300));
}

static bool has_more(void *socket)
{
    int more = 0;
    size_t size = sizeof more;
    assert_int_equal(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size), 0);
    return more != 0;
}

// Answers all that it is asked by 500, which tells nothing of the key.
static void serve_errors(void *arg)
{
    void *socket = mm_socket_zmq(arg);
    char sender[16], rest[256];
    int sender_size = zmq_recv(socket, sender, sizeof sender, ZMQ_DONTWAIT), request_size = 0;
    char request[16];
    if (sender_size < 0)
        return;
    for (int part = 1; has_more(socket); part++) {
        int size = zmq_recv(socket, rest, sizeof rest, 0);
        if (part == 3) { // behind an empty one and the version
            request_size = size;
            memcpy(request, rest, (size_t)size);
        }
    }
    const mm_str_t answer[] = {{sender, (size_t)sender_size},
                               mm_str(""),
                               mm_str("1.0"),
                               {request, (size_t)request_size},
                               mm_str("500"),
                               mm_str(""),
                               mm_str(""),
                               mm_str("")};
    for (size_t i = 0; i < 8; i++)
        assert_true(zmq_send(socket, answer[i].data, answer[i].size, i < 7 ? ZMQ_SNDMORE : 0) >= 0);
}

static void a_handler_that_fails_is_noticed(void **state)
{
    (void)state;
    mm_socket_t *failing = curve_keep(mm_socket_new(ZMQ_ROUTER));
    assert_int_equal(mm_socket_bind(failing, "inproc://zeromq.zap.01"), 0);
    int64_t begin_ms = mm_clock_ms();
    assert_false(zap_probe(failing, serve_errors, failing, 20000));
    assert_true(mm_clock_ms() < begin_ms + 20000); // it was told
}

static void expect_refused(int expected, const char *told)
{
    int exit_code = 0;
    assert_null(curve_zap(&exit_code));
    assert_int_equal(exit_code, expected);
    if (!strstr(curve_error, told))
        fail_msg("'%s' is not in: %s", told, curve_error);
    mm_socket_end(); // libzmq gives the handler's name free
}

static void wrong_files_are_refused_at_the_start(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], elsewhere[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    curve_path(path, "consumer.key");
    assert_int_equal(chmod(path, 0644), 0);
    expect_refused(EX_NOPERM, "consumer.key");
    mm_key_t key = curve_keys[EU_1];
    memcpy(key.server_keys[key.server_count++], curve_keys[CONSUMER].public_key, MM_KEY_TEXT);
    assert_int_equal(mm_key_write(&key, path, true, error), 0);
    expect_refused(EX_CONFIG, "it is the key of a restarter, not the consumer's");
    assert_int_equal(unlink(path), 0);
    expect_refused(EX_NOINPUT, "consumer.key");
    temp_path(path, "keys");
    temp_path(elsewhere, "elsewhere");
    assert_int_equal(rename(path, elsewhere), 0);
    expect_refused(EX_CONFIG, "`mayhem keys new NAME --role restarter`");
}

// ---- one socket with two addresses

static const char *local;
static mm_socket_t *local_peer;

static bool local_is_heard_without_a_key(void)
{
    static bool is_sent;
    const mm_allowed_t *row = (const mm_allowed_t *)curve_keys; // any
    is_sent = is_sent || mm_socket_send(local_peer, (mm_str_t){"l", 1});
    if (zmq_msg_recv(&message, mm_socket_zmq(server), ZMQ_DONTWAIT) < 0)
        return false;
    assert_null(zmq_msg_gets(&message, "User-Id"));
    assert_true(zap_sender(zap, &message, &row));
    assert_null(row);
    return true;
}

static bool other_has_failed(void)
{
    return other.failed > 0;
}

static bool nothing_is_heard(void)
{
    assert_int_equal(other.let_in, 0);
    assert_false(mm_socket_send(other.socket, (mm_str_t){"x", 1}));
    assert_true(zmq_msg_recv(&message, mm_socket_zmq(server), ZMQ_DONTWAIT) < 0);
    return true;
}

static void a_socket_of_this_machine_listens_to_others_by_key_alone(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {local_is_heard_without_a_key, good_is_heard,
                                           other_has_failed, nothing_is_heard, NULL};
    char ipc[TEMP_PATH_MAX + 8];
    curve_open();
    (void)snprintf(ipc, sizeof ipc, "ipc://%s/inbox", folder);
    local = ipc;
    server = curve_keep(mm_socket_new(ZMQ_PULL));
    assert_int_equal(mm_socket_bind(server, local), 0);
    zap_serve(zap, server, "inbox");
    assert_int_equal(mm_socket_bind(server, "tcp://127.0.0.1:*"), 0);
    mm_socket_endpoint(server, endpoint, sizeof endpoint);
    local_peer = curve_keep(mm_socket_new(ZMQ_PUSH));
    assert_int_equal(mm_socket_connect(local_peer, local), 0);
    connect_good(ZMQ_PUSH, EU_1);
    curve_connect(&other, ZMQ_PUSH, NULL, NULL, NULL, endpoint);
    curve_play(steps);
}

// ---- floods

typedef struct {
    int type;
    const mm_key_t *key;
    const char *server_key;
    bool is_refused; // by the handler
} wrong_t;

static wrong_t wrong;
static curve_client_t crowd[AT_ONCE];
static unsigned done, crowd_refused;

// Closes those that were turned away, and sends others.
static bool flood_is_over(void)
{
    for (size_t i = 0; i < AT_ONCE; i++) {
        curve_client_t *client = &crowd[i];
        assert_int_equal(client->let_in, 0);
        if (client->socket && client->refused + client->failed == 0)
            continue;
        crowd_refused += client->socket && client->refused > 0;
        done += client->socket != NULL;
        curve_close(client);
        if (done < flood_count)
            curve_connect(client, wrong.type, wrong.key, wrong.server_key, NULL, endpoint);
    }
    assert_true(zmq_msg_recv(&message, mm_socket_zmq(server), ZMQ_DONTWAIT) < 0);
    return done >= flood_count;
}

static bool crowd_has_left(void)
{
    for (size_t i = 0; i < AT_ONCE; i++)
        curve_close(&crowd[i]);
    if (wrong.is_refused)
        assert_true(crowd_refused >= flood_count && zap_refused(zap) >= flood_count);
    else
        assert_int_equal(zap_refused(zap), 0);
    connect_good(ZMQ_PUSH, EU_1);
    return true;
}

static void flood(const wrong_t *kind)
{
    static curve_step_fn *const steps[] = {flood_is_over, crowd_has_left, good_is_heard, NULL};
    if (!zap)
        curve_open();
    wrong = *kind;
    if (!wrong.server_key)
        wrong.server_key = curve_keys[CONSUMER].public_key;
    done = crowd_refused = 0;
    memset(crowd, 0, sizeof crowd);
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    curve_play(steps);
}

static void nobody_gets_in_without_a_key(void **state)
{
    (void)state;
    flood(&(wrong_t){.type = ZMQ_PUSH});
}

static void nobody_gets_in_with_a_key_that_is_not_on_the_list(void **state)
{
    (void)state;
    flood(&(wrong_t){.type = ZMQ_PUSH, .key = &curve_keys[STRANGER], .is_refused = true});
}

static void nobody_gets_in_with_another_server_key(void **state)
{
    (void)state;
    flood(&(wrong_t){
        .type = ZMQ_PUSH, .key = &curve_keys[EU_2], .server_key = curve_keys[STRANGER].public_key});
}

static void nobody_gets_in_with_a_key_of_another_role(void **state)
{
    (void)state;
    flood(&(wrong_t){.type = ZMQ_PUSH, .key = &curve_keys[PUBLISHER], .is_refused = true});
}

static void nobody_gets_in_with_a_key_whose_date_has_passed(void **state)
{
    (void)state;
    curve_keys[STRANGER].not_after_ms = mm_clock_wall_ms() / DAY_MS * DAY_MS; // the last midnight
    curve_allow(&curve_keys[STRANGER]);
    flood(&(wrong_t){.type = ZMQ_PUSH, .key = &curve_keys[STRANGER], .is_refused = true});
}

static void nobody_gets_in_by_a_socket_of_another_type(void **state)
{
    (void)state;
    flood(&(wrong_t){.type = ZMQ_SUB, .key = &curve_keys[EU_2]});
}

static bool key_was_revoked(void)
{
    return curve_revoked == 1;
}

static void nobody_gets_in_with_a_key_that_was_revoked(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {key_was_revoked, flood_is_over, crowd_has_left,
                                           good_is_heard, NULL};
    curve_open();
    curve_disallow(&curve_keys[EU_2]);
    wrong = (wrong_t){ZMQ_PUSH, &curve_keys[EU_2], curve_keys[CONSUMER].public_key, true};
    done = crowd_refused = 0;
    memset(crowd, 0, sizeof crowd);
    // Nobody yet: the first ones come when the list was read.
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    curve_play(steps);
}

// ---- the list is read anew

static bool line_is_taken_off(void)
{
    curve_disallow(&curve_keys[EU_2]);
    return true;
}

static bool its_row_is_told(void)
{
    return curve_revoked == 1 && strcmp(curve_revoked_row->name.text, "eu-2") == 0;
}

static bool other_sends(void)
{
    return mm_socket_send(other.socket, (mm_str_t){"o", 1});
}

static bool its_message_does_not_count(void)
{
    const mm_allowed_t *row;
    if (zmq_msg_recv(&message, mm_socket_zmq(server), ZMQ_DONTWAIT) < 0 ||
        *(char *)zmq_msg_data(&message) == 'g') // one more of the good one
        return false;
    assert_int_equal(*(char *)zmq_msg_data(&message), 'o');
    assert_false(zap_sender(zap, &message, &row));
    assert_null(row);
    return true;
}

static bool it_is_cut_and_refused(void)
{
    return other.cut > 0 && other.refused > 0;
}

static bool good_stays(void)
{
    assert_int_equal(good.cut, 0);
    return good_is_heard();
}

static void a_key_that_is_taken_off_the_list_has_no_more_rights(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {
        good_is_heard,         other_is_in, line_is_taken_off,
        its_row_is_told,       other_sends, its_message_does_not_count,
        it_is_cut_and_refused, good_stays,  NULL};
    curve_open();
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    connect_good(ZMQ_PUSH, EU_1);
    connect_other(ZMQ_PUSH, EU_2);
    curve_play(steps);
}

static bool stranger_tries(void)
{
    connect_other(ZMQ_PUSH, STRANGER);
    return true;
}

static bool stranger_is_put_on_the_list(void)
{
    curve_close(&other);
    curve_allow(&curve_keys[STRANGER]);
    return true;
}

// It takes half a second until the list is read; each try is refused until then.
static bool stranger_is_let_in(void)
{
    if (other.socket && other.refused > 0)
        curve_close(&other);
    if (!other.socket)
        connect_other(ZMQ_PUSH, STRANGER);
    return other.let_in > 0;
}

static void a_key_that_is_put_on_the_list_gets_in(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {
        stranger_tries,     other_is_refused, stranger_is_put_on_the_list,
        stranger_is_let_in, good_stays,       NULL};
    curve_open();
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    connect_good(ZMQ_PUSH, EU_1);
    curve_play(steps);
}

static int64_t wait_ms;

static bool list_is_spoilt(void)
{
    char path[TEMP_PATH_MAX];
    curve_path(path, "allowed");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs("restarter eu-1 nonsense\n", file) > 0);
    assert_int_equal(fclose(file), 0);
    wait_ms = mm_clock_ms() + 1000;
    return true;
}

static bool folder_is_gone(void)
{
    char path[TEMP_PATH_MAX], elsewhere[TEMP_PATH_MAX];
    temp_path(path, "keys");
    temp_path(elsewhere, "elsewhere");
    assert_int_equal(rename(path, elsewhere), 0);
    wait_ms = mm_clock_ms() + 1000;
    return true;
}

static bool folder_is_back_with_one_key_less(void)
{
    char path[TEMP_PATH_MAX], elsewhere[TEMP_PATH_MAX];
    temp_path(path, "keys");
    temp_path(elsewhere, "elsewhere");
    assert_int_equal(rename(elsewhere, path), 0);
    curve_path(path, "allowed");
    assert_int_equal(unlink(path), 0);
    curve_allow(&curve_keys[EU_1]);
    return true;
}

// Several looks later.
static bool nothing_has_happened(void)
{
    assert_int_equal(curve_revoked, 0);
    return mm_clock_ms() >= wait_ms;
}

static bool all_others_are_revoked(void)
{
    return curve_revoked == CURVE_KEYS - 3;
}

static void with_a_bad_list_or_none_the_former_one_holds(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {good_is_heard,
                                           list_is_spoilt,
                                           nothing_has_happened,
                                           good_stays,
                                           folder_is_gone,
                                           nothing_has_happened,
                                           good_stays,
                                           folder_is_back_with_one_key_less,
                                           all_others_are_revoked,
                                           NULL};
    curve_open();
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    connect_good(ZMQ_PUSH, EU_1);
    curve_play(steps);
}

// ---- the consumer's own key

static mm_key_t another;

static bool key_is_replaced(void)
{
    curve_replace_key(&another);
    return true;
}

static bool it_is_told(void)
{
    return curve_replaced == 1;
}

// On the same socket, as the listener does: all connections end.
static bool socket_is_bound_anew(void)
{
    static bool is_unbound;
    if (!is_unbound)
        mm_socket_unbind(server, endpoint);
    is_unbound = true;
    zap_serve(zap, server, "inbox");
    if (mm_socket_bind(server, endpoint) != 0)
        return false; // not free yet
    curve_connect(&other, ZMQ_PUSH, &curve_keys[EU_2], another.public_key, NULL, endpoint);
    return true;
}

static bool former_one_is_out(void)
{
    // libzmq ends the connections of the former port while its socket is used.
    (void)zmq_msg_recv(&message, mm_socket_zmq(server), ZMQ_DONTWAIT);
    return good.cut > 0 && good.failed > 0;
}

static void with_another_key_of_the_consumer_the_former_one_opens_nothing(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {
        good_is_heard, key_is_replaced,   it_is_told, socket_is_bound_anew,
        other_is_in,   former_one_is_out, NULL};
    curve_open();
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    connect_good(ZMQ_PUSH, EU_1);
    curve_play(steps);
}

// ---- sessions

static mm_socket_t *tasks;
static const mm_allowed_t *worker;

static bool worker_is_known(void)
{
    if (!good_is_heard())
        return false;
    assert_true(zap_sender(zap, &message, &worker));
    curve_close(&good);
    tasks = curve_keep(mm_socket_new(ZMQ_PUSH));
    zap_give_session(zap, zap_serve_session(zap, tasks), 77, worker);
    assert_int_equal(mm_socket_bind(tasks, "tcp://127.0.0.1:*"), 0);
    mm_socket_endpoint(tasks, endpoint, sizeof endpoint);
    connect_other(ZMQ_PULL, EU_2); // another worker
    return true;
}

static bool the_other_is_refused_and_nothing_is_cut(void)
{
    if (other.refused == 0)
        return false;
    assert_int_equal(curve_cut, 0);
    curve_close(&other);
    connect_good(ZMQ_PULL, EU_1);
    return true;
}

static bool its_own_comes_a_second_time(void)
{
    connect_other(ZMQ_PULL, EU_1);
    return true;
}

static bool the_session_is_cut(void)
{
    assert_int_equal(other.let_in, 0);
    return other.refused == 1 && curve_cut == 1 && curve_cut_session == 77;
}

static bool a_task_goes_to_the_first(void)
{
    static bool is_sent;
    is_sent = is_sent || mm_socket_send(tasks, (mm_str_t){"t", 1});
    return zmq_msg_recv(&message, mm_socket_zmq(good.socket), ZMQ_DONTWAIT) == 1;
}

static void a_session_admits_its_worker_and_once(void **state)
{
    (void)state;
    static curve_step_fn *const steps[] = {worker_is_known,
                                           the_other_is_refused_and_nothing_is_cut,
                                           good_is_in,
                                           its_own_comes_a_second_time,
                                           the_session_is_cut,
                                           a_task_goes_to_the_first,
                                           NULL};
    curve_open();
    server = curve_serve(ZMQ_PULL, "inbox", endpoint);
    connect_good(ZMQ_PUSH, EU_1);
    curve_play(steps);
    zap_end_session(zap, 77);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make, end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_handler_a_stranger_is_let_in_and_the_probe_notices),
        TEST(a_handler_that_does_not_answer_is_noticed),
        TEST(a_handler_that_fails_is_noticed),
        TEST(wrong_files_are_refused_at_the_start),
        TEST(a_socket_of_this_machine_listens_to_others_by_key_alone),
        TEST(nobody_gets_in_without_a_key),
        TEST(nobody_gets_in_with_a_key_that_is_not_on_the_list),
        TEST(nobody_gets_in_with_another_server_key),
        TEST(nobody_gets_in_with_a_key_of_another_role),
        TEST(nobody_gets_in_with_a_key_whose_date_has_passed),
        TEST(nobody_gets_in_by_a_socket_of_another_type),
        TEST(nobody_gets_in_with_a_key_that_was_revoked),
        TEST(a_key_that_is_taken_off_the_list_has_no_more_rights),
        TEST(a_key_that_is_put_on_the_list_gets_in),
        TEST(with_a_bad_list_or_none_the_former_one_holds),
        TEST(with_another_key_of_the_consumer_the_former_one_opens_nothing),
        TEST(a_session_admits_its_worker_and_once),
    };
    if (argc > 1)
        flood_count = (unsigned)strtoul(argv[1], NULL, 10);
    mm_loop_block_signals();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
