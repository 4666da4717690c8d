// Tests of ctl/held/held_record.h and ctl/held/attention.h: what a record holds back, as people are
// told.

#include "attention.h"
#include "held_print.h"
#include "old_record.h"
#include "temp_database.h"

#include <sysexits.h>

#define NOW INT64_C(1796050000000)

static mm_held_record_t held;
static snapshot_t snapshot;
static char *text;

static int new_record(void **state)
{
    (void)state;
    make_database_folder("mayhem.db");
    snapshot = (snapshot_t){0};
    return 0;
}

static int end_record(void **state)
{
    free(text);
    text = NULL;
    mm_held_record_clear(&held);
    return remove_temp_folder(state);
}

// The file, as the saver makes it, and these rows.
static void write_rows(const char *rows)
{
    execute(RECORD_SCHEMA);
    execute("PRAGMA user_version = 4");
    execute(rows);
}

static void read_record(void)
{
    char error[MM_ERROR_MAX] = "";
    int code = mm_held_record_read(path, NOW, HELD_MAX, &held, error);
    assert_string_equal(error, "");
    assert_int_equal(code, 0);
}

static void print(bool with_stops, const char *options)
{
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    held_print(&held, with_stops, options, file);
    assert_int_equal(fclose(file), 0);
}

#define HOLD  "INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor) VALUES "
#define PLACE "INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES "

#define ALL                                                                                        \
    HOLD "('halt', '', 0, 0, 1796040000000, 'bad kernel', 'ann (uid 1000, pid 4711)'),"            \
         "('trip', 'web', 7, 0, 1796040000000, '3 of 10 dead', 'consumer'),"                       \
         "('deny', 'web-7', 0, 0, 1796040000000, 'fan', 'bob (uid 1001, pid 1)'),"                 \
         "('deny', 'web-8', 0, 1796049999999, 1796040000000, 'is over', 'bob');" PLACE             \
         "('web-9', 'web,eu', 0, 1, x'00', 1796040000000),"                                        \
         "('web-1', 'web', 1, 0, x'01', 1796040000000)"

static void what_is_in_force_has_the_command_that_ends_it(void **state)
{
    (void)state;
    write_rows(ALL);
    read_record();
    print(true, " --dir other");
    assert_string_equal(
        text,
        "halted     since 2026-11-30 12:00:00Z by ann (uid 1000, pid 4711): bad kernel; ends by: "
        "mayhem resume --dir other --why TEXT\n"
        "tripped    group web since 2026-11-30 12:00:00Z by consumer: 3 of 10 dead; ends by: "
        "mayhem resume web --dir other --why TEXT\n"
        "denied     web-7 for good since 2026-11-30 12:00:00Z by bob (uid 1001, pid 1): fan; ends "
        "by: mayhem deny web-7 --dir other --until now --why TEXT\n"
        "casualty   web-9 of web,eu since 2026-11-30 12:00:00Z; ends by: mayhem absolve web-9 "
        "--dir other --why TEXT\n"
        "open       web-1 of web since 2026-11-30 12:00:00Z: a restart in progress or without a "
        "known end\n");
    assert_true(mm_held_record_place(&held, "web-9")->is_casualty);
    assert_null(mm_held_record_place(&held, "web-2"));
    assert_null(mm_held_record_find(&held, MM_ACTION_TRIP, ""));
}

static void as_json_it_is_the_rows(void **state)
{
    (void)state;
    write_rows(ALL);
    read_record();
    json_t *json = held_json(&held);
    const json_t *deny = json_array_get(json_object_get(json, "holds"), 2);
    assert_int_equal(json_array_size(json_object_get(json, "holds")), 3);
    assert_string_equal(json_string_value(json_object_get(deny, "kind")), "deny");
    assert_string_equal(json_string_value(json_object_get(deny, "name")), "web-7");
    assert_int_equal(json_array_size(json_object_get(json, "places")), 2);
    json_decref(json);
}

static void without_a_record_nothing_is_held_back(void **state)
{
    (void)state;
    read_record();
    print(true, "");
    assert_string_equal(text, "");
}

static void a_record_of_an_older_release_holds_nothing_back(void **state)
{
    (void)state;
    execute(OLD_RECORD_1);
    read_record();
    assert_int_equal(held.hold_count + held.place_count, 0);
}

