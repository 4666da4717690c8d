// What `mayhem explain` tells of attempts at real restarts, from a record that the saver's store
// has written, or one of version 1.

#include "conclusion.h"
#include "explain_out.h"
#include "old_record.h"
#include "records.h"
#include "store_play.h"

#include <jansson.h>
#include <sysexits.h>

static records_t records;
static char *told;

static void forget(void)
{
    records_clear(&records);
    free(told);
    told = NULL;
}

static int end_story(void **state)
{
    forget();
    return remove_temp_folder(state);
}

// Explains the host of all tasks, as text or JSON.
static void explain(bool is_json)
{
    records_query_t what = {.dir = folder, .db = path, .host = "web-7.example.net"};
    char error[MM_ERROR_MAX];
    if (records_read(&what, &records, error) != 0)
        fail_msg("%s", error);
    timeline_t timeline;
    timeline_begin(&timeline, records.asked);
    timeline_end(&timeline);
    size_t size;
    FILE *file = open_memstream(&told, &size);
    assert_non_null(file);
    explain_t all = {.records = &records, .timeline = &timeline};
    assert_true(is_json ? explain_out_json(file, &all) : explain_out_text(file, &all));
    (void)fclose(file);
    timeline_clear(&timeline);
}

static void tells(const char *words)
{
    if (!strstr(told, words))
        fail_msg("'%s' is not in:\n%s", words, told);
}

static mm_id_t id_with(uint8_t byte)
{
    mm_id_t id;
    memset(id.bytes, byte, sizeof id.bytes);
    return id;
}

static void put_attempt(store_t *store, uint32_t attempt, mm_attempt_row_t row, mm_end_t end,
                        uint32_t exit_code, const char *words)
{
    mm_task_t task = store_task(MM_LEG_SAVE, 1, attempt);
    task.real = &(mm_real_t){.row = row,
                             .attempt = attempt,
                             .command = 1,
                             .machine = id_with(0x11),
                             .boot = id_with(0x22),
                             .worker = mm_str("restarter-2"),
                             .end = end,
                             .exit = exit_code,
                             .words = mm_str(words)};
    store_put(store, &task);
}

static void put_end(store_t *store, mm_outcome_t outcome, mm_end_t end, mm_proof_t proof,
                    const char *error)
{
    mm_task_t task = store_task(MM_LEG_SETTLE, 1, 99);
    task.outcome = outcome;
    task.attempts = 2;
    task.worker = mm_str("restarter-1");
    task.error = mm_str(error);
    task.real = &(mm_real_t){.row = MM_ROW_ENDED,
                             .attempt = 2,
                             .command = 2,
                             .machine = id_with(0x11),
                             .boot = id_with(0x22),
                             .boot_after = id_with(proof == MM_PROOF_NONE ? 0 : 0x33),
                             .worker = task.worker,
                             .end = end,
                             .exit = MM_EXIT_NONE,
                             .proof = proof};
    store_put(store, &task);
}

static void a_proven_restart_shows_each_attempt(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_attempt(store, 1, MM_ROW_BEGUN, MM_END_NONE, MM_EXIT_NONE, "");
    put_attempt(store, 1, MM_ROW_OPEN, MM_END_EXIT, 255, "Connection closed\x1b");
    put_attempt(store, 1, MM_ROW_ENDED, MM_END_SAME_BOOT, MM_EXIT_NONE, "");
    put_attempt(store, 2, MM_ROW_BEGUN, MM_END_NONE, MM_EXIT_NONE, "");
    put_end(store, MM_OUTCOME_RESTARTED, MM_END_RESTARTED, MM_PROOF_PROVEN, "");
    assert_true(store_close(&store));
    explain(false);
    tells("web-7.example.net: restarted (proven) at the 2nd attempt by restarter-1 after ");
    tells("  settled     as restarted (proven), ");
    tells("\nattempts on record:\n"
          "   1  restarter-2  same-boot (exit 255): Connection closed\\x1b\n"
          "      began ");
    tells("      machine 11111111111111111111111111111111, boot 22222222-2222-2222-2222-"
          "222222222222\n"
          "   2  restarter-1  restarted, proven\n"
          "      began ");
    tells("; with command 2 of its list\n");
    tells(", boot 22222222-2222-2222-2222-222222222222, then "
          "33333333-3333-3333-3333-333333333333\n");
}

