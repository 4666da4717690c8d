// What a source reads of a line beside the host: what is asked for, and nothing else.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "source_read.h"
#include "temp_folder.h"

static char error[SOURCE_ERROR_MAX];

static const char named_by[] = "bmc --exec\nzone my.ini:3: health\n";

static int try_file(const char *content, const char *wanted, bool skips, source_t **ret_source)
{
    write_list(content, strlen(content));
    source_file_config_t config = {
        .path = list_path, .skips_bad_lines = skips, .named_by = named_by};
    assert_true(mm_attribute_keys_parse(mm_str(wanted), &config.wanted));
    return source_file_open(&config, ret_source, error);
}

// All that it gives, as "HOST(ATTRIBUTES) ".
static void gives(const char *content, const char *wanted, bool skips, const char *expected)
{
    source_t *source = NULL;
    if (try_file(content, wanted, skips, &source) != 0)
        fail_msg("%s", error);
    char all[1024] = "";
    size_t size = 0;
    source_item_t item;
    source_status_t status;
    while ((status = source_next(source, 0, &item)) != SOURCE_END) {
        if (status == SOURCE_ITEM)
            size +=
                (size_t)snprintf(all + size, sizeof all - size, "%.*s(%.*s) ", (int)item.host.size,
                                 item.host.data, (int)item.attributes.size, item.attributes.data);
        else
            size += (size_t)snprintf(all + size, sizeof all - size, "? ");
    }
    assert_string_equal(all, expected);
    source_destroy(&source);
}

static void refuses(const char *content, const char *wanted, const char *expected)
{
    source_t *source = NULL;
    assert_int_equal(try_file(content, wanted, false, &source), EX_DATAERR);
    char whole[SOURCE_ERROR_MAX];
    snprintf(whole, sizeof whole, "%s%s; fix the line or use --on-bad-line skip", list_path,
             expected);
    assert_string_equal(error, whole);
}

// Says that `naming` is wrong, for which the line that begins with `first` stands.
static void blames(const char *content, const char *wanted, const char *naming, const char *names,
                   const char *first)
{
    source_t *source = NULL;
    char whole[SOURCE_ERROR_MAX];
    snprintf(whole, sizeof whole,
             "%s, and no host of %s has that; what they have is %s: correct the name, or give it "
             "to each host (%s%s",
             naming, list_path, names, list_path, first);
    for (int skips = 0; skips <= 1; skips++) {
        assert_int_equal(try_file(content, wanted, skips == 1, &source), EX_DATAERR);
        assert_memory_equal(error, whole, strlen(whole));
    }
}

static void only_what_is_asked_for_is_read(void **state)
{
    (void)state;
    const char *content =
        "{\"host\": \"web-1\", \"bmc\": \"10.0.0.1\", \"zone\": \"eu\", \"port\": 22}\n"
        "{\"port\": -7, \"password\": \"hun ter\", \"bmc\": \"b\", \"host\": \"web-2\","
        " \"zone\": \"\"}\n";
    gives(content, "", false, "web-1() web-2() ");
    gives(content, "bmc", false, "web-1(bmc=10.0.0.1) web-2(bmc=b) ");
    gives(content, "zone,bmc", false, "web-1(zone=eu bmc=10.0.0.1) web-2(zone= bmc=b) ");
    gives("{\"host\": \"web-1\", \"port\": 22, \"max\": 9223372036854775807}\n", "port,max", false,
          "web-1(port=22 max=9223372036854775807) ");
    gives("web-1\n{\"host\": \"web-2\", \"bmc\": {}}\n", "", false, "web-1() web-2() ");
}

static void of_a_repeated_host_the_first_line_counts(void **state)
{
    (void)state;
    gives("{\"host\": \"web-1\", \"bmc\": \"1\"}\n{\"host\": \"web-1\", \"bmc\": \"2\"}\n", "bmc",
          false, "web-1(bmc=1) ");
}

