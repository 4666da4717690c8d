// Sockets on ipc in a folder of their own: the sheet of options, what is received and what is
// dropped, topics, and what a call shows to be missing.

#include "clock.h"
#include "frame.h"
#include "host.h"
#include "random.h"
#include "socket.h"
#include "temp_endpoint.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

static void wait_for(mm_socket_t *socket, short events)
{
    zmq_pollitem_t item = {.socket = mm_socket_zmq(socket), .events = events};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
}

// A pair that is connected; the PULL is bound.
static void open_pair(mm_socket_t **ret_push, mm_socket_t **ret_pull)
{
    *ret_push = mm_socket_new(ZMQ_PUSH);
    *ret_pull = mm_socket_new(ZMQ_PULL);
    assert_int_equal(mm_socket_bind(*ret_pull, temp_endpoint), 0);
    assert_int_equal(mm_socket_connect(*ret_push, temp_endpoint), 0);
    wait_for(*ret_push, ZMQ_POLLOUT);
}

static void close_pair(mm_socket_t **push, mm_socket_t **pull)
{
    mm_socket_destroy(push);
    mm_socket_destroy(pull);
    assert_null(*push);
    mm_socket_destroy(push);
    mm_socket_end();
}

static void holds(const char *expected)
{
    assert_true(mm_str_equal((mm_str_t){zmq_msg_data(&temp_message), zmq_msg_size(&temp_message)},
                             mm_str(expected)));
}

// Sends one message of these frames, NULL at the end.
static void send_frames(mm_socket_t *socket, const char *const *frames)
{
    for (size_t i = 0; frames[i]; i++)
        assert_true(zmq_send(mm_socket_zmq(socket), frames[i], strlen(frames[i]),
                             frames[i + 1] ? ZMQ_SNDMORE : 0) >= 0);
}

static int option_of(mm_socket_t *socket, int option)
{
    int value = -77;
    size_t size = sizeof value;
    assert_int_equal(zmq_getsockopt(mm_socket_zmq(socket), option, &value, &size), 0);
    return value;
}

static void options_are_those_of_the_sheet(void **state)
{
    (void)state;
    const struct {
        int type, hwm_option, hwm, linger;
    } sheet[] = {{ZMQ_PUSH, ZMQ_SNDHWM, 1000, 1000},
                 {ZMQ_PULL, ZMQ_RCVHWM, 1000, 0},
                 {ZMQ_PUB, ZMQ_SNDHWM, 100000, 1000},
                 {ZMQ_SUB, ZMQ_RCVHWM, 100000, 0}};
    for (size_t i = 0; i < 4; i++) {
        mm_socket_t *socket = mm_socket_new(sheet[i].type);
        assert_int_equal(option_of(socket, sheet[i].hwm_option), sheet[i].hwm);
        assert_int_equal(option_of(socket, ZMQ_LINGER), sheet[i].linger);
        assert_int_equal(option_of(socket, ZMQ_RECONNECT_IVL), 10);
        assert_int_equal(option_of(socket, ZMQ_RECONNECT_IVL_MAX), 1000);
        assert_int_equal(option_of(socket, ZMQ_HANDSHAKE_IVL), 1000);
        assert_int_equal(option_of(socket, ZMQ_HEARTBEAT_IVL), 0);
        if (sheet[i].type == ZMQ_PUSH)
            assert_int_equal(option_of(socket, ZMQ_IMMEDIATE), 1);
        int64_t limit = 0;
        size_t size = sizeof limit;
        assert_int_equal(zmq_getsockopt(mm_socket_zmq(socket), ZMQ_MAXMSGSIZE, &limit, &size), 0);
        assert_int_equal(limit, MM_FRAME_BYTES);
        mm_socket_destroy(&socket);
    }
    mm_socket_end();
}

static void a_frame_arrives_as_it_was_sent(void **state)
{
    (void)state;
    mm_socket_t *push, *pull;
    open_pair(&push, &pull);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_NONE);
    assert_true(mm_socket_send(push, (mm_str_t){"a\0b", 3}));
    assert_true(mm_socket_send(push, mm_str("")));
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_FRAME);
    assert_int_equal(zmq_msg_size(&temp_message), 3);
    assert_memory_equal(zmq_msg_data(&temp_message), "a\0b", 3);
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_FRAME);
    assert_int_equal(zmq_msg_size(&temp_message), 0);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_NONE);
    close_pair(&push, &pull);
}

static void a_message_of_several_frames_is_dropped(void **state)
{
    (void)state;
    mm_socket_t *push, *pull;
    open_pair(&push, &pull);
    send_frames(push, (const char *const[]){"two", "frames", NULL});
    send_frames(push, (const char *const[]){"a", "b", "c", "d", NULL});
    send_frames(push, (const char *const[]){"good", NULL});
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_BAD);
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_BAD);
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_FRAME);
    holds("good");
    assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_NONE);
    close_pair(&push, &pull);
}

