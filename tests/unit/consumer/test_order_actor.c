// Who has ordered something: the kernel's word counts more than what was said.

#include "order_actor.h"

#include "socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PEER "localhost:1000:1000:4711"

static char buffer[MM_ACTOR_MAX + 1];

static void assert_actor(const char *expected, const char *said, const char *peer)
{
    mm_str_t actor = order_actor_of(mm_str(said), NULL, peer, buffer);
    assert_int_equal(actor.size, strlen(expected));
    assert_memory_equal(actor.data, expected, actor.size);
}

static void what_the_kernel_knows_too_is_kept_as_it_was_said(void **state)
{
    (void)state;
    assert_actor("ann (uid 1000, pid 4711)", "ann (uid 1000, pid 4711)", PEER);
}

static void what_it_knows_better_comes_first(void **state)
{
    (void)state;
    assert_actor("(uid 1000, pid 4711), who says to be root (uid 0, pid 1)", "root (uid 0, pid 1)",
                 PEER);
    assert_actor("(uid 1000, pid 4711), who says to be ", "", PEER);
}

static void of_another_machine_it_knows_nothing(void **state)
{
    (void)state;
    static const char *const peers[] = {
        NULL, "", "192.0.2.1", "::1:2:3", "localhost:1:2", "localhost:1:2:3:4", "localhost:1:2:x"};
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
        assert_actor("root (uid 0, pid 1)", "root (uid 0, pid 1)", peers[i]);
}

static void of_a_key_its_name_comes_first(void **state)
{
    (void)state;
    static const struct {
        const char *said, *expected;
    } cases[] = {{"anna (key anna)", "anna (key anna)"},
                 {"root (uid 0, pid 1)", "(key anna), who says to be root (uid 0, pid 1)"},
                 {"", "(key anna), who says to be "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mm_str_t actor = order_actor_of(mm_str(cases[i].said), "anna", "192.0.2.1", buffer);
        assert_int_equal(actor.size, strlen(cases[i].expected));
        assert_memory_equal(actor.data, cases[i].expected, actor.size);
    }
}

static void a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    char said[MM_ACTOR_MAX + 1] = "";
    for (size_t i = 0; i + 2 <= MM_ACTOR_MAX; i += 2)
        strcat(said, "\xc3\xa4");
    mm_str_t actor = order_actor_of(mm_str(said), NULL, PEER, buffer);
    size_t head = strlen("(uid 1000, pid 4711), who says to be ");
    assert_int_equal(actor.size, head + (MM_ACTOR_MAX - head) / 2 * 2);
}

// What this libzmq says of a real peer.
static void over_ipc_a_peer_is_known(void **state)
{
    (void)state;
    char folder[] = "/tmp/mayhem-actor-XXXXXX", endpoint[64], said[64], expected[MM_ACTOR_MAX];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(endpoint, sizeof endpoint, "ipc://%s/inbox", folder);
    mm_socket_t *inbox = mm_socket_new(ZMQ_PULL), *sender = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_bind(inbox, endpoint), 0);
    assert_int_equal(mm_socket_connect(sender, endpoint), 0);
    assert_int_equal(zmq_send(mm_socket_zmq(sender), "x", 1, 0), 1);
    mm_receiver_t receiver = {0};
    mm_receiver_open(&receiver);
    assert_int_equal(zmq_msg_recv(&receiver.message, mm_socket_zmq(inbox), 0), 1);
    (void)snprintf(said, sizeof said, "me (uid %u, pid %d)", (unsigned)getuid(), (int)getpid());
    assert_actor(said, said, mm_receiver_peer(&receiver));
    (void)snprintf(expected, sizeof expected, "(uid %u, pid %d), who says to be root",
                   (unsigned)getuid(), (int)getpid());
    assert_actor(expected, "root", mm_receiver_peer(&receiver));
    mm_receiver_close(&receiver);
    mm_socket_destroy(&sender);
    mm_socket_destroy(&inbox);
    (void)snprintf(endpoint, sizeof endpoint, "%s/inbox", folder);
    (void)unlink(endpoint);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_kernel_knows_too_is_kept_as_it_was_said),
        cmocka_unit_test(what_it_knows_better_comes_first),
        cmocka_unit_test(of_another_machine_it_knows_nothing),
        cmocka_unit_test(of_a_key_its_name_comes_first),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(over_ipc_a_peer_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
