// What workers say of themselves: who may join, what they hold, what has ended. See workers.h.

#include "host.h"
#include "job.h"
#include "uuid.h"
#include "workers_private.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define HELD_MAX  (2 * MM_SLOTS_MAX) // tasks of one worker at most, in transit or at work
#define AHEAD_MAX 65536              // of a joined worker: reports and results not read

// The welcome to its last session, which may be closed by now.
static void change_given(workers_t *self, const worker_t *worker)
{
    workers_add_change_of(self, WORKERS_WELCOME, worker);
    self->changes[self->change_count - 1].session = worker->given;
}

// An answer to a report of a worker without a record.
static void change_stranger(workers_t *self, workers_change_kind_t kind, const mm_report_t *report,
                            const char *reason)
{
    workers_change_t *added = workers_add_change(self, kind);
    if (!mm_name_from(report->worker, &added->name)) {
        self->change_count--;
        return;
    }
    added->instance = report->instance;
    added->reason = reason;
}

// ---- who may join

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
            workers_lose(self, worker, "the run has another driver");
    return true;
}

// The record of a hello's sender; NULL: the hello is refused.
static worker_t *hello_worker(workers_t *self, const mm_report_t *report, int64_t now_ms)
{
    mm_name_t name;
    if (!mm_name_from(report->worker, &name))
        return NULL;
    if (report->session > self->session) {
        change_stranger(self, WORKERS_REFUSED, report, "no consumer has given it that session");
        return NULL;
    }
    if (report->role == MM_ROLE_RESTARTER && !is_runs_driver(self, report)) {
        change_stranger(self, WORKERS_REFUSED, report, self->why_driver);
        return NULL;
    }
    worker_t *worker = workers_find_name(self, report->worker);
    if (worker && worker->instance != report->instance) {
        if (worker->state == WORKER_JOINED &&
            now_ms - worker->heard_ms < self->config.lost_after_ms) {
            change_stranger(
                self, WORKERS_REFUSED, report,
                "another process with this id is alive; give this one another --id, or a key of "
                "another name if it has one");
            return NULL;
        }
        // Another instance: the former one is gone, with all its tasks (R4).
        if (worker->state == WORKER_JOINED)
            workers_lose(self, worker, "its next process has joined");
        workers_forget(self, worker);
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
    return worker ? worker : workers_add(self, report);
}

// ---- hellos and heartbeats

// The record of a heartbeat's sender; NULL: the session is not its current one, or is cut.
static worker_t *heartbeat_worker(workers_t *self, const mm_report_t *report)
{
    worker_t *worker = workers_find(self, report->worker, report->instance);
    bool is_cut = worker && worker->is_cut && report->session == worker->session;
    if (!worker || worker->session == 0 || report->session > worker->session || is_cut) {
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

static bool is_ahead(uint64_t said, uint64_t read)
{
    return said > read && said - read > AHEAD_MAX;
}

// What the report claims, and its sender cannot have by what it was given and has said (R16); NULL:
// nothing. Of one that is not joined nobody knows how far it is.
static const char *claim_of(const worker_t *worker, const mm_report_t *report)
{
    bool is_joined = worker->state == WORKER_JOINED;
    if (is_joined && is_ahead(report->sequence, worker->sequence))
        return "a sequence that it cannot have reached";
    if (is_joined && is_ahead(report->last_serial, worker->acknowledged_through))
        return "more results than it was given tasks";
    for (size_t i = 0; i < report->result_count; i++)
        if (report->results[i].serial > report->last_serial)
            return "a result behind its last one";
    return NULL;
}

worker_t *workers_report_open(workers_t *self, const mm_report_t *report, int64_t now_ms)
{
    worker_t *worker =
        report->is_hello ? hello_worker(self, report, now_ms) : heartbeat_worker(self, report);
    if (!worker || worker->role != report->role)
        return NULL;
    const char *claim = claim_of(worker, report);
    if (claim) {
        workers_ignore_claim(self, report->worker, claim);
        return NULL;
    }
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
    // Serials only grow: higher ones were claimed by another process (R16).
    if (report->is_hello && worker->state == WORKER_LOST &&
        report->last_serial < worker->acknowledged_through)
        worker->acknowledged_through = 0;
    worker->parts++;
    worker->stamp_ms = report->stamp_ms;
    workers_set_heard(self, worker, now_ms);
    return worker;
}

// Whether a task that is at no worker may be one that this worker was given: it was lost with it,
// or is of an earlier consumer (R18). What a saver says of a task that is not out counts for
// nothing.
static bool may_have_given(const workers_t *self, const worker_t *worker, uint64_t number,
                           mm_leg_t leg, const mm_id_t *id)
{
    if (number > self->number || mm_leg_is_restarters(leg) != (worker->role == MM_ROLE_RESTARTER))
        return false; // no consumer has, or not to one of this role (R16)
    const lost_task_t *lost = assignments_find_lost(self, number);
    if (lost)
        return lost->instance == worker->instance &&
               strcmp(lost->worker.text, worker->name.text) == 0 && lost->leg == leg &&
               mm_id_equal(&lost->id, id);
    return number <= self->config.first_number ||
           (worker->role == MM_ROLE_SAVER && !assignments_find(self, number, NULL));
}

// Adopts an unknown task of a report. NULL: not beyond HELD_MAX: memory is bounded whatever a
// worker says (I6).
static assignment_t *adopt(workers_t *self, worker_t *worker, const mm_assignment_t *held)
{
    if (worker->out >= HELD_MAX)
        return NULL;
    lost_task_t *lost = assignments_find_lost(self, held->number);
    host_t *host = NULL;
    if (mm_leg_is_restarters(held->leg))
        host = hosts_get(self->hosts, lost ? host_name(lost->host) : held->host);
    assignment_t *assignment =
        assignments_add(self, worker, held->number, held->leg, &held->id, host, NULL);
    if (lost)
        assignments_remove_lost(self, lost);
    hosts_put(self->hosts, &host); // the assignment has its own reference
    return assignment;
}

// Merges the report's list into the table: marks known tasks, adopts others (R2, R6).
static void read_held(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    bool has_claimed = false;
    // Older than a result that was read: what it lists and is unknown may have ended since.
    bool is_old = report->last_serial < worker->acknowledged_through;
    for (size_t i = 0; i < report->held_count; i++) {
        const mm_assignment_t *held = &report->held[i];
        assignment_t *assignment = assignments_find(self, held->number, worker);
        if (!assignment && is_old)
            continue;
        if (!assignment && may_have_given(self, worker, held->number, held->leg, &held->id))
            assignment = adopt(self, worker, held);
        else if (!assignment)
            has_claimed = true;
        if (!assignment)
            continue;
        assignment->is_listed = true;
        assignment->marked = (uint16_t)report->sequence;
    }
    if (has_claimed)
        workers_ignore_claim(self, report->worker, "a task that nobody has given it");
}

// Ends the tasks in the table that the report does not list. Not before all results are read, since
// a task that has ended is not listed either (R1).
static void end_missing(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    if (worker->acknowledged_through < report->last_serial)
        return;
    for (assignment_t *next, *assignment = assignments_first(worker); assignment;
         assignment = next) {
        bool is_marked = assignment->is_listed && assignment->marked == (uint16_t)report->sequence;
        bool can_start = !report->is_hello &&
                         report->stamp_ms - assignment->stamp_ms < self->config.lost_after_ms;
        next = assignments_next(assignment);
        if (!is_marked && !can_start)
            workers_end_unlisted(self, assignment);
    }
}

void workers_report_close(workers_t *self, worker_t *worker, const mm_report_t *report)
{
    bool complete = worker->parts == report->parts;
    bool repeats = report->is_hello && report->session < worker->session;
    read_held(self, worker, report);
    if (!complete)
        return;
    worker->slots = report->slots;
    if (repeats) { // the first welcome crossed with this hello
        workers_add_change_of(self, WORKERS_WELCOME, worker);
    } else {
        end_missing(self, worker, report);
        if (report->is_hello) {
            workers_open_session(self, worker);
            workers_add_change_of(self, WORKERS_WELCOME, worker);
        }
    }
    workers_refresh_credit(self, worker);
    if (!report->is_hello && report->slots == 0)
        workers_add_change_of(self, WORKERS_LAST, worker);
}

// ---- results

bool workers_apply_result(workers_t *self, worker_t *worker, const mm_result_t *result,
                          bool in_hello, ended_t *ret_ended)
{
    bool news = in_hello ? result->serial > worker->acknowledged_through
                         : result->serial == worker->acknowledged_through + 1;
    if (!news)
        return false;
    worker->acknowledged_through = result->serial;
    assignment_t *assignment = assignments_find(self, result->number, worker);
    // It does not end a task of another leg or job: that would be lost.
    bool is_its =
        assignment
            ? (mm_leg_t)assignment->leg == result->leg && mm_id_equal(&assignment->id, &result->id)
            : may_have_given(self, worker, result->number, result->leg, &result->id);
    if (!is_its) {
        workers_ignore_claim(self, mm_str(worker->name.text),
                             "a result of a task that nobody has given it");
        return false;
    }
    if (assignment) {
        *ret_ended = assignments_remove(self, assignment, ENDED_RESULT);
        return true;
    }
    *ret_ended = (ended_t){0};
    lost_task_t *lost = assignments_find_lost(self, result->number);
    if (lost) {
        *ret_ended = (ended_t){.why = ENDED_LOST, .number = result->number};
        assignments_remove_lost(self, lost);
    }
    return true;
}
