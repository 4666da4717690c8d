// See intake.h.

#include "intake.h"
#include "array.h"
#include "clock.h"
#include "host_fold.h"
#include "crash.h"
#include "log.h"
#include "outbox_chunk.h"
#include "span.h"
#include "uuid.h"
#include "uuid_source.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX     1024 // hosts read from the source in one turn, and then committed together
#define LOAD_MAX     1024 // jobs read back in one turn
#define SETTLE_MAX   1024 // settled jobs that make a commit due
#define SETTLE_MS    20   // group-commit delay: the longest that a settled job waits
#define TIMES_MS     1000 // how often the job times are recorded
#define RETRY_MS     200  // pause after a commit that found the database busy or the disk full
#define BACKLOG_MORE 4    // a bounded source is read so many windows ahead

// A job that was put and waits for its commit.
typedef struct {
    mm_id_t id;
    uint64_t token;
    size_t offset; // of its host in the bytes, and the attributes behind it
    uint32_t host_size;
    uint32_t attributes_size;
    bool withdrawn;
} fresh_t;

struct intake {
    intake_config_t config;
    intake_give_fn *give;
    void *arg;
    mm_id_source_t *ids;
    int64_t floor_ms; // new ids are later than all recorded ones
    fresh_t fresh[READ_MAX];
    size_t fresh_count;
    outbox_bytes_t bytes; // texts of the fresh ones
    int64_t fresh_us;     // when the fresh ones were read
    uint64_t last_given;  // all jobs up to this token were given to the core
    mm_id_t boundary;     // jobs up to here may have been sent by an earlier process
    bool is_behind;       // there are more in the database behind last_given
    bool source_ended;
    bool is_held_back; // the source was not read because the backlog is long
    int exit_code;
    char *error;       // with the exit code; NULL: none
    int64_t source_ms; // when the source has its next host
    int64_t retry_ms;  // no commit before
    bool retries;
    int64_t settled_since_ms; // the oldest settled job that waits; MM_NEVER: none
    size_t settled_count;
    int64_t times_ms; // when the times were recorded
    bool times_changed;
    hostset_t *unseen;    // folded hosts that must not be restarted
    mm_histogram_t times; // accept to ack, in us
    intake_counts_t counts;
};

// Reads the recorded times and counts of the run, which go on from there.
static bool read_run(intake_t *self)
{
    outbox_run_t run = {0};
    bool found = false;
    if (outbox_db_run(self->config.db, self->config.run.number, &run, &found) != OUTBOX_DB_OK)
        return false;
    assert(found);
    if (run.times)
        (void)mm_histogram_decode(run.times, run.times_size, &self->times);
    self->counts.total = run.progress.total;
    self->counts.restarted = run.restarted;
    self->counts.dead = run.dead;
    self->counts.skipped = run.skipped;
    self->counts.withdrawn = run.withdrawn;
    outbox_run_clear(&run);
    return true;
}

static void see_unseen(void *arg, mm_str_t host)
{
    char buffer[MM_HOST_MAX];
    (void)hostset_add(((intake_t *)arg)->unseen, mm_host_fold(host, buffer));
}

static bool is_unseen(const intake_t *self, mm_str_t host)
{
    char buffer[MM_HOST_MAX];
    return hostset_count(self->unseen) > 0 && hostset_has(self->unseen, mm_host_fold(host, buffer));
}

intake_t *intake_new(const intake_config_t *config, intake_give_fn *give, void *arg)
{
    intake_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->give = give;
    self->arg = arg;
    self->ids = mm_id_source_new();
    self->settled_since_ms = MM_NEVER;
    self->unseen = hostset_new();
    bool found = false;
    if (!read_run(self) ||
        outbox_db_unseen(config->db, config->run.number, see_unseen, self) != OUTBOX_DB_OK ||
        outbox_db_newest(config->db, &self->boundary, &found) != OUTBOX_DB_OK) {
        intake_destroy(&self);
        return NULL;
    }
    if (found)
        self->floor_ms = mm_id_wall_ms(&self->boundary) + 1;
    self->is_behind = found;
    return self;
}

void intake_destroy(intake_t **self_p)
{
    intake_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_id_source_destroy(&self->ids);
    free(self->bytes.data);
    free(self->error);
    hostset_destroy(&self->unseen);
    free(self);
}

// ---- in

