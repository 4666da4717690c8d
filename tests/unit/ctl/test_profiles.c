// Tests of ctl/profile/profiles.h: nodes become functions, whatever is damaged is refused.

#include "profile_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static profiles_t profiles;

static int clear(void **state)
{
    (void)state;
    profiles_clear(&profiles);
    return 0;
}

#define HEAD(PROCESS, ROLE)                                                                        \
    "{\"mayhem\": \"profile\", \"version\": 1, \"process\": \"" PROCESS "\", \"role\": \"" ROLE    \
    "\", \"pid\": 7, \"wall_ms\": 1000, \"long_ns\": 2000000000, \"nodes\": ["
#define NODE(NAME, LINE, CALLER, CALLS, CPU)                                                       \
    "{\"name\": \"" NAME "\", \"kind\": \"runs\", \"file\": \"main.c\", \"line\": " LINE           \
    ", \"caller\": " CALLER ", \"calls\": " CALLS ", \"cpu_ns\": " CPU                             \
    ", \"wait_ns\": 0, \"max_ns\": 9, \"buckets\": []}"
#define POLL                                                                                       \
    "{\"name\": \"poll\", \"kind\": \"poll\", \"file\": \"loop.c\", \"line\": 1, \"caller\": 0, "  \
    "\"calls\": 5, \"cpu_ns\": 50, \"wait_ns\": 900, \"max_ns\": 9, \"buckets\": []}"

static bool add(const char *text, char error[MM_ERROR_MAX])
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    bool is_good = profiles_add(&profiles, json, error);
    json_decref(json);
    return is_good;
}

static void adds(const char *text)
{
    char error[MM_ERROR_MAX] = "";
    if (!add(text, error))
        fail_msg("%s", error);
}

static void refuses(const char *text, const char *why)
{
    char error[MM_ERROR_MAX] = "";
    assert_false(add(text, error));
    assert_non_null(strstr(error, why));
}

static const profile_node_t *function_of(const char *name)
{
    for (size_t i = 0; i < profiles.items[0]->function_count; i++)
        if (strcmp(profiles.items[0]->functions[i].name, name) == 0)
            return &profiles.items[0]->functions[i];
    fail_msg("no function %s", name);
    abort();
}

static void nodes_of_one_place_are_one_function(void **state)
{
    (void)state;
    adds(HEAD("saver", "saver") POLL "," NODE("on_tasks", "10", "0", "3", "100") "," NODE(
        "turn", "20", "0", "4", "200") "," NODE("commit", "30", "1", "1",
                                                "1000") "," NODE("commit", "30", "2", "2",
                                                                 "3000") "]}");
    const profile_node_t *commit = function_of("commit");
    assert_int_equal(commit->calls, 3);
    assert_int_equal(commit->cpu_ns, 4000);
    assert_int_equal(commit->all_cpu_ns, 4000);
    assert_int_equal(function_of("on_tasks")->all_cpu_ns, 1100);
    assert_int_equal(function_of("turn")->all_cpu_ns, 3200);
    assert_int_equal(function_of("turn")->cpu_ns, 200);
    assert_int_equal(function_of("poll")->all_cpu_ns, 50); // calls nobody
}

static void a_call_within_itself_is_not_counted_twice(void **state)
{
    (void)state;
    adds(HEAD("saver", "saver") POLL "," NODE("turn", "20", "0", "1", "10") "," NODE(
        "retry", "30", "1", "1", "20") "," NODE("turn", "20", "2", "1", "30") "]}");
    assert_int_equal(function_of("turn")->cpu_ns, 40);
    assert_int_equal(function_of("turn")->all_cpu_ns, 60);
    assert_int_equal(function_of("retry")->all_cpu_ns, 50);
}

