// See stats_merge.h.

#include "stats_merge.h"
#include "array.h"
#include "attention.h"
#include "ctl.h"
#include "host.h"
#include "reply_values.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A process that has replied, or that the consumer has listed.
typedef struct {
    snapshot_process_t row;
    json_t *stats;      // its last reply; NULL: none
    int64_t replied_ms; // its time
    int64_t wall_ms;    // the same by the process's own clock
    int64_t done;       // jobs that it had finished by then
    bool is_known;      // a worker that is on the consumer's list,
    bool is_joined;     // and in a session
    bool is_ghost;      // another process has its name
    int64_t gone_ms;    // since when
} entry_t;

struct stats_merge {
    entry_t *entries;
    size_t count;
    size_t capacity;
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

// ---- reading a reply

// A time in microseconds, from the key "NAME_us" or "NAME_ms"; -1: there is none.
static int64_t time_in(const json_t *object, const char *name)
{
    return reply_time(object, name, strlen(name));
}

// May move all entries.
static entry_t *add(stats_merge_t *self, const char *name, mm_program_t role)
{
    entry_t *entry = MM_ARRAY_ADD(self->entries, self->count, self->capacity);
    *entry = (entry_t){.row = {.role = role, .p50_us = -1, .p99_us = -1}};
    (void)snprintf(entry->row.name, sizeof entry->row.name, "%s", name);
    return entry;
}

static entry_t *find_or_add(stats_merge_t *self, const char *name, mm_program_t role)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->entries[i].is_ghost && strcmp(self->entries[i].row.name, name) == 0)
            return &self->entries[i];
    return add(self, name, role);
}

// Another process has the name now. The former one stays on screen for a while.
static entry_t *succeed(stats_merge_t *self, entry_t *former, int64_t now_ms)
{
    snapshot_process_t row = former->row;
    former->is_ghost = true;
    former->gone_ms = now_ms;
    former->row.state = SNAPSHOT_LOST;
    former->row.rate = former->row.busy = former->row.cpu = 0;
    return add(self, row.name, row.role);
}

// Keys of a reply by role.
static const struct {
    const char *held, *limit, *failed;
    const char *done[2]; // jobs finished since its start: their sum
} keys[] = {
    [MM_PROGRAM_PUBLISHER] = {"leased", "window", "dead", {"settled"}},
    [MM_PROGRAM_CONSUMER] = {"in_flight", "max_in_flight", "dead", {"acked", "dead"}},
    [MM_PROGRAM_SAVER] = {"running", "slots", "failed", {"settled"}},
    [MM_PROGRAM_RESTARTER] = {"running", "slots", "failed", {"ended"}},
};

static void fill_row(snapshot_process_t *row, const json_t *stats)
{
    row->pid = (int)reply_number(stats, "pid");
    row->busy = json_number_value(json_object_get(stats, "busy"));
    row->cpu = json_number_value(json_object_get(stats, "cpu"));
    row->memory_bytes = reply_number(stats, "memory_bytes");
    row->dropped = reply_number(stats, "dropped") + reply_number(stats, "bad_frames");
    row->p50_us = time_in(stats, "p50");
    row->p99_us = time_in(stats, "p99");
    row->held = reply_number(stats, keys[row->role].held);
    row->limit = reply_number(stats, keys[row->role].limit);
    row->failed = reply_number(stats, keys[row->role].failed);
    reply_text(stats, "doing", row->doing, sizeof row->doing);
}

// The consumer knows which workers have joined, and which were lost.
static void parse_workers(stats_merge_t *self, const json_t *list, int64_t now_ms)
{
    size_t index;
    json_t *worker;
    for (size_t i = 0; i < self->count; i++)
        self->entries[i].is_known = false;
    json_array_foreach((json_t *)list, index, worker)
    {
        mm_program_t role;
        const char *name = ctl_text(worker, "name");
        if (!mm_is_name(mm_str(name)) || !mm_program_parse(mm_str(ctl_text(worker, "role")), &role))
            continue;
        entry_t *entry = find_or_add(self, name, role);
        entry->is_known = true;
        entry->is_joined = json_is_true(json_object_get(worker, "joined"));
        if (!entry->stats) { // it has not replied itself
            entry->replied_ms = now_ms - reply_number(worker, "silent_ms");
            entry->row.held = reply_number(worker, "out");
            entry->row.limit = reply_number(worker, "slots");
        }
    }
}

