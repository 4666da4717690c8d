// The guard, with real commands: what is a yes, what is a no, and what is left of it.

#include "guard.h"

#include "clock.h"
#include "loop_play.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { GAP = 150, LIMIT = 300, LONG = 60000 };

static guard_t *guard;
static int yes, no;
static bool is_within; // guard_ask

static void take_answer(void *arg, bool says_yes)
{
    assert_ptr_equal(arg, &guard);
    assert_false(is_within);
    yes += says_yes;
    no += !says_yes;
}

static int end_guard(void **state)
{
    guard_destroy(&guard);
    return end_loop(state);
}

static void make_guard(const char *line, int64_t gap_ms, int64_t limit_ms)
{
    char complaint[MM_ERROR_MAX + 1] = "";
    yes = no = 0;
    guard = guard_new(loop,
                      &(guard_config_t){.line = line,
                                        .gap_ms = gap_ms,
                                        .limit_ms = limit_ms,
                                        .answer = take_answer,
                                        .arg = &guard},
                      complaint);
    if (!guard)
        fail_msg("%s", complaint);
}

static bool asks(void)
{
    is_within = true;
    guard_ask(guard);
    is_within = false;
    return true;
}

static bool has_said_yes(void)
{
    return yes > 0;
}

static bool has_said_no(void)
{
    return no > 0;
}

static int lines_of(const char *name)
{
    FILE *file = fopen(name, "r");
    int lines = 0;
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        (void)fclose(file);
    return lines;
}

static void exit_code_0_is_a_yes(void **state)
{
    (void)state;
    make_guard("sh -c 'test \"$0\" = \"a b\"' 'a b'", 0, 0); // the words are as they were split
    play((step_fn *const[]){asks, has_said_yes, NULL});
    assert_int_equal(no, 0);
}

static void any_other_code_and_a_signal_is_a_no(void **state)
{
    (void)state;
    make_guard("sh -c 'kill -KILL $$'", 1, 0);
    play((step_fn *const[]){asks, has_said_no, NULL});
    guard_destroy(&guard);
    make_guard("false", 1, 0);
    play((step_fn *const[]){asks, has_said_no, NULL});
    assert_int_equal(yes, 0);
}

static void a_script_without_an_interpreter_is_for_sh(void **state)
{
    (void)state;
    FILE *file = fopen("script", "w");
    assert_non_null(file);
    (void)fputs("test \"$1\" = x\n", file);
    (void)fclose(file);
    assert_int_equal(chmod("script", 0700), 0);
    make_guard("./script x", 0, 0);
    play((step_fn *const[]){asks, has_said_yes, NULL});
    (void)unlink("script");
}

// ---- in time

static pid_t kept_pid(void)
{
    int pid = 0;
    FILE *file = fopen("pid", "r");
    if (file) {
        if (fscanf(file, "%d", &pid) != 1)
            pid = 0;
        (void)fclose(file);
    }
    return pid;
}

// What no handler tells of is looked for until it is so.
static bool comes_true(bool (*is_so)(void))
{
    for (int64_t end_ms = mm_clock_ms() + PATIENCE_MS; !is_so() && mm_clock_ms() < end_ms;)
        (void)poll(NULL, 0, 5);
    return is_so();
}

static bool has_pid(void)
{
    return kept_pid() > 0;
}

static bool has_begun(void)
{
    return comes_true(has_pid);
}

// Also one that nobody has waited for.
static bool is_dead(void)
{
    char path[64], line[256] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)kept_pid());
    FILE *file = fopen(path, "r");
    if (!file)
        return true;
    bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    return !is_read || strstr(line, ") Z") != NULL;
}

static bool is_gone(void)
{
    return comes_true(is_dead);
}

static void who_does_not_end_in_time_says_no_and_is_killed(void **state)
{
    (void)state;
    int64_t since_ms = mm_clock_ms();
    make_guard("sh -c 'trap : TERM; sleep 1000 & echo $! >pid; wait; sleep 1000'", 1, LIMIT);
    play((step_fn *const[]){asks, has_begun, has_said_no, is_gone, NULL});
    assert_true(mm_clock_ms() - since_ms >= LIMIT);
    assert_int_equal(no, 1); // its end is no second answer
    (void)unlink("pid");
}

