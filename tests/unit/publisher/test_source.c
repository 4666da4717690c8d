// Sources against real files and pipes: what they give, what they refuse and how, and where they
// go on. Time is data.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "source_read.h"
#include "temp_folder.h"

static char error[SOURCE_ERROR_MAX];

static source_t *open_file(const char *content, bool skips)
{
    write_list(content, strlen(content));
    source_file_config_t config = {.path = list_path, .skips_bad_lines = skips};
    source_t *source = NULL;
    int code = source_file_open(&config, &source, error);
    if (code != 0)
        print_message("%s\n", error);
    assert_int_equal(code, 0);
    return source;
}

static void refuses(const char *content, const char *expected)
{
    write_list(content, strlen(content));
    source_file_config_t config = {.path = list_path};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
    assert_null(source);
    char whole[SOURCE_ERROR_MAX];
    snprintf(whole, sizeof whole, "%s%s", list_path, expected);
    assert_string_equal(error, whole);
}

static void gives(source_t *source, const char *expected, source_status_t then)
{
    char hosts[1024];
    source_item_t item;
    assert_int_equal(read_hosts(source, hosts, &item), then);
    assert_string_equal(hosts, expected);
}

static void a_file_gives_each_distinct_host_once_in_order(void **state)
{
    (void)state;
    source_t *source = open_file("\xEF\xBB\xBFweb-1\r\n"
                                 "\n  \t\n# all of it\n"
                                 "\tweb-2.example.net \t# the second\n"
                                 "web-1\n"
                                 "   # nothing\n"
                                 "10.0.0.1\nfe80::1\nweb-3",
                                 false);
    source_progress_t progress = progress_of(source);
    assert_int_equal(progress.total, 5);
    assert_int_equal(progress.repeated, 1);
    assert_int_equal(progress.position, 0);
    assert_false(progress.done);
    assert_int_equal(source_descriptor(source), -1);
    gives(source, "web-1 web-2.example.net 10.0.0.1 fe80::1 web-3 ", SOURCE_END);
    gives(source, "", SOURCE_END);
    progress = progress_of(source);
    assert_true(progress.done);
    assert_int_equal(progress.total, 5);
    assert_int_equal(progress.repeated, 1);
    source_destroy(&source);
    assert_null(source);
    source_destroy(&source);
}

static void json_lines_are_read_too(void **state)
{
    (void)state;
    source_t *source = open_file("{\"host\": \"web-1\"}\n"
                                 "web-2\n"
                                 "  {\"rack\": [1, {}], \"host\": \"w\\u0065b-3\", \"x\": null}\r\n"
                                 "{\"host\":\"web-2\"}\n",
                                 false);
    assert_int_equal(progress_of(source).repeated, 1);
    gives(source, "web-1 web-2 web-3 ", SOURCE_END);
    source_destroy(&source);
}

static void an_empty_file_is_an_error_unless_it_may_be(void **state)
{
    (void)state;
    refuses("", " has no host to restart: it is empty; give it one, or use --allow-empty");
    source_file_config_t config = {.path = list_path, .allows_empty = true};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), 0);
    gives(source, "", SOURCE_END);
    assert_true(progress_of(source).done);
    source_destroy(&source);
}

static void a_bad_line_is_named_with_its_mend(void **state)
{
    (void)state;
#define FIX  "; fix the line or use --on-bad-line skip"
#define FORM "it holds something else than letters, digits and . _ : -" FIX
    refuses("web-1\nwe b\n", ":2: 'we b' is not a host: what stands behind a host is an attribute, "
                             "KEY=VALUE, as in port=22 or user=root" FIX);
    refuses("-rf", ":1: '-rf' is not a host: it starts with '-' and could be taken for an "
                   "option" FIX);
    refuses("web-1#x\n", ":1: 'web-1#x' is not a host: " FORM);
    refuses("m\xC3\xBCll\x01\n", ":1: 'm\\xC3\\xBCll\\x01' is not a host: " FORM);
    refuses("{\"host\": \"-x\"}\n", ":1: '-x' is not a host: it starts with '-' and could be "
                                    "taken for an option" FIX);
    refuses("\n{\"name\": \"web-1\"}\n", ":2: the object has no \"host\" that is a text" FIX);
    refuses("{\"host\": 7}\n", ":1: the object has no \"host\" that is a text" FIX);
}

