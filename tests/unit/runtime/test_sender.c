// A sender that waits for its peer, on ipc in a folder of its own.

#include "clock.h"
#include "sender.h"
#include "temp_endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

static struct {
    mm_loop_t *loop;
    mm_sender_t *sender;
    mm_socket_t *pull;
    unsigned received;
    unsigned expected;
    int64_t until_ms;
} scene;

static int64_t stop_when_all_are_there(void *arg)
{
    (void)arg;
    if (scene.received == scene.expected || mm_clock_ms() > scene.until_ms)
        mm_loop_stop(scene.loop);
    return scene.until_ms;
}

static void send_next(void)
{
    unsigned number = scene.expected++;
    mm_sender_send(scene.sender, (mm_str_t){(const char *)&number, sizeof number});
}

static void receive_in_order(void *arg)
{
    (void)arg;
    while (mm_socket_receive(scene.pull, false, &temp_message) == MM_RECEIVED_FRAME) {
        if (scene.expected < 5000)
            send_next(); // some while others wait, some when none does any more
        unsigned number;
        assert_int_equal(zmq_msg_size(&temp_message), sizeof number);
        memcpy(&number, zmq_msg_data(&temp_message), sizeof number);
        assert_int_equal(number, scene.received);
        scene.received++;
    }
}

static void open_scene(void)
{
    mm_socket_t *push = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_connect(push, temp_endpoint), 0);
    scene.until_ms = mm_clock_ms() + PATIENCE_MS;
    scene.received = scene.expected = 0;
    scene.loop = mm_loop_new(stop_when_all_are_there, NULL);
    scene.sender = mm_sender_new(scene.loop, "sender", push);
    assert_ptr_equal(mm_sender_socket(scene.sender), push);
}

static void close_scene(void)
{
    mm_sender_destroy(&scene.sender);
    assert_null(scene.sender);
    mm_sender_destroy(&scene.sender);
    mm_loop_destroy(&scene.loop);
    mm_socket_end();
}

static void a_sender_keeps_frames_in_order_until_a_peer_connects(void **state)
{
    (void)state;
    open_scene();
    for (unsigned i = 0; i < 4000; i++) // more than the high-water mark lets through at once
        send_next();
    assert_int_equal(mm_sender_waiting(scene.sender), 4000);
    scene.pull = mm_socket_new(ZMQ_PULL);
    assert_int_equal(mm_socket_bind(scene.pull, temp_endpoint), 0);
    mm_loop_add_socket(scene.loop, "pull", scene.pull, ZMQ_POLLIN, receive_in_order, NULL);
    mm_loop_run(scene.loop);
    assert_int_equal(scene.received, 5000);
    assert_int_equal(mm_sender_waiting(scene.sender), 0);
    mm_loop_remove_socket(scene.loop, scene.pull);
    mm_socket_destroy(&scene.pull);
    close_scene();
}

static void a_sender_may_end_with_frames_that_wait(void **state)
{
    (void)state;
    open_scene();
    send_next();
    send_next();
    mm_sender_destroy(&scene.sender);
    scene.expected = 0;
    mm_loop_run(scene.loop); // which polls no socket that is gone
    close_scene();
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_temp_endpoint, remove_temp_endpoint)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sender_keeps_frames_in_order_until_a_peer_connects),
        TEST(a_sender_may_end_with_frames_that_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
