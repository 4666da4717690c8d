// See snapshot_find_limit. The rules in their order: a process is missing, all slots of a stage are
// taken, most jobs wait for a retry or for their host, a loop has no time left, the window is full,
// there is nothing more to do.

#include "snapshot.h"

#include <stdarg.h>
#include <stdio.h>

#define BUSY     0.9   // share of its time from which on a loop is the limit
#define SHORT_US 20000 // a stage that takes less is not slow
#define MOST(N)  ((N) / 2)

__attribute__((format(printf, 3, 4))) static bool say(snapshot_t *self, const char *limit,
                                                      const char *why, ...)
{
    va_list args;
    va_start(args, why);
    (void)snprintf(self->limit, sizeof self->limit, "%s", limit);
    (void)vsnprintf(self->limit_why, sizeof self->limit_why, why, args);
    va_end(args);
    return true;
}

// Of the roles from `first` to `last`.
static const snapshot_process_t *busiest(const snapshot_t *self, mm_program_t first,
                                         mm_program_t last)
{
    const snapshot_process_t *found = NULL;
    for (size_t i = 0; i < self->process_count; i++) {
        const snapshot_process_t *process = &self->processes[i];
        if (process->role >= first && process->role <= last &&
            (!found || process->busy > found->busy))
            found = process;
    }
    return found;
}

static bool is_missing(snapshot_t *self)
{
    if (!self->has_consumer)
        return say(self, "consumer", "no consumer answers");
    if (self->draining)
        return say(self, "draining", "it is stopping: nothing new is begun");
    if (strcmp(self->lease, "standby") == 0)
        return say(self, "lease", "this consumer stands by: another one leads, or will");
    if (strcmp(self->lease, "suspended") == 0)
        return say(self, "lease", "it was not renewed in time: nothing is handed out");
    if (!self->has_publisher)
        return say(self, "publisher", "no publisher answers: nothing new comes");
    if (self->stages[SNAPSHOT_STORE].capacity == 0)
        return say(self, "store", "there is no saver");
    if (self->stages[SNAPSHOT_RESTART].capacity == 0 && self->in_flight > 0)
        return say(self, "restart", "there is no restarter with a slot");
    return false;
}

static bool is_full(const snapshot_stage_t *stage)
{
    // A slot that has just become free may not be taken again yet.
    return stage->waiting - stage->blocked > 0 &&
           stage->out >= stage->capacity - stage->capacity / 16;
}

static bool has_full_hop(snapshot_t *self)
{
    static const struct {
        snapshot_stage_kind_t stage;
        mm_program_t role;
        const char *what;
    } ways[] = {{SNAPSHOT_RESTART, MM_PROGRAM_RESTARTER, "restarters"},
                {SNAPSHOT_STORE, MM_PROGRAM_SAVER, "saver"}};
    int64_t most_waiting = 0;
    for (size_t i = 0; i < 2; i++) {
        const snapshot_stage_t *stage = &self->stages[ways[i].stage];
        if (!is_full(stage) || stage->waiting <= most_waiting)
            continue;
        most_waiting = stage->waiting;
        const snapshot_process_t *process = busiest(self, ways[i].role, ways[i].role);
        const char *name = snapshot_stages[ways[i].stage];
        if (process && process->busy >= BUSY)
            (void)say(self, name, "%s is busy %.0f %% of the time (%s)", process->name,
                      100 * process->busy, process->doing);
        else if (stage->took_p50_us >= 0)
            (void)say(self, name, "all %lld slots of the %s are taken, each for %.1f ms",
                      (long long)stage->capacity, ways[i].what, (double)stage->took_p50_us / 1000);
        else
            (void)say(self, name, "all %lld slots of the %s are taken, and none was free lately",
                      (long long)stage->capacity, ways[i].what);
    }
    return most_waiting > 0;
}

static bool has_no_time(snapshot_t *self)
{
    const snapshot_process_t *most = busiest(self, MM_PROGRAM_PUBLISHER, MM_PROGRAM_SAVER);
    return most && most->busy >= BUSY &&
           say(self, most->name, "its loop is busy %.0f %% of the time (%s)", 100 * most->busy,
               most->doing);
}

static bool is_waiting_within(snapshot_t *self)
{
    const snapshot_stage_t *restart = &self->stages[SNAPSHOT_RESTART];
    if (restart->backoff > MOST(self->in_flight))
        return say(self, "retries", "%lld of %lld jobs wait to be tried again",
                   (long long)restart->backoff, (long long)self->in_flight);
    if (restart->blocked <= MOST(self->in_flight))
        return false;
    if (!*restart->reason || strcmp(restart->reason, "host busy") == 0)
        return say(self, "hosts", "%lld of %lld jobs wait for their host, which another job has",
                   (long long)restart->blocked, (long long)self->in_flight);
    return say(self, "restart", "%lld of %lld jobs wait: %s", (long long)restart->blocked,
               (long long)self->in_flight, restart->reason);
}

static bool has_full_window(snapshot_t *self)
{
    const snapshot_stage_t *store = &self->stages[SNAPSHOT_STORE];
    const snapshot_stage_t *restart = &self->stages[SNAPSHOT_RESTART];
    int64_t took_us =
        store->took_p50_us > restart->took_p50_us ? store->took_p50_us : restart->took_p50_us;
    if (self->stages[SNAPSHOT_OUTBOX].waiting == 0)
        return false;
    if (took_us < SHORT_US)
        return say(self, "window", "all %lld places of the window are taken, and no hop is slow",
                   (long long)self->stages[SNAPSHOT_OUTBOX].capacity);
    bool is_store = took_us == store->took_p50_us;
    return say(self, snapshot_stages[is_store ? SNAPSHOT_STORE : SNAPSHOT_RESTART],
               "a %s takes %.1f ms; all %lld places of the window are taken",
               is_store ? "save" : "restart", (double)took_us / 1000,
               (long long)self->stages[SNAPSHOT_OUTBOX].capacity);
}

void snapshot_find_limit(snapshot_t *self)
{
    if (is_missing(self) || has_full_hop(self) || is_waiting_within(self))
        return;
    bool is_behind = self->stages[SNAPSHOT_OUTBOX].waiting > 0;
    if (is_behind && (has_no_time(self) || has_full_window(self)))
        return;
    (void)say(self, "source",
              self->backlog > 0 ? "all that is accepted is under way" : "nothing is left to do");
}
