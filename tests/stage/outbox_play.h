// A stage for tests of publisher/outbox_db/outbox_db.h on a real file: jobs are numbers, from which
// their ids and hosts follow.

#ifndef OUTBOX_PLAY_H
#define OUTBOX_PLAY_H

#include "outbox_db.h"
#include "story.h"
#include "temp_database.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

enum { TOKENS = 5000 };

extern uint64_t tokens[TOKENS]; // of the jobs that were put, by number

int make_outbox_folder(void **state);
outbox_db_t *open_outbox(void);
int64_t begin(outbox_db_t *outbox, const char *name);
void put(outbox_db_t *outbox, int64_t run, unsigned job);
void put_with(outbox_db_t *outbox, int64_t run, unsigned job, const char *attributes);
void settle(outbox_db_t *outbox, int64_t run, unsigned job, mm_outcome_t outcome);
void set_position(outbox_db_t *outbox, int64_t run, uint64_t position, bool done);
void commit(outbox_db_t *outbox);
outbox_run_t run_of(outbox_db_t *outbox, int64_t number);
void expect_counts(outbox_db_t *outbox, int64_t number, uint64_t accepted, uint64_t restarted,
                   uint64_t dead);

// Loads all jobs, `limit` at a time, and checks their number and order.
void expect_jobs(outbox_db_t *outbox, size_t limit, unsigned first, unsigned count);
void limit_files(rlim_t bytes);

#define OUTBOX_TEST(NAME)                                                                          \
    cmocka_unit_test_setup_teardown(NAME, make_outbox_folder, remove_temp_folder)

#endif
