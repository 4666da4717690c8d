// See workers.h. Each worker is in one of two lists: joined by its last report, or lost by the time
// of its loss. A joined worker with credit is also in the ring of its role: tasks go round robin.

#include "array.h"
#include "host.h"
#include "job.h"
#include "uuid.h"
#include "workers_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define PAUSE_MAX_MS 60000              // that a worker can ask for
#define LOST_MAX     1024               // lost workers kept, for their late results
#define HELD_MAX     (2 * MM_SLOTS_MAX) // tasks of one worker at most, in transit or at work
// The highest session or task number that a worker may name: epoch.h reaches it in 2097, and enough
// numbers are left above it to count on.
#define NAMED_MAX (UINT64_MAX / 16 * 15)

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

static workers_change_t *change(workers_t *self, workers_change_kind_t kind)
{
    workers_change_t *added =
        MM_ARRAY_ADD(self->changes, self->change_count, self->change_capacity);
    *added = (workers_change_t){.kind = kind};
    return added;
}

static void change_worker(workers_t *self, workers_change_kind_t kind, const worker_t *worker)
{
    workers_change_t *added = change(self, kind);
    added->name = worker->name;
    added->instance = worker->instance;
    added->session = worker->session;
    added->acknowledged_through = worker->acknowledged_through;
}

// The welcome to its last session, which may be closed by now.
static void change_given(workers_t *self, const worker_t *worker)
{
    change_worker(self, WORKERS_WELCOME, worker);
    self->changes[self->change_count - 1].session = worker->given;
}

// An answer to a report of a worker without a record.
static void change_stranger(workers_t *self, workers_change_kind_t kind, const mm_report_t *report,
                            const char *reason)
{
    workers_change_t *added = change(self, kind);
    if (!mm_name_from(report->worker, &added->name)) {
        self->change_count--;
        return;
    }
    added->instance = report->instance;
    added->reason = reason;
}

size_t workers_changes(workers_t *self, const workers_change_t **ret_changes)
{
    size_t count = self->change_count;
    self->change_count = 0;
    *ret_changes = self->changes;
    return count;
}

static void end_assignment(workers_t *self, assignment_t *assignment, ended_why_t why)
{
    if (why == ENDED_LOST && mm_leg_is_restarters(assignment->leg))
        assignments_add_lost(self, assignment->number);
    mm_name_t name = assignment->worker->name;
    ended_t ended = assignments_remove(self, assignment, why);
    workers_change_t *added = change(self, WORKERS_ENDED);
    added->name = name;
    added->ended = ended;
}

static void end_all_assignments(workers_t *self, worker_t *worker, ended_why_t why)
{
    while (worker->assignments)
        end_assignment(self, worker->assignments, why);
}

static void close_session(workers_t *self, worker_t *worker)
{
    if (worker->session != 0)
        change_worker(self, WORKERS_CLOSE, worker);
}

