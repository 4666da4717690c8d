// Tests of ctl/doctor: what is reached, which server key works, what is heard, and the keys of a
// consumer. The whole command is in tests/e2e/e2e_link.sh.

#include "allow_list.h"
#include "clock.h"
#include "curve_server.h"
#include "dial.h"
#include "hear.h"
#include "keys_check.h"
#include "reach.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

// ---- reach

static void a_range_is_sampled_with_its_ends(void **state)
{
    (void)state;
    unsigned ports[8];
    assert_int_equal(reach_sample(40000, 40000, 8, ports), 1);
    assert_int_equal(ports[0], 40000);
    assert_int_equal(reach_sample(40000, 40002, 8, ports), 3);
    assert_int_equal(ports[2], 40002);
    assert_int_equal(reach_sample(1, 65535, 8, ports), 8);
    assert_int_equal(ports[0], 1);
    assert_int_equal(ports[7], 65535);
    for (size_t i = 1; i < 8; i++)
        assert_true(ports[i] > ports[i - 1]);
}

static void names_have_addresses_or_a_reason(void **state)
{
    (void)state;
    char address[REACH_ADDRESS] = "", error[MM_ERROR_MAX] = "";
    assert_true(reach_resolve("127.0.0.1", mm_clock_ms() + PATIENCE_MS, address, error));
    assert_string_equal(address, "127.0.0.1");
    char label[128] = ""; // too long for any name server to be asked
    memset(label, 'x', sizeof label - 1);
    assert_false(reach_resolve(label, mm_clock_ms() + PATIENCE_MS, address, error));
    assert_true(*error != '\0');
}

static void an_ipv6_address_is_reached(void **state)
{
    (void)state;
    char address[REACH_ADDRESS] = "", error[MM_ERROR_MAX] = "";
    assert_true(reach_resolve("[::1]", mm_clock_ms() + PATIENCE_MS, address, error));
    assert_string_equal(address, "[::1]");
    assert_false(reach_resolve("[::1:x]", mm_clock_ms() + PATIENCE_MS, address, error));
    assert_string_equal(error, "it is no IPv6 address");
    struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t size = sizeof at;
    int listens = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), code = -1;
    if (listens < 0 || bind(listens, (const struct sockaddr *)&at, sizeof at) != 0) {
        (void)close(listens);
        skip(); // this machine has no IPv6
    }
    assert_int_equal(listen(listens, 1), 0);
    assert_int_equal(getsockname(listens, (struct sockaddr *)&at, &size), 0);
    unsigned port = ntohs(at.sin6_port);
    reach_ports(address, &port, 1, mm_clock_ms() + PATIENCE_MS, &code);
    assert_int_equal(code, 0);
    close(listens);
}

static void ports_are_open_or_refused(void **state)
{
    (void)state;
    struct sockaddr_in at[2];
    unsigned ports[2];
    int errors[2] = {-1, -1}, sockets[2];
    for (size_t i = 0; i < 2; i++) {
        socklen_t size = sizeof at[i];
        at[i] =
            (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(sockets[i], (const struct sockaddr *)&at[i], sizeof at[i]), 0);
        assert_int_equal(getsockname(sockets[i], (struct sockaddr *)&at[i], &size), 0);
        ports[i] = ntohs(at[i].sin_port);
    }
    assert_int_equal(listen(sockets[0], 1), 0); // the other one is bound, so that nobody takes it
    reach_ports("127.0.0.1", ports, 2, mm_clock_ms() + PATIENCE_MS, errors);
    assert_int_equal(errors[0], 0);
    assert_int_equal(errors[1], ECONNREFUSED);
    close(sockets[0]);
    close(sockets[1]);
}

// The first has no more room for connections, so that nothing answers, as behind a firewall.
static void what_does_not_answer_costs_no_more_than_the_time(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fill[4], error = -1;
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    for (size_t i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fill[i], (const struct sockaddr *)&at, sizeof at);
    }
    unsigned port = ntohs(at.sin_port);
    int64_t began_ms = mm_clock_ms();
    reach_ports("127.0.0.1", &port, 1, began_ms + 100, &error);
    assert_int_equal(error, ETIMEDOUT);
    assert_true(mm_clock_ms() - began_ms >= 100);
    for (size_t i = 0; i < 4; i++)
        close(fill[i]);
    close(listener);
}