static void a_host_without_what_the_command_names_is_a_bad_line(void **state)
{
    (void)state;
    refuses("{\"host\": \"web-1\"}\n{\"host\": \"web-2\", \"bmc\": \"b\"}\n", "bmc",
            ":1: host web-1 has no bmc, which the command names: add \"bmc\": \"...\" to its line");
    refuses("{\"host\": \"web-1\", \"bmc\": \"b\", \"zone\": \"\"}\n\n{\"host\": \"web-2\", "
            "\"zone\": \"\"}",
            "zone,bmc",
            ":3: host web-2 has no bmc, which the command names: add \"bmc\": \"...\" to its line");
}

static void a_host_may_do_without_what_is_optional(void **state)
{
    (void)state;
    gives("web-1\n{\"host\": \"web-2\", \"port\": 22}\n{\"host\": \"web-3\"}\n", "user?,port?",
          false, "web-1() web-2(port=22) web-3() ");
    refuses("web-1\n{\"host\": \"web-2\", \"bmc\": \"b\"}\n", "port?,bmc",
            ":1: host web-1 has no bmc, which the command names: add bmc=... to its line");
}

static void a_plain_line_without_what_the_command_names_is_a_bad_line(void **state)
{
    (void)state;
    refuses("# all\nweb-1 # one\n{\"host\": \"web-2\", \"bmc\": \"b\"}\n", "bmc",
            ":2: host web-1 has no bmc, which the command names: add bmc=... to its line");
}

// A typo in a command is not the list's fault.
static void the_command_is_blamed_when_no_host_has_what_it_names(void **state)
{
    (void)state;
    blames("web-1\n# no host\nweb-2\n", "bmc", "--exec names {bmc}", "host, address",
           ":1: host web-1 has no bmc, which the command names: ");
    blames("\n{\"host\": \"web-1\", \"bmc\": \"b\", \"Zone\": \"eu\", \"port\": 22, \"tags\": []}\n"
           "web-2\n",
           "port?,bmc,zone", "my.ini:3: health names {zone}", "host, address, bmc, port",
           ":2: host web-1 has no zone, which the command names: ");
    blames("web-1\n{\"host\": \"web-2\", \"bmc\": {}}\n{\"host\": \"web-3\"}\n", "bmc,rack",
           "the command names {rack}", "host, address",
           ":2: host web-2 has no rack, which the command names: ");
    blames("web-1 port=22 bmk=7\n", "bmc", "--exec names {bmc}", "host, address, port, bmk",
           ":1: host web-1 has no bmc, which the command names: ");
    blames("[web]\nweb-1 port=22\n", "bmc", "--exec names {bmc}", "host, address",
           ":2: host web-1 has no bmc, which the command names: ");
}

static void of_a_stream_too(void **state)
{
    (void)state;
    int pipe_fds[2];
    static const char line[] = "web-1\n";
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(write(pipe_fds[1], line, strlen(line)), strlen(line));
    close(pipe_fds[1]);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", pipe_fds[0]);
    source_file_config_t config = {.path = name, .named_by = named_by};
    assert_true(mm_attribute_keys_parse(mm_str("bmc"), &config.wanted));
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), 0);
    source_item_t item;
    assert_int_equal(source_next(source, 0, &item), SOURCE_BAD);
    assert_true(item.ends);
    assert_memory_equal(item.error, "--exec names {bmc}, and no host of /proc/", 41);
    source_destroy(&source);
    close(pipe_fds[0]);
}

// The message has room for as many names as there may be.
static void of_many_attributes_some_are_named(void **state)
{
    (void)state;
    char line[4096];
    size_t size = (size_t)snprintf(line, sizeof line, "{\"host\": \"web-1\"");
    for (int i = 0; i < 30; i++)
        size += (size_t)snprintf(line + size, sizeof line - size, ", \"attribute_%d\": 1", i);
    snprintf(line + size, sizeof line - size, "}\n");
    source_t *source = NULL;
    assert_int_equal(try_file(line, "bmc", false, &source), EX_DATAERR);
    assert_non_null(strstr(error, "what they have is host, address, attribute_0, attribute_1, "));
    assert_non_null(strstr(error, ", ...: correct the name"));
}

