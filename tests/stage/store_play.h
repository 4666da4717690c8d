// A store on a real file for tests of saver/store.h: tasks to put, answers to expect, and what is
// on record, looked up through a connection of its own.

#ifndef STORE_PLAY_H
#define STORE_PLAY_H

#include "store.h"
#include "story.h"
#include "temp_database.h"

int make_store_folder(void **state);
store_t *open_store(void);
mm_task_t store_task(mm_leg_t leg, unsigned job, uint64_t number);
void put_save(store_t *store, unsigned job, uint64_t number);
void put_settle(store_t *store, unsigned job, uint64_t number, mm_outcome_t outcome);

// Calls `writes` on the store in a process of its own, and kills that one with -9 when it returns.
void kill_after(void (*writes)(store_t *store));

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
    cmocka_unit_test_setup_teardown(NAME, make_store_folder, remove_temp_folder)

#endif
