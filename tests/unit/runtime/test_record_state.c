// Tests of common/runtime/record_state.h: what a record holds back, as entries.

#include "record_state.h"
#include "old_record.h"
#include "temp_database.h"

#include <inttypes.h>
#include <sysexits.h>

#define NOW INT64_C(1796050000000)
#define RUN 7

static char told[4096];

static int new_record(void **state)
{
    (void)state;
    make_database_folder("mayhem.db");
    *told = '\0';
    return 0;
}

// The file, as the saver makes it, and these rows.
static void write_rows(const char *rows)
{
    execute(RECORD_SCHEMA);
    execute("PRAGMA user_version = 4");
    execute(rows);
}

// "deny web-7", "ended web-1/web restarted #3", "ended web-9/ casualty": each with a ';' behind.
static void tell(void *arg, const mm_entry_t *entry)
{
    size_t size = strlen(told);
    const char *outcome = mm_outcome_name(entry->outcome);
    assert_null(arg);
    size +=
        (size_t)snprintf(told + size, sizeof told - size, "%s %.*s", mm_action_name(entry->action),
                         (int)entry->name.size, entry->name.data ? entry->name.data : "");
    if (entry->action == MM_ACTION_BEGUN || entry->action == MM_ACTION_ENDED)
        size += (size_t)snprintf(told + size, sizeof told - size, "/%.*s", (int)entry->groups.size,
                                 entry->groups.data ? entry->groups.data : "");
    if (entry->is_casualty)
        size += (size_t)snprintf(told + size, sizeof told - size, " casualty");
    if (entry->outcome != MM_OUTCOME_NONE)
        size += (size_t)snprintf(told + size, sizeof told - size, " %s", outcome);
    if (entry->seq > 0)
        size += (size_t)snprintf(told + size, sizeof told - size, " #%" PRIu64, entry->seq);
    (void)snprintf(told + size, sizeof told - size, "; ");
}

static void tells(uint64_t run, const char *expected)
{
    char error[MM_ERROR_MAX] = "";
    *told = '\0';
    assert_int_equal(mm_record_state_read(path, run, NOW, tell, NULL, error), 0);
    assert_string_equal(told, expected);
}

#define HOLD  "INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor) VALUES "
#define PLACE "INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES "
#define AUDIT                                                                                      \
    "INSERT INTO audit (time_ms, actor, action, run, host, grp, reason, ids, outcome, casualty,"   \
    " hash) VALUES "

static void holds_come_first_then_places_then_outcomes_of_the_run(void **state)
{
    (void)state;
    write_rows(HOLD "('deny', 'web-7', 0, 0, 1, '', ''), ('halt', '', 0, 0, 1, '', '');" PLACE
                    "('web-1', 'web', 1, 1, x'00', 1), ('web-2', 'web,eu', 0, 1, x'00', 1);" AUDIT
                    "(1, '', 'ended', 7, 'web-3', 'web', '', '', 'restarted', 0, x'00'),"
                    "(1, '', 'ended', 8, 'web-4', 'web', '', '', 'dead', 0, x'00'),"
                    "(1, '', 'resume', 7, NULL, 'web', '', '', NULL, NULL, x'00'),"
                    "(1, '', 'ended', 7, 'web-5', NULL, '', '', 'dead', 1, x'00')");
    tells(RUN, "deny web-7; halt ; begun web-1/web casualty; ended web-1/web casualty; "
               "ended web-2/web,eu casualty; ended web-3/web restarted #1; resume web #3; "
               "ended web-5/ casualty dead #4; ");
    tells(0, "deny web-7; halt ; begun web-1/web casualty; ended web-1/web casualty; "
             "ended web-2/web,eu casualty; ");
}

static void what_has_ended_or_is_unknown_is_left_out(void **state)
{
    (void)state;
    write_rows(HOLD "('deny', 'web-7', 0, 1796050000000, 1, '', ''),"
                    "('deny', 'web-8', 0, 1796050000001, 1, '', ''),"
                    "('levitate', 'web-9', 0, 0, 1, '', '')");
    tells(RUN, "deny web-8; ");
}

static void breakers_of_other_runs_are_left_out(void **state)
{
    (void)state;
    write_rows(HOLD "('trip', 'db', 8, 0, 1, '', ''), ('trip', 'web', 7, 0, 1, '', '')");
    tells(RUN, "trip web; ");
    tells(8, "trip db; ");
    tells(0, "");
}

static void texts_are_cut_to_what_the_wire_takes(void **state)
{
    (void)state;
    write_rows("INSERT INTO places (host, groups, open, casualty, job, since_ms)"
               " VALUES (replace(hex(zeroblob(500)), '0', 'x'), 'web', 0, 1, x'00', -5)");
    char error[MM_ERROR_MAX] = "";
    assert_int_equal(mm_record_state_read(path, RUN, NOW, tell, NULL, error), 0);
    assert_int_equal(strlen(told), strlen("ended /web casualty; ") + MM_HOST_MAX);
}

static void without_a_record_or_with_an_older_one_there_is_nothing(void **state)
{
    (void)state;
    tells(RUN, "");
    execute(OLD_RECORD_1);
    tells(RUN, "");
}

static void what_cannot_be_read_is_said(void **state)
{
    (void)state;
    char error[MM_ERROR_MAX] = "";
    execute(RECORD_SCHEMA "; PRAGMA user_version = 99");
    assert_int_equal(mm_record_state_read(path, RUN, NOW, tell, NULL, error), EX_CONFIG);
    assert_string_not_equal(error, "");
    execute("PRAGMA user_version = 4; DROP TABLE places");
    assert_int_equal(mm_record_state_read(path, RUN, NOW, tell, NULL, error), EX_DATAERR);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_record, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(holds_come_first_then_places_then_outcomes_of_the_run),
        TEST(what_has_ended_or_is_unknown_is_left_out),
        TEST(breakers_of_other_runs_are_left_out),
        TEST(texts_are_cut_to_what_the_wire_takes),
        TEST(without_a_record_or_with_an_older_one_there_is_nothing),
        TEST(what_cannot_be_read_is_said),
    };
    return cmocka_run_group_tests_name("record_state", tests, NULL, NULL);
}