void stats_merge_add(stats_merge_t *self, json_t *stats, int64_t now_ms)
{
    mm_program_t role;
    const char *name = ctl_text(stats, "process");
    if (!mm_is_name(mm_str(name)) || strcmp(ctl_text(stats, "mayhem"), "stats") != 0 ||
        !mm_program_parse(mm_str(ctl_text(stats, "role")), &role))
        return;
    entry_t *entry = find_or_add(self, name, role);
    if (entry->stats && entry->row.pid != (int)reply_number(stats, "pid"))
        entry = succeed(self, entry, now_ms);
    int64_t wall_ms = reply_number(stats, "wall_ms");
    int64_t done =
        reply_number(stats, keys[role].done[0]) + reply_number(stats, keys[role].done[1]);
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
    if (role == MM_PROGRAM_CONSUMER)
        parse_workers(self, json_object_get(stats, "workers"), now_ms);
}

bool stats_merge_is_complete(const stats_merge_t *self, int64_t asked_ms)
{
    bool has_consumer = false;
    for (size_t i = 0; i < self->count; i++) {
        const entry_t *entry = &self->entries[i];
        bool has_replied = entry->replied_ms >= asked_ms;
        if (!has_replied && !entry->is_ghost && asked_ms - entry->replied_ms < STATS_SILENT_MS)
            return false;
        has_consumer = has_consumer || (has_replied && entry->row.role == MM_PROGRAM_CONSUMER);
    }
    return has_consumer;
}

// ---- the snapshot

static bool is_answering(const snapshot_process_t *row)
{
    return row->state == SNAPSHOT_UP || row->state == SNAPSHOT_DRAINING;
}

static void set_state(entry_t *entry, bool knows_workers, int64_t now_ms)
{
    snapshot_process_t *row = &entry->row;
    bool is_worker = row->role == MM_PROGRAM_SAVER || row->role == MM_PROGRAM_RESTARTER;
    row->silent_ms = now_ms - entry->replied_ms;
    if (entry->is_ghost)
        return;
    bool is_silent = row->silent_ms >= STATS_SILENT_MS;
    bool is_draining =
        (is_worker && row->limit == 0) || json_is_true(json_object_get(entry->stats, "draining"));
    row->state = is_silent ? SNAPSHOT_SILENT : is_draining ? SNAPSHOT_DRAINING : SNAPSHOT_UP;
    if (is_worker && knows_workers && entry->is_known && !entry->is_joined)
        row->state = SNAPSHOT_LOST;
    else if (is_worker && knows_workers && !entry->is_known && is_silent)
        row->state = SNAPSHOT_LEFT;
    if (!is_answering(row))
        row->rate = row->busy = row->cpu = 0;
}

static void forget(stats_merge_t *self, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        const entry_t *entry = &self->entries[i];
        bool has_left = entry->row.state == SNAPSHOT_LEFT &&
                        entry->row.silent_ms >= STATS_SILENT_MS + STATS_GHOST_MS;
        if (has_left || (entry->is_ghost && now_ms - entry->gone_ms >= STATS_GHOST_MS))
            json_decref(entry->stats);
        else
            self->entries[kept++] = *entry;
    }
    self->count = kept;
}

static void add_publisher(snapshot_t *snapshot, const entry_t *entry)
{
    const json_t *stats = entry->stats;
    snapshot_stage_t *outbox = &snapshot->stages[SNAPSHOT_OUTBOX];
    int64_t backlog = reply_number(stats, "backlog"), leased = reply_number(stats, "leased");
    snapshot->has_publisher = true;
    snapshot->rate += entry->row.rate;
    snapshot->total += reply_number(stats, "total");
    snapshot->restarted += reply_number(stats, "restarted");
    snapshot->dead += reply_number(stats, "dead");
    snapshot->skipped += reply_number(stats, "skipped");
    snapshot->withdrawn += reply_number(stats, "withdrawn");
    snapshot->backlog += backlog;
    snapshot->p50_us = entry->row.p50_us;
    snapshot->p99_us = entry->row.p99_us;
    outbox->waiting += backlog > leased ? backlog - leased : 0;
    outbox->out += leased;
    outbox->capacity += reply_number(stats, "window");
    outbox->wait_p50_us = time_in(stats, "wait_p50");
    outbox->wait_p99_us = time_in(stats, "wait_p99");
}