static void an_event_has_two_frames(void **state)
{
    (void)state;
    mm_socket_t *push, *pull;
    open_pair(&push, &pull);
    send_frames(push, (const char *const[]){"topic", NULL});
    send_frames(push, (const char *const[]){"topic", "a", "b", NULL});
    send_frames(push, (const char *const[]){"topic", "good", NULL});
    for (int i = 0; i < 2; i++) {
        wait_for(pull, ZMQ_POLLIN);
        assert_int_equal(mm_socket_receive(pull, true, &temp_message), MM_RECEIVED_BAD);
    }
    wait_for(pull, ZMQ_POLLIN);
    assert_int_equal(mm_socket_receive(pull, true, &temp_message), MM_RECEIVED_FRAME);
    holds("good");
    assert_int_equal(mm_socket_receive(pull, true, &temp_message), MM_RECEIVED_NONE);
    close_pair(&push, &pull);
}

static void without_a_peer_nothing_is_sent(void **state)
{
    (void)state;
    mm_socket_t *push = mm_socket_new(ZMQ_PUSH);
    assert_int_equal(mm_socket_connect(push, temp_endpoint), 0);
    assert_false(mm_socket_send(push, mm_str("lost")));
    mm_socket_destroy(&push);
    mm_socket_end();
}

static void a_place_that_cannot_be_bound_gives_its_errno(void **state)
{
    (void)state;
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL);
    char nowhere[128];
    (void)snprintf(nowhere, sizeof nowhere, "ipc://%s/none/s", folder);
    assert_int_equal(mm_socket_bind(pull, nowhere), ENOENT);
    assert_int_equal(mm_socket_connect(pull, "ipc"), EINVAL);
    mm_socket_destroy(&pull);
    mm_socket_end();
}

static void the_endpoint_tells_the_port_that_the_system_picked(void **state)
{
    (void)state;
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL);
    assert_int_equal(mm_socket_bind(pull, "tcp://127.0.0.1:*"), 0);
    char bound[64];
    mm_socket_endpoint(pull, bound, sizeof bound);
    unsigned port = 0;
    assert_int_equal(sscanf(bound, "tcp://127.0.0.1:%u", &port), 1);
    assert_in_range(port, 1, 65535);
    mm_socket_destroy(&pull);
    mm_socket_end();
}

// ---- topics

static void an_address_of_ipv6_has_brackets(void **state)
{
    (void)state;
    static const char *const frames[] = {"by IPv6", NULL};
    char endpoint[64];
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL), *push = mm_socket_new(ZMQ_PUSH);
    int error = mm_socket_bind(pull, "tcp://[::1]:*");
    if (error == 0) {
        mm_socket_endpoint(pull, endpoint, sizeof endpoint);
        assert_int_equal(mm_socket_connect(push, endpoint), 0);
        wait_for(push, ZMQ_POLLOUT);
        send_frames(push, frames);
        wait_for(pull, ZMQ_POLLIN);
        assert_int_equal(mm_socket_receive(pull, false, &temp_message), MM_RECEIVED_FRAME);
        holds("by IPv6");
    } else if (error != EADDRNOTAVAIL && error != EAFNOSUPPORT) { // there may be none here
        fail_msg("%s", zmq_strerror(error));
    }
    close_pair(&push, &pull);
}

static void a_topic_ends_with_its_nul_byte(void **state)
{
    (void)state;
    char buffer[MM_TOPIC_MAX];
    mm_str_t topic = mm_topic("worker", "r1", buffer);
    assert_int_equal(topic.size, 10);
    assert_memory_equal(topic.data, "worker.r1", 10);
    topic = mm_topic("job", "publisher", buffer);
    assert_int_equal(topic.size, 14);
    assert_memory_equal(topic.data, "job.publisher", 14);
    topic = mm_topic("consumer", NULL, buffer);
    assert_int_equal(topic.size, 9);
    assert_memory_equal(topic.data, "consumer", 9);
    char name[MM_NAME_MAX + 1];
    memset(name, 'n', MM_NAME_MAX);
    name[MM_NAME_MAX] = '\0';
    topic = mm_topic("worker", name, buffer);
    assert_int_equal(topic.size, strlen("worker.") + MM_NAME_MAX + 1);
    assert_int_equal(topic.data[topic.size - 1], '\0');
}

static bool is_prefix(mm_str_t a, mm_str_t b)
{
    return a.size <= b.size && memcmp(a.data, b.data, a.size) == 0;
}

static void no_topic_is_the_prefix_of_another(void **state)
{
    (void)state;
    const char signs[] = "ab.-";
    const char *const kinds[] = {"worker", "job", "consumer"};
    uint64_t random = 42;
    for (int i = 0; i < 20000; i++) {
        char names[2][5] = {{0}}, buffers[2][MM_TOPIC_MAX];
        mm_str_t topics[2];
        for (size_t k = 0; k < 2; k++) {
            size_t size = 1 + mm_random_below(&random, 4);
            for (size_t j = 0; j < size; j++)
                names[k][j] = signs[mm_random_below(&random, 4)];
            topics[k] = mm_topic(kinds[mm_random_below(&random, 3)], names[k], buffers[k]);
        }
        assert_int_equal(is_prefix(topics[0], topics[1]), mm_str_equal(topics[0], topics[1]));
    }
}