static void put_job(intake_t *self, mm_str_t host, mm_str_t attributes, int64_t wall_ms)
{
    fresh_t *fresh = &self->fresh[self->fresh_count++];
    mm_id_next(self->ids, wall_ms > self->floor_ms ? wall_ms : self->floor_ms, &fresh->id);
    fresh->offset = self->bytes.count;
    fresh->host_size = (uint32_t)host.size;
    fresh->attributes_size = (uint32_t)attributes.size;
    outbox_append(&self->bytes, host.data, host.size);
    outbox_append(&self->bytes, attributes.data, attributes.size);
    if (self->config.run.growing)
        kept_list_add(self->config.run.growing, host, attributes);
    fresh->token =
        outbox_db_put(self->config.db, self->config.run.number, &fresh->id, host, attributes);
    fresh->withdrawn = is_unseen(self, host);
    if (fresh->withdrawn)
        outbox_db_withdraw_put(self->config.db, fresh->token);
}

static void put_progress(intake_t *self, bool ends)
{
    source_progress_t progress;
    source_progress(self->config.run.source, &progress);
    progress.done = progress.done || ends;
    self->counts.total = progress.total;
    outbox_db_set_progress(self->config.db, self->config.run.number, &progress);
}

static void receive_bad(intake_t *self, const source_item_t *item)
{
    mm_log(item->ends ? MM_LOG_ERROR : MM_LOG_WARN, "Bad input", MM_STRING("error", item->error));
    if (item->ends) {
        self->source_ended = true;
        self->exit_code = item->exit_code;
        self->error = strdup(item->error);
        assert(self->error);
    }
}

// How many hosts may be read from the source now. A bounded source that is windows ahead waits
// until there is room for many, so that commits are few and large; a slow one never gets so far.
static size_t read_limit(const intake_t *self)
{
    if (self->config.run.waits && outbox_db_withdrawn(self->config.db) > 0)
        return 0;
    if (!self->config.is_bounded)
        return READ_MAX;
    uint64_t window = self->config.window, most = BACKLOG_MORE * window;
    uint64_t there = outbox_db_backlog(self->config.db);
    uint64_t capacity = there >= most ? 0 : most - there;
    return capacity >= READ_MAX ? READ_MAX : capacity >= window ? (size_t)capacity : 0;
}

static void read_source(intake_t *self, int64_t now_ms)
{
    MM_SPAN("read source");
    self->source_ms = MM_NEVER;
    if (self->source_ended || self->fresh_count > 0)
        return;
    size_t limit = read_limit(self);
    self->is_held_back = limit == 0;
    int64_t wall_ms = mm_clock_wall_ms();
    self->fresh_us = mm_clock_us(); // before the commit, which is a part of the job's time
    bool waits = false;
    for (size_t i = 0; i < limit; i++) {
        source_item_t item;
        switch (source_next(self->config.run.source, now_ms, &item)) {
        case SOURCE_ITEM: put_job(self, item.host, item.attributes, wall_ms); continue;
        case SOURCE_WAIT:
            self->source_ms = item.until_ms;
            waits = true;
            break;
        case SOURCE_END: self->source_ended = true; break;
        case SOURCE_BAD: receive_bad(self, &item); break;
        }
        break;
    }
    if (!waits && !self->source_ended && limit > 0)
        self->source_ms = now_ms; // there may be more, and a descriptor need not show it
    if (self->fresh_count > 0 || self->source_ended)
        put_progress(self, false);
}

// ---- out

// Nobody knows what has become of the host: a former driver was to restart it, and this one cannot
// look. So this run must not.
static void see_withdrawn(intake_t *self, outbox_row_t *job)
{
    if (mm_str_equal(job->error, mm_str(MM_ERROR_UNSEEN))) {
        see_unseen(self, job->host);
        outbox_db_set_unseen(self->config.db, self->config.run.number, job->host);
    } else if (job->error.size == 0 && is_unseen(self, job->host)) {
        job->error = mm_str(MM_ERROR_UNSEEN);
        mm_log(MM_LOG_WARN, "Not restarted: what was begun there before is not known",
               MM_STR("host", job->host));
        (void)fprintf(stderr,
                      "%.*s is not restarted: what was begun there before is not known, and this "
                      "driver cannot look; look yourself, then list it in a new run\n",
                      (int)job->host.size, job->host.data);
    }
}