static void json_is_read_strictly(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"{\"host\": \"a\", \"host\": \"b\"}\n", "column 20: duplicate object key"},
        {"{\"host\": \"a\xFF\"}\n", "unable to decode byte 0xff"},
        {"  {\"host\": \"a\n", "column 13: premature end of input"},
        {"{\"host\": \"a\"} b\n", "end of file expected"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        write_list(lines[i][0], strlen(lines[i][0]));
        source_file_config_t config = {.path = list_path};
        source_t *source = NULL;
        assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
        if (strstr(error, lines[i][1]) == NULL)
            print_message("%s\n", error);
        assert_non_null(strstr(error, lines[i][1]));
        assert_non_null(strstr(error, "hosts.txt:1: column "));
    }
}

static void of_many_bad_lines_ten_are_listed(void **state)
{
    (void)state;
    char content[256] = "";
    for (int i = 0; i < 13; i++)
        strcat(content, "a b\nweb\n");
    write_list(content, strlen(content));
    source_file_config_t config = {.path = list_path};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
    assert_non_null(strstr(error, "hosts.txt:19: 'a b'"));
    assert_null(strstr(error, "hosts.txt:21:"));
    assert_non_null(strstr(error, "\nand 3 more; fix the lines or use --on-bad-line skip"));
}

static void a_bad_line_that_is_skipped_is_said_and_counted(void **state)
{
    (void)state;
    source_t *source = open_file("web-1\nwe b\nweb-2\n", true);
    assert_int_equal(progress_of(source).skipped, 1);
    assert_int_equal(progress_of(source).total, 2);
    char hosts[1024];
    source_item_t item;
    assert_int_equal(read_hosts(source, hosts, &item), SOURCE_BAD);
    assert_string_equal(hosts, "web-1 ");
    assert_false(item.ends);
    assert_non_null(strstr(item.error, "hosts.txt:2: 'we b' is not a host"));
    gives(source, "web-2 ", SOURCE_END);
    assert_int_equal(progress_of(source).skipped, 1);
    source_destroy(&source);
}

static void a_line_too_long_is_a_bad_line(void **state)
{
    (void)state;
    enum { LONG = 600000, FITS = 64 * 1024 };
    char *content = malloc(LONG + FITS + 100);
    assert_non_null(content);
    char *next = content + sprintf(content, "web-1\n");
    memset(next, 'x', LONG);
    next += LONG + sprintf(next + LONG, "\nweb-2\n");
    memset(next, ' ', FITS - 5);
    next += FITS - 5;
    next += sprintf(next, "web-3\nweb-4");
    write_list(content, (size_t)(next - content));
    source_file_config_t config = {.path = list_path};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
    assert_non_null(strstr(error, "hosts.txt:2: the line is longer than 65536 bytes; fix"));
    config.skips_bad_lines = true;
    assert_int_equal(source_file_open(&config, &source, error), 0);
    assert_int_equal(progress_of(source).skipped, 1);
    gives(source, "web-1 ", SOURCE_BAD);
    assert_int_equal(progress_of(source).position, 6);
    gives(source, "web-2 web-3 web-4 ", SOURCE_END);
    assert_int_equal(progress_of(source).position, next - content);
    source_destroy(&source);
    free(content);
}

static void a_file_goes_on_from_its_position(void **state)
{
    (void)state;
    const char *content = "web-1\nweb-2\nweb-1\nweb-3\nweb-2\nweb-4\n";
    source_t *source = open_file(content, false);
    source_item_t item;
    for (int i = 0; i < 3; i++)
        assert_int_equal(source_next(source, 0, &item), SOURCE_ITEM);
    source_progress_t recorded = progress_of(source);
    assert_int_equal(recorded.position, 24);
    source_destroy(&source);

    source = open_file(content, false);
    assert_true(progress_of(source).digest == recorded.digest);
    source_resume(source, &recorded);
    assert_int_equal(progress_of(source).position, 24);
    gives(source, "web-4 ", SOURCE_END);
    recorded = progress_of(source);
    source_destroy(&source);

    source = open_file(content, false);
    source_resume(source, &recorded);
    gives(source, "", SOURCE_END);
    assert_true(progress_of(source).done);
    source_destroy(&source);
    source = open_file("web-1\nweb-2\nweb-1\nweb-3\nweb-2\nweb-5\n", false);
    assert_false(progress_of(source).digest == recorded.digest);
    source_destroy(&source);
}

