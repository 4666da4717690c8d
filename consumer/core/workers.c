// The records of workers: known, joined and lost ones, and their changes as events. See workers.h.
// Each worker is in one of two lists: joined by its last report, or lost by the time of its loss.

#include "array.h"
#include "host.h"
#include "workers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define LOST_MAX 1024 // lost workers kept, for their late results

workers_t *workers_new(const gather_config_t *config, hosts_t *hosts, resources_t *resources)
{
    workers_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->hosts = hosts;
    self->resources = resources;
    self->number = config->first_number;
    self->session = config->first_session;
    self->pause_end_ms = MM_NEVER;
    return self;
}

// ---- changes

workers_change_t *workers_add_change(workers_t *self, workers_change_kind_t kind)
{
    workers_change_t *added =
        MM_ARRAY_ADD(self->changes, self->change_count, self->change_capacity);
    *added = (workers_change_t){.kind = kind};
    return added;
}

void workers_add_change_of(workers_t *self, workers_change_kind_t kind, const worker_t *worker)
{
    workers_change_t *added = workers_add_change(self, kind);
    added->name = worker->name;
    added->instance = worker->instance;
    added->session = worker->session;
    added->acknowledged_through = worker->acknowledged_through;
}

void workers_ignore_claim(workers_t *self, mm_str_t name, const char *reason)
{
    mm_name_t worker;
    if (!mm_name_from(name, &worker))
        return;
    workers_change_t *added = workers_add_change(self, WORKERS_CLAIM);
    added->name = worker;
    added->reason = reason;
}

size_t workers_changes(workers_t *self, const workers_change_t **ret_changes)
{
    size_t count = self->change_count;
    self->change_count = 0;
    *ret_changes = self->changes;
    return count;
}

// ---- those who are known

worker_t *workers_find_name(workers_t *self, mm_str_t name)
{
    worker_t *worker = self->found; // a frame is of one worker
    if (worker && mm_name_is(&worker->name, name))
        return worker;
    HASH_FIND(hh, self->by_name, name.data, name.size, worker);
    if (worker)
        self->found = worker;
    return worker;
}

worker_t *workers_find(workers_t *self, mm_str_t name, uint64_t instance)
{
    worker_t *worker = workers_find_name(self, name);
    return worker && worker->instance == instance ? worker : NULL;
}

void workers_forget(workers_t *self, worker_t *worker)
{
    assert(worker->state == WORKER_LOST && worker->out == 0);
    DL_DELETE2(self->lost, worker, heard_prev, heard_next);
    self->lost_count--;
    HASH_DELETE(hh, self->by_name, worker);
    if (self->found == worker)
        self->found = NULL;
    mm_queue_clear(&worker->assignments);
    free(worker);
}

worker_t *workers_add(workers_t *self, const mm_report_t *report)
{
    if (self->lost_count >= LOST_MAX)
        workers_forget(self, self->lost);
    worker_t *worker = calloc(1, sizeof *worker);
    assert(worker);
    bool valid = mm_name_from(report->worker, &worker->name);
    assert(valid);
    worker->role = report->role;
    worker->instance = report->instance;
    if (report->role == MM_ROLE_RESTARTER && mm_name_from(report->driver, &worker->driver))
        worker->verbs = report->verbs | MM_VERB_REAL; // the mock has neither name nor verbs
    worker->state = WORKER_LOST;
    DL_APPEND2(self->lost, worker, heard_prev, heard_next);
    self->lost_count++;
    HASH_ADD_KEYPTR(hh, self->by_name, worker->name.text, strlen(worker->name.text), worker);
    return worker;
}

const worker_t *workers_holder(const workers_t *self, uint64_t number)
{
    const assignment_t *assignment = assignments_find(self, number, NULL);
    return assignment ? assignment->worker : NULL;
}

const worker_t *workers_next(const workers_t *self, const worker_t *previous)
{
    return previous ? previous->hh.next : self->by_name;
}

// ---- joined or lost

static void set_joined(workers_t *self, worker_t *worker)
{
    assert(worker->state == WORKER_LOST);
    DL_DELETE2(self->lost, worker, heard_prev, heard_next);
    self->lost_count--;
    worker->state = WORKER_JOINED;
    if (worker->paused_ms > 0) // its pause goes on
        self->pause_end_ms = mm_earlier(self->pause_end_ms, worker->paused_ms);
    self->joined_count[worker->role]++;
    DL_APPEND2(self->joined, worker, heard_prev, heard_next);
}

void workers_set_heard(workers_t *self, worker_t *worker, int64_t now_ms)
{
    worker->heard_ms = now_ms;
    if (worker->state == WORKER_LOST) {
        set_joined(self, worker);
        return;
    }
    DL_DELETE2(self->joined, worker, heard_prev, heard_next);
    DL_APPEND2(self->joined, worker, heard_prev, heard_next);
}

