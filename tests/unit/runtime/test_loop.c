// The event loop on real descriptors: turns, deadlines, removal in mid-turn, signals.

#include "clock.h"
#include "loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000, PIPES = 3 };

static const char *program; // this one
static mm_loop_t *loop;
static int turns;
static int64_t started_ms;
static int64_t (*deadline)(void); // what the turn function answers
static int pipes[PIPES][2];
static int calls[PIPES];           // of each pipe's handler
static void (*on_call)(int which); // what a handler does beside reading
static int signals[8];
static int signal_count;

static int64_t turn(void *arg)
{
    assert_ptr_equal(arg, &turns);
    turns++;
    assert_true(mm_clock_ms() - started_ms < PATIENCE_MS);
    return deadline ? deadline() : started_ms + PATIENCE_MS;
}

static int new_loop(void **state)
{
    (void)state;
    turns = signal_count = 0;
    deadline = NULL;
    on_call = NULL;
    started_ms = mm_clock_ms();
    for (int i = 0; i < PIPES; i++) {
        calls[i] = 0;
        if (pipe2(pipes[i], O_NONBLOCK | O_CLOEXEC) != 0)
            return -1;
    }
    loop = mm_loop_new(turn, &turns);
    return 0;
}

static int end_loop(void **state)
{
    (void)state;
    mm_loop_destroy(&loop);
    assert_null(loop);
    mm_loop_destroy(&loop);
    for (int i = 0; i < PIPES; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    return 0;
}

static void take(void *arg)
{
    int which = (int)((int *)arg - calls);
    char byte;
    calls[which]++;
    assert_int_equal(read(pipes[which][0], &byte, 1), 1);
    if (on_call)
        on_call(which);
}

static void watch(int which)
{
    mm_loop_add_descriptor(loop, "pipe", pipes[which][0], ZMQ_POLLIN, take, &calls[which]);
}

static void put(int which)
{
    assert_int_equal(write(pipes[which][1], "x", 1), 1);
}

// ---- turns and deadlines

static void stop(int which)
{
    (void)which;
    mm_loop_stop(loop);
}

static void there_is_a_turn_at_the_start_and_after_each_handler(void **state)
{
    (void)state;
    watch(0);
    put(0);
    on_call = stop;
    mm_loop_run(loop);
    assert_int_equal(calls[0], 1);
    assert_int_equal(turns, 2);
}

static int64_t stop_at_once(void)
{
    mm_loop_stop(loop);
    return MM_NEVER;
}

static void a_turn_may_stop_the_loop_before_it_begins(void **state)
{
    (void)state;
    deadline = stop_at_once;
    mm_loop_run(loop);
    assert_int_equal(turns, 1);
}

static int64_t stop_after_30_ms(void)
{
    if (mm_clock_ms() - started_ms >= 30)
        mm_loop_stop(loop);
    return started_ms + 30;
}

static void a_turn_comes_at_its_deadline(void **state)
{
    (void)state;
    deadline = stop_after_30_ms;
    mm_loop_run(loop);
    assert_true(mm_clock_ms() - started_ms >= 30);
    assert_in_range(turns, 2, 20); // it waits, and does not spin
}

static int64_t soon_then_late(void)
{
    // The deadline moves away before it has come, as when a lease is extended.
    if (turns == 1)
        put(0);
    if (mm_clock_ms() - started_ms >= 40)
        mm_loop_stop(loop);
    return started_ms + (turns == 1 ? 20 : 40);
}

static void a_deadline_may_be_put_off(void **state)
{
    (void)state;
    deadline = soon_then_late;
    watch(0);
    mm_loop_run(loop);
    assert_int_equal(calls[0], 1);
    assert_true(mm_clock_ms() - started_ms >= 40);
    assert_in_range(turns, 3, 20);
}

static int64_t late_then_soon(void)
{
    if (turns == 1) {
        put(0);
        return started_ms + PATIENCE_MS;
    }
    if (mm_clock_ms() - started_ms >= 20)
        mm_loop_stop(loop);
    return started_ms + 20;
}

static void a_deadline_may_be_brought_forward(void **state)
{
    (void)state;
    deadline = late_then_soon;
    watch(0);
    mm_loop_run(loop);
    assert_true(mm_clock_ms() - started_ms >= 20);
}

static int64_t never(void)
{
    return MM_NEVER;
}

static void put_next(int which)
{
    if (which + 1 < PIPES)
        put(which + 1);
    else
        mm_loop_stop(loop);
}

static void without_a_deadline_only_handlers_bring_turns(void **state)
{
    (void)state;
    deadline = never;
    on_call = put_next;
    for (int i = 0; i < PIPES; i++)
        watch(i);
    put(0);
    mm_loop_run(loop);
    assert_int_equal(turns, 1 + PIPES);
}

static int64_t past_until_enough(void)
{
    if (turns == 5)
        mm_loop_stop(loop);
    return started_ms - 1000;
}

static void a_deadline_in_the_past_comes_at_once(void **state)
{
    (void)state;
    deadline = past_until_enough;
    mm_loop_run(loop);
    assert_int_equal(turns, 5);
}

// ---- removal in mid-turn

static void end_pipe(int which)
{
    mm_loop_remove_descriptor(loop, pipes[which][0]);
}

// All three are ready; whoever is called first removes the others.
static void remove_others(int which)
{
    for (int i = 0; i < PIPES; i++)
        if (i != which)
            end_pipe(i);
    mm_loop_stop(loop);
}

static void a_handler_that_was_removed_is_not_called(void **state)
{
    (void)state;
    on_call = remove_others;
    for (int i = 0; i < PIPES; i++) {
        watch(i);
        put(i);
    }
    mm_loop_run(loop);
    assert_int_equal(calls[0] + calls[1] + calls[2], 1);
}

static void remove_all(int which)
{
    for (int i = 0; i < PIPES; i++)
        end_pipe(i);
    end_pipe(which); // a second time: nothing happens
}

static void a_handler_may_remove_itself_and_all_others(void **state)
{
    (void)state;
    deadline = stop_after_30_ms;
    on_call = remove_all;
    for (int i = 0; i < PIPES; i++) {
        watch(i);
        put(i);
        put(i);
    }
    mm_loop_run(loop);
    assert_int_equal(calls[0] + calls[1] + calls[2], 1);
}

// The descriptor is closed, and its number used again at once, as when a worker comes back.
static void replace(int which)
{
    if (calls[which] == 3) {
        mm_loop_stop(loop);
        return;
    }
    int former = pipes[which][0];
    end_pipe(which);
    close(pipes[which][0]);
    close(pipes[which][1]);
    assert_int_equal(pipe2(pipes[which], O_NONBLOCK | O_CLOEXEC), 0);
    assert_int_equal(pipes[which][0], former);
    watch(which);
    put(which);
}

static void a_handler_may_be_replaced_under_the_same_number(void **state)
{
    (void)state;
    on_call = replace;
    watch(0);
    put(0);
    mm_loop_run(loop);
    assert_int_equal(calls[0], 3);
}

static int64_t churn(void)
{
    if (turns == 500)
        mm_loop_stop(loop);
    if (turns % 2)
        watch(1);
    else
        end_pipe(1);
    return mm_clock_ms();
}

static void readers_may_come_and_go_in_turns(void **state)
{
    (void)state;
    deadline = churn;
    mm_loop_run(loop);
    assert_int_equal(calls[1], 0);
    assert_int_equal(turns, 500);
}

static void writable_is_an_event_too(void **state)
{
    (void)state;
    on_call = stop;
    put(0); // so that the handler has what to read
    mm_loop_add_descriptor(loop, "out", pipes[0][1], ZMQ_POLLOUT, take, &calls[0]);
    mm_loop_run(loop);
    assert_int_equal(calls[0], 1);
}

static void read_or_not(void *arg)
{
    char byte;
    assert_ptr_equal(arg, &calls[0]);
    assert_int_equal(read(pipes[0][0], &byte, 1), 0);
    if (++calls[0] == 3)
        mm_loop_stop(loop);
}

// As standard input may be; to poll such a one is always ready, epoll does not take it.
static void a_file_is_always_ready(void **state)
{
    (void)state;
    deadline = never;
    close(pipes[0][0]);
    pipes[0][0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    mm_loop_add_descriptor(loop, "file", pipes[0][0], ZMQ_POLLIN, read_or_not, &calls[0]);
    mm_loop_run(loop);
    assert_int_equal(calls[0], 3);
}

static void the_end_of_a_pipe_is_for_its_handler_to_find(void **state)
{
    (void)state;
    close(pipes[0][1]);
    pipes[0][1] = dup(pipes[0][0]); // for the end of the test
    mm_loop_add_descriptor(loop, "pipe", pipes[0][0], ZMQ_POLLIN, read_or_not, &calls[0]);
    mm_loop_run(loop);
    assert_int_equal(calls[0], 3);
}

// ---- signals

static void note_signal(void *arg, int number)
{
    assert_ptr_equal(arg, signals);
    signals[signal_count++] = number;
    if (signal_count == 1)
        put(0);
}

static void raise_again(int which)
{
    if (calls[which] == 3) {
        mm_loop_stop(loop);
        return;
    }
    assert_int_equal(kill(getpid(), SIGHUP), 0); // HUP never ends a process
    put(which);
}

static void a_signal_is_told_once(void **state)
{
    (void)state;
    mm_loop_on_signal(loop, note_signal, signals);
    on_call = raise_again;
    watch(0);
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    mm_loop_run(loop);
    assert_int_equal(signal_count, 1);
    assert_int_equal(signals[0], SIGHUP);
}

static void note_and_go_on(void *arg, int number)
{
    static const int next[] = {SIGTERM, SIGUSR1, SIGINT, SIGINT, SIGHUP, 0};
    assert_ptr_equal(arg, signals);
    signals[signal_count++] = number;
    if (next[signal_count - 1])
        assert_int_equal(kill(getpid(), next[signal_count - 1]), 0);
    else
        mm_loop_stop(loop);
}

static void every_signal_is_told_each_time_for_whoever_wants_that(void **state)
{
    (void)state;
    static const int expected[] = {SIGTERM, SIGTERM, SIGUSR1, SIGINT, SIGINT, SIGHUP};
    mm_loop_on_every_signal(loop, note_and_go_on, signals);
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    mm_loop_run(loop);
    assert_int_equal(signal_count, 6);
    assert_memory_equal(signals, expected, sizeof expected);
}

static void kill_twice(void *arg, int number)
{
    (void)arg;
    (void)kill(getpid(), number);
}

// This program, started again with a signal as its argument.
static int receive_twice(int number)
{
    (void)new_loop(NULL);
    mm_loop_on_signal(loop, kill_twice, NULL);
    (void)kill(getpid(), number);
    mm_loop_run(loop);
    return 0;
}

static void a_second_term_or_int_ends_the_process(void **state)
{
    (void)state;
    const int numbers[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        char number[8];
        (void)snprintf(number, sizeof number, "%d", numbers[i]);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)execl(program, program, number, (char *)NULL);
            _exit(127);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + numbers[i]);
    }
}