void intake_settle(intake_t *self, const outbox_action_t *action, int64_t now_ms, int64_t now_us)
{
    outbox_row_t job = {.id = action->id,
                        .host = action->host,
                        .run = action->run,
                        .token = action->token,
                        .attributes = action->attributes,
                        .error = action->error};
    if (action->outcome == MM_OUTCOME_WITHDRAWN)
        see_withdrawn(self, &job);
    outbox_db_settle(self->config.db, &job, action->outcome, action->attempts);
    mm_histogram_record(&self->times, now_us - action->accepted_us);
    self->times_changed = true;
    self->settled_count++;
    if (self->settled_since_ms == MM_NEVER)
        self->settled_since_ms = now_ms;
    if (action->outcome == MM_OUTCOME_DEAD)
        self->counts.dead++;
    else if (action->outcome == MM_OUTCOME_SKIPPED)
        self->counts.skipped++;
    else if (action->outcome == MM_OUTCOME_WITHDRAWN)
        self->counts.withdrawn += action->run == self->config.run.number;
    else
        self->counts.restarted++;
    MM_CRASH_POINT("publisher: settled, not committed");
}

static void put_times(intake_t *self, int64_t now_ms)
{
    if (!self->times_changed || now_ms - self->times_ms < TIMES_MS)
        return;
    uint8_t blob[MM_HISTOGRAM_BLOB_MAX];
    size_t size = mm_histogram_encode(&self->times, blob);
    outbox_db_set_times(self->config.db, self->config.run.number, blob, size);
    self->times_changed = false;
    self->times_ms = now_ms;
}

// ---- commit

static bool commit(intake_t *self, int64_t now_ms)
{
    if (outbox_db_pending(self->config.db) == 0)
        return true;
    char error[SOURCE_ERROR_MAX];
    if (self->fresh_count > 0 && self->config.run.growing &&
        !kept_list_sync(self->config.run.growing, error)) {
        mm_log(MM_LOG_ERROR, "The list of this run cannot be kept", MM_STRING("error", error));
        return false;
    }
    put_times(self, now_ms);
    switch (outbox_db_commit(self->config.db, mm_clock_wall_ms())) {
    case OUTBOX_DB_OK:
        if (self->retries)
            mm_log(MM_LOG_INFO, "The outbox can be written again");
        self->retries = false;
        self->settled_count = 0;
        self->settled_since_ms = MM_NEVER;
        if (self->is_held_back && read_limit(self) > 0)
            self->source_ms = now_ms; // there is room now, and no other event will follow
        return true;
    case OUTBOX_DB_RETRY:
        if (!self->retries)
            mm_log(MM_LOG_ERROR, "The outbox cannot be written; trying on",
                   MM_STRING("error", outbox_db_error(self->config.db)));
        self->retries = true;
        self->retry_ms = now_ms + RETRY_MS;
        return true;
    case OUTBOX_DB_FATAL: break;
    }
    mm_log(MM_LOG_ERROR, "The outbox is broken",
           MM_STRING("error", outbox_db_error(self->config.db)));
    return false;
}

// Accepted and settled jobs share commits. Settled ones alone wait for the group-commit delay,
// since settling a job twice costs nothing but work. A window of them makes room for the next
// window.
static bool wants_commit(const intake_t *self, int64_t now_ms)
{
    if (self->retries)
        return now_ms >= self->retry_ms;
    size_t many = self->config.window < SETTLE_MAX ? self->config.window : SETTLE_MAX;
    return self->fresh_count > 0 || self->settled_count >= many || self->source_ended ||
           (self->settled_since_ms != MM_NEVER && now_ms - self->settled_since_ms >= SETTLE_MS);
}

// ---- to the core

// By an earlier process.
static bool may_be_sent(const intake_t *self, const outbox_row_t *job)
{
    return mm_id_compare(&job->id, &self->boundary) <= 0;
}

static void give(intake_t *self, const outbox_row_t *job, int64_t accepted_us)
{
    outbox_event_t event = {.kind = OUTBOX_JOB};
    event.as.job.id = job->id;
    event.as.job.host = job->host;
    event.as.job.attributes = job->attributes;
    event.as.job.run = job->run;
    event.as.job.withdrawn = job->withdrawn;
    event.as.job.token = job->token;
    event.as.job.accepted_us = accepted_us;
    event.as.job.maybe_sent = may_be_sent(self, job);
    self->last_given = job->token;
    self->give(self->arg, &event);
}

