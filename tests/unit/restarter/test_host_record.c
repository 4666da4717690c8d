// What is kept of a host that is restarted for real: the text, what it means, the name of its file.

#include "host_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR = 3600000, NOW = 100 * HOUR };

static const mm_id_t own = {{1}}, other = {{2}};

static host_restart_t restart_of(const mm_id_t *job, int64_t at_ms)
{
    return (host_restart_t){.at_ms = at_ms, .job = *job, .dir = host_dir(mm_str("/srv/run"))};
}

static void assert_text(const host_record_t *record, const char *expected)
{
    char text[HOST_RECORD_MAX];
    size_t size = host_record_print(record, mm_str("web-7"), text);
    assert_int_equal(size, strlen(text));
    assert_string_equal(text, expected);
}

static bool parses(const char *text, host_record_t *ret_record)
{
    return host_record_parse(mm_str(text), ret_record);
}

// ---- the text

static void all_that_is_known_is_written_and_read_back(void **state)
{
    (void)state;
    static const char text[] = "mayhem host 1\nhost web-7\nheld 4711 /srv/my run\n"
                               "restarted 360000000 01000000000000000000000000000000 /srv/run\n"
                               "sent 360000001 02000000000000000000000000000000 /srv/run\n"
                               "left 4712 88123 /srv/my run\nend\n";
    host_dir_t dir = host_dir(mm_str("/srv/my run"));
    host_record_t record = {.held_pid = 4711,
                            .held_dir = dir,
                            .restarted = restart_of(&own, NOW),
                            .sent = restart_of(&other, NOW + 1),
                            .left_pid = 4712,
                            .left_started = 88123,
                            .left_dir = dir};
    host_record_t read;
    assert_text(&record, text);
    assert_true(parses(text, &read));
    assert_text(&read, text);
}

static void a_new_file_and_an_empty_record_say_nothing(void **state)
{
    (void)state;
    host_record_t record = {.held_pid = 5};
    assert_true(parses("", &record));
    assert_int_equal(record.held_pid, 0);
    assert_text(&record, "mayhem host 1\nhost web-7\nend\n");
    assert_true(parses("mayhem host 1\nhost web-7\nend\n", &record));
}

static void what_stands_behind_the_end_is_of_an_older_text(void **state)
{
    (void)state;
    host_record_t record;
    assert_true(parses("mayhem host 1\nend\nleft 1 2 /srv\nend\n", &record));
    assert_int_equal(record.left_pid, 0);
}

static void anything_else_is_no_record(void **state)
{
    (void)state;
    static const char *const texts[] = {"hello\n",
                                        "mayhem host 1",
                                        "mayhem host 1\n",
                                        "mayhem host 2\nend\n",
                                        "mayhem host 1\nend",
                                        "mayhem host 1\nheld x /srv\nend\n",
                                        "mayhem host 1\nheld -1 /srv\nend\n",
                                        "mayhem host 1\nheld 1234567890123456789 /srv\nend\n",
                                        "mayhem host 1\nheld 1\nend\n",
                                        "mayhem host 1\nrestarted 1 0102 /srv\nend\n",
                                        "mayhem host 1\nleft 1 /srv\nend\n",
                                        "mayhem host 1\nnothing of it\nend\n",
                                        "\n"};
    host_record_t record = {.held_pid = 5};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (parses(texts[i], &record))
            fail_msg("%s", texts[i]);
    assert_int_equal(record.held_pid, 5);
}

static void the_longest_folders_fit_into_a_page(void **state)
{
    (void)state;
    char path[3000], text[HOST_RECORD_MAX], host[254];
    memset(path, 'x', sizeof path - 1);
    memset(host, 'h', sizeof host);
    path[sizeof path - 1] = '\0';
    host_dir_t dir = host_dir(mm_str(path));
    assert_int_equal(strlen(dir.text), HOST_RECORD_DIR_MAX);
    host_restart_t restart = {.at_ms = INT64_C(999999999999999999), .job = other, .dir = dir};
    host_record_t record = {.held_pid = INT64_C(999999999999999999),
                            .held_dir = dir,
                            .restarted = restart,
                            .sent = restart,
                            .left_pid = INT64_C(999999999999999999),
                            .left_started = UINT64_C(999999999999999999),
                            .left_dir = dir};
    size_t size = host_record_print(&record, (mm_str_t){host, 253}, text);
    assert_true(host_record_parse((mm_str_t){text, size}, &record));
    assert_string_equal(record.left_dir.text, dir.text);
}

