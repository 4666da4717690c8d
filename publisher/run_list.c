// See run_list.h.

#include "run_list.h"
#include "array.h"
#include "clock.h"
#include "host_fold.h"
#include "host_groups.h"
#include "kept_list.h"
#include "log.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PATIENCE_MS 2000 // then the user is told that the stream is awaited
#define PAGE        1000 // jobs read from the outbox at a time

// ---- reading

typedef struct {
    source_t *source;
    kept_list_t *kept;
    const char *title;
    bool is_new;
    int64_t say_ms; // when to say that the rest of the stream is awaited; MM_NEVER: it was said
} reading_t;

static void await(reading_t *self)
{
    struct pollfd descriptor = {.fd = source_descriptor(self->source), .events = POLLIN};
    int64_t left_ms = mm_later(self->say_ms - mm_clock_ms(), 0);
    bool was_said = self->say_ms == MM_NEVER;
    if (descriptor.fd < 0) // it has more already
        return;
    if (poll(&descriptor, 1, was_said ? -1 : (int)left_ms) != 0 || was_said)
        return;
    self->say_ms = MM_NEVER;
    (void)fprintf(stderr, "%s: %s when the whole list is known: waiting for its end\n", self->title,
                  self->is_new ? "a run with a policy begins" : "an unfinished run goes on");
}

// Reads to the end. Returns 0, or a sysexits code.
static int read_all(reading_t *self, char error[SOURCE_ERROR_MAX])
{
    for (;;) {
        source_item_t item = {0};
        switch (source_next(self->source, mm_clock_ms(), &item)) {
        case SOURCE_ITEM: kept_list_add(self->kept, item.host, item.attributes); break;
        case SOURCE_WAIT: await(self); break;
        case SOURCE_END: return kept_list_sync(self->kept, error) ? 0 : EX_IOERR;
        case SOURCE_BAD:
            if (item.ends) {
                (void)snprintf(error, SOURCE_ERROR_MAX, "%s", item.error);
                return item.exit_code;
            }
            mm_log(MM_LOG_WARN, "Bad input", MM_STRING("error", item.error));
            break;
        }
    }
}

int run_list_read(source_t *source, run_list_t *list, char error[SOURCE_ERROR_MAX])
{
    reading_t reading = {.source = source,
                         .kept = kept_list_new(list->dir, list->number, error),
                         .title = list->title,
                         .is_new = list->is_new,
                         .say_ms = mm_clock_ms() + PATIENCE_MS};
    if (!reading.kept)
        return EX_IOERR;
    int exit_code = read_all(&reading, error);
    source_progress(source, &list->progress);
    list->progress.position = 0;
    list->progress.done = false;
    list->progress.digest = kept_list_digest(reading.kept);
    list->progress.total = kept_list_count(reading.kept);
    kept_list_close(&reading.kept);
    if (exit_code != 0)
        kept_list_remove(list->dir, list->number);
    return exit_code;
}

// ---- comparing

typedef struct {
    hostset_t *listed;     // on the new list
    hostset_t *gone;       // accepted, not settled, and not on it
    hostset_t *going;      // have a job that is withdrawn already, or by this
    hostset_t *accepted;   // that stay so
    kept_list_t *kept;     // the list that is made
    host_groups_t *groups; // on the new list; NULL: of no interest
    uint64_t *tokens;      // to be withdrawn
    size_t count;
    size_t capacity;
    uint64_t of_run; // of these, jobs of the run itself
    run_merge_t merge;
} comparison_t;

static bool add(hostset_t *set, mm_str_t host)
{
    char buffer[MM_HOST_MAX];
    return hostset_add(set, mm_host_fold(host, buffer));
}

static bool has(const hostset_t *set, mm_str_t host)
{
    char buffer[MM_HOST_MAX];
    return hostset_has(set, mm_host_fold(host, buffer));
}

static void see_listed(void *arg, mm_str_t host, mm_str_t attributes)
{
    comparison_t *self = arg;
    if (add(self->listed, host) && self->groups)
        host_groups_put(self->groups, host, attributes);
}

// The attributes of a host as a job has them, with the groups that the new list says.
static mm_str_t regroup(void *arg, mm_str_t host, mm_str_t attributes,
                        char buffer[MM_ATTRIBUTES_BYTES])
{
    const comparison_t *self = arg;
    return self->groups ? host_groups_set(self->groups, host, attributes, buffer) : attributes;
}

// A host of the former list that was accepted: it is done, or on the new list, or withdrawn.
static void see_accepted(void *arg, mm_str_t host, mm_str_t attributes)
{
    comparison_t *self = arg;
    char buffer[MM_ATTRIBUTES_BYTES];
    if (!has(self->gone, host) && add(self->accepted, host))
        kept_list_add(self->kept, host, regroup(self, host, attributes, buffer));
}

static void see_new(void *arg, mm_str_t host, mm_str_t attributes)
{
    comparison_t *self = arg;
    if (!add(self->accepted, host))
        return;
    self->merge.added++;
    self->merge.is_both = self->merge.is_both || has(self->going, host);
    kept_list_add(self->kept, host, attributes);
}

