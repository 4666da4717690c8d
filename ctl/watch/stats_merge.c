// See tells.h.

#include "stats_merge.h"
#include "bottleneck.h"
#include "host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A process that has told something, or of which the consumer has told.
typedef struct {
    snapshot_process_t row;
    json_t *stats;      // the last ones; NULL: it has told nothing itself
    int64_t replied_ms; // when
    int64_t wall_ms;    // by its own clock
    int64_t done;       // jobs that it was done with by then
    bool is_known;      // worker: the consumer has it on its list,
    bool is_joined;     // and it is in a session
    int64_t gone_ms;    // ghost: another process has its name; when that was seen
    bool is_ghost;
} entry_t;

struct merge {
    entry_t *entries;
    size_t count;
    size_t size;
};

stats_merge_t *stats_merge_new(void)
{
    stats_merge_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void stats_merge_destroy(stats_merge_t **self_p)
{
    stats_merge_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++)
        json_decref(self->entries[i].stats);
    free(self->entries);
    free(self);
}

// ---- reading what was told

#define NUMBER_MAX (INT64_MAX / 8192) // whatever is told can be added up, and scaled

static int64_t number_in(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > NUMBER_MAX ? NUMBER_MAX : number < 0 ? 0 : number;
}

// A time in milliseconds or microseconds, as microseconds; -1 when there is none.
static int64_t time_in(const json_t *object, const char *key, int64_t scale)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? scale * number_in(object, key)
                                                                    : -1;
}

static bool role_in(const json_t *object, snapshot_role_t *ret_role)
{
    const char *text = json_string_value(json_object_get(object, "role"));
    for (snapshot_role_t role = SNAPSHOT_PUBLISHER; text && role <= SNAPSHOT_RESTARTER; role++)
        if (strcmp(text, snapshot_role_name(role)) == 0) {
            *ret_role = role;
            return true;
        }
    return false;
}

static entry_t *find(stats_merge_t *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->entries[i].is_ghost && strcmp(self->entries[i].row.name, name) == 0)
            return &self->entries[i];
    return NULL;
}

// May move all entries.
static entry_t *add(stats_merge_t *self, const char *name, snapshot_role_t role)
{
    if (self->count == self->size) {
        self->size = self->size ? 2 * self->size : 8;
        self->entries = realloc(self->entries, self->size * sizeof *self->entries);
        assert(self->entries);
    }
    entry_t *entry = &self->entries[self->count++];
    *entry = (entry_t){.row = {.role = role, .p50_us = -1, .p99_us = -1}};
    (void)snprintf(entry->row.name, sizeof entry->row.name, "%s", name);
    return entry;
}

static entry_t *find_or_add(stats_merge_t *self, const char *name, snapshot_role_t role)
{
    entry_t *entry = find(self, name);
    return entry ? entry : add(self, name, role);
}

// Another process has the name now: what the former one was is still worth a look.
static entry_t *succeed(stats_merge_t *self, entry_t *former, int64_t now_ms)
{
    snapshot_process_t row = former->row;
    former->is_ghost = true;
    former->gone_ms = now_ms;
    former->row.state = SNAPSHOT_LOST;
    former->row.rate = former->row.busy = former->row.cpu = 0;
    return add(self, row.name, row.role);
}

// Jobs that a process is done with since its start.
static int64_t done_in(const json_t *stats, snapshot_role_t role)
{
    switch (role) {
    case SNAPSHOT_PUBLISHER: return number_in(stats, "settled");
    case SNAPSHOT_CONSUMER: return number_in(stats, "acked") + number_in(stats, "dead");
    case SNAPSHOT_SAVER: return number_in(stats, "settled");
    case SNAPSHOT_RESTARTER: return number_in(stats, "ended");
    }
    return 0;
}