static void the_same_is_told_as_json(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_attempt(store, 1, MM_ROW_ENDED, MM_END_EXIT, 1, "sudo: a password is required");
    put_end(store, MM_OUTCOME_RESTARTED, MM_END_RESTARTED, MM_PROOF_VERIFIED, "");
    assert_true(store_close(&store));
    explain(true);
    json_t *object = json_loads(told, 0, NULL), *attempts = json_object_get(object, "recorded");
    assert_string_equal(json_string_value(json_object_get(object, "proof")), "verified");
    assert_int_equal(json_array_size(attempts), 2);
    json_t *first = json_array_get(attempts, 0), *last = json_array_get(attempts, 1);
    const char *state_word, *worker, *machine, *before, *outcome, *error;
    json_int_t number, began_ms, ended_ms, exit_code, command;
    assert_int_equal(
        json_unpack(first, "{s:I,s:s,s:s,s:I,s:I,s:s,s:s,s:n,s:I,s:s,s:s,s:n,s:I,s:n,s:n}",
                    "attempt", &number, "state", &state_word, "worker", &worker, "began_ms",
                    &began_ms, "ended_ms", &ended_ms, "machine_id", &machine, "boot_before",
                    &before, "boot_after", "exit", &exit_code, "outcome", &outcome, "error", &error,
                    "proof", "command", &command, "command_end", "health"),
        0);
    assert_int_equal(number, 1);
    assert_int_equal(exit_code, 1);
    assert_string_equal(state_word, "ended");
    assert_string_equal(worker, "restarter-2");
    assert_string_equal(machine, "11111111111111111111111111111111");
    assert_string_equal(before, "22222222-2222-2222-2222-222222222222");
    assert_string_equal(outcome, "exit");
    assert_string_equal(error, "sudo: a password is required");
    assert_true(json_is_null(json_object_get(last, "exit")));
    assert_string_equal(json_string_value(json_object_get(last, "proof")), "verified");
    assert_string_equal(json_string_value(json_object_get(last, "boot_after")),
                        "33333333-3333-3333-3333-333333333333");
    json_decref(object);
}

static void a_dead_host_shows_how_it_ended(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_end(store, MM_OUTCOME_DEAD, MM_END_UNHEALTHY, MM_PROOF_NONE, "degraded: 2 units failed");
    assert_true(store_close(&store));
    explain(false);
    tells("web-7.example.net: dead after 2 attempts and ");
    tells(": unhealthy: degraded: 2 units failed\n");
    tells("   2  restarter-1  unhealthy\n");
}

static void an_interrupted_attempt_counts_as_one(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_attempt(store, 1, MM_ROW_ENDED, MM_END_INTERRUPTED, MM_EXIT_NONE, "");
    mm_task_t task = store_task(MM_LEG_SETTLE, 1, 99);
    task.outcome = MM_OUTCOME_DEAD;
    task.attempts = 1; // that have ended
    task.real = &(mm_real_t){.row = MM_ROW_ENDED, .attempt = 2, .end = MM_END_EXIT, .exit = 4};
    store_put(store, &task);
    assert_true(store_close(&store));
    explain(false);
    tells("web-7.example.net: dead after 2 attempts (1 interrupted) and ");
}

static void a_word_that_the_error_has_is_not_said_twice(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_end(store, MM_OUTCOME_DEAD, MM_END_SAME_BOOT, MM_PROOF_NONE, "same-boot");
    assert_true(store_close(&store));
    explain(false);
    tells(": same-boot\n\n");
    assert_null(strstr(told, "same-boot: same-boot"));
}

static void a_job_in_mid_boot_is_open(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_attempt(store, 1, MM_ROW_BEGUN, MM_END_NONE, MM_EXIT_NONE, "");
    put_attempt(store, 1, MM_ROW_OPEN, MM_END_SIGNAL, 256 + 9, "");
    assert_true(store_close(&store));
    explain(false);
    tells("   1  restarter-2  open: its command has ended (signal 9), not proven yet\n");
    tells("web-7.example.net: not settled, and no longer in the outbox: nobody works on it\n");
}

static void what_has_begun_or_was_not_started_is_said_so(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_attempt(store, 1, MM_ROW_NOT_STARTED, MM_END_NOT_STARTED, MM_EXIT_NONE, "");
    put_attempt(store, 2, MM_ROW_BEGUN, MM_END_NONE, MM_EXIT_NONE, "");
    assert_true(store_close(&store));
    explain(false);
    tells("   1  restarter-2  not started: no command was sent\n      machine ");
    tells("   2  restarter-2  begun, and no end is on record: its command may have been sent\n");
}

static void a_probe_that_nobody_answered_is_an_attempt(void **state)
{
    (void)state;
    store_t *store = open_store();
    mm_task_t task = store_task(MM_LEG_SAVE, 1, 11);
    task.real = &(mm_real_t){.row = MM_ROW_ENDED,
                             .attempt = 1,
                             .worker = mm_str("restarter-2"),
                             .end = MM_END_UNREACHABLE,
                             .exit = MM_EXIT_NONE};
    store_put(store, &task);
    assert_true(store_close(&store));
    explain(false);
    tells("   1  restarter-2  unreachable, no command was sent\n      ended 20");
}

static void a_pending_job_says_how_far_its_attempt_is(void **state)
{
    (void)state;
    recorded_t attempt = {.number = 2, .state = "open", .exit = -1};
    record_t record = {.host = "web-7",
                       .is_pending = true,
                       .is_recorded = true,
                       .recorded = &attempt,
                       .recorded_count = 1};
    timeline_t timeline;
    timeline_begin(&timeline, &record);
    timeline_end(&timeline);
    size_t size;
    FILE *file = open_memstream(&told, &size);
    conclusion_print(&timeline, file);
    (void)fclose(file);
    timeline_clear(&timeline);
    assert_string_equal(told, "pending: received, not settled; attempt 2: open: its command has "
                              "ended, not proven yet");
}