static void a_subscriber_gets_its_own_topic_only(void **state)
{
    (void)state;
    char mine[MM_TOPIC_MAX], other[MM_TOPIC_MAX];
    mm_str_t topic = mm_topic("worker", "r1", mine);
    mm_socket_t *pub = mm_socket_new(ZMQ_PUB), *sub = mm_socket_new(ZMQ_SUB);
    mm_socket_subscribe(sub, topic);
    assert_int_equal(mm_socket_bind(pub, temp_endpoint), 0);
    assert_int_equal(mm_socket_connect(sub, temp_endpoint), 0);
    zmq_pollitem_t item = {.socket = mm_socket_zmq(sub), .events = ZMQ_POLLIN};
    int64_t until_ms = mm_clock_ms() + PATIENCE_MS;
    do { // a subscription takes a moment to arrive
        mm_socket_publish(pub, mm_topic("worker", "r10", other), mm_str("not mine"));
        mm_socket_publish(pub, topic, mm_str("mine"));
        assert_true(mm_clock_ms() < until_ms);
    } while (zmq_poll(&item, 1, 5) == 0);
    int count = 0;
    while (mm_socket_receive(sub, true, &temp_message) == MM_RECEIVED_FRAME) {
        holds("mine");
        count++;
    }
    assert_true(count > 0);
    mm_socket_destroy(&pub);
    mm_socket_destroy(&sub);
    mm_socket_end();
}

// ---- descriptors

// In a child: the limits are the whole process's.
static int exit_of_child(int (*fn)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(fn());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int raise_to_the_hard_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 1;
    limit.rlim_cur = 512;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || mm_socket_raise_descriptors() != 512)
        return 2;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 3;
    return limit.rlim_cur == limit.rlim_max ? 0 : 4;
}

static int refuse_too_few(void)
{
    struct rlimit limit = {512, 4095};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 77;
    return mm_socket_raise_descriptors() == 0 ? 0 : 2;
}

static void descriptors_are_raised_to_the_hard_limit(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < 4096)
        skip();
    assert_int_equal(exit_of_child(raise_to_the_hard_limit), 0);
}

static void too_few_descriptors_are_refused(void **state)
{
    (void)state;
    int exit_code = exit_of_child(refuse_too_few);
    if (exit_code == 77) // valgrind does not let the hard limit be changed
        skip();
    assert_int_equal(exit_code, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_temp_endpoint, remove_temp_endpoint)

// ---- I/O threads

static uint64_t affinity_of(mm_socket_t *socket)
{
    uint64_t affinity = UINT64_MAX;
    size_t size = sizeof affinity;
    assert_int_equal(zmq_getsockopt(mm_socket_zmq(socket), ZMQ_AFFINITY, &affinity, &size), 0);
    return affinity;
}

// Those that run now, by the name that libzmq gives them.
static size_t count_io_threads(void)
{
    char path[280], name[32] = "";
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));) {
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        count += file && fgets(name, sizeof name, file) && strstr(name, "/IO/");
        if (file)
            (void)fclose(file);
    }
    (void)closedir(tasks);
    return count;
}

// What strangers cost is not in the thread of the sockets of this machine. A socket with both kinds
// of endpoints has one in each, since libzmq copies the option when it binds.
static void servers_have_an_io_thread_of_their_own(void **state)
{
    static const char secret_key[] = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
    (void)state;
    mm_socket_serve_apart();
    mm_socket_t *socket = mm_socket_new(ZMQ_PULL);
    assert_int_equal(affinity_of(socket), 1);
    assert_int_equal(mm_socket_bind(socket, temp_endpoint), 0);
    mm_socket_set_server(socket, secret_key, "inbox");
    assert_int_equal(affinity_of(socket), 2);
    assert_int_equal(mm_socket_bind(socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(count_io_threads(), 2);
    mm_socket_destroy(&socket);
    mm_socket_end();
}

static void a_process_without_servers_has_one_io_thread(void **state)
{
    (void)state;
    mm_socket_t *socket = mm_socket_new(ZMQ_PULL);
    assert_int_equal(affinity_of(socket), 0);
    assert_int_equal(mm_socket_bind(socket, temp_endpoint), 0);
    assert_int_equal(count_io_threads(), 1);
    mm_socket_destroy(&socket);
    mm_socket_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_are_those_of_the_sheet),
        TEST(a_frame_arrives_as_it_was_sent),
        TEST(a_message_of_several_frames_is_dropped),
        TEST(an_event_has_two_frames),
        TEST(without_a_peer_nothing_is_sent),
        TEST(a_place_that_cannot_be_bound_gives_its_errno),
        TEST(the_endpoint_tells_the_port_that_the_system_picked),
        TEST(an_address_of_ipv6_has_brackets),
        TEST(a_topic_ends_with_its_nul_byte),
        TEST(no_topic_is_the_prefix_of_another),
        TEST(a_subscriber_gets_its_own_topic_only),
        TEST(descriptors_are_raised_to_the_hard_limit),
        TEST(too_few_descriptors_are_refused),
        TEST(servers_have_an_io_thread_of_their_own),
        TEST(a_process_without_servers_has_one_io_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