static void a_file_that_changes_while_it_is_read_is_said(void **state)
{
    (void)state;
    source_t *source = open_file("web-1\nweb-2\n", false);
    write_list("web-1\nweb-9\n", 12);
    char hosts[1024];
    source_item_t item;
    assert_int_equal(read_hosts(source, hosts, &item), SOURCE_BAD);
    assert_true(item.ends);
    assert_int_equal(item.exit_code, EX_DATAERR);
    assert_non_null(strstr(item.error, "was changed while it was being read"));
    assert_false(progress_of(source).done);
    gives(source, "", SOURCE_END);
    source_destroy(&source);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    source_file_config_t config = {.path = folder};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
    assert_non_null(strstr(error, "is a folder"));
    config.path = list_path;
    assert_int_equal(source_file_open(&config, &source, error), EX_DATAERR);
    assert_non_null(strstr(error, "hosts.txt': No such file or directory"));
    assert_null(source);
}

// ---- streams -----------------------------------------------------------------------------------

static int stream; // the writing end of standard input

// Makes a pipe standard input and opens it as a source.
static const char *end_mark; // of the next stream; NULL: none

static source_t *open_stream(bool skips)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    stream = ends[1];
    source_file_config_t config = {.path = "-", .skips_bad_lines = skips, .end_mark = end_mark};
    source_t *source = NULL;
    assert_int_equal(source_file_open(&config, &source, error), 0);
    return source;
}

static void say(const char *text)
{
    assert_int_equal(write(stream, text, strlen(text)), strlen(text));
}

static void a_stream_never_waits_and_keeps_half_a_line(void **state)
{
    (void)state;
    source_t *source = open_stream(false);
    source_item_t item;
    assert_int_equal(source_next(source, 7, &item), SOURCE_WAIT);
    assert_true(item.until_ms == MM_NEVER);
    assert_int_equal(source_descriptor(source), STDIN_FILENO);
    say("web-1\nweb");
    gives(source, "web-1 ", SOURCE_WAIT);
    assert_int_equal(progress_of(source).position, 6);
    say("-2\nweb-1\nweb-3");
    gives(source, "web-2 ", SOURCE_WAIT);
    assert_int_equal(progress_of(source).repeated, 1);
    close(stream);
    gives(source, "web-3 ", SOURCE_END);
    assert_int_equal(source_descriptor(source), -1);
    assert_int_equal(progress_of(source).position, 23);
    assert_int_equal(progress_of(source).total, 0);
    assert_true(progress_of(source).done);
    source_destroy(&source);
}

static void a_stream_without_its_mark_was_cut_off(void **state)
{
    (void)state;
    char mark[TEMP_PATH_MAX];
    source_item_t item;
    temp_path(mark, "stdin.ended");
    end_mark = mark;
    source_t *source = open_stream(false);
    say("web-1\nweb-2\nweb-"); // and half a host, which is not given
    close(stream);
    char hosts[1024];
    assert_int_equal(read_hosts(source, hosts, &item), SOURCE_BAD);
    assert_string_equal(hosts, "web-1 web-2 ");
    assert_true(item.ends);
    assert_int_equal(item.exit_code, EX_TEMPFAIL);
    assert_non_null(strstr(item.error, "standard input was cut off"));
    assert_false(progress_of(source).done);
    assert_int_equal(progress_of(source).position, 12);
    source_destroy(&source);

    FILE *file = fopen(mark, "w");
    assert_non_null(file);
    (void)fclose(file);
    source = open_stream(false);
    say("web-1\nweb-2");
    close(stream);
    gives(source, "web-1 web-2 ", SOURCE_END);
    assert_true(progress_of(source).done);
    source_destroy(&source);
    end_mark = NULL;
}