static void the_mock_is_told_as_a_rehearsal(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_settle(store, 1, 11, MM_OUTCOME_RESTARTED);
    assert_true(store_close(&store));
    explain(false);
    tells("web-7.example.net: restarted at the 3rd attempt by restarter-2 after ");
    tells("  settled     as restarted (rehearsed), ");
    assert_null(strstr(told, "attempts on record"));
}

static void withdrawn_and_skipped_jobs_are_not_called_restarted(void **state)
{
    (void)state;
    store_t *store = open_store();
    mm_task_t task = store_task(MM_LEG_SETTLE, 1, 11);
    task.outcome = MM_OUTCOME_WITHDRAWN;
    store_put(store, &task);
    assert_true(store_close(&store));
    explain(false);
    tells("web-7.example.net: withdrawn after ");
    tells("mayhem.db           settled as withdrawn");
    assert_null(strstr(told, "restarted"));
}

static void a_record_of_version_1_is_read_as_it_is(void **state)
{
    (void)state;
    execute(OLD_RECORD_1
            "INSERT INTO jobs VALUES (zeroblob(16), 'web-7.example.net', 'web-7', 'p', 1000, 2000,"
            " 'restarted', 1, 1, 0, 'r1', NULL)");
    explain(false);
    tells("web-7.example.net: restarted at the 1st attempt by r1 after ");
    tells("  settled     as restarted, ");
    assert_string_equal(query("PRAGMA user_version"), "1;");
    execute("PRAGMA user_version = 9");
    records_query_t what = {.dir = folder, .db = path, .host = "web-7.example.net"};
    records_t none;
    assert_int_equal(records_read(&what, &none, open_error), EX_CONFIG);
    assert_non_null(strstr(open_error, "has version 9, but this program"));
}

static void a_record_of_version_3_reads_the_same_when_it_is_upgraded(void **state)
{
    (void)state;
    store_t *store = open_store();
    put_attempt(store, 1, MM_ROW_BEGUN, MM_END_NONE, MM_EXIT_NONE, "");
    put_attempt(store, 1, MM_ROW_ENDED, MM_END_TIMEOUT, 256 + 9, "no answer");
    put_attempt(store, 2, MM_ROW_BEGUN, MM_END_NONE, MM_EXIT_NONE, "");
    put_end(store, MM_OUTCOME_RESTARTED, MM_END_RESTARTED, MM_PROOF_PROVEN, "");
    for (unsigned job = 2; job < 5; job++)
        put_settle(store, job, job, (mm_outcome_t)(job - 1));
    put_save(store, 5, 5);
    assert_true(store_close(&store));
    // As version 3 would have written it.
    execute("CREATE TABLE old_jobs AS SELECT * FROM jobs;"
            "DROP VIEW jobs; DROP TABLE job_rows; DROP TABLE odd_jobs; DROP TABLE job_names;"
            "CREATE TABLE jobs (id BLOB PRIMARY KEY, host TEXT NOT NULL, instance TEXT NOT NULL,"
            " publisher TEXT NOT NULL, received_ms INTEGER NOT NULL, settled_ms INTEGER,"
            " outcome TEXT, attempts INTEGER NOT NULL DEFAULT 0,"
            " deliveries INTEGER NOT NULL DEFAULT 1, extended INTEGER NOT NULL DEFAULT 0,"
            " worker TEXT, error TEXT, proof TEXT) WITHOUT ROWID;"
            "INSERT INTO jobs SELECT * FROM old_jobs; DROP TABLE old_jobs;"
            "PRAGMA user_version = 3");
    explain(false);
    char *text = strdup(told);
    forget();
    explain(true);
    char *json = strdup(told);
    forget();
    store = open_store();
    assert_true(store_close(&store));
    assert_string_equal(query("PRAGMA user_version"), "4;");
    explain(false);
    assert_string_equal(told, text);
    tells("restarter-2");
    forget();
    explain(true);
    assert_string_equal(told, json);
    free(text);
    free(json);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_store_folder, end_story)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_proven_restart_shows_each_attempt),
        TEST(the_same_is_told_as_json),
        TEST(a_dead_host_shows_how_it_ended),
        TEST(an_interrupted_attempt_counts_as_one),
        TEST(a_word_that_the_error_has_is_not_said_twice),
        TEST(a_job_in_mid_boot_is_open),
        TEST(what_has_begun_or_was_not_started_is_said_so),
        TEST(a_probe_that_nobody_answered_is_an_attempt),
        TEST(a_pending_job_says_how_far_its_attempt_is),
        TEST(the_mock_is_told_as_a_rehearsal),
        TEST(withdrawn_and_skipped_jobs_are_not_called_restarted),
        TEST(a_record_of_version_3_reads_the_same_when_it_is_upgraded),
        TEST(a_record_of_version_1_is_read_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