// Spans have plain names; whatever else is told there is not for a terminal.
static void set_doing(snapshot_process_t *row, const char *doing)
{
    size_t size = 0;
    for (; *doing && size + 1 < sizeof row->doing; doing++)
        row->doing[size++] = *doing >= ' ' && *doing <= '~' ? *doing : '?';
    row->doing[size] = '\0';
}

static void fill_row(snapshot_process_t *row, const json_t *stats)
{
    const char *doing = json_string_value(json_object_get(stats, "doing"));
    bool is_consumer = row->role == SNAPSHOT_CONSUMER;
    row->pid = (int)number_in(stats, "pid");
    row->busy = json_number_value(json_object_get(stats, "busy"));
    row->cpu = json_number_value(json_object_get(stats, "cpu"));
    row->memory_bytes = number_in(stats, "memory_bytes");
    row->dropped = (uint64_t)(number_in(stats, "dropped") + number_in(stats, "bad_frames"));
    row->p50_us = is_consumer ? time_in(stats, "p50_ms", 1000) : time_in(stats, "p50_us", 1);
    row->p99_us = is_consumer ? time_in(stats, "p99_ms", 1000) : time_in(stats, "p99_us", 1);
    set_doing(row, doing ? doing : "");
    switch (row->role) {
    case SNAPSHOT_PUBLISHER:
        row->held = number_in(stats, "leased");
        row->limit = number_in(stats, "window");
        row->failed = (uint64_t)number_in(stats, "dead");
        break;
    case SNAPSHOT_CONSUMER:
        row->held = number_in(stats, "in_flight");
        row->limit = number_in(stats, "max_in_flight");
        row->failed = (uint64_t)number_in(stats, "dead");
        break;
    case SNAPSHOT_SAVER:
    case SNAPSHOT_RESTARTER:
        row->held = number_in(stats, "running");
        row->limit = number_in(stats, "slots");
        row->failed = (uint64_t)number_in(stats, "failed");
        break;
    }
}

// The consumer knows who has joined, and who has gone without a word.
static void parse_workers(stats_merge_t *self, const json_t *list, int64_t now_ms)
{
    size_t index;
    json_t *worker;
    for (size_t i = 0; i < self->count; i++)
        self->entries[i].is_known = false;
    json_array_foreach((json_t *)list, index, worker)
    {
        snapshot_role_t role;
        const char *name = json_string_value(json_object_get(worker, "name"));
        if (!name || !mm_is_name(mm_str(name)) || !role_in(worker, &role))
            continue;
        entry_t *entry = find_or_add(self, name, role);
        entry->is_known = true;
        entry->is_joined = json_is_true(json_object_get(worker, "joined"));
        if (!entry->stats) { // it has not told anything itself
            entry->replied_ms = now_ms - number_in(worker, "silent_ms");
            entry->row.held = number_in(worker, "out");
            entry->row.limit = number_in(worker, "slots");
        }
    }
}

void stats_merge_add(stats_merge_t *self, json_t *stats, int64_t now_ms)
{
    snapshot_role_t role;
    const char *name = json_string_value(json_object_get(stats, "process"));
    const char *what = json_string_value(json_object_get(stats, "mayhem"));
    if (!name || !mm_is_name(mm_str(name)) || !what || strcmp(what, "stats") != 0 ||
        !role_in(stats, &role))
        return;
    entry_t *entry = find_or_add(self, name, role);
    if (entry->stats && entry->row.pid != (int)number_in(stats, "pid"))
        entry = succeed(self, entry, now_ms);
    int64_t wall_ms = number_in(stats, "wall_ms"), done = done_in(stats, role);
    int64_t long_ms = wall_ms - entry->wall_ms;
    if (entry->stats && long_ms > 0)
        entry->row.rate =
            done >= entry->done ? 1000.0 * (double)(done - entry->done) / (double)long_ms : 0;
    entry->row.role = role;
    fill_row(&entry->row, stats);
    entry->wall_ms = wall_ms;
    entry->done = done;
    entry->replied_ms = now_ms;
    json_decref(entry->stats);
    entry->stats = json_incref(stats);
    if (role == SNAPSHOT_CONSUMER)
        parse_workers(self, json_object_get(stats, "workers"), now_ms);
}

