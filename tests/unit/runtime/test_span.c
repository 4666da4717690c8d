// Tests of common/runtime/span.h in a real loop: what the spans say agrees with the thread's own
// clock, and a slow callback is named.

#include "clock.h"
#include "loop.h"
#include "span.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static mm_loop_t *loop;
static int turns;
static const mm_profile_t *seen;

static int64_t clock_ns(clockid_t clock)
{
    struct timespec time;
    (void)clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Computes for so long, whatever else the machine does.
static void burn(int64_t ms)
{
    int64_t until_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ms * 1000000;
    while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < until_ns)
        ;
}

static void wait_for(int64_t ms)
{
    MM_SPAN_WAITS("wait");
    (void)usleep((useconds_t)ms * 1000);
}

static void count(void)
{
    MM_SPAN_COUNTED("count");
    burn(0);
}

static int64_t turn(void *arg)
{
    (void)arg;
    MM_SPAN("turn");
    burn(3);
    {
        MM_SPAN("inner");
        burn(6);
        wait_for(5);
    }
    for (int i = 0; i < 100; i++)
        count();
    if (++turns == 20)
        mm_loop_stop(loop);
    return mm_clock_ms() + 1;
}

static mm_profile_node_t node_of(const char *name)
{
    for (size_t i = 0; i < mm_profile_count(seen); i++)
        if (strcmp(mm_profile_node(seen, i).spot->name, name) == 0)
            return mm_profile_node(seen, i);
    fail_msg("no node %s", name);
    abort();
}

static void the_sums_agree_with_the_threads_clock(void **state)
{
    (void)state;
    int64_t before_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    mm_span_start(&(mm_span_config_t){.process = "spans"});
    turns = 0;
    loop = mm_loop_new(turn, NULL);
    mm_loop_run(loop);
    int64_t ran_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - before_ns;
    seen = mm_span_profile;
    int64_t sum_ns = 0;
    for (size_t i = 0; i < mm_profile_count(seen); i++)
        sum_ns += mm_profile_node(seen, i).sums.cpu_ns;
    assert_in_range(sum_ns, ran_ns - ran_ns / 10, ran_ns);
    assert_int_equal(node_of("turn").sums.calls, 20);
    assert_int_equal(node_of("count").sums.calls, 2000);
    assert_true(node_of("inner").sums.cpu_ns > node_of("turn").sums.cpu_ns);
    assert_true(node_of("wait").sums.wait_ns >= 80 * INT64_C(1000000));
    assert_true(node_of("wait").sums.cpu_ns < 20 * INT64_C(1000000));
    assert_string_equal(strrchr(node_of("turn").spot->file, '/'), "/test_span.c");
    mm_loop_destroy(&loop);
    mm_span_stop();
}

static void nothing_happens_before_the_start(void **state)
{
    (void)state;
    assert_null(mm_span_profile);
    wait_for(0);
    count();
    assert_null(mm_span_profile);
}

static atomic_bool ends;

static void *spin(void *arg)
{
    while (!atomic_load(&ends))
        ;
    return arg;
}

static void another_thread_is_a_row(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, spin, NULL), 0);
    assert_int_equal(pthread_setname_np(thread, "spinner"), 0);
    mm_span_start(&(mm_span_config_t){.process = "spans"});
    turns = 0;
    loop = mm_loop_new(turn, NULL);
    int64_t until_ms = mm_clock_ms() + 10000;
    seen = mm_span_profile;
    while (mm_profile_last(seen, 1, clock_ns(CLOCK_MONOTONIC),
                           (mm_profile_sums_t[MM_PROFILE_NODES]){{0}}) < 1100000000 &&
           mm_clock_ms() < until_ms) {
        turns = 0;
        mm_span_begin_turn();
        (void)turn(NULL);
        mm_span_end_turn();
    }
    assert_true(node_of("spinner").sums.cpu_ns > 0);
    assert_int_equal(node_of("spinner").spot->kind, MM_SPOT_THREAD);
    mm_loop_destroy(&loop);
    mm_span_stop();
    atomic_store(&ends, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static char slow_handler[32];
static int64_t slow_ns;

static void note_slow(const char *handler, int64_t took_ns)
{
    (void)snprintf(slow_handler, sizeof slow_handler, "%s", handler);
    slow_ns = took_ns;
}

static void a_slow_callback_is_named(void **state)
{
    (void)state;
    mm_span_start(&(mm_span_config_t){
        .process = "spans", .slow_ns = 10 * INT64_C(1000000), .slow = note_slow});
    turns = 19; // one
    loop = mm_loop_new(turn, NULL);
    mm_loop_run(loop);
    mm_loop_destroy(&loop);
    mm_span_stop();
    assert_string_equal(slow_handler, "turn");
    assert_in_range(slow_ns, 10000000, 9999999999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_happens_before_the_start),
        cmocka_unit_test(the_sums_agree_with_the_threads_clock),
        cmocka_unit_test(another_thread_is_a_row),
        cmocka_unit_test(a_slow_callback_is_named),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