static void a_bad_line_ends_a_stream_after_what_it_gave(void **state)
{
    (void)state;
    source_t *source = open_stream(false);
    say("web-1\n?\nweb-2\n");
    char hosts[1024];
    source_item_t item;
    assert_int_equal(read_hosts(source, hosts, &item), SOURCE_BAD);
    assert_string_equal(hosts, "web-1 ");
    assert_true(item.ends);
    assert_int_equal(item.exit_code, EX_DATAERR);
    assert_non_null(strstr(item.error, "standard input:2: '?' is not a host"));
    assert_int_equal(progress_of(source).position, 6);
    assert_int_equal(source_descriptor(source), -1);
    gives(source, "", SOURCE_END);
    close(stream);
    source_destroy(&source);
}

static void a_stream_without_line_ends_keeps_nothing_and_returns(void **state)
{
    (void)state;
    source_t *source = open_stream(true);
    char blank[4096];
    memset(blank, 'x', sizeof blank);
    source_item_t item;
    unsigned bad = 0;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(write(stream, blank, sizeof blank), sizeof blank);
        source_status_t status = source_next(source, 0, &item);
        bad += status == SOURCE_BAD;
        assert_true(status == SOURCE_BAD || status == SOURCE_WAIT);
    }
    assert_int_equal(bad, 1);
    assert_int_equal(progress_of(source).position, 0);
    say("\nweb-1\n");
    gives(source, "web-1 ", SOURCE_WAIT);
    assert_int_equal(progress_of(source).skipped, 1);
    close(stream);
    source_destroy(&source);
}

static void a_resumed_stream_must_be_the_same(void **state)
{
    (void)state;
    source_t *source = open_stream(true);
    say("web-1\nweb-1\nwe b\nweb-2\n");
    gives(source, "web-1 ", SOURCE_BAD);
    gives(source, "web-2 ", SOURCE_WAIT);
    source_progress_t recorded = progress_of(source);
    close(stream);
    source_destroy(&source);

    source = open_stream(true);
    source_resume(source, &recorded);
    say("web-1\nweb-1\n");
    gives(source, "", SOURCE_WAIT);
    assert_int_equal(progress_of(source).position, recorded.position);
    say("we b\nweb-2\nweb-1\nweb-3\n");
    gives(source, "web-3 ", SOURCE_WAIT);
    assert_int_equal(progress_of(source).repeated, 2);
    assert_int_equal(progress_of(source).skipped, 1);
    close(stream);
    source_destroy(&source);

    static const char *const others[] = {"web-1\nweb-1\nwe c\nweb-2\nweb-3\n", "web-1\n",
                                         "web-1\nweb-1\nwe b\nweb-200\n"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        source = open_stream(true);
        source_resume(source, &recorded);
        say(others[i]);
        close(stream);
        char hosts[1024];
        source_item_t item;
        assert_int_equal(read_hosts(source, hosts, &item), SOURCE_BAD);
        assert_string_equal(hosts, "");
        assert_true(item.ends);
        assert_int_equal(item.exit_code, EX_DATAERR);
        assert_non_null(strstr(item.error, "give it the same input, or start a new run"));
        assert_int_equal(progress_of(source).position, recorded.position);
        source_destroy(&source);
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_list_folder, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_gives_each_distinct_host_once_in_order),
        TEST(json_lines_are_read_too),
        TEST(an_empty_file_is_an_error_unless_it_may_be),
        TEST(a_bad_line_is_named_with_its_mend),
        TEST(json_is_read_strictly),
        TEST(of_many_bad_lines_ten_are_listed),
        TEST(a_bad_line_that_is_skipped_is_said_and_counted),
        TEST(a_line_too_long_is_a_bad_line),
        TEST(a_file_goes_on_from_its_position),
        TEST(a_file_that_changes_while_it_is_read_is_said),
        TEST(what_is_no_file_is_refused),
        TEST(a_stream_never_waits_and_keeps_half_a_line),
        TEST(a_stream_without_its_mark_was_cut_off),
        TEST(a_bad_line_ends_a_stream_after_what_it_gave),
        TEST(a_stream_without_line_ends_keeps_nothing_and_returns),
        TEST(a_resumed_stream_must_be_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
