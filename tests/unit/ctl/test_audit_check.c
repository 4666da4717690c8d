// What `mayhem audit verify` says of a record that somebody has tampered with, beside the heads
// that the log has of it.

#include "audit_check.h"
#include "old_record.h"
#include "order_play.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define ROWS 6

static logged_heads_t heads;
static char found[1024];

static void write_rows(store_t *store, uint8_t first, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++)
        assert_string_equal(give(store, order_of((uint8_t)(first + i), MM_ACTION_HALT, "")), "");
}

// The log has the head of now.
static void log_head(store_t *store)
{
    static logged_head_t items[8];
    mm_audit_head_t head = store_head(store);
    heads.items = items;
    logged_head_t *item = &items[heads.count++];
    *item = (logged_head_t){.seq = (int64_t)head.seq, .time_ms = 1, .file = "log/saver.log"};
    memcpy(item->hash, head.hash, sizeof item->hash);
}

// Six rows; the log has the heads 3 and 6.
static int make_record(void **state)
{
    (void)make_store_folder(state);
    heads.count = 0;
    store_t *store = open_store();
    write_rows(store, 1, 3);
    log_head(store);
    write_rows(store, 4, 3);
    log_head(store);
    assert_true(store_close(&store));
    return 0;
}

static bool check_one(void *arg, const mm_rows_t *row)
{
    audit_check_row(arg, row);
    return true;
}

// "intact to 5; changed 6; missing 7-9 (log); replaced 3; agreed 1 of 2"
static const char *verify(void)
{
    mm_reader_t *record = NULL;
    static audit_check_t check;
    check = (audit_check_t){.heads = &heads};
    assert_int_equal(audit_table_open(path, &record, open_error), 0);
    assert_int_equal(audit_table_each(record, INT64_MIN, false, check_one, &check, open_error), 0);
    audit_check_end(&check);
    mm_reader_close(&record);
    size_t size = (size_t)snprintf(found, sizeof found, "intact to %" PRId64, check.intact_to);
    for (size_t i = 0; i < check.changed_count; i++)
        size += (size_t)snprintf(found + size, sizeof found - size, "; changed %" PRId64,
                                 check.changed[i]);
    for (size_t i = 0; i < check.missing_count; i++)
        size += (size_t)snprintf(found + size, sizeof found - size,
                                 "; missing %" PRId64 "-%" PRId64 "%s", check.missing[i].from,
                                 check.missing[i].to, check.missing[i].head ? " (log)" : "");
    for (size_t i = 0; i < check.replaced_count; i++)
        size += (size_t)snprintf(found + size, sizeof found - size, "; replaced %" PRId64,
                                 check.replaced[i]->seq);
    (void)snprintf(found + size, sizeof found - size, "; agreed %zu of %zu", check.agreed,
                   heads.count);
    assert_int_equal(check.is_broken,
                     check.changed_count + check.missing_count + check.replaced_count > 0);
    return found;
}

static void what_was_written_is_intact(void **state)
{
    (void)state;
    assert_string_equal(verify(), "intact to 6; agreed 2 of 2");
    store_t *store = open_store(); // rows that no head covers yet
    write_rows(store, 7, 1);
    assert_true(store_close(&store));
    assert_string_equal(verify(), "intact to 7; agreed 2 of 2");
    heads.count = 0;
    assert_string_equal(verify(), "intact to 7; agreed 0 of 0");
}

// One that no saver has worked on since this release.
static void the_audit_of_version_3_is_read_as_it_is(void **state)
{
    (void)state;
    assert_int_equal(unlink(path), 0);
    execute(OLD_RECORD_3 OLD_JOBS);
    heads.count = 0;
    assert_string_equal(verify(), "intact to 0; agreed 0 of 0");
    store_t *store = open_store();
    write_rows(store, 1, 3);
    log_head(store);
    assert_true(store_close(&store));
    assert_string_equal(verify(), "intact to 3; agreed 1 of 1");
    execute("DROP VIEW jobs; PRAGMA user_version = 3");
    assert_string_equal(verify(), "intact to 3; agreed 1 of 1");
}

static void an_audit_without_rows_is_intact(void **state)
{
    (void)state;
    execute("DELETE FROM audit");
    heads.count = 0;
    assert_string_equal(verify(), "intact to 0; agreed 0 of 0");
}