static void a_folder_with_strange_bytes_stays_on_its_line(void **state)
{
    (void)state;
    assert_string_equal(host_dir(mm_str("/srv/a\nend\nb")).text, "/srv/a?end?b");
    assert_string_equal(host_dir(mm_str("/srv/\xff\xc3\xa4")).text, "/srv/???");
    assert_string_equal(host_dir(mm_str("/srv/\xc3\xa4")).text, "/srv/\xc3\xa4");
}

// ---- the cooldown

static void assert_recent(const host_record_t *record, int64_t cooldown_ms,
                          const host_restart_t *expected)
{
    assert_ptr_equal(host_record_recent(record, &own, NOW, cooldown_ms), expected);
}

static void a_restart_counts_until_the_cooldown_is_over(void **state)
{
    (void)state;
    host_record_t record = {.restarted = restart_of(&other, NOW - HOUR + 1)};
    assert_recent(&record, HOUR, &record.restarted);
    record.restarted.at_ms--;
    assert_recent(&record, HOUR, NULL);
    assert_recent(&record, 0, NULL);
    record.restarted.at_ms = NOW + 10 * HOUR; // the clock was set back
    assert_recent(&record, HOUR, &record.restarted);
    assert_recent(&(host_record_t){0}, HOUR, NULL);
}

static void the_restart_of_the_job_itself_does_not_count(void **state)
{
    (void)state;
    host_record_t record = {.restarted = restart_of(&own, NOW - 1)};
    assert_recent(&record, HOUR, NULL);
    record = (host_record_t){.restarted = restart_of(&other, NOW - 2),
                             .sent = restart_of(&own, NOW - 1)};
    assert_recent(&record, HOUR, NULL);
    record.restarted.at_ms = NOW; // another one after it
    assert_recent(&record, HOUR, &record.restarted);
}

static void a_command_without_a_known_end_may_have_been_a_restart(void **state)
{
    (void)state;
    char words[128];
    host_record_t record = {.restarted = restart_of(&other, NOW - 5),
                            .sent = restart_of(&other, NOW - 1)};
    assert_recent(&record, HOUR, &record.sent);
    host_record_words(&record, &record.sent, HOUR, words, sizeof words);
    assert_string_equal(words, "maybe restarted within 1h by /srv/run");
    host_record_words(&record, &record.restarted, HOUR, words, sizeof words);
    assert_string_equal(words, "restarted within 1h by /srv/run");
    host_record_words(&record, &record.restarted, HOUR, words, 30);
    assert_string_equal(words, "restarted within 1h by ...run");
}

// ---- ends

static host_record_t ended(mm_status_t status, mm_end_t end)
{
    host_record_t record = {.restarted = restart_of(&other, NOW - 5)};
    host_restart_t sent = restart_of(&own, NOW - 2), now = restart_of(&own, NOW);
    host_record_send(&record, &sent);
    host_record_end(&record, &now, status, end);
    return record;
}

static void a_success_is_a_restart(void **state)
{
    (void)state;
    host_record_t record = ended(MM_STATUS_OK, MM_END_RESTARTED);
    assert_true(record.restarted.at_ms == NOW);
    assert_true(mm_id_equal(&record.restarted.job, &own));
    assert_int_equal(record.sent.at_ms, 0);
}

static void a_host_in_its_old_boot_was_not_restarted(void **state)
{
    (void)state;
    static const mm_end_t ends[] = {MM_END_SAME_BOOT, MM_END_EXIT};
    for (size_t i = 0; i < 2; i++) {
        host_record_t record = ended(MM_STATUS_FAILED, ends[i]);
        assert_true(record.restarted.at_ms == NOW - 5);
        assert_int_equal(record.sent.at_ms, 0);
    }
}

