// The way of a job into the outbox and to the core: from the source into the database, and only
// after the commit onward (I1). Also the way out: what is settled leaves the database, in the same
// commits. It holds no backlog: what the core has no room for is read back from the database in
// order.

#ifndef INTAKE_H
#define INTAKE_H

#include "outbox.h"
#include "outbox_db.h"
#include "run.h"

#include "histogram.h"

typedef struct {
    outbox_db_t *db;
    outbox_t *outbox;
    run_t run;
    size_t window;
    bool is_bounded; // the source is read only as far as the backlog stays short
} intake_config_t;

// Gives a committed job to the core.
typedef void(intake_give_fn)(void *arg, const outbox_event_t *event);

typedef struct intake intake_t;

// Takes nothing over. Returns NULL with the database's error when it cannot be read.
intake_t *intake_new(const intake_config_t *config, intake_give_fn *give, void *arg);
void intake_destroy(intake_t **self_p);

// Reads from the source, commits, gives to the core what it has room for. now_ms: CLOCK_MONOTONIC.
// False: the database is broken, exit 74.
bool intake_step(intake_t *self, int64_t now_ms, bool may_give);
// When it wants to be called again; MM_NEVER: when something happens.
int64_t intake_deadline(const intake_t *self);

// What to wait on for the source to be read further, or -1: it has no descriptor, or is not to be
// read now.
int intake_descriptor(const intake_t *self);

// A job that the core has settled: out of the database with the next commit. now_us: the same
// clock, for the time that the job has taken.
void intake_settle(intake_t *self, const outbox_action_t *action, int64_t now_ms, int64_t now_us);
// No more is read from the source; an endless one has ended.
void intake_stop(intake_t *self);
// Commits all that is pending, with the mark of an orderly end. False like intake_step.
bool intake_close(intake_t *self);

// The source has ended and every job of the outbox is settled.
bool intake_is_over(const intake_t *self);
// 0; or the exit code that a bad line or a broken source asks for, when all else is done.
int intake_exit_code(const intake_t *self);
// Jobs settled, dead and in all (0: unknown) of this run since this start, for the progress.
typedef struct {
    uint64_t total;
    uint64_t restarted;
    uint64_t dead;
    uint64_t backlog; // in the database, of all runs
} intake_counts_t;
intake_counts_t intake_counts(const intake_t *self);

#endif
