// A store for tests of saver/store.h: tasks to put, answers to expect, and what is on record,
// looked up through a connection of its own. What every store promises is tested with each of them
// (RUN_STORE_TESTS): on a real file, and in a schema of a real server of PostgreSQL.

#ifndef STORE_PLAY_H
#define STORE_PLAY_H

#include "store.h"
#include "story.h"
#include "temp_database.h"

int make_store_folder(void **state);
int remove_store_folder(void **state);
store_t *open_store(void);
bool is_in_postgresql(void);
// What the store of this test is opened by.
const char *store_name(void);
// The id of a job as a literal of SQL. Valid until the fourth call after it.
const char *id_sql(unsigned job);
mm_task_t store_task(mm_leg_t leg, unsigned job, uint64_t number);
void put_save(store_t *store, unsigned job, uint64_t number);
void put_settle(store_t *store, unsigned job, uint64_t number, mm_outcome_t outcome);

// Calls `writes` on the store in a process of its own, and kills that one with -9 when it returns.
void kill_after(void (*writes)(store_t *store));

// Waits until the store has something to do, and lets it do that.
void wait_for_store(store_t *store);
// Flushes, and waits for so many answers, and no more: they live until the next call.
const mm_result_t *answers_to(store_t *store, size_t count);

// The same in a process that is to be killed: exits when there are none.
void commit_or_exit(store_t *store, size_t count);

// Flushes, and checks the answers: one (number, status, outcome) each, in this order.
typedef struct {
    uint64_t number;
    mm_status_t status;
    mm_outcome_t outcome;
} expected_t;

void expect_answers(store_t *store, const expected_t *expected, size_t count);
#define EXPECT(STORE, ...)                                                                         \
    expect_answers(STORE, (const expected_t[]){__VA_ARGS__},                                       \
                   sizeof((const expected_t[]){__VA_ARGS__}) / sizeof(expected_t))

#define STORE_TEST(NAME)                                                                           \
    cmocka_unit_test_setup_teardown(NAME, make_store_folder, remove_store_folder)

// Runs a group of tests with a file. Of RUN_STORE_TESTS also with PostgreSQL, if there is a server
// (temp_postgresql.h). The names of those end with "_in_postgresql".
int run_store_tests(const struct CMUnitTest *tests, size_t count);
#define RUN_STORE_TESTS(TESTS) run_store_tests(TESTS, sizeof(TESTS) / sizeof *(TESTS))

#endif