static void close_session(workers_t *self, worker_t *worker)
{
    if (worker->session != 0)
        workers_add_change_of(self, WORKERS_CLOSE, worker);
}

void workers_open_session(workers_t *self, worker_t *worker)
{
    close_session(self, worker);
    worker->session = worker->given = ++self->session;
    worker->is_cut = false;
    workers_add_change_of(self, WORKERS_OPEN, worker);
}

// The one place where a worker leaves the joined list.
static void set_lost(workers_t *self, worker_t *worker)
{
    assert(worker->state == WORKER_JOINED);
    close_session(self, worker);
    worker->session = 0;
    worker->is_cut = false;
    worker->sequence = 0; // an impossible claim locks nobody out any longer (R16)
    DL_DELETE2(self->joined, worker, heard_prev, heard_next);
    self->joined_count[worker->role]--;
    worker->state = WORKER_LOST;
    worker->slots = 0;
    if (self->quarantine == worker)
        workers_release_quarantine(self);
    workers_refresh_credit(self, worker);
    DL_APPEND2(self->lost, worker, heard_prev, heard_next);
    self->lost_count++;
}

static void end_assignment(workers_t *self, assignment_t *assignment, ended_why_t why)
{
    bool is_ours = assignment->number > self->config.first_number;
    if (why == ENDED_LOST && is_ours && mm_leg_is_restarters((mm_leg_t)assignment->leg))
        assignments_add_lost(self, assignment);
    mm_name_t name = assignment->worker->name;
    ended_t ended = assignments_remove(self, assignment, why);
    workers_change_t *added = workers_add_change(self, WORKERS_ENDED);
    added->name = name;
    added->ended = ended;
}

void workers_end_unlisted(workers_t *self, assignment_t *assignment)
{
    end_assignment(self, assignment, assignment->is_listed ? ENDED_LOST : ENDED_UNDELIVERED);
}

static void end_all_assignments(workers_t *self, worker_t *worker, ended_why_t why)
{
    while (worker->out > 0)
        end_assignment(self, assignments_first(worker), why);
}

void workers_lose(workers_t *self, worker_t *worker, const char *why)
{
    workers_add_change_of(self, WORKERS_LOSS, worker);
    self->changes[self->change_count - 1].reason = why;
    end_all_assignments(self, worker, ENDED_LOST);
    set_lost(self, worker);
}

void workers_bye(workers_t *self, worker_t *worker, uint64_t session, uint64_t last_serial)
{
    if (worker->state == WORKER_JOINED) {
        if (worker->session != session)
            return;
        bool all_read = worker->acknowledged_through >= last_serial;
        while (all_read && worker->out > 0)
            workers_end_unlisted(self, assignments_first(worker));
        end_all_assignments(self, worker, ENDED_LOST);
        workers_add_change_of(self, WORKERS_LEFT, worker);
        set_lost(self, worker);
    }
    workers_forget(self, worker);
}

void workers_revoke(workers_t *self, mm_str_t name, mm_role_t role)
{
    worker_t *worker = workers_find_name(self, name);
    if (worker && worker->role == role && worker->state == WORKER_JOINED)
        workers_lose(self, worker, "its key no longer counts");
}

void workers_cut(workers_t *self, uint64_t session)
{
    worker_t *worker;
    DL_FOREACH2 (self->joined, worker, heard_next) {
        if (session == 0 || worker->session != session)
            continue;
        worker->is_cut = true;
        workers_refresh_credit(self, worker);
    }
}

void workers_check(workers_t *self, int64_t now_ms)
{
    if (now_ms >= self->pause_end_ms)
        workers_end_pauses(self, now_ms);
    while (self->joined && now_ms - self->joined->heard_ms >= self->config.lost_after_ms)
        workers_lose(self, self->joined, "no heartbeat");
}

int64_t workers_deadline(const workers_t *self)
{
    int64_t lost_ms = self->joined ? self->joined->heard_ms + self->config.lost_after_ms : MM_NEVER;
    return mm_earlier(lost_ms, self->pause_end_ms);
}

void workers_forgive(workers_t *self, int64_t now_ms)
{
    worker_t *worker;
    DL_FOREACH2 (self->joined, worker, heard_next)
        worker->heard_ms = now_ms;
}

void workers_destroy(workers_t **self_p)
{
    workers_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    worker_t *worker, *next;
    HASH_ITER (hh, self->by_name, worker, next) {
        worker->state = WORKER_LOST;
        workers_refresh_credit(self, worker); // out of the ring, before the others are freed
        while (worker->out > 0) {
            ended_t ended = assignments_remove(self, assignments_first(worker), ENDED_LOST);
            hosts_put(self->hosts, &ended.host);
        }
        HASH_DELETE(hh, self->by_name, worker);
        mm_queue_clear(&worker->assignments);
        free(worker);
    }
    while (self->lost_tasks)
        assignments_remove_lost(self, self->lost_tasks);
    assignments_clear(self);
    free(self->changes);
    free(self);
}