static char mechanism[REACH_MECHANISM];

// libzmq's thread answers.
static void a_peer_names_its_mechanism(void **state)
{
    (void)state;
    for (int with_keys = 0; with_keys < 2; with_keys++) {
        curve_begin(with_keys);
        unsigned port = (unsigned)strtoul(strrchr(curve_events_at, ':') + 1, NULL, 10);
        reach_mechanism("127.0.0.1", port, mm_clock_ms() + PATIENCE_MS, mechanism);
        assert_string_equal(mechanism, with_keys ? "CURVE" : "NULL");
        curve_end();
        mm_socket_end();
        reach_mechanism("127.0.0.1", port, mm_clock_ms() + 100, mechanism);
        assert_string_equal(mechanism, "");
    }
}

// ---- dial: the server answers in the loop, so the dials are looked at from there

static dial_t dials[3];
static size_t dial_count;
static mm_encoder_t *encoder;
static int64_t said_ms;

static bool all_have_a_result(void)
{
    dial_wait(dials, dial_count, 0); // does not wait
    for (size_t i = 0; i < dial_count; i++)
        if (dials[i].result == MM_MONITOR_NONE)
            return false;
    return true;
}

static dial_beat_t beat;
static dial_heard_t heard;

// Until the subscription has arrived.
static bool it_is_heard(void)
{
    char topic[MM_TOPIC_MAX];
    mm_encode_frame(encoder, &(mm_frame_t){.kind = MM_FRAME_BEAT,
                                           .as.beat = {.consumer = mm_str("consumer"),
                                                       .epoch = 7,
                                                       .draining = true,
                                                       .unix_ms = said_ms}});
    mm_socket_publish(curve_events, mm_topic("consumer", NULL, topic), mm_encoder_bytes(encoder));
    heard = dial_hear(&dials[1], 0, &beat);
    return heard != DIAL_SILENT;
}

static void open_dials(const mm_key_t *key, size_t count)
{
    dial_count = count;
    for (size_t i = 0; i < count; i++)
        dial_open(&dials[i], ZMQ_SUB, curve_events_at, key, i);
}

static void close_all(void)
{
    for (size_t i = 0; i < dial_count; i++)
        dial_close(&dials[i]);
    curve_end();
    mm_socket_end();
}

static void the_server_key_that_works_is_found_and_the_consumer_heard(void **state)
{
    (void)state;
    curve_begin(true);
    curve_pair_t servers[] = {curve_draw(), curve_own, curve_draw()};
    mm_key_t key = curve_key(MM_KEY_RESTARTER, "eu-1", servers, 3);
    strcpy(curve_allowed, key.public_key);
    encoder = mm_encoder_new();
    said_ms = mm_clock_wall_ms() + 60000;
    open_dials(&key, 3);
    play((step_fn *const[]){all_have_a_result, it_is_heard, NULL});
    assert_int_equal(dials[0].result, MM_MONITOR_BROKEN);
    assert_int_equal(dials[1].result, MM_MONITOR_CONNECTED);
    assert_int_equal(dials[2].result, MM_MONITOR_BROKEN);
    assert_int_equal(heard, DIAL_BEAT);
    assert_string_equal(beat.consumer.text, "consumer");
    assert_int_equal(beat.epoch, 7);
    assert_true(beat.is_draining && !beat.is_halted);
    assert_in_range(beat.ahead_ms, 60000 - PATIENCE_MS, 60000);
    mm_encoder_destroy(&encoder);
    close_all();
}