static void set_held(snapshot_t *snapshot, const json_t *reply)
{
    const json_t *list = json_object_get(reply, "groups");
    size_t count = json_array_size(list);
    snapshot->halted = json_is_true(json_object_get(reply, "halted"));
    free(snapshot->groups);
    snapshot->group_count = count < SNAPSHOT_GROUPS_MAX ? count : SNAPSHOT_GROUPS_MAX;
    snapshot->groups_left_out = reply_number(reply, "groups_left_out");
    snapshot->groups = calloc(snapshot->group_count + 1, sizeof *snapshot->groups);
    assert(snapshot->groups);
    for (size_t i = 0; i < snapshot->group_count; i++)
        snapshot_parse_group(json_array_get(list, i), &snapshot->groups[i]);
}

// Of a record of its own a consumer has none.
static void set_lease(snapshot_t *snapshot, const json_t *reply)
{
    const char *state = json_string_value(json_object_get(reply, "state"));
    const json_t *age = json_object_get(reply, "renewed_ms");
    (void)snprintf(snapshot->lease, sizeof snapshot->lease, "%s", state ? state : "");
    snapshot->lease_epoch = reply_number(reply, "epoch");
    snapshot->lease_left_ms = reply_number(reply, "left_ms");
    snapshot->lease_age_ms = json_is_integer(age) ? json_integer_value(age) : -1;
}

static void set_consumer(snapshot_t *snapshot, const entry_t *entry)
{
    const json_t *stats = entry->stats;
    snapshot_stage_t *wire = &snapshot->stages[SNAPSHOT_WIRE];
    snapshot->has_consumer = true;
    snapshot->in_flight = reply_number(stats, "in_flight");
    snapshot->retried = reply_number(stats, "retried");
    snapshot->reclaimed = reply_number(stats, "taken_back");
    snapshot->nacked = reply_number(stats, "nacked");
    snapshot->extended = reply_number(stats, "extended");
    snapshot->refused_keys = reply_number(stats, "refused_keys");
    snapshot->draining = json_is_true(json_object_get(stats, "draining"));
    set_lease(snapshot, json_object_get(stats, "lease"));
    wire->out = snapshot->in_flight;
    wire->capacity = reply_number(stats, "max_in_flight");
    wire->took_p50_us = entry->row.p50_us;
    wire->took_p99_us = entry->row.p99_us;
    snapshot_parse_stage(json_object_get(stats, "store"), &snapshot->stages[SNAPSHOT_STORE]);
    snapshot_parse_stage(json_object_get(stats, "restart"), &snapshot->stages[SNAPSHOT_RESTART]);
    set_held(snapshot, json_object_get(stats, "held"));
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
        if (self->entries[i].row.role == MM_PROGRAM_CONSUMER && !self->entries[i].is_ghost &&
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
        if (is_answering(&entry->row) && entry->row.role == MM_PROGRAM_PUBLISHER)
            add_publisher(&snapshot, entry);
        else if (is_answering(&entry->row) && entry->row.role == MM_PROGRAM_CONSUMER)
            set_consumer(&snapshot, entry);
    }
    int64_t on_wire = snapshot.stages[SNAPSHOT_OUTBOX].out - snapshot.in_flight;
    snapshot.stages[SNAPSHOT_WIRE].waiting = on_wire > 0 ? on_wire : 0;
    qsort(snapshot.processes, snapshot.process_count, sizeof *snapshot.processes, by_place);
    snapshot_find_limit(&snapshot);
    attention_find(&snapshot, NULL, "");
    return snapshot;
}