static void a_broken_pipe_does_not_kill(void **state)
{
    (void)state;
    close(pipes[0][0]);
    assert_int_equal(write(pipes[0][1], "x", 1), -1);
    pipes[0][0] = dup(pipes[0][1]); // for the end of the test
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_loop, end_loop)

int main(int argc, char **argv)
{
    mm_loop_block_signals();
    program = argv[0];
    if (argc == 2)
        return receive_twice(atoi(argv[1]));
    const struct CMUnitTest tests[] = {
        TEST(there_is_a_turn_at_the_start_and_after_each_handler),
        TEST(a_turn_may_stop_the_loop_before_it_begins),
        TEST(a_turn_comes_at_its_deadline),
        TEST(a_deadline_may_be_put_off),
        TEST(a_deadline_may_be_brought_forward),
        TEST(without_a_deadline_only_handlers_bring_turns),
        TEST(a_deadline_in_the_past_comes_at_once),
        TEST(a_handler_that_was_removed_is_not_called),
        TEST(a_handler_may_remove_itself_and_all_others),
        TEST(a_handler_may_be_replaced_under_the_same_number),
        TEST(readers_may_come_and_go_in_turns),
        TEST(writable_is_an_event_too),
        TEST(a_file_is_always_ready),
        TEST(the_end_of_a_pipe_is_for_its_handler_to_find),
        TEST(a_signal_is_told_once),
        TEST(every_signal_is_told_each_time_for_whoever_wants_that),
        TEST(a_second_term_or_int_ends_the_process),
        TEST(a_broken_pipe_does_not_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