// In each column.
static void one_byte_changed_is_named(void **state)
{
    (void)state;
    static const char *const changes[] = {"time_ms = time_ms + 1",
                                          "actor = 'rool'",
                                          "action = 'hall'",
                                          "job = x'00'",
                                          "order_id = zeroblob(16)",
                                          "run = 8",
                                          "host = ''",
                                          "grp = 'a'",
                                          "reason = 'a bad kernek'",
                                          "ids = ' '",
                                          "outcome = 'dead'",
                                          "proof = ''",
                                          "casualty = 0",
                                          "until_ms = 0",
                                          "run = '7x'"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char sql[200];
        execute("CREATE TABLE kept AS SELECT * FROM audit");
        (void)snprintf(sql, sizeof sql, "UPDATE audit SET %s WHERE seq = 4", changes[i]);
        execute(sql);
        assert_string_equal(verify(), "intact to 3; changed 4; agreed 2 of 2");
        execute("DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept");
    }
    assert_string_equal(verify(), "intact to 6; agreed 2 of 2");
}

// The next row's hash is not that of this one any more.
static void a_changed_hash_is_named(void **state)
{
    (void)state;
    execute("UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 1) WHERE seq = 4");
    assert_string_equal(verify(), "intact to 3; changed 4; changed 5; agreed 2 of 2");
    execute("UPDATE audit SET hash = 'x' WHERE seq = 4");
    assert_string_equal(verify(), "intact to 3; changed 4; changed 5; agreed 2 of 2");
}

static void rows_that_were_taken_out_are_missing(void **state)
{
    (void)state;
    execute("DELETE FROM audit WHERE seq IN (4, 5)");
    assert_string_equal(verify(), "intact to 3; missing 4-5; agreed 2 of 2");
    execute("DELETE FROM audit WHERE seq = 1");
    assert_string_equal(verify(), "intact to 0; missing 1-1; missing 4-5; agreed 2 of 2");
}

// Whoever closes the gap by new numbers has to make all hashes anew, and the log knows the old
// ones.
static void rows_with_other_numbers_are_changed(void **state)
{
    (void)state;
    execute("DELETE FROM audit WHERE seq = 4; UPDATE audit SET seq = seq - 1 WHERE seq > 4");
    assert_string_equal(verify(), "intact to 3; changed 4; changed 5; missing 6-6 (log);"
                                  " agreed 1 of 2");
    execute("UPDATE audit SET seq = -4 WHERE seq = 4");
    assert_string_equal(verify(), "intact to 0; changed -4; missing 4-4; missing 6-6 (log);"
                                  " agreed 1 of 2");
}

static void a_tail_that_was_cut_off_is_missing_by_the_log(void **state)
{
    (void)state;
    execute("DELETE FROM audit WHERE seq > 4");
    assert_string_equal(verify(), "intact to 4; missing 5-6 (log); agreed 1 of 2");
    execute("DELETE FROM audit");
    assert_string_equal(verify(), "intact to 0; missing 1-6 (log); agreed 0 of 2");
}

// A saver goes on behind the cut: the chain is sound in itself.
static void a_tail_that_was_cut_off_and_went_on_is_replaced(void **state)
{
    (void)state;
    execute("DELETE FROM audit WHERE seq > 4");
    store_t *store = open_store();
    write_rows(store, 21, 4);
    assert_true(store_close(&store));
    assert_string_equal(verify(), "intact to 3; replaced 6; agreed 1 of 2");
}

static void the_table_of_another_record_is_replaced(void **state)
{
    (void)state;
    char other[TEMP_PATH_MAX];
    temp_path(other, "first.db");
    assert_int_equal(rename(path, other), 0);
    store_t *store = open_store();
    write_rows(store, 21, 9);
    assert_true(store_close(&store));
    assert_string_equal(verify(), "intact to 0; replaced 3; replaced 6; agreed 0 of 2");
}

static void a_row_between_two_others_is_named(void **state)
{
    (void)state;
    execute("DELETE FROM audit WHERE seq = 5;"
            "INSERT INTO audit (seq, time_ms, actor, action, run, reason, ids, hash)"
            " SELECT 5, 1, 'x', 'resume', 7, '', '', hash FROM audit WHERE seq = 4");
    assert_string_equal(verify(), "intact to 4; changed 5; changed 6; agreed 2 of 2");
}

