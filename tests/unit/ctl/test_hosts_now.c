// Tests of ctl/watch/hosts_now.h: what replies of restarters and the consumer make together.

#include "hosts_now.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static hosts_now_t hosts;

static int forget(void **state)
{
    (void)state;
    hosts_now_clear(&hosts);
    return 0;
}

static void add(const char *reply)
{
    json_t *json = json_loads(reply, 0, NULL);
    assert_non_null(json);
    hosts_now_add(&hosts, json);
    json_decref(json);
}

static char *printed(void)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    hosts_now_print(&hosts, 1000000, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void is_printed(const char *expected)
{
    char *text = printed();
    assert_string_equal(text, expected);
    free(text);
}

#define HEAD "\nHOST                       SINCE  ATTEMPT  DOING      WORKER         LAST WORDS\n"

static void the_longest_restart_comes_first(void **state)
{
    (void)state;
    add("{\"process\": \"consumer\", \"restarters\": {\"r1\": 1, \"r2\": 1},"
        " \"waiting\": {\"host busy\": 1, \"limit of restarts at once\": 480}}");
    assert_false(hosts_now_is_complete(&hosts));
    add("{\"process\": \"r1\", \"left_out\": 0, \"hosts\": [{\"host\": \"web-2\", \"attempt\": 1,"
        " \"doing\": \"command\", \"command\": 2, \"since_ms\": 995000, \"words\": \"\"}]}");
    assert_false(hosts_now_is_complete(&hosts));
    add("{\"process\": \"r2\", \"left_out\": 0, \"hosts\": [{\"host\": \"web-1\", \"attempt\": 2,"
        " \"doing\": \"look\", \"command\": 0, \"since_ms\": 875000, \"words\": \"bye\"}]}");
    assert_true(hosts_now_is_complete(&hosts));
    is_printed(
        "2 hosts are being restarted, 481 wait: host busy 1, limit of restarts at once 480\n" HEAD
        "web-1                      2m05s        2  look       r2             bye\n"
        "web-2                         5s        1  command 2  r1             \n");
    json_t *json = hosts_now_json(&hosts);
    const json_t *first = json_array_get(json_object_get(json, "hosts"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "worker")), "r2");
    assert_int_equal(json_integer_value(json_object_get(json, "unknown")), 0);
    json_decref(json);
}

static void what_nobody_tells_of_is_counted(void **state)
{
    (void)state;
    add("{\"process\": \"consumer\", \"restarters\": {\"r1\": 3, \"r2\": 1}, \"waiting\": {}}");
    add("{\"process\": \"r2\", \"left_out\": 7, \"hosts\": []}");
    assert_false(hosts_now_is_complete(&hosts));
    is_printed("10 hosts are being restarted\nand 10 more, of which nothing was heard\n");
}

static void a_later_reply_replaces_the_former(void **state)
{
    (void)state;
    add("{\"process\": \"r1\", \"left_out\": 0, \"hosts\": [{\"host\": \"web-1\"}]}");
    add("{\"process\": \"r1\", \"left_out\": 0, \"hosts\": []}");
    add("{\"process\": \"consumer\", \"restarters\": {\"r1\": 1}, \"waiting\": {}}");
    add("{\"process\": \"consumer\", \"restarters\": {}, \"waiting\": {}}");
    assert_true(hosts_now_is_complete(&hosts));
    is_printed("0 hosts are being restarted\n");
}

static void what_is_no_reply_changes_nothing(void **state)
{
    (void)state;
    add("{}");
    add("{\"process\": 5, \"hosts\": []}");
    add("{\"process\": \"r1\", \"hosts\": {}}");
    add("{\"restarters\": []}");
    assert_null(hosts.consumer);
    assert_null(hosts.restarters);
    is_printed("0 hosts are being restarted\n");
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_longest_restart_comes_first),
        TEST(what_nobody_tells_of_is_counted),
        TEST(a_later_reply_replaces_the_former),
        TEST(what_is_no_reply_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
