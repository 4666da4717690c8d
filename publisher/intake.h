// The way of a job from the source into the database and, only after the commit, to the core (I1);
// and the way out: settled jobs leave the database in the same commits. It keeps no backlog: jobs
// beyond the core's capacity are read back from the database in order.

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

// Passes a committed job to the core.
typedef void(intake_give_fn)(void *arg, const outbox_event_t *event);

typedef struct intake intake_t;

// Copies the config; what it points to stays the caller's. NULL: the database cannot be read, and
// has the error.
intake_t *intake_new(const intake_config_t *config, intake_give_fn *give, void *arg);
void intake_destroy(intake_t **self_p);

// Reads from the source, commits, passes jobs to the core up to its capacity. now_ms:
// CLOCK_MONOTONIC. may_give: false keeps them back. False: the database is broken, exit with 74.
bool intake_step(intake_t *self, int64_t now_ms, bool may_give);
// When the next step is due; MM_NEVER: after an event.
int64_t intake_deadline(const intake_t *self);

// The source's descriptor to poll before the next read; -1: it has none, or is not read now.
int intake_descriptor(const intake_t *self);

// Removes a job that the core has settled from the database with the next commit. now_us: the same
// clock, for the job's time.
void intake_settle(intake_t *self, const outbox_action_t *action, int64_t now_ms, int64_t now_us);
// Reads no more from the source; an endless one has ended.
void intake_stop(intake_t *self);
// Commits all pending changes, with the mark of an orderly end. False: see intake_step.
bool intake_close(intake_t *self);

// The source has ended and every job of the outbox is settled.
bool intake_is_over(const intake_t *self);
// The exit code for a bad line or a broken source, when all else is done; 0: neither.
int intake_exit_code(const intake_t *self);
// Jobs of this run.
typedef struct {
    uint64_t total; // 0: unknown
    uint64_t restarted;
    uint64_t dead;
    uint64_t backlog; // in the database, of all runs
} intake_counts_t;
intake_counts_t intake_counts(const intake_t *self);

#endif
