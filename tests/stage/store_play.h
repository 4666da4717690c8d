// A store on a real file for tests of saver/store.h: tasks to put, answers to expect, and what is
// on record, looked up through a connection of its own.

#ifndef STORE_PLAY_H
#define STORE_PLAY_H

#include "store.h"
#include "temp_folder.h"
#include "uuid.h"

#include <sqlite3.h>

static char path[TEMP_PATH_MAX];
static char error[MM_ERROR_MAX];

static inline int make_folder(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "mayhem.db");
    return 0;
}

static inline store_t *open_store(void)
{
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, error), 0);
    return store;
}

static inline mm_id_t id_of(unsigned number)
{
    mm_id_t id = {{0}};
    memcpy(id.bytes + 12, &(uint32_t){__builtin_bswap32(number)}, 4);
    return id;
}

static inline mm_task_t task_of(mm_leg_t leg, unsigned job, uint64_t number)
{
    return (mm_task_t){.number = number,
                       .leg = leg,
                       .id = id_of(job),
                       .host = mm_str("web-7.example.net"),
                       .deliveries = 1,
                       .publisher = mm_str("publisher-1"),
                       .received_ms = 1000};
}

static inline void put_save(store_t *store, unsigned job, uint64_t number)
{
    mm_task_t task = task_of(MM_LEG_SAVE, job, number);
    store_put(store, &task);
}

static inline void put_settle(store_t *store, unsigned job, uint64_t number, mm_outcome_t outcome)
{
    mm_task_t task = task_of(MM_LEG_SETTLE, job, number);
    task.outcome = outcome;
    task.attempts = 3;
    task.extended = 4;
    task.worker = mm_str("restarter-2");
    task.error = outcome == MM_OUTCOME_DEAD ? mm_str("no route") : mm_str("");
    store_put(store, &task);
}

// Flushes, and checks the answers: one (number, status, outcome) each, in this order.
typedef struct {
    uint64_t number;
    mm_status_t status;
    mm_outcome_t outcome;
} expected_t;

static inline void expect_answers(store_t *store, const expected_t *expected, size_t count)
{
    assert_true(store_flush(store));
    const store_answer_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].number, expected[i].number);
        assert_int_equal(answers[i].status, expected[i].status);
        assert_int_equal(answers[i].outcome, expected[i].outcome);
        if (expected[i].status == MM_STATUS_FAILED)
            assert_true(answers[i].error.size > 0);
        else if (expected[i].outcome != MM_OUTCOME_DEAD)
            assert_int_equal(answers[i].error.size, 0);
    }
}
#define EXPECT(STORE, ...)                                                                         \
    expect_answers(STORE, (const expected_t[]){__VA_ARGS__},                                       \
                   sizeof((const expected_t[]){__VA_ARGS__}) / sizeof(expected_t))

// The answer of a query as one text, through a connection of its own.
static inline const char *query(const char *sql)
{
    static char text[512];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    text[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            strcat(text, value != NULL ? value : "NULL");
            strcat(text, i + 1 < sqlite3_column_count(statement) ? "|" : ";");
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return text;
}

static inline void execute(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

#define STORE_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, remove_temp_folder)

#endif