// Gives the core the jobs that were just committed, unless older ones are still in the database
// only.
static void give_fresh(intake_t *self, bool may_give)
{
    MM_SPAN("give fresh");
    size_t capacity = may_give && !self->is_behind ? outbox_capacity(self->config.outbox) : 0;
    for (size_t i = 0; i < self->fresh_count && i < capacity; i++) {
        const fresh_t *fresh = &self->fresh[i];
        const char *host = self->bytes.data + fresh->offset;
        outbox_row_t job = {.id = fresh->id,
                            .host = {host, fresh->host_size},
                            .attributes = {host + fresh->host_size, fresh->attributes_size},
                            .run = self->config.run.number,
                            .token = fresh->token,
                            .withdrawn = fresh->withdrawn};
        give(self, &job, self->fresh_us);
    }
    if (self->fresh_count > capacity)
        self->is_behind = true;
    self->fresh_count = 0;
    self->bytes.count = 0;
}

static bool give_backlog(intake_t *self, bool may_give)
{
    MM_SPAN("give backlog");
    size_t capacity = may_give && self->is_behind ? outbox_capacity(self->config.outbox) : 0;
    // A read of few jobs costs as much as one of many: wait until there is room for some.
    size_t worth = self->config.window / 4 < 256 ? self->config.window / 4 : 256;
    if (capacity == 0 || (capacity < worth && outbox_count(self->config.outbox) >= worth))
        return true;
    const outbox_row_t *rows;
    size_t count, limit = capacity < LOAD_MAX ? capacity : LOAD_MAX;
    outbox_db_status_t status =
        outbox_db_load(self->config.db, self->last_given, limit, &rows, &count);
    if (status == OUTBOX_DB_RETRY)
        return true;
    if (status == OUTBOX_DB_FATAL) {
        mm_log(MM_LOG_ERROR, "The outbox cannot be read",
               MM_STRING("error", outbox_db_error(self->config.db)));
        return false;
    }
    // Their time counts from when they were accepted, which the id says.
    int64_t now_us = mm_clock_us(), wall_ms = mm_clock_wall_ms();
    for (size_t i = 0; i < count; i++)
        give(self, &rows[i], now_us - 1000 * (wall_ms - mm_id_wall_ms(&rows[i].id)));
    self->is_behind = count == limit;
    if (count > 0 && outbox_is_closed(self->config.outbox) && !may_be_sent(self, &rows[count - 1]))
        self->is_behind = false; // nor may any job behind it
    return true;
}

bool intake_step(intake_t *self, int64_t now_ms, bool may_give)
{
    if (!self->retries)
        read_source(self, now_ms);
    if (wants_commit(self, now_ms) && !commit(self, now_ms))
        return false;
    if (!self->retries && self->fresh_count > 0)
        give_fresh(self, may_give);
    return give_backlog(self, may_give);
}

int64_t intake_deadline(const intake_t *self)
{
    if (self->retries)
        return self->retry_ms;
    int64_t deadline = self->source_ended ? MM_NEVER : self->source_ms;
    bool waits = self->settled_since_ms != MM_NEVER;
    return waits ? mm_earlier(deadline, self->settled_since_ms + SETTLE_MS) : deadline;
}

int intake_descriptor(const intake_t *self)
{
    bool wants_more = !self->source_ended && !self->retries && read_limit(self) > 0;
    return wants_more ? source_descriptor(self->config.run.source) : -1;
}

void intake_stop(intake_t *self)
{
    if (self->source_ended)
        return;
    self->source_ended = true; // for this process; in the database only an endless one has ended
    if (self->config.run.is_endless)
        put_progress(self, true);
}

bool intake_close(intake_t *self)
{
    self->times_ms = INT64_MIN / 2;
    outbox_db_set_clean(self->config.db, self->config.run.number, true);
    MM_CRASH_POINT("publisher: before its last commit");
    bool committed = commit(self, mm_clock_ms()) && !self->retries;
    MM_CRASH_POINT("publisher: last commit made");
    return committed;
}

bool intake_is_behind(const intake_t *self)
{
    return self->is_behind || self->fresh_count > 0;
}

bool intake_is_over(const intake_t *self)
{
    return self->source_ended && self->fresh_count == 0 &&
           outbox_db_pending(self->config.db) == 0 && outbox_db_backlog(self->config.db) == 0;
}

int intake_exit_code(const intake_t *self)
{
    return self->exit_code;
}

const char *intake_error(const intake_t *self)
{
    return self->error;
}

intake_counts_t intake_counts(const intake_t *self)
{
    intake_counts_t counts = self->counts;
    counts.backlog = outbox_db_backlog(self->config.db);
    return counts;
}
