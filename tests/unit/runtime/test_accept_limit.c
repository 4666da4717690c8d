// Connections that would take the last descriptors are refused, and libzmq goes on.

#include "accept_limit.h"
#include "clock.h"
#include "socket.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#define CROWD 64

static void a_crowd_is_refused_and_the_others_are_heard(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], endpoint[TEMP_PATH_MAX + 8];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    make_temp_folder();
    temp_path(path, "inbox");
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s", path);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    mm_socket_t *inbox = mm_socket_new(ZMQ_PULL), *worker = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_bind(inbox, endpoint), 0);
    assert_int_equal(mm_socket_connect(worker, endpoint), 0);
    char byte = 0;
    assert_int_equal(zmq_send(mm_socket_zmq(worker), "early", 5, 0), 5);
    assert_int_equal(zmq_recv(mm_socket_zmq(inbox), &byte, 1, 0), 5);

    // The clients have numbers of their own, above all that are to be accepted.
    int clients[CROWD], highest = 0;
    for (int i = 0; i < CROWD; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        highest = clients[i] > highest ? clients[i] : highest;
    }
    mm_accept_limit((uint64_t)highest + 8 + MM_ACCEPT_SPARE);
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(connect(clients[i], (struct sockaddr *)&address, sizeof address), 0);
    int64_t end_ms = mm_clock_ms() + 5000;
    while (mm_accept_refused() < CROWD - 8 && mm_clock_ms() < end_ms)
        (void)poll(NULL, 0, 5);
    assert_in_range(mm_accept_refused(), CROWD - 8, CROWD);
    assert_int_equal(zmq_send(mm_socket_zmq(worker), "late", 4, 0), 4);
    assert_int_equal(zmq_recv(mm_socket_zmq(inbox), &byte, 1, 0), 4);
    for (int i = 0; i < CROWD; i++)
        close(clients[i]);
    mm_accept_limit(UINT64_MAX);
    mm_socket_destroy(&worker);
    mm_socket_destroy(&inbox);
    mm_socket_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_crowd_is_refused_and_the_others_are_heard, remove_temp_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