static void a_key_that_is_refused_is_told_from_a_wrong_server(void **state)
{
    (void)state;
    curve_begin(true);
    mm_key_t key = curve_key(MM_KEY_RESTARTER, "eu-1", &curve_own, 1);
    open_dials(&key, 1);
    play((step_fn *const[]){all_have_a_result, NULL});
    assert_int_equal(dials[0].result, MM_MONITOR_REFUSED);
    assert_null(dials[0].socket);
    close_all();
}

// ---- the folder of keys

static char said[8192];

// What the check of the temporary folder prints. Returns how often it says FAIL.
static size_t check(const mm_key_t *key, int64_t unix_ms)
{
    findings_t findings = {0};
    char path[TEMP_PATH_MAX];
    temp_path(path, "said");
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    FILE *file = fopen(path, "w+");
    assert_true(saved >= 0 && file && dup2(fileno(file), STDOUT_FILENO) >= 0);
    keys_check(&findings, folder, key, unix_ms);
    (void)fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    ssize_t size = pread(fileno(file), said, sizeof said - 1, 0);
    assert_true(size >= 0);
    said[size] = '\0';
    (void)fclose(file);
    return findings.failed;
}

static void says(const char *part)
{
    if (!strstr(said, part))
        fail_msg("\"%s\" is not in: %s", part, said);
}

static mm_key_t make_keys(void)
{
    char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    mm_key_t own = curve_key(MM_KEY_CONSUMER, "consumer", NULL, 0);
    curve_pair_t server;
    strcpy(server.public_key, own.public_key);
    mm_key_t key = curve_key(MM_KEY_RESTARTER, "eu-1", &server, 1);
    temp_path(path, "consumer.key");
    assert_int_equal(mm_key_write(&own, path, false, error), 0);
    temp_path(path, "allowed");
    assert_int_equal(mm_allow_list_add(path, &key, error), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    return key;
}

static void keys_in_order_fail_nothing(void **state)
{
    (void)state;
    mm_key_t key = make_keys();
    assert_int_equal(check(&key, mm_clock_wall_ms()), 0);
    says("mode 700");
    says("restarters 1");
    says("key eu-1 of a restarter is on the list");
}

static void what_is_wrong_with_keys_is_said(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    (void)make_keys();
    temp_path(path, "consumer.key");
    curve_pair_t server = curve_draw();
    mm_key_t other = curve_key(MM_KEY_RESTARTER, "eu-2", &server, 1);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(check(&other, mm_clock_wall_ms()), 2);
    says("chmod 600");
    says("key eu-2 of a restarter is not on the list");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(check(NULL, mm_clock_wall_ms()), 3); // and so the key and the list in it
    says("others may write to it (mode 777): chmod 700");
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(check(&other, mm_clock_wall_ms()), 2);
    says("has another server key");
}

static void a_folder_that_is_not_there_is_one_failure(void **state)
{
    (void)state;
    findings_t findings = {0};
    keys_check(&findings, "/nonexistent/keys", NULL, 0);
    assert_int_equal(findings.failed, 1);
}

static void dates_are_days(void **state)
{
    (void)state;
    char text[KEY_DATE_TEXT];
    int64_t end_ms = 0;
    assert_true(mm_key_date(mm_str("2027-12-01"), &end_ms));
    assert_string_equal(key_date_print(INT64_MAX, 5, text), "without an end");
    assert_string_equal(key_date_print(end_ms, end_ms - 1, text), "ends 2027-12-01");
    assert_string_equal(key_date_print(end_ms, end_ms, text), "ended 2027-12-01");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_loop, end_loop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_range_is_sampled_with_its_ends),
        TEST(names_have_addresses_or_a_reason),
        TEST(ports_are_open_or_refused),
        TEST(an_ipv6_address_is_reached),
        TEST(what_does_not_answer_costs_no_more_than_the_time),
        TEST(a_peer_names_its_mechanism),
        TEST(the_server_key_that_works_is_found_and_the_consumer_heard),
        TEST(a_key_that_is_refused_is_told_from_a_wrong_server),
        TEST(keys_in_order_fail_nothing),
        TEST(what_is_wrong_with_keys_is_said),
        TEST(a_folder_that_is_not_there_is_one_failure),
        TEST(dates_are_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