// The one place where a worker leaves the joined list.
static void set_lost(workers_t *self, worker_t *worker)
{
    assert(worker->state == WORKER_JOINED);
    close_session(self, worker);
    worker->session = 0;
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

// Presumes it lost, with all its tasks.
static void lose(workers_t *self, worker_t *worker)
{
    change_worker(self, WORKERS_LOSS, worker);
    end_all_assignments(self, worker, ENDED_LOST);
    set_lost(self, worker);
}

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

static void forget(workers_t *self, worker_t *worker)
{
    assert(worker->state == WORKER_LOST && worker->assignments == NULL);
    DL_DELETE2(self->lost, worker, heard_prev, heard_next);
    self->lost_count--;
    HASH_DELETE(hh, self->by_name, worker);
    if (self->found == worker)
        self->found = NULL;
    free(worker);
}

// A frame is of one worker, so the last one found is tried first.
static worker_t *find_name(workers_t *self, mm_str_t name)
{
    worker_t *worker = self->found;
    if (worker && mm_str_equal(mm_str(worker->name.text), name))
        return worker;
    HASH_FIND(hh, self->by_name, name.data, name.size, worker);
    if (worker)
        self->found = worker;
    return worker;
}

worker_t *workers_find(workers_t *self, mm_str_t name, uint64_t instance)
{
    worker_t *worker = find_name(self, name);
    return worker && worker->instance == instance ? worker : NULL;
}

// A record for the sender of a hello, in state lost until its hello is complete.
static worker_t *new_worker(workers_t *self, const mm_report_t *report)
{
    if (self->lost_count >= LOST_MAX)
        forget(self, self->lost);
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

static void set_driver(workers_t *self, mm_str_t name)
{
    self->has_driver = true;
    self->driver = (mm_name_t){0};
    (void)mm_name_from(name, &self->driver); // empty: the mock
}

// Whether a restarter has the driver that others have, or that the run has named. The first one
// decides.
static bool is_runs_driver(workers_t *self, const mm_report_t *report)
{
    if (!self->has_driver) {
        set_driver(self, report->driver);
        return true;
    }
    if (mm_str_equal(report->driver, mm_str(self->driver.text)))
        return true;
    (void)snprintf(self->why_driver, sizeof self->why_driver,
                   "its driver is %.*s, that of the run is %s",
                   report->driver.size > 0 ? (int)report->driver.size : 4,
                   report->driver.size > 0 ? report->driver.data : "mock",
                   self->driver.text[0] ? self->driver.text : "mock");
    return false;
}

// The record of a hello's sender; NULL: the hello is refused.
static worker_t *hello_worker(workers_t *self, const mm_report_t *report, int64_t now_ms)
{
    mm_name_t name;
    if (!mm_name_from(report->worker, &name))
        return NULL;
    if (report->session > self->session && report->session > NAMED_MAX) {
        change_stranger(self, WORKERS_REFUSED, report, "no consumer has given it that session");
        return NULL;
    }
    if (report->role == MM_ROLE_RESTARTER && !is_runs_driver(self, report)) {
        change_stranger(self, WORKERS_REFUSED, report, self->why_driver);
        return NULL;
    }
    worker_t *worker = find_name(self, report->worker);
    if (worker && worker->instance != report->instance) {
        if (worker->state == WORKER_JOINED &&
            now_ms - worker->heard_ms < self->config.lost_after_ms) {
            change_stranger(self, WORKERS_REFUSED, report,
                            "another process with this id is alive; give this one another --id");
            return NULL;
        }
        // Another instance: the former one is gone, with all its tasks (R4).
        if (worker->state == WORKER_JOINED)
            lose(self, worker);
        forget(self, worker);
        worker = NULL;
    }
    uint32_t limit =
        report->role == MM_ROLE_SAVER ? self->config.savers_max : self->config.restarters_max;
    if ((!worker || worker->state == WORKER_LOST) && self->joined_count[report->role] >= limit) {
        change_stranger(self, WORKERS_REFUSED, report,
                        report->role == MM_ROLE_SAVER ? "there is another saver already"
                                                      : "there are too many restarters already");
        return NULL;
    }
    return worker ? worker : new_worker(self, report);
}

// The record of a heartbeat's sender; NULL: the session is not its current one.
static worker_t *heartbeat_worker(workers_t *self, const mm_report_t *report)
{
    worker_t *worker = workers_find(self, report->worker, report->instance);
    if (!worker || worker->session == 0 || report->session > worker->session) {
        if (report->part == 0)
            change_stranger(self, WORKERS_REJOIN, report, NULL);
        return NULL;
    }
    // An older session's heartbeat crossed with the next welcome: the hello was newer.
    return report->session == worker->session ? worker : NULL;
}

// A heartbeat repeats all that is not acknowledged. If there is a gap before it, an old hello of a
// worker that was forgotten has opened the session: what is missing comes only with another one.
static bool has_gap(const worker_t *worker, const mm_report_t *report)
{
    return !report->is_hello && report->part == 0 && report->result_count > 0 &&
           report->results[0].serial - 1 > worker->acknowledged_through;
}

worker_t *workers_report_open(workers_t *self, const mm_report_t *report, int64_t now_ms)
{
    worker_t *worker =
        report->is_hello ? hello_worker(self, report, now_ms) : heartbeat_worker(self, report);
    if (!worker || worker->role != report->role)
        return NULL;
    if (has_gap(worker, report)) {
        change_stranger(self, WORKERS_REJOIN, report, NULL);
        return NULL;
    }
    if (report->part == 0) {
        if (report->sequence <= worker->sequence)
            return NULL;
        worker->sequence = report->sequence;
        worker->parts = 0;
    } else if (report->sequence != worker->sequence || report->part != worker->parts) {
        return NULL;
    }
    if (report->is_hello && worker->state == WORKER_LOST && report->session < worker->given) {
        // The hello is older than that session, or its sender never got the welcome. It may be out
        // of date, so the sender must come back with that session (R4).
        if (report->part == 0)
            change_given(self, worker);
        return NULL;
    }
    if (worker->state == WORKER_LOST && report->part > 0)
        return NULL; // lost between two parts of its hello: the tasks of the first were reclaimed
    worker->parts++;
    worker->heard_ms = now_ms;
    worker->stamp_ms = report->stamp_ms;
    if (worker->state == WORKER_LOST) {
        set_joined(self, worker); // no session, and so no credit, until the hello is complete
    } else {
        DL_DELETE2(self->joined, worker, heard_prev, heard_next);
        DL_APPEND2(self->joined, worker, heard_prev, heard_next);
    }
    return worker;
}

// Whether an unknown task of a report is adopted. Not when the report is older than a result that
// was read: the task may have ended since. Not beyond HELD_MAX: memory is bounded whatever a worker
// says (I6). Not with a number that leaves none to count on.
static bool may_adopt(const workers_t *self, const worker_t *worker, const mm_report_t *report,
                      uint64_t number)
{
    return report->last_serial >= worker->acknowledged_through && worker->out < HELD_MAX &&
           (number <= self->number || number <= NAMED_MAX);
}

// Merges the report's list into the table: marks known tasks, adopts others (R2, R6).
static void read_held(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    for (size_t i = 0; i < report->held_count; i++) {
        const mm_assignment_t *held = &report->held[i];
        assignment_t *assignment = assignments_find(self, held->number);
        if (!assignment && !may_adopt(self, worker, report, held->number))
            continue;
        if (!assignment) {
            bool is_restart = mm_leg_is_restarters(held->leg);
            host_t *host = is_restart ? hosts_get(self->hosts, held->host) : NULL;
            if (self->number < held->number)
                self->number = held->number; // an epoch number was lost: stay above it (R3)
            assignment = assignments_add(self, worker, held->number, held->leg, &held->id, host);
            (void)assignments_remove_lost(self, held->number);
            if (host)
                hosts_put(self->hosts, &host); // the assignment has its own reference
        }
        if (assignment->worker == worker)
            assignment->marked = report->sequence;
    }
}

// Ends a task without a result that its worker does not list. Never listed, it never started (R1).
static void end_unlisted(workers_t *self, assignment_t *assignment)
{
    end_assignment(self, assignment, assignment->marked == 0 ? ENDED_UNDELIVERED : ENDED_LOST);
}

// Ends the tasks in the table that the report does not list. Not before all results are read, since
// a task that has ended is not listed either (R1).
static void end_missing(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    if (worker->acknowledged_through < report->last_serial)
        return;
    assignment_t *assignment, *next;
    DL_FOREACH_SAFE (worker->assignments, assignment, next) {
        bool can_start = !report->is_hello &&
                         report->stamp_ms - assignment->stamp_ms < self->config.lost_after_ms;
        if (assignment->marked != report->sequence && !can_start)
            end_unlisted(self, assignment);
    }
}

static void open_session(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    close_session(self, worker);
    if (self->session < report->session)
        self->session = report->session; // an epoch number was lost: stay above it (R4)
    worker->session = worker->given = ++self->session;
    change_worker(self, WORKERS_OPEN, worker);
}

void workers_report_close(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    bool complete = worker->parts == report->parts;
    bool repeats = report->is_hello && report->session < worker->session;
    read_held(self, worker, report);
    if (!complete)
        return;
    worker->slots = report->slots;
    if (repeats) {
        change_worker(self, WORKERS_WELCOME, worker); // the first welcome crossed with this hello
    } else {
        end_missing(self, worker, report);
        if (report->is_hello) {
            open_session(self, worker, report);
            change_worker(self, WORKERS_WELCOME, worker);
        }
    }
    workers_refresh_credit(self, worker);
    if (!report->is_hello && report->slots == 0)
        change_worker(self, WORKERS_LAST, worker);
}

bool workers_apply_result(workers_t *self, worker_t *worker, const mm_result_t *result,
                          bool in_hello, ended_t *ret_ended)
{
    bool news = in_hello ? result->serial > worker->acknowledged_through
                         : result->serial == worker->acknowledged_through + 1;
    if (!news)
        return false;
    worker->acknowledged_through = result->serial;
    assignment_t *assignment = assignments_find(self, result->number);
    // It does not end another worker's task, nor one of another leg or job: the task would be lost.
    if (assignment && (assignment->worker != worker || assignment->leg != result->leg ||
                       !mm_id_equal(&assignment->id, &result->id)))
        return false;
    *ret_ended = (ended_t){0};
    if (assignment)
        *ret_ended = assignments_remove(self, assignment, ENDED_RESULT);
    else if (assignments_remove_lost(self, result->number))
        *ret_ended = (ended_t){.why = ENDED_LOST, .number = result->number};
    return true;
}

void workers_bye(workers_t *self, worker_t *worker, uint64_t session, uint64_t last_serial)
{
    if (worker->state == WORKER_JOINED) {
        if (worker->session != session)
            return;
        bool all_read = worker->acknowledged_through >= last_serial;
        while (all_read && worker->assignments)
            end_unlisted(self, worker->assignments);
        end_all_assignments(self, worker, ENDED_LOST);
        change_worker(self, WORKERS_LEFT, worker);
        set_lost(self, worker);
    }
    forget(self, worker);
}

static void end_pauses(workers_t *self, int64_t now_ms)
{
    worker_t *worker;
    self->pause_end_ms = MM_NEVER;
    DL_FOREACH2 (self->joined, worker, heard_next) {
        if (worker->paused_ms > 0 && worker->paused_ms <= now_ms) {
            worker->paused_ms = 0;
            workers_refresh_credit(self, worker);
        }
        if (worker->paused_ms > 0)
            self->pause_end_ms = mm_earlier(self->pause_end_ms, worker->paused_ms);
    }
}

void workers_check(workers_t *self, int64_t now_ms)
{
    if (now_ms >= self->pause_end_ms)
        end_pauses(self, now_ms);
    while (self->joined && now_ms - self->joined->heard_ms >= self->config.lost_after_ms)
        lose(self, self->joined);
}

int64_t workers_deadline(const workers_t *self)
{
    int64_t lost_ms = self->joined ? self->joined->heard_ms + self->config.lost_after_ms : MM_NEVER;
    return mm_earlier(lost_ms, self->pause_end_ms);
}

void workers_pause(workers_t *self, worker_t *worker, int64_t now_ms, int64_t pause_ms)
{
    worker->paused_ms = now_ms + mm_earlier(pause_ms, PAUSE_MAX_MS);
    self->pause_end_ms = mm_earlier(self->pause_end_ms, worker->paused_ms);
    workers_refresh_credit(self, worker);
}

void workers_forgive(workers_t *self, int64_t now_ms)
{
    worker_t *worker;
    DL_FOREACH2 (self->joined, worker, heard_next)
        worker->heard_ms = now_ms;
}

bool workers_set_driver(workers_t *self, mm_str_t driver)
{
    mm_str_t name = mm_str_equal(driver, mm_str("mock")) ? (mm_str_t){0} : driver;
    if (self->has_driver && mm_str_equal(name, mm_str(self->driver.text))) {
        self->is_runs = true;
        return true;
    }
    if (self->is_runs)
        return false;
    self->is_runs = true;
    set_driver(self, name);
    worker_t *worker, *next;
    DL_FOREACH_SAFE2 (self->joined, worker, next, heard_next)
        if (worker->role == MM_ROLE_RESTARTER && !mm_str_equal(name, mm_str(worker->driver.text)))
            lose(self, worker);
    return true;
}

worker_t *workers_pick(const workers_t *self, mm_role_t role)
{
    return self->with_credit[role];
}

uint32_t workers_credit(const workers_t *self, mm_role_t role)
{
    return self->credit[role];
}

static void reserve(workers_t *self, worker_t *worker, bool reserved)
{
    worker->reserved = reserved;
    self->quarantine = reserved ? worker : NULL;
    workers_refresh_credit(self, worker);
}

worker_t *workers_pick_quarantine(const workers_t *self)
{
    worker_t *worker = self->quarantine;
    bool is_idle = worker && worker->out == 0 && worker->slots > 0 && worker->paused_ms == 0;
    return is_idle ? worker : NULL;
}

void workers_reserve_quarantine(workers_t *self)
{
    if (self->quarantine && (self->quarantine->slots == 0 || self->quarantine->paused_ms > 0))
        workers_release_quarantine(self); // it drains, or pauses
    if (self->quarantine)
        return;
    worker_t *worker, *best = NULL;
    DL_FOREACH2 (self->joined, worker, heard_next)
        if (worker->role == MM_ROLE_RESTARTER && worker->slots > 0 && worker->paused_ms == 0 &&
            (!best || worker->out < best->out))
            best = worker;
    if (best)
        reserve(self, best, true);
}

void workers_release_quarantine(workers_t *self)
{
    if (self->quarantine)
        reserve(self, self->quarantine, false);
}

uint64_t workers_hand_out(workers_t *self, worker_t *worker, mm_leg_t leg, const mm_id_t *id,
                          host_t *host)
{
    assert(worker->state == WORKER_JOINED && worker->out < worker->slots);
    assignments_add(self, worker, ++self->number, leg, id, host);
    if (worker->credit > 0) { // to the end of the ring: the next task is for the next worker
        DL_DELETE(self->with_credit[worker->role], worker);
        DL_APPEND(self->with_credit[worker->role], worker);
    }
    return self->number;
}

const worker_t *workers_holder(const workers_t *self, uint64_t number)
{
    const assignment_t *assignment = assignments_find(self, number);
    return assignment ? assignment->worker : NULL;
}

const worker_t *workers_next(const workers_t *self, const worker_t *previous)
{
    return previous ? previous->hh.next : self->by_name;
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
        while (worker->assignments) {
            ended_t ended = assignments_remove(self, worker->assignments, ENDED_LOST);
            hosts_put(self->hosts, &ended.host);
        }
        HASH_DELETE(hh, self->by_name, worker);
        free(worker);
    }
    while (self->lost_tasks)
        (void)assignments_remove_lost(self, self->lost_tasks->number);
    mm_pool_clear(&self->pool);
    mm_table_clear(&self->by_number);
    free(self->changes);
    free(self);
}
