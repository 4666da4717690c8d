// What becomes of a connection, as a monitor tells it, and that nobody waits for whoever reads it.

#include "clock.h"
#include "monitor.h"
#include "temp_folder.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, MANY = 1000 };

static bool is_readable(mm_monitor_t *monitor)
{
    struct pollfd item = {.fd = mm_monitor_descriptor(monitor), .events = POLLIN};
    return poll(&item, 1, PATIENCE_MS) == 1;
}

static mm_monitor_event_t wait_for_event(mm_monitor_t *monitor)
{
    mm_monitor_event_t event;
    while ((event = mm_monitor_next(monitor, NULL)) == MM_MONITOR_NONE && is_readable(monitor))
        ;
    return event;
}

static void a_connection_and_its_end_are_told(void **state)
{
    (void)state;
    char endpoint[64];
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL), *push = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_bind(pull, "tcp://127.0.0.1:*"), 0);
    mm_socket_endpoint(pull, endpoint, sizeof endpoint);
    mm_monitor_t *monitor = mm_monitor_new(push);
    assert_int_equal(mm_socket_connect(push, endpoint), 0);
    assert_true(is_readable(monitor)); // without having been asked before
    assert_int_equal(wait_for_event(monitor), MM_MONITOR_CONNECTED);
    mm_socket_destroy(&pull);
    assert_int_equal(wait_for_event(monitor), MM_MONITOR_CLOSED);
    mm_monitor_destroy(&monitor);
    assert_null(monitor);
    mm_socket_destroy(&push);
    mm_socket_end(); // which would hang if something were left
}

// A listener that closes each connection at once.
static int listen_at(char endpoint[64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 64), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    (void)snprintf(endpoint, 64, "tcp://127.0.0.1:%u", ntohs(at.sin_port));
    return listener;
}

static void close_connections(int listener, int count)
{
    int64_t end_ms = mm_clock_ms() + PATIENCE_MS;
    while (count > 0 && mm_clock_ms() < end_ms) {
        struct pollfd item = {.fd = listener, .events = POLLIN};
        int peer = poll(&item, 1, 1000) == 1 ? accept(listener, NULL, NULL) : -1;
        if (peer < 0)
            continue;
        close(peer);
        count--;
    }
    assert_int_equal(count, 0);
}

// Whether libzmq's I/O thread still works: a frame goes through it.
static void a_frame_goes_through(void)
{
    char endpoint[TEMP_PATH_MAX + 8];
    zmq_msg_t message;
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/s", folder);
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL), *push = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_bind(pull, endpoint), 0);
    assert_int_equal(mm_socket_connect(push, endpoint), 0);
    zmq_pollitem_t out = {.socket = mm_socket_zmq(push), .events = ZMQ_POLLOUT};
    assert_int_equal(zmq_poll(&out, 1, PATIENCE_MS), 1);
    assert_true(mm_socket_send(push, mm_str("x")));
    zmq_pollitem_t in = {.socket = mm_socket_zmq(pull), .events = ZMQ_POLLIN};
    assert_int_equal(zmq_poll(&in, 1, PATIENCE_MS), 1);
    (void)zmq_msg_init(&message);
    assert_int_equal(mm_socket_receive(pull, false, &message), MM_RECEIVED_FRAME);
    (void)zmq_msg_close(&message);
    mm_socket_destroy(&push);
    mm_socket_destroy(&pull);
}

// Each handshake has two events. By libzmq's own limits its thread would wait for a reader after
// 2,000 of them, and with it all sockets of the process.
static void failures_that_nobody_reads_stop_nothing(void **state)
{
    (void)state;
    char endpoint[64];
    int often_ms = 1;
    int listener = listen_at(endpoint);
    mm_socket_t *push = mm_socket_new(ZMQ_PUSH);
    void *zmq = mm_socket_zmq(push);
    assert_int_equal(zmq_setsockopt(zmq, ZMQ_RECONNECT_IVL, &often_ms, sizeof often_ms), 0);
    mm_monitor_t *monitor = mm_monitor_new(push);
    assert_int_equal(mm_socket_connect(push, endpoint), 0);
    close_connections(listener, 2 * MANY);
    a_frame_goes_through();
    size_t broken = 0;
    for (mm_monitor_event_t event; (event = mm_monitor_next(monitor, NULL)) != MM_MONITOR_NONE;)
        broken += event == MM_MONITOR_BROKEN;
    assert_in_range(broken, MANY, 3 * MANY);
    close(listener);
    mm_monitor_destroy(&monitor);
    mm_socket_destroy(&push);
    mm_socket_end();
}

static int set_up(void **state)
{
    (void)state;
    make_temp_folder();
    return 0;
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_connection_and_its_end_are_told),
        TEST(failures_that_nobody_reads_stop_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