bool stats_merge_is_complete(const stats_merge_t *self, int64_t asked_ms)
{
    bool has_consumer = false;
    for (size_t i = 0; i < self->count; i++) {
        const entry_t *entry = &self->entries[i];
        bool has_told = entry->replied_ms >= asked_ms;
        if (!has_told && !entry->is_ghost && asked_ms - entry->replied_ms < STATS_SILENT_MS)
            return false;
        has_consumer = has_consumer || (has_told && entry->row.role == SNAPSHOT_CONSUMER);
    }
    return has_consumer;
}

// ---- putting it together

static void set_state(entry_t *entry, bool knows_workers, int64_t now_ms)
{
    snapshot_process_t *row = &entry->row;
    bool is_worker = row->role == SNAPSHOT_SAVER || row->role == SNAPSHOT_RESTARTER;
    row->silent_ms = now_ms - entry->replied_ms;
    if (entry->is_ghost)
        return;
    bool is_silent = row->silent_ms >= STATS_SILENT_MS;
    if (is_worker && knows_workers && entry->is_known && !entry->is_joined)
        row->state = SNAPSHOT_LOST;
    else if (is_worker && knows_workers && !entry->is_known && is_silent)
        row->state = SNAPSHOT_LEFT;
    else if (is_silent)
        row->state = SNAPSHOT_SILENT;
    else if ((is_worker && row->limit == 0) ||
             json_is_true(json_object_get(entry->stats, "draining")))
        row->state = SNAPSHOT_DRAINING;
    else
        row->state = SNAPSHOT_UP;
    if (row->state == SNAPSHOT_LEFT || row->state == SNAPSHOT_SILENT || row->state == SNAPSHOT_LOST)
        row->rate = row->busy = row->cpu = 0;
}

static bool is_forgotten(const entry_t *entry, int64_t now_ms)
{
    return (entry->is_ghost && now_ms - entry->gone_ms >= STATS_GHOST_MS) ||
           (entry->row.state == SNAPSHOT_LEFT &&
            entry->row.silent_ms >= STATS_SILENT_MS + STATS_GHOST_MS);
}

static void forget(stats_merge_t *self, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        if (is_forgotten(&self->entries[i], now_ms))
            json_decref(self->entries[i].stats);
        else
            self->entries[kept++] = self->entries[i];
    }
    self->count = kept;
}

static void add_publisher(snapshot_t *snapshot, const entry_t *entry)
{
    const json_t *stats = entry->stats;
    snapshot_stage_t *outbox = &snapshot->stages[SNAPSHOT_OUTBOX];
    int64_t backlog = number_in(stats, "backlog"), leased = number_in(stats, "leased");
    snapshot->has_publisher = true;
    snapshot->rate += entry->row.rate;
    snapshot->total += number_in(stats, "total");
    snapshot->restarted += number_in(stats, "restarted");
    snapshot->dead += number_in(stats, "dead");
    snapshot->backlog += backlog;
    snapshot->p50_us = entry->row.p50_us;
    snapshot->p99_us = entry->row.p99_us;
    outbox->waiting += backlog > leased ? backlog - leased : 0;
    outbox->out += leased;
    outbox->capacity += number_in(stats, "window");
    outbox->wait_p50_us = time_in(stats, "wait_p50_us", 1);
    outbox->wait_p99_us = time_in(stats, "wait_p99_us", 1);
}

