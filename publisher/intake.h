// Takes jobs from the source into the database and, only after the commit, to the core (I1).
// Settled jobs leave the database with the same commits. The intake holds no backlog: jobs that the
// core had no room for are read back from the database in order.

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
    bool is_bounded; // the source is read only while the backlog is short
} intake_config_t;

// Gives a committed job to the core.
typedef void(intake_give_fn)(void *arg, const outbox_event_t *event);

typedef struct intake intake_t;

// All that the config points to stays the caller's. NULL when the database cannot be read:
// outbox_db_error says why.
intake_t *intake_new(const intake_config_t *config, intake_give_fn *give, void *arg);
void intake_destroy(intake_t **self_p);

// Reads from the source, commits, and gives the core the jobs that it has room for. now_ms:
// CLOCK_BOOTTIME. False: the database is broken, exit 74.
bool intake_step(intake_t *self, int64_t now_ms, bool may_give);
// When it wants the next step; MM_NEVER: only after another event.
int64_t intake_deadline(const intake_t *self);

// The descriptor that shows when the source can be read; -1: it has none, or is not to be read now.
int intake_descriptor(const intake_t *self);

// The core has settled a job: the next commit deletes it. now_us: the same clock, for the time that
// the job has taken.
void intake_settle(intake_t *self, const outbox_action_t *action, int64_t now_ms, int64_t now_us);
// Whether the outbox may lack recorded jobs that it would take.
bool intake_is_behind(const intake_t *self);
// Stops reading the source; an endless one has ended thereby.
void intake_stop(intake_t *self);
// Commits all pending changes, with the mark of an orderly end. False like intake_step.
bool intake_close(intake_t *self);

// The source has ended and every job of the outbox is settled.
bool intake_is_over(const intake_t *self);
// 0, or the exit code of a bad line or a broken source, to be used when all jobs are settled.
int intake_exit_code(const intake_t *self);
// What was wrong then, as a sentence; NULL: nothing. Owned by the intake.
const char *intake_error(const intake_t *self);
// Jobs of this run: in all (0: unknown), restarted, dead, skipped and withdrawn.
typedef struct {
    uint64_t total;
    uint64_t restarted;
    uint64_t dead;
    uint64_t skipped;
    uint64_t withdrawn;
    uint64_t backlog; // in the database, of all runs
} intake_counts_t;
intake_counts_t intake_counts(const intake_t *self);

#endif