static void what_it_has_left_is_killed_too(void **state)
{
    (void)state;
    make_guard("sh -c 'sleep 1000 & echo $! >pid'", 1, LONG);
    play((step_fn *const[]){asks, has_said_yes, is_gone, NULL});
    (void)unlink("pid");
}

static void at_the_end_of_the_program_it_is_killed(void **state)
{
    (void)state;
    make_guard("sh -c 'echo $$ >pid; exec sleep 1000'", 1, LONG);
    play((step_fn *const[]){asks, has_begun, NULL});
    guard_destroy(&guard);
    assert_null(guard);
    assert_true(is_gone());
    assert_int_equal(yes + no, 0);
    (void)unlink("pid");
}

// ---- how often

static int64_t first_ms;

static bool has_said_yes_twice(void)
{
    if (yes == 1 && first_ms == 0)
        first_ms = mm_clock_ms();
    return yes == 2;
}

static void it_is_started_once_in_a_while(void **state)
{
    (void)state;
    first_ms = 0;
    int64_t since_ms = mm_clock_ms();
    make_guard("sh -c 'echo x >>asked'", GAP, 0);
    play((step_fn *const[]){asks, has_said_yes, asks, asks, has_said_yes_twice, NULL});
    assert_true(mm_clock_ms() - since_ms >= GAP);
    assert_int_equal(lines_of("asked"), 2);
    (void)unlink("asked");
}

static void one_answer_is_for_all_who_ask_meanwhile(void **state)
{
    (void)state;
    make_guard("sh -c 'echo x >>asked; sleep 0.1'", 1, 0);
    play((step_fn *const[]){asks, asks, asks, has_said_yes, NULL});
    assert_int_equal(yes, 1);
    assert_int_equal(lines_of("asked"), 1);
    (void)unlink("asked");
}

// ---- at the start

static void refuses(const char *line, const char *sentence)
{
    char complaint[MM_ERROR_MAX + 1] = "";
    assert_null(guard_new(loop, &(guard_config_t){.line = line, .answer = take_answer}, complaint));
    if (!strstr(complaint, sentence))
        fail_msg("%s", complaint);
}

static void what_cannot_be_run_is_refused(void **state)
{
    (void)state;
    refuses("", "--guard: the command is empty");
    refuses("sh -c 'x", "is not closed");
    refuses("true {host}", "there is no host to name");
    refuses("true {zone}", "there is no host to name");
    refuses("no-such-guard-anywhere", "is in no folder of PATH");
    refuses("./none", "cannot run ./none: No such file");
    refuses("/etc/passwd", "make it executable");
}

// It was there at the start, and is taken away: that is no yes.
static void one_that_cannot_be_started_any_more_says_no(void **state)
{
    (void)state;
    FILE *file = fopen("script", "w");
    assert_non_null(file);
    (void)fputs("#!/bin/sh\nexit 0\n", file);
    (void)fclose(file);
    assert_int_equal(chmod("script", 0700), 0);
    make_guard("./script", 1, 0);
    (void)unlink("script");
    play((step_fn *const[]){asks, has_said_no, NULL});
    assert_int_equal(yes, 0);
}

#define GUARD_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_loop, end_guard)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GUARD_TEST(exit_code_0_is_a_yes),
        GUARD_TEST(any_other_code_and_a_signal_is_a_no),
        GUARD_TEST(a_script_without_an_interpreter_is_for_sh),
        GUARD_TEST(who_does_not_end_in_time_says_no_and_is_killed),
        GUARD_TEST(what_it_has_left_is_killed_too),
        GUARD_TEST(at_the_end_of_the_program_it_is_killed),
        GUARD_TEST(it_is_started_once_in_a_while),
        GUARD_TEST(one_answer_is_for_all_who_ask_meanwhile),
        GUARD_TEST(what_cannot_be_run_is_refused),
        GUARD_TEST(one_that_cannot_be_started_any_more_says_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