static void set_hop(snapshot_stage_t *stage, const json_t *told)
{
    const char *reason = json_string_value(json_object_get(told, "reason"));
    *stage = (snapshot_stage_t){.waiting = number_in(told, "waiting"),
                                .out = number_in(told, "out"),
                                .capacity = number_in(told, "slots"),
                                .backoff = number_in(told, "backoff"),
                                .blocked = number_in(told, "blocked"),
                                .wait_p50_us = time_in(told, "wait_p50_ms", 1000),
                                .wait_p99_us = time_in(told, "wait_p99_ms", 1000),
                                .took_p50_us = time_in(told, "took_p50_ms", 1000),
                                .took_p99_us = time_in(told, "took_p99_ms", 1000)};
    (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason ? reason : "");
}

static void set_consumer(snapshot_t *snapshot, const entry_t *entry)
{
    const json_t *stats = entry->stats;
    snapshot_stage_t *wire = &snapshot->stages[SNAPSHOT_WIRE];
    snapshot->has_consumer = true;
    snapshot->in_flight = number_in(stats, "in_flight");
    snapshot->retried = number_in(stats, "retried");
    snapshot->reclaimed = number_in(stats, "taken_back");
    snapshot->nacked = number_in(stats, "nacked");
    snapshot->extended = number_in(stats, "extended");
    snapshot->draining = json_is_true(json_object_get(stats, "draining"));
    wire->out = snapshot->in_flight;
    wire->capacity = number_in(stats, "max_in_flight");
    wire->took_p50_us = time_in(stats, "p50_ms", 1000);
    wire->took_p99_us = time_in(stats, "p99_ms", 1000);
    set_hop(&snapshot->stages[SNAPSHOT_STORE], json_object_get(stats, "store"));
    set_hop(&snapshot->stages[SNAPSHOT_RESTART], json_object_get(stats, "restart"));
}

static int by_place(const void *a, const void *b)
{
    const snapshot_process_t *one = a, *other = b;
    if (one->role != other->role)
        return one->role < other->role ? -1 : 1;
    int order = strverscmp(one->name, other->name);
    return order != 0 ? order : (int)one->state - (int)other->state;
}

static bool knows_workers(const stats_merge_t *self, int64_t now_ms)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->entries[i].row.role == SNAPSHOT_CONSUMER && !self->entries[i].is_ghost &&
            now_ms - self->entries[i].replied_ms < STATS_SILENT_MS)
            return true;
    return false;
}

snapshot_t stats_merge_snapshot(stats_merge_t *self, int64_t now_ms, int64_t wall_ms)
{
    snapshot_t snapshot = {.wall_ms = wall_ms, .p50_us = -1, .p99_us = -1};
    for (snapshot_stage_kind_t stage = 0; stage < SNAPSHOT_STAGES; stage++)
        snapshot.stages[stage].wait_p50_us = snapshot.stages[stage].wait_p99_us =
            snapshot.stages[stage].took_p50_us = snapshot.stages[stage].took_p99_us = -1;
    bool knows = knows_workers(self, now_ms);
    for (size_t i = 0; i < self->count; i++)
        set_state(&self->entries[i], knows, now_ms);
    forget(self, now_ms);
    snapshot.processes = calloc(self->count + 1, sizeof *snapshot.processes);
    assert(snapshot.processes);
    for (size_t i = 0; i < self->count; i++) {
        const entry_t *entry = &self->entries[i];
        snapshot.processes[snapshot.process_count++] = entry->row;
        bool answers = entry->row.state == SNAPSHOT_UP || entry->row.state == SNAPSHOT_DRAINING;
        if (answers && entry->row.role == SNAPSHOT_PUBLISHER)
            add_publisher(&snapshot, entry);
        else if (answers && entry->row.role == SNAPSHOT_CONSUMER)
            set_consumer(&snapshot, entry);
    }
    int64_t on_wire = snapshot.stages[SNAPSHOT_OUTBOX].out - snapshot.in_flight;
    snapshot.stages[SNAPSHOT_WIRE].waiting = on_wire > 0 ? on_wire : 0;
    qsort(snapshot.processes, snapshot.process_count, sizeof *snapshot.processes, by_place);
    bottleneck_find(&snapshot);
    return snapshot;
}