static void one_of_a_newer_release_is_said(void **state)
{
    (void)state;
    char error[MM_ERROR_MAX] = "";
    execute(RECORD_SCHEMA "; PRAGMA user_version = 99");
    assert_int_equal(mm_held_record_read(path, NOW, HELD_MAX, &held, error), EX_CONFIG);
    assert_string_not_equal(error, "");
}

static void a_terminal_obeys_no_reason(void **state)
{
    (void)state;
    write_rows(HOLD "('halt', '', 0, 0, 0, 'a' || char(10) || char(27) || '[2Jb' || char(155),"
                    " cast(x'ff41' AS TEXT))");
    read_record();
    print(true, "");
    assert_null(strchr(text, '\x1b'));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    json_t *json = held_json(&held);
    assert_non_null(json);
    json_decref(json);
}

static void many_are_counted(void **state)
{
    (void)state;
    write_rows("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1100)"
               " INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor)"
               " SELECT 'deny', 'web-' || i, 0, 0, 0, '', '' FROM n");
    read_record();
    assert_int_equal(held.hold_count, HELD_MAX);
    assert_int_equal(held.holds_left_out, 100);
    print(false, "");
    assert_non_null(strstr(text, "held back  and 1080 more\n"));
}

// ---- what needs a person

static void on_a_stopped_folder_the_record_says_it(void **state)
{
    (void)state;
    write_rows(ALL);
    read_record();
    attention_find(&snapshot, &held, "");
    assert_int_equal(snapshot.attention_count, 2);
    assert_string_equal(snapshot.attention[0].text,
                        "halted since 2026-11-30 12:00:00Z by ann (uid 1000, pid 4711): bad "
                        "kernel; to go on: mayhem resume --why TEXT");
    assert_string_equal(snapshot.attention[1].text,
                        "the breaker of web has tripped: 3 of 10 dead; to go on: mayhem resume web "
                        "--why TEXT");
}

static void a_consumer_that_answers_knows_better(void **state)
{
    (void)state;
    write_rows(ALL);
    read_record();
    snapshot.has_consumer = true; // it was resumed a moment ago
    attention_find(&snapshot, &held, "");
    assert_int_equal(snapshot.attention_count, 0);
}

static void casualties_that_use_up_a_budget_are_named(void **state)
{
    (void)state;
    snapshot_group_t group = {.name = "web", .budget = 1, .casualties = 1};
    write_rows(ALL);
    read_record();
    snapshot.has_consumer = true;
    snapshot.groups = &group;
    snapshot.group_count = 1;
    attention_find(&snapshot, &held, " --dir other");
    assert_int_equal(snapshot.attention_count, 1);
    assert_string_equal(snapshot.attention[0].text,
                        "1 casualty (web-9) uses up max-unavailable of web; when a host is well "
                        "again: mayhem absolve HOST --dir other --why TEXT");
    group.budget = 2;
    attention_find(&snapshot, &held, "");
    assert_int_equal(snapshot.attention_count, 0);
}

static void a_long_reason_leaves_room_for_the_command(void **state)
{
    (void)state;
    write_rows(HOLD "('halt', '', 0, 0, 0, replace(hex(zeroblob(128)), '0', 'é'), 'ann')");
    read_record();
    attention_find(&snapshot, &held, "");
    const char *sentence = snapshot.attention[0].text;
    const char *end = "; to go on: mayhem resume --why TEXT";
    assert_string_equal(sentence + strlen(sentence) - strlen(end), end);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_record, end_record)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_in_force_has_the_command_that_ends_it),
        TEST(as_json_it_is_the_rows),
        TEST(without_a_record_nothing_is_held_back),
        TEST(a_record_of_an_older_release_holds_nothing_back),
        TEST(one_of_a_newer_release_is_said),
        TEST(a_terminal_obeys_no_reason),
        TEST(many_are_counted),
        TEST(on_a_stopped_folder_the_record_says_it),
        TEST(a_consumer_that_answers_knows_better),
        TEST(casualties_that_use_up_a_budget_are_named),
        TEST(a_long_reason_leaves_room_for_the_command),
    };
    return cmocka_run_group_tests_name("held record", tests, NULL, NULL);
}