static void a_value_that_cannot_stand_in_a_command_is_a_bad_line_and_not_shown(void **state)
{
    (void)state;
#define CANNOT ":1: \"bmc\" of host web-1 cannot stand in a command: "
#define HOLDS  "it holds something else than letters, digits and . _ : @ / + = , -; correct it"
    static const char *const values[][2] = {
        {"\"-rf\"", CANNOT "it begins with '-' and could be taken for an option; correct it"},
        {"-1", CANNOT "it begins with '-' and could be taken for an option; correct it"},
        {"\"a b\"", CANNOT HOLDS},
        {"\"$(reboot)\"", CANNOT HOLDS},
        {"\"a\\nb\"", CANNOT HOLDS},
        {"\"M\\u00fcll\"", CANNOT HOLDS},
        {"true", CANNOT "it is neither a text nor a whole number; correct it"},
        {"1.5", CANNOT "it is neither a text nor a whole number; correct it"},
        {"null", CANNOT "it is neither a text nor a whole number; correct it"},
        {"[\"a\"]", CANNOT "it is neither a text nor a whole number; correct it"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char line[128];
        snprintf(line, sizeof line, "{\"host\": \"web-1\", \"bmc\": %s}\n", values[i][0]);
        refuses(line, "bmc", values[i][1]);
    }
    char line[512], value[MM_ATTRIBUTE_VALUE_MAX + 2] = "";
    memset(value, 'v', MM_ATTRIBUTE_VALUE_MAX + 1);
    snprintf(line, sizeof line, "{\"host\": \"web-1\", \"bmc\": \"%s\"}\n", value);
    refuses(line, "bmc", CANNOT "it is longer than 256 bytes; correct it");
}

static void bad_lines_can_be_left_out(void **state)
{
    (void)state;
    gives("{\"host\": \"web-1\"}\nweb-2\n{\"host\": \"web-3\", \"bmc\": \"b\"}\n", "bmc", true,
          "? ? web-3(bmc=b) ");
}

// An inventory may hold passwords, in a line that is broken, too.
static void what_json_complains_of_is_not_shown(void **state)
{
    (void)state;
    static const char *const lines[] = {"{\"host\": \"a\", \"password\": \"hunter2}\n",
                                        "{\"password\": hunter2}\n",
                                        "{\"password\": \"hunter2\\q\"}\n",
                                        "{\"password\": \"hunter2\xFF\"}\n",
                                        "{\"hunter2\": 1, \"hunter2\": 2}\n",
                                        "{hunter2: 1}\n",
                                        "{\"password\": \"hunter2\" near 'x'}\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        source_t *source = NULL;
        assert_int_equal(try_file(lines[i], "", false, &source), EX_DATAERR);
        if (strstr(error, "unter"))
            fail_msg("%s", error);
        assert_non_null(strstr(error, "hosts.txt:1: column "));
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_list_folder, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_asked_for_is_read),
        TEST(of_a_repeated_host_the_first_line_counts),
        TEST(a_host_without_what_the_command_names_is_a_bad_line),
        TEST(a_host_may_do_without_what_is_optional),
        TEST(a_plain_line_without_what_the_command_names_is_a_bad_line),
        TEST(the_command_is_blamed_when_no_host_has_what_it_names),
        TEST(of_a_stream_too),
        TEST(of_many_attributes_some_are_named),
        TEST(a_value_that_cannot_stand_in_a_command_is_a_bad_line_and_not_shown),
        TEST(bad_lines_can_be_left_out),
        TEST(what_json_complains_of_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