static void any_other_end_may_have_been_one(void **state)
{
    (void)state;
    static const struct {
        mm_status_t status;
        mm_end_t end;
    } ends[] = {{MM_STATUS_OPEN, MM_END_EXIT},           {MM_STATUS_OPEN, MM_END_STOPPED},
                {MM_STATUS_FAILED, MM_END_TIMEOUT},      {MM_STATUS_FAILED, MM_END_SIGNAL},
                {MM_STATUS_FAILED, MM_END_UNREACHABLE},  {MM_STATUS_FAILED, MM_END_UNHEALTHY},
                {MM_STATUS_FAILED, MM_END_WRONG_HOST},   {MM_STATUS_FAILED, MM_END_UNVERIFIED},
                {MM_STATUS_FAILED, MM_END_LEFT_RUNNING}, {MM_STATUS_RETURNED, MM_END_NOT_STARTED},
                {MM_STATUS_OK, MM_END_NOT_STARTED},      {MM_STATUS_OK, MM_END_SKIPPED}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        host_record_t record = ended(ends[i].status, ends[i].end);
        assert_true(record.sent.at_ms == NOW - 2);
        assert_true(record.restarted.at_ms == NOW - 5);
    }
}

static void the_command_of_another_job_stays_what_it_was(void **state)
{
    (void)state;
    host_record_t record = {.sent = restart_of(&other, NOW - 5)};
    host_restart_t now = restart_of(&own, NOW);
    host_record_end(&record, &now, MM_STATUS_FAILED, MM_END_EXIT);
    assert_true(record.sent.at_ms == NOW - 5);
    host_record_send(&record, &now);
    assert_true(record.sent.at_ms == NOW);
    assert_true(record.restarted.at_ms == NOW - 5);
}

// ---- the file

static void assert_file(const char *host, const char *expected)
{
    char name[HOST_FILE_MAX + 1];
    host_record_file(mm_str(host), name);
    assert_string_equal(name, expected);
}

static void no_host_makes_a_bad_name(void **state)
{
    (void)state;
    assert_file("web-7.example.net", "web-7.example.net");
    assert_file("2001:db8::1", "2001:db8::1");
    assert_file(".", "%2E");
    assert_file("..", "%2E.");
    assert_file("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd");
    assert_file("a b\n%", "a%20b%0A%25");
    assert_file("", "%cbf29ce484222325");
}

static void a_long_name_is_cut_and_stays_one_of_its_own(void **state)
{
    (void)state;
    char one[HOST_FILE_MAX + 1], two[HOST_FILE_MAX + 1], host[254] = "";
    memset(host, 'a', 253);
    host_record_file(mm_str(host), one);
    host[252] = 'b';
    host_record_file(mm_str(host), two);
    assert_true(strlen(one) <= HOST_FILE_MAX);
    assert_string_not_equal(one, two);
    memset(host, '/', 253);
    host_record_file(mm_str(host), one);
    assert_true(strlen(one) <= HOST_FILE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_is_known_is_written_and_read_back),
        cmocka_unit_test(a_new_file_and_an_empty_record_say_nothing),
        cmocka_unit_test(what_stands_behind_the_end_is_of_an_older_text),
        cmocka_unit_test(anything_else_is_no_record),
        cmocka_unit_test(the_longest_folders_fit_into_a_page),
        cmocka_unit_test(a_folder_with_strange_bytes_stays_on_its_line),
        cmocka_unit_test(a_restart_counts_until_the_cooldown_is_over),
        cmocka_unit_test(the_restart_of_the_job_itself_does_not_count),
        cmocka_unit_test(a_command_without_a_known_end_may_have_been_a_restart),
        cmocka_unit_test(a_success_is_a_restart),
        cmocka_unit_test(a_host_in_its_old_boot_was_not_restarted),
        cmocka_unit_test(any_other_end_may_have_been_one),
        cmocka_unit_test(the_command_of_another_job_stays_what_it_was),
        cmocka_unit_test(no_host_makes_a_bad_name),
        cmocka_unit_test(a_long_name_is_cut_and_stays_one_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