// The machine goes down in mid-write: what a torn log of SQLite holds was never committed.
static void write_more(store_t *store)
{
    write_rows(store, 7, 3);
}

static void a_last_row_torn_by_a_kill_was_never_written(void **state)
{
    (void)state;
    char wal[TEMP_PATH_MAX + 4];
    struct stat status;
    kill_after(write_more);
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(stat(wal, &status), 0);
    assert_true(status.st_size > 100);
    assert_int_equal(truncate(wal, status.st_size - 100), 0); // the last frame is torn
    const char *said = verify();
    assert_string_equal(said, "intact to 8; agreed 2 of 2");
    store_t *store = open_store(); // and a saver goes on behind it
    assert_int_equal(store_head(store).seq, 8);
    write_rows(store, 9, 1);
    assert_true(store_close(&store));
    assert_string_equal(verify(), "intact to 9; agreed 2 of 2");
}

// ---- the logs

static void write_log(const char *name, const char *lines)
{
    char file[TEMP_PATH_MAX];
    temp_path(file, "log");
    (void)mkdir(file, 0700);
    temp_path(file, name);
    FILE *log = fopen(file, "w");
    assert_non_null(log);
    (void)fputs(lines, log);
    assert_int_equal(fclose(log), 0);
}

#define HASH "e1c0c854fc76112138fbd8d9963e8cd3ff354152a37cf5bc23fbdb280fd24d72"

static void heads_are_read_from_the_logs_of_savers(void **state)
{
    (void)state;
    logged_heads_t read;
    assert_true(logged_heads_read(folder, &read, open_error));
    assert_int_equal(read.count, 0);
    write_log("log/saver.log",
              "2026-11-22T11:22:05.790Z INFO saver[7] The head of the audit seq=12 hash=" HASH "\n"
              "2026-11-22T11:21:05.790Z INFO saver[7] The head of the audit seq=3 hash=" HASH "\n"
              "2026-11-22T11:23:05.790Z INFO saver[7] Saved said=\"The head of the audit seq=99\"\n"
              "2026-11-22T11:23:05.790Z INFO saver[7] The head of the audit seq=0 hash=" HASH "\n"
              "2026-11-22T11:23:05.790Z INFO saver[7] The head of the audit seq=98 hash=e1c0\n"
              "2026-11-22T11:23:05.790Z INFO saver[7] The head of the audit seq=97 ha");
    write_log("log/saver-2.log",
              "{\"ts\":\"2026-11-22T11:24:05.790Z\",\"level\":\"INFO\",\"process\":\"saver-2\","
              "\"pid\":8,\"message\":\"The head of the audit\",\"seq\":20,\"hash\":\"" HASH
              "\"}\n");
    write_log("log/restarter-1.log",
              "2026-11-22T11:22:05.790Z INFO saver[7] The head of the audit seq=50 hash=" HASH
              "\n");
    assert_true(logged_heads_read(folder, &read, open_error));
    assert_int_equal(read.count, 3);
    assert_int_equal(read.items[0].seq, 3);
    assert_int_equal(read.items[1].seq, 12);
    assert_int_equal(read.items[2].seq, 20);
    assert_string_equal(read.items[0].file, "log/saver.log");
    assert_string_equal(read.items[2].file, "log/saver-2.log");
    assert_int_equal(read.items[0].hash[0], 0xe1);
    assert_true(read.items[0].time_ms > 1600000000000);
    logged_heads_clear(&read);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_record, remove_temp_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_intact),
        TEST(the_audit_of_version_3_is_read_as_it_is),
        TEST(an_audit_without_rows_is_intact),
        TEST(one_byte_changed_is_named),
        TEST(a_changed_hash_is_named),
        TEST(rows_that_were_taken_out_are_missing),
        TEST(rows_with_other_numbers_are_changed),
        TEST(a_tail_that_was_cut_off_is_missing_by_the_log),
        TEST(a_tail_that_was_cut_off_and_went_on_is_replaced),
        TEST(the_table_of_another_record_is_replaced),
        TEST(a_row_between_two_others_is_named),
        TEST(a_last_row_torn_by_a_kill_was_never_written),
        TEST(heads_are_read_from_the_logs_of_savers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
