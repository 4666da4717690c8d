// Addresses, and the right to bind one: against real files, and another process that has the lock.

#include "endpoint.h"
#include "job.h"
#include "temp_folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

static char error[MM_ERROR_MAX];
static char buffer[MM_ENDPOINT_MAX];

static int make_folder(void **state)
{
    (void)state;
    make_temp_folder();
    return 0;
}

static mm_endpoint_t parse(const char *address)
{
    mm_endpoint_t base;
    assert_true(mm_endpoint_parse(address, &base));
    return base;
}

// A base in the test's folder.
static mm_endpoint_t base_at(const char *name)
{
    char address[MM_ENDPOINT_MAX];
    (void)snprintf(address, sizeof address, "ipc://%s/%s", folder, name);
    return parse(address);
}

static void ipc_places_are_beside_the_base(void **state)
{
    (void)state;
    mm_endpoint_t base = parse("ipc://run/consumer");
    assert_true(base.is_ipc);
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_JOBS, buffer), "ipc://run/consumer.jobs");
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_INBOX, buffer), "ipc://run/consumer.inbox");
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_EVENTS, buffer),
                        "ipc://run/consumer.events");
    assert_string_equal(mm_endpoint_session(&base, 12, buffer),
                        "ipc://run/consumer.task.000000000000000c");
    assert_string_equal(mm_endpoint_session(&base, UINT64_MAX, buffer),
                        "ipc://run/consumer.task.ffffffffffffffff");
}

static void tcp_places_are_three_ports_in_a_row(void **state)
{
    (void)state;
    mm_endpoint_t base = parse("tcp://127.0.0.1:5550");
    assert_false(base.is_ipc);
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_JOBS, buffer), "tcp://127.0.0.1:5550");
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_INBOX, buffer), "tcp://127.0.0.1:5551");
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_EVENTS, buffer), "tcp://127.0.0.1:5552");
    assert_string_equal(mm_endpoint_session(&base, 12, buffer), "tcp://127.0.0.1:*");
    base = parse("tcp://[::1]:65532");
    assert_string_equal(mm_endpoint_of(&base, MM_SOCKET_EVENTS, buffer), "tcp://[::1]:65534");
    assert_string_equal(mm_endpoint_suffix(&base, "viewers", buffer), "tcp://[::1]:65535");
}

static void a_worker_puts_the_suffix_behind_its_own_base(void **state)
{
    (void)state;
    mm_endpoint_t base = parse("ipc://../elsewhere/consumer");
    assert_string_equal(mm_endpoint_suffix(&base, "task.000000000000000c", buffer),
                        "ipc://../elsewhere/consumer.task.000000000000000c");
    base = parse("tcp://localhost:5550");
    assert_string_equal(mm_endpoint_suffix(&base, "40123", buffer), "tcp://localhost:40123");
}

static void the_viewers_of_a_listener_are_behind_the_three(void **state)
{
    (void)state;
    mm_endpoint_t base = parse("tcp://192.0.2.1:65532");
    assert_string_equal(mm_endpoint_suffix(&base, MM_SUFFIX_VIEWERS, buffer),
                        "tcp://192.0.2.1:65535");
    assert_string_equal(mm_endpoint_viewers(&base, buffer), "tcp://192.0.2.1:*"); // of a base
    base = parse("ipc://run/consumer");
    assert_string_equal(mm_endpoint_suffix(&base, MM_SUFFIX_VIEWERS, buffer),
                        "ipc://run/consumer.viewers");
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "consumer",
                               "ipc:run",
                               "ipc://",
                               "tcp://",
                               "tcp://:5550",
                               "tcp://localhost",
                               "tcp://localhost:",
                               "tcp://localhost:http",
                               "tcp://localhost:5550x",
                               "tcp://localhost:0",
                               "tcp://localhost:65533", // no room for three more ports
                               "tcp://localhost:-1",
                               "udp://localhost:5550",
                               "inproc://consumer"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mm_endpoint_t base = {.port = 77};
        assert_false(mm_endpoint_parse(bad[i], &base));
        assert_int_equal(base.port, 77);
    }
    char address[400] = "ipc://";
    memset(address + 6, 'x', sizeof address - 7);
    mm_endpoint_t base;
    assert_false(mm_endpoint_parse(address, &base));
    memcpy(address, "tcp://", 6);
    strcpy(address + sizeof address - 6, ":5550");
    assert_false(mm_endpoint_parse(address, &base));
}

// ---- the lock