static bool for_each_job(outbox_db_t *db, void (*see)(void *arg, const outbox_row_t *job),
                         void *arg, char error[SOURCE_ERROR_MAX])
{
    const outbox_row_t *rows;
    size_t count = PAGE;
    for (uint64_t after = 0; count == PAGE;) {
        outbox_db_status_t status;
        while ((status = outbox_db_load(db, after, PAGE, &rows, &count)) == OUTBOX_DB_RETRY)
            continue; // a reader of the database waits for nobody for long
        if (status != OUTBOX_DB_OK) {
            (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
            return false;
        }
        for (size_t i = 0; i < count; i++)
            see(arg, &rows[i]);
        if (count > 0)
            after = rows[count - 1].token;
    }
    return true;
}

typedef struct {
    comparison_t *comparison;
    int64_t run;
} jobs_t;

static void see_job(void *arg, const outbox_row_t *job)
{
    const jobs_t *jobs = arg;
    comparison_t *self = jobs->comparison;
    if (job->withdrawn) {
        (void)add(self->going, job->host);
        self->of_run += job->run == jobs->run;
        return;
    }
    if (has(self->listed, job->host))
        return;
    (void)add(self->gone, job->host);
    (void)add(self->going, job->host);
    *MM_ARRAY_ADD(self->tokens, self->count, self->capacity) = job->token;
    self->of_run += job->run == jobs->run;
    self->merge.withdrawn++;
}

// A job of another run under the same driver, whose host is on the list: it is this run's by host.
static void see_other_job(void *arg, const outbox_row_t *job)
{
    comparison_t *self = arg;
    char buffer[MM_ATTRIBUTES_BYTES];
    if (!job->withdrawn && has(self->listed, job->host) && add(self->accepted, job->host))
        kept_list_add(self->kept, job->host, regroup(self, job->host, job->attributes, buffer));
}

static bool compare(comparison_t *self, outbox_db_t *db, const run_list_t *list,
                    const outbox_run_t *run, uint64_t *ret_listed, uint64_t *ret_bytes,
                    char error[SOURCE_ERROR_MAX])
{
    jobs_t jobs = {self, run->number};
    if (!kept_list_read(list->dir, list->number, list->progress.total, see_listed, self, error) ||
        !for_each_job(db, see_job, &jobs, error) ||
        !kept_list_read(list->dir, run->list, run->listed, see_accepted, self, error) ||
        !for_each_job(db, see_other_job, self, error))
        return false;
    *ret_listed = kept_list_count(self->kept);
    *ret_bytes = kept_list_bytes(self->kept);
    return kept_list_read(list->dir, list->number, list->progress.total, see_new, self, error) &&
           kept_list_sync(self->kept, error);
}

static int commit(comparison_t *self, outbox_db_t *db, const run_list_t *list, int64_t number,
                  outbox_run_t *run, char error[SOURCE_ERROR_MAX])
{
    uint64_t bytes = 0, listed = 0;
    if (!compare(self, db, list, run, &listed, &bytes, error))
        return EX_IOERR;
    run->list = number;
    run->listed = listed;
    run->grows = false;
    run->progress = list->progress;
    run->progress.position = bytes;
    run->progress.total = kept_list_count(self->kept) + run->withdrawn + self->of_run;
    outbox_relist_t change = {
        .run = run, .withdrawn = self->tokens, .count = self->count, .ends_others = true};
    if (self->groups) {
        change.attributes_of = regroup;
        change.arg = self;
    }
    int64_t same;
    if (outbox_db_relist(db, &change, mm_clock_wall_ms(), &same) == OUTBOX_DB_OK)
        return 0;
    (void)snprintf(error, SOURCE_ERROR_MAX, "%s", outbox_db_error(db));
    return EX_IOERR;
}

int run_list_merge(outbox_db_t *db, const run_list_t *list, outbox_run_t *run,
                   run_merge_t *ret_merge, char error[SOURCE_ERROR_MAX])
{
    int64_t number = list->number + 1, former = run->list;
    comparison_t self = {.kept = kept_list_new(list->dir, number, error)};
    if (!self.kept)
        return EX_IOERR;
    self.listed = hostset_new();
    self.gone = hostset_new();
    self.going = hostset_new();
    self.accepted = hostset_new();
    self.groups = list->has_groups ? host_groups_new() : NULL;
    int exit_code = commit(&self, db, list, number, run, error);
    *ret_merge = self.merge;
    kept_list_close(&self.kept);
    hostset_destroy(&self.listed);
    hostset_destroy(&self.gone);
    hostset_destroy(&self.going);
    hostset_destroy(&self.accepted);
    host_groups_destroy(&self.groups);
    free(self.tokens);
    if (exit_code == 0) { // else nobody knows which one the outbox names
        kept_list_remove(list->dir, former);
        kept_list_remove(list->dir, list->number);
    }
    return exit_code;
}

static void see_any(void *arg, const outbox_row_t *job)
{
    comparison_t *self = arg;
    *MM_ARRAY_ADD(self->tokens, self->count, self->capacity) = job->token;
}

uint64_t *run_list_backlog(outbox_db_t *db, size_t *ret_count, char error[SOURCE_ERROR_MAX])
{
    comparison_t self = {.tokens = malloc(sizeof *self.tokens), .capacity = 1};
    assert(self.tokens);
    if (!for_each_job(db, see_any, &self, error)) {
        free(self.tokens);
        return NULL;
    }
    *ret_count = self.count;
    return self.tokens;
}