static void processes_stand_in_the_order_of_a_jobs_way(void **state)
{
    (void)state;
    adds(HEAD("restarter-10", "restarter") POLL "]}");
    adds(HEAD("restarter-2", "restarter") POLL "]}");
    adds(HEAD("p", "publisher") POLL "]}");
    adds(HEAD("s", "saver") POLL "]}");
    const char *const names[] = {"p", "s", "restarter-2", "restarter-10"};
    assert_int_equal(profiles.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(profiles.items[i]->process, names[i]);
    profiles_only(&profiles, "restarter");
    assert_int_equal(profiles.count, 2);
    profiles_only(&profiles, "restarter-2");
    assert_int_equal(profiles.count, 1);
    profiles_only(&profiles, "nobody");
    assert_int_equal(profiles.count, 0);
}

static void a_list_of_them_is_read_as_it_was_written(void **state)
{
    (void)state;
    adds(HEAD("s", "saver") POLL "]}");
    adds(HEAD("p", "publisher") POLL "]}");
    json_t *json = profiles_json(&profiles);
    profiles_clear(&profiles);
    char error[MM_ERROR_MAX];
    assert_true(profiles_add(&profiles, json, error));
    json_decref(json);
    assert_int_equal(profiles.count, 2);
    assert_string_equal(profiles.items[0]->process, "p");
}

static void what_is_damaged_is_refused(void **state)
{
    (void)state;
    refuses("{}", "no profile");
    refuses("{\"mayhem\": \"profiles\", \"version\": 1}", "no list");
    refuses("{\"mayhem\": \"profile\", \"version\": 2}", "version is 2");
    refuses(HEAD("s", "saver") "]}", "damaged");
    refuses(HEAD("s", "saver") POLL "," NODE("a", "1", "1", "1", "1") "]}", "damaged");  // its own
    refuses(HEAD("s", "saver") POLL "," NODE("a", "1", "7", "1", "1") "]}", "damaged");  // a later
    refuses(HEAD("s", "saver") POLL "," NODE("a", "1", "-1", "1", "1") "]}", "damaged"); // caller
    refuses(HEAD("s", "saver") POLL "," NODE("a", "1", "0", "-1", "1") "]}", "damaged");
    refuses(HEAD("s", "saver") "7]}", "damaged");
    assert_int_equal(profiles.count, 0);
}

static char *text_of(void (*print)(FILE *file, const profiles_t *profiles))
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    print(file, &profiles);
    (void)fclose(file);
    return text;
}

static void folded_stacks_begin_with_the_process(void **state)
{
    (void)state;
    adds(HEAD("saver", "saver") POLL
         "," NODE("turn", "20", "0", "1", "5000") "," NODE("commit", "30", "1", "1", "2600") "]}");
    char *text = text_of(profile_out_folded);
    assert_string_equal(text, "saver;turn 5\nsaver;turn;commit 3\n");
    free(text);
}

// Whoever wakes a handler calls it: its own loop does not, so that nothing is counted twice.
static void a_hop_is_a_call(void **state)
{
    (void)state;
    adds(HEAD("c", "consumer") POLL
         "," NODE("turn", "20", "0", "1", "10") "," NODE("send tasks", "30", "1", "4", "40") "]}");
    adds(HEAD("s", "saver") POLL "," NODE("on_tasks", "50", "0", "4", "700") "]}");
    char *text = text_of(profile_out_callgrind);
    assert_non_null(strstr(text, "ob=c\nfl=main.c\nfn=send tasks\n30 40 0\n"
                                 "cob=s\ncfi=main.c\ncfn=on_tasks\ncalls=4 50\n30 700 0\n"));
    assert_null(strstr(strstr(text, "ob=s\nfl=loop.c\nfn=loop"), "cfn=on_tasks"));
    assert_non_null(strstr(text, "summary: 850 0\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nodes_of_one_place_are_one_function, clear),
        cmocka_unit_test_teardown(a_call_within_itself_is_not_counted_twice, clear),
        cmocka_unit_test_teardown(processes_stand_in_the_order_of_a_jobs_way, clear),
        cmocka_unit_test_teardown(a_list_of_them_is_read_as_it_was_written, clear),
        cmocka_unit_test_teardown(what_is_damaged_is_refused, clear),
        cmocka_unit_test_teardown(folded_stacks_begin_with_the_process, clear),
        cmocka_unit_test_teardown(a_hop_is_a_call, clear),
    };
    return cmocka_run_group_tests_name("profiles", tests, NULL, NULL);
}