// Another process that has taken the lock; it ends when it is killed.
static pid_t fork_holder(const mm_endpoint_t *base)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char status = mm_endpoint_lock(base, error) == 0 ? 'y' : 'n';
        if (write(ready[1], &status, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    char status = 0;
    assert_int_equal(read(ready[0], &status, 1), 1);
    assert_int_equal(status, 'y');
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void end_holder(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_base_that_another_process_has_is_refused(void **state)
{
    (void)state;
    mm_endpoint_t base = base_at("consumer");
    pid_t child = fork_holder(&base);
    assert_int_equal(mm_endpoint_lock(&base, error), EX_UNAVAILABLE);
    char expected[MM_ERROR_MAX];
    (void)snprintf(expected, sizeof expected,
                   "ipc://%s/consumer is in use by another consumer; stop it, or choose another "
                   "--dir",
                   folder);
    assert_string_equal(error, expected);
    mm_endpoint_t other = base_at("other"); // beside it there is room
    assert_int_equal(mm_endpoint_lock(&other, error), 0);
    end_holder(child);
}

static void the_lock_ends_with_its_process(void **state)
{
    (void)state;
    mm_endpoint_t base = base_at("consumer");
    end_holder(fork_holder(&base));
    assert_int_equal(mm_endpoint_lock(&base, error), 0);
    assert_int_equal(mm_endpoint_lock(&base, error), EX_UNAVAILABLE); // and is kept
}

static void without_a_folder_it_says_what_to_do(void **state)
{
    (void)state;
    mm_endpoint_t base = base_at("none/consumer");
    assert_int_equal(mm_endpoint_lock(&base, error), EX_CANTCREAT);
    assert_non_null(
        strstr(error, "none/consumer.lock: No such file or directory; make its folder"));
}

static void tcp_needs_no_lock(void **state)
{
    (void)state;
    mm_endpoint_t base = parse("tcp://127.0.0.1:5550");
    assert_int_equal(mm_endpoint_lock(&base, error), 0);
    assert_int_equal(mm_endpoint_lock(&base, error), 0);
}

// ---- what a former consumer left behind

static void create(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static bool exists(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void stale_task_sockets_are_removed_and_nothing_else(void **state)
{
    (void)state;
    const char *const others[] = {"consumer.jobs", "consumer.tasks", "other.task.0000000000000001",
                                  "consumer2.task.0000000000000001"};
    for (size_t i = 0; i < 4; i++)
        create(others[i]);
    create("consumer.task.0000000000000001");
    create("consumer.task.00000000000000ff");
    mm_endpoint_t base = base_at("consumer");
    assert_int_equal(mm_endpoint_lock(&base, error), 0);
    assert_false(exists("consumer.task.0000000000000001"));
    assert_false(exists("consumer.task.00000000000000ff"));
    for (size_t i = 0; i < 4; i++)
        assert_true(exists(others[i]));
}

static void a_path_is_not_a_pattern(void **state)
{
    (void)state;
    create("consumer.task.0000000000000001");
    create("c*[r]?\\.task.0000000000000001");
    mm_endpoint_t base = base_at("c*[r]?\\");
    assert_int_equal(mm_endpoint_lock(&base, error), 0);
    assert_false(exists("c*[r]?\\.task.0000000000000001"));
    base = base_at("c*r");
    assert_int_equal(mm_endpoint_lock(&base, error), 0);
    assert_true(exists("consumer.task.0000000000000001"));
}

static void a_refused_base_keeps_its_sockets(void **state)
{
    (void)state;
    mm_endpoint_t base = base_at("consumer");
    pid_t child = fork_holder(&base);
    create("consumer.task.0000000000000001");
    assert_int_equal(mm_endpoint_lock(&base, error), EX_UNAVAILABLE);
    assert_true(exists("consumer.task.0000000000000001"));
    end_holder(child);
}

static void at_the_end_a_consumer_removes_its_sockets_but_not_the_lock(void **state)
{
    (void)state;
    const char *const own[] = {"consumer.jobs", "consumer.inbox", "consumer.events"};
    const char *const others[] = {"other.jobs", "consumer.life", "consumer.lock"};
    for (size_t i = 0; i < 3; i++) {
        create(own[i]);
        create(others[i]);
    }
    mm_endpoint_t base = base_at("consumer");
    mm_endpoint_unlink(&base);
    for (size_t i = 0; i < 3; i++) {
        assert_false(exists(own[i]));
        assert_true(exists(others[i]));
    }
    base = parse("tcp://127.0.0.1:5550");
    mm_endpoint_unlink(&base); // there is nothing to remove
}

static void what_may_be_connected_to_is_near_and_short(void **state)
{
    (void)state;
    static const char *const good[] = {"ipc://run/consumer", "tcp://127.0.0.1:5000",
                                       "tcp://127.9.9.9:5000", "tcp://localhost:5000",
                                       "tcp://[::1]:5000"};
    static const char *const bad[] = {"tcp://192.0.2.1:5000", "tcp://example.net:5000",
                                      "tcp://128.0.0.1:5000", "tcp://0.0.0.0:5000"};
    mm_endpoint_t base;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(mm_endpoint_parse(good[i], &base));
        assert_null(mm_endpoint_complaint(&base, false));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(mm_endpoint_parse(bad[i], &base));
        assert_non_null(mm_endpoint_complaint(&base, false));
        assert_null(mm_endpoint_complaint(&base, true));
    }
    char address[128] = "ipc://";
    memset(address + 6, 'x', 85); // with .task.0123456789abcdef and NUL: 108
    assert_true(mm_endpoint_parse(address, &base));
    assert_null(mm_endpoint_complaint(&base, false));
    address[6 + 85] = 'x';
    assert_true(mm_endpoint_parse(address, &base));
    assert_non_null(mm_endpoint_complaint(&base, false));
    assert_non_null(mm_endpoint_complaint(&base, true));
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ipc_places_are_beside_the_base),
        TEST(tcp_places_are_three_ports_in_a_row),
        TEST(a_worker_puts_the_suffix_behind_its_own_base),
        TEST(the_viewers_of_a_listener_are_behind_the_three),
        TEST(what_is_no_address_is_refused),
        TEST(a_base_that_another_process_has_is_refused),
        TEST(the_lock_ends_with_its_process),
        TEST(without_a_folder_it_says_what_to_do),
        TEST(tcp_needs_no_lock),
        TEST(stale_task_sockets_are_removed_and_nothing_else),
        TEST(a_path_is_not_a_pattern),
        TEST(a_refused_base_keeps_its_sockets),
        TEST(at_the_end_a_consumer_removes_its_sockets_but_not_the_lock),
        cmocka_unit_test(what_may_be_connected_to_is_near_and_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
