// See worker_session.h. The worker is either joining (it says hello, with growing pauses, until it
// is welcomed) or joined (it sends heartbeats). Whenever it leaves a session it closes that PULL
// first, so that what is still in the pipe can never start.

#include "worker_session.h"
#include "array.h"
#include "host.h"
#include "job.h"
#include "permit.h"
#include "pool.h"
#include "table.h"
#include "unacknowledged_results.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SILENT_BEATS   3    // missed heartbeats of the consumer after which sockets are recreated
#define PART_HELD      256  // tasks in one part of a report
#define PART_RESULTS   32   // results in one part: each may have 1.5 KiB
#define HELLO_FIRST_MS 20   // the first pause between hellos; it doubles up to a heartbeat
#define REPORT_RESULTS 1024 // results in one report; the rest follows in the next
#define FAR_MS         (INT64_C(1) << 60)
#define CLAIM_MS       1000                // between lines about claims
#define NUMBERS_MAX    (UINT64_C(1) << 40) // sessions or tasks of one consumer, at most
#define HISTORY_EXTRA  64 // acknowledged results kept for a new consumer, beyond the slots (R6)

// A task that was accepted and has no result yet.
typedef struct held {
    uint64_t number;
    mm_leg_t leg;
    uint32_t attempt;
    mm_id_t id;
    int64_t stamp_ms; // of its frame: its lease begins there
    struct held *prev, *next;
    uint16_t host_size;
    char host[];
} assignment_t;

// What a task that waits has beyond its assignment: attributes, and all of a real restart.
typedef struct details {
    struct details *prev, *next;
    uint64_t number; // of the task
    mm_str_t attributes;
    bool is_real;
    mm_real_t real;
    char text[];
} details_t;

static_assert(sizeof(details_t) + MM_ATTRIBUTES_BYTES + MM_HEALTH_MAX <= MM_POOL_MAX,
              "the pool takes the longest");

struct mm_worker {
    mm_worker_config_t config;
    uint32_t slots; // now: 1 to those of the config
    int64_t now_ms;
    int64_t boot_ms;
    uint64_t epoch;       // of the consumer heard last; 0: none
    uint64_t session;     // 0: joining
    uint64_t highest;     // highest session so far (R4)
    uint64_t sequence;    // of the last report
    uint64_t last_number; // highest task number so far (R3)
    int64_t report_ms;    // when the next hello or heartbeat is due
    int64_t hello_pause_ms;
    int64_t heard_ms;        // when the consumer was heard last
    int64_t claim_ms;        // when a claim was told of
    bool is_alone;           // it was silent: the next sender is the consumer
    bool has_gone_back;      // to a lower epoch: numbers may come again
    mm_table_t held;         // by number
    assignment_t *held_list; // in order of arrival
    assignment_t *waiting;   // the first of the list that is not started; those behind it wait too
    details_t *details;      // of the tasks that wait and have some, in their order
    details_t *removed;      // the last ones that were removed
    mm_pool_t pool;          // of the assignments and these
    mm_results_t *results;
    mm_permit_t permit; // of commands; never one of the mock
    bool draining;      // reports 0 slots
    bool stopped;       // the drain limit came, and the running tasks were stopped
    bool last_seen;     // the consumer has announced that no task will follow
    bool consumer_left; // it has said bye, and no other was heard since
    bool done;
    int64_t drain_until_ms;
    int64_t leave_by_ms;          // nothing runs: how long to wait for the consumer's last word
    mm_task_t starting;           // the waiting task that the last step has started
    mm_assignment_t *report_held; // of the current report
    mm_result_t *report_results;
    mm_report_t reports[2 * MM_PARTS_MAX]; // the parts of this step's reports, at most two
    size_t report_count;
    mm_worker_actions_t *actions;
};

mm_worker_t *mm_worker_new(const mm_worker_config_t *config, int64_t now_ms)
{
    assert(config->slots >= 1 && config->slots <= MM_SLOTS_MAX);
    mm_worker_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->slots = config->slots;
    self->now_ms = now_ms;
    self->report_ms = now_ms;
    self->heard_ms = now_ms;
    self->hello_pause_ms = HELLO_FIRST_MS;
    self->results = mm_results_new(config->slots + HISTORY_EXTRA);
    self->drain_until_ms = MM_NEVER;
    self->leave_by_ms = MM_NEVER;
    self->report_held = calloc(config->slots, sizeof *self->report_held);
    self->report_results = calloc(REPORT_RESULTS, sizeof *self->report_results);
    assert(self->report_held && self->report_results);
    return self;
}

void mm_worker_destroy(mm_worker_t **self_p)
{
    mm_worker_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_pool_clear(&self->pool);
    mm_table_clear(&self->held);
    mm_results_destroy(&self->results);
    free(self->report_held);
    free(self->report_results);
    free(self);
}

void mm_worker_actions_clear(mm_worker_actions_t *self)
{
    free(self->items);
    *self = (mm_worker_actions_t){0};
}

uint64_t mm_worker_session(const mm_worker_t *self)
{
    return self->session;
}

const mm_result_t *mm_worker_result(const mm_worker_t *self, uint64_t serial)
{
    return mm_results_get(self->results, serial);
}

static bool has_number(const void *held, const void *number)
{
    return ((const assignment_t *)held)->number == *(const uint64_t *)number;
}

static assignment_t *find_held(const mm_worker_t *self, uint64_t number)
{
    return mm_table_find(&self->held, mm_table_number(number), has_number, &number);
}

uint64_t mm_worker_unacknowledged(const mm_worker_t *self)
{
    return mm_results_last(self->results) - mm_results_acknowledged_through(self->results);
}

size_t mm_worker_running(const mm_worker_t *self)
{
    return self->held.count;
}

int64_t mm_worker_permit(const mm_worker_t *self)
{
    return self->permit.until_ms;
}

static mm_worker_action_t *act(mm_worker_t *self, mm_worker_action_kind_t kind)
{
    mm_worker_actions_t *actions = self->actions;
    mm_worker_action_t *action = MM_ARRAY_ADD(actions->items, actions->count, actions->capacity);
    action->kind = kind;
    return action;
}

static void log_event(mm_worker_t *self, mm_worker_log_t what, mm_str_t text, uint64_t number)
{
    mm_worker_action_t *action = act(self, MM_WORKER_LOG);
    action->as.log.log = what;
    action->as.log.text = text;
    action->as.log.number = number;
}

// ---- what a consumer may claim (R16)

// Returns false. Says so once a second at most.
static bool ignore_claim(mm_worker_t *self, const char *claim)
{
    if (self->claim_ms == 0 || self->now_ms >= self->claim_ms + CLAIM_MS) {
        self->claim_ms = mm_later(self->now_ms, 1);
        log_event(self, MM_WORKER_LOG_CLAIM, mm_str(claim), 0);
    }
    return false;
}

static bool is_epoch(mm_worker_t *self, uint64_t epoch)
{
    return epoch <= MM_EPOCH_MAX || ignore_claim(self, "an epoch that no consumer has");
}

static bool is_counted_from(uint64_t first, uint64_t number)
{
    return number <= first || number - first <= NUMBERS_MAX;
}

// The numbers of an epoch begin at its 2^32-fold.
static bool is_session(mm_worker_t *self, uint64_t epoch, uint64_t session)
{
    return is_counted_from(epoch << 32, session) ||
           ignore_claim(self, "a session that no consumer of its epoch has");
}

// Tasks are numbered from where sessions are. One that is held comes again only from a consumer of
// a lower epoch.
static bool is_number(mm_worker_t *self, uint64_t number)
{
    if (!is_counted_from(self->session, number))
        return ignore_claim(self, "a task that no consumer of its session has");
    return !self->has_gone_back || !find_held(self, number);
}

// Whether a beat is of a former consumer. One of a lower epoch that comes when the last one has
// fallen silent is not: that one has claimed its epoch, or the record of epochs was lost.
static bool is_former(mm_worker_t *self, uint64_t epoch)
{
    if (epoch >= self->epoch)
        return false;
    if (!self->is_alone)
        return true;
    self->highest = self->last_number = 0;
    self->has_gone_back = true;
    return false;
}

// ---- results

// Numbers the result, keeps it, and sends it in the current session. Without a session it goes with
// the next report.
static void add_result(mm_worker_t *self, const mm_result_t *result, mm_leg_t leg,
                       const mm_id_t *id)
{
    uint64_t serial = mm_results_add(self->results, result, leg, id, self->now_ms);
    if (self->session != 0)
        act(self, MM_WORKER_RESULT)->as.serial = serial;
}

// ---- assignments

static void give_back(mm_worker_t *self, const mm_task_t *task)
{
    log_event(self, MM_WORKER_LOG_RETURNED, (mm_str_t){0}, task->number);
    add_result(self, &(mm_result_t){.number = task->number, .status = MM_STATUS_RETURNED},
               task->leg, &task->id);
}

static size_t size_of(size_t host_size)
{
    return sizeof(assignment_t) + host_size;
}

static assignment_t *hold(mm_worker_t *self, const mm_task_t *task, int64_t stamp_ms)
{
    size_t host_size = mm_leg_is_restarters(task->leg) ? task->host.size : 0;
    assignment_t *held = mm_pool_get(&self->pool, size_of(host_size));
    held->number = task->number;
    held->leg = task->leg;
    held->attempt = task->attempt;
    held->id = task->id;
    held->stamp_ms = stamp_ms;
    held->host_size = (uint16_t)host_size;
    memcpy(held->host, task->host.data, host_size);
    mm_table_add(&self->held, mm_table_number(held->number), held);
    DL_APPEND(self->held_list, held);
    return held;
}

static void drop_held(mm_worker_t *self, assignment_t *held)
{
    mm_table_remove(&self->held, mm_table_number(held->number), held);
    DL_DELETE(self->held_list, held);
    mm_pool_put(&self->pool, held, size_of(held->host_size));
}

static size_t size_of_details(mm_str_t attributes, const mm_real_t *real)
{
    return sizeof(details_t) + attributes.size + (real ? real->health.size : 0);
}

// A real restart comes with spans, which count from now on by this worker's clock: so no deadline
// is early, and no boot is taken for a later one, because a message was slow.
static void keep_real(const mm_worker_t *self, details_t *kept, char *end)
{
    mm_real_t *real = &kept->real;
    kept->is_real = true;
    real->health = mm_str_copy(&end, real->health);
    real->first_ms = self->boot_ms - mm_earlier(real->age_ms, FAR_MS);
    real->deadline_ms = self->boot_ms + mm_earlier(real->left_ms, FAR_MS);
}

// The frame is gone when the turn of the task comes.
static void let_wait(mm_worker_t *self, assignment_t *held, const mm_task_t *task)
{
    assert(mm_leg_is_restarters(task->leg)); // no others wait
    if (!self->waiting)
        self->waiting = held;
    if (task->attributes.size == 0 && !task->real)
        return;
    details_t *kept = mm_pool_get(&self->pool, size_of_details(task->attributes, task->real));
    char *end = kept->text;
    kept->number = task->number;
    kept->attributes = mm_str_copy(&end, task->attributes);
    kept->is_real = false;
    kept->real = task->real ? *task->real : (mm_real_t){0};
    if (task->real)
        keep_real(self, kept, end);
    DL_APPEND(self->details, kept);
}

// Removes those of the first waiting task; NULL: it has none. They live until the next call.
static details_t *remove_details(mm_worker_t *self, uint64_t number)
{
    details_t *first = self->details, *last = self->removed;
    if (!first || first->number != number)
        return NULL;
    DL_DELETE(self->details, first);
    if (last)
        mm_pool_put(&self->pool, last, size_of_details(last->attributes, &last->real));
    self->removed = first;
    return first;
}

// A literal would be built elsewhere and then copied.
static void fill_task(const assignment_t *held, mm_task_t *ret_task)
{
    *ret_task = (mm_task_t){0};
    ret_task->number = held->number;
    ret_task->leg = held->leg;
    ret_task->id = held->id;
    ret_task->attempt = held->attempt;
    ret_task->host = (mm_str_t){held->host, held->host_size};
}

bool mm_worker_holds(const mm_worker_t *self, uint64_t number, mm_task_t *ret_task)
{
    const assignment_t *held = find_held(self, number);
    if (held && ret_task)
        fill_task(held, ret_task);
    return held != NULL;
}

static void start(mm_worker_t *self, const mm_task_t *task)
{
    act(self, MM_WORKER_STARTED)->as.number = task->number;
    act(self, MM_WORKER_START)->as.task = task;
}

static void return_first_waiting(mm_worker_t *self)
{
    assignment_t *held = self->waiting;
    mm_task_t task;
    fill_task(held, &task);
    self->waiting = held->next;
    (void)remove_details(self, held->number);
    give_back(self, &task);
    drop_held(self, held);
}

static void return_waiting(mm_worker_t *self)
{
    while (self->waiting)
        return_first_waiting(self);
}

// From the end of a task's lease on, the consumer may presume this worker lost (R1).
static bool is_in_time(const mm_worker_t *self, int64_t stamp_ms)
{
    return self->boot_ms - stamp_ms < self->config.lost_after_ms;
}

// The first one that waits. A command of a real restart has a limit of its own (H1).
static bool may_start_waiting(const mm_worker_t *self)
{
    const details_t *first = self->details;
    bool is_real = first && first->number == self->waiting->number && first->is_real;
    bool is_late = is_real && first->real.command > 0 && self->boot_ms >= first->real.start_ms;
    return is_in_time(self, self->waiting->stamp_ms) && !is_late;
}

// One task in a step: a start takes time, and the next task may be too late by then.
static void start_first_waiting(mm_worker_t *self)
{
    while (self->waiting && !may_start_waiting(self))
        return_first_waiting(self);
    if (!self->waiting)
        return;
    const assignment_t *held = self->waiting;
    details_t *details = remove_details(self, held->number);
    fill_task(held, &self->starting);
    if (details) {
        self->starting.attributes = details->attributes;
        self->starting.real = details->is_real ? &details->real : NULL;
    }
    self->waiting = held->next;
    start(self, &self->starting);
}

// ---- reports

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

// Copies the tasks and results of the report into their arrays: what a part names lives there.
static void collect(mm_worker_t *self, uint64_t serial, mm_report_t *whole)
{
    bool started = true;
    assignment_t *held;
    DL_FOREACH (self->held_list, held) {
        started = started && held != self->waiting;
        self->report_held[whole->held_count++] =
            (mm_assignment_t){.number = held->number,
                              .leg = held->leg,
                              .id = held->id,
                              .host = {held->host, held->host_size},
                              .started = started};
    }
    for (; serial <= whole->last_serial && whole->result_count < REPORT_RESULTS; serial++)
        self->report_results[whole->result_count++] = *mm_results_get(self->results, serial);
}

// Adds the actions that send a report, in as many parts as it takes. `serial`: its first result.
static void report(mm_worker_t *self, bool is_hello, uint64_t serial)
{
    mm_report_t whole = {.is_hello = is_hello,
                         .worker = mm_str(self->config.name.text),
                         .instance = self->config.instance,
                         .role = self->config.role,
                         .session = is_hello ? self->highest : self->session,
                         .sequence = ++self->sequence,
                         .stamp_ms = self->boot_ms,
                         .slots = self->draining ? 0 : self->slots,
                         .last_serial = mm_results_last(self->results),
                         .driver = mm_str(self->config.driver.text),
                         .verbs = self->config.verbs,
                         .held = self->report_held,
                         .results = self->report_results};
    collect(self, serial, &whole);
    mm_report_t *all = &self->reports[self->report_count], part = whole;
    size_t held_left = whole.held_count, results_left = whole.result_count;
    do {
        assert(part.part < MM_PARTS_MAX && self->report_count < 2 * MM_PARTS_MAX);
        part.held_count = smaller(held_left, PART_HELD);
        part.result_count =
            part.held_count > PART_HELD / 2 ? 0 : smaller(results_left, PART_RESULTS);
        all[part.part] = part;
        part.part++;
        self->report_count++;
        part.held += part.held_count;
        part.results += part.result_count;
        held_left -= part.held_count;
        results_left -= part.result_count;
    } while (held_left > 0 || results_left > 0);
    for (uint32_t i = 0; i < part.part; i++) {
        all[i].parts = part.part;
        act(self, MM_WORKER_REPORT)->as.report = &all[i];
    }
}

// A heartbeat repeats the results that were not acknowledged within a heartbeat, or all of them.
static void heartbeat(mm_worker_t *self, bool repeats_all)
{
    int64_t overdue_ms = self->now_ms - self->config.heartbeat_ms;
    uint64_t said = mm_results_last(self->results);
    if (repeats_all || mm_results_waiting_since(self->results) <= overdue_ms)
        said = mm_results_acknowledged_through(self->results);
    report(self, false, said + 1);
    self->report_ms = self->now_ms + self->config.heartbeat_ms;
}

// A hello may reach a consumer that knows nothing, so it also has acknowledged results.
static void hello(mm_worker_t *self)
{
    report(self, true, mm_results_history(self->results, REPORT_RESULTS, HISTORY_EXTRA));
    self->report_ms = self->now_ms + self->hello_pause_ms;
    self->hello_pause_ms = mm_earlier(2 * self->hello_pause_ms, self->config.heartbeat_ms);
}

// ---- sessions

static void acknowledgement(mm_worker_t *self, uint64_t session, uint64_t acknowledged_through)
{
    if (session == self->session)
        mm_results_acknowledge(self->results, acknowledged_through);
}

static void close_session(mm_worker_t *self)
{
    if (self->session != 0)
        act(self, MM_WORKER_DISCONNECT);
    self->session = 0;
    mm_permit_close(&self->permit);
    self->last_seen = false;
    return_waiting(self);
}

// Ends the session, if there is one. The hello is due at once.
static void leave_session(mm_worker_t *self)
{
    close_session(self);
    self->hello_pause_ms = HELLO_FIRST_MS;
    self->report_ms = self->now_ms;
}

// ---- frames from the consumer

// Whether this kind of process can do such a task.
static bool is_my_leg(const mm_worker_t *self, mm_leg_t leg)
{
    return mm_leg_is_restarters(leg) == (self->config.role == MM_ROLE_RESTARTER);
}

static bool is_for_me(const mm_worker_t *self, const mm_frame_t *frame)
{
    return frame->as.answer.instance == self->config.instance &&
           frame->as.answer.epoch >= self->epoch && // not of a former consumer
           mm_str_equal(frame->as.answer.worker, mm_str(self->config.name.text));
}

static void apply_welcome(mm_worker_t *self, const mm_frame_t *frame)
{
    mm_worker_action_t *action;
    if (!is_for_me(self, frame) || frame->as.answer.session <= self->highest ||
        frame->as.answer.suffix.size >= sizeof action->as.connect.suffix ||
        !is_epoch(self, frame->as.answer.epoch) ||
        !is_session(self, frame->as.answer.epoch, frame->as.answer.session))
        return;
    self->is_alone = false;
    close_session(self);
    self->heard_ms = self->now_ms;
    self->epoch = frame->as.answer.epoch;
    self->consumer_left = false;
    self->session = self->highest = frame->as.answer.session;
    mm_permit_open(&self->permit, self->epoch, self->session);
    action = act(self, MM_WORKER_CONNECT);
    action->as.connect.session = self->session;
    memcpy(action->as.connect.suffix, frame->as.answer.suffix.data, frame->as.answer.suffix.size);
    action->as.connect.suffix[frame->as.answer.suffix.size] = '\0';
    log_event(self, MM_WORKER_LOG_JOINED, (mm_str_t){0}, self->session);
    heartbeat(self, true); // with the results since the hello
}

static void rejoin(mm_worker_t *self)
{
    if (self->session != 0)
        log_event(self, MM_WORKER_LOG_REJOIN, (mm_str_t){0}, 0);
    leave_session(self);
}

static void apply_beat(mm_worker_t *self, const mm_frame_t *frame)
{
    if (!is_epoch(self, frame->as.beat.epoch) || is_former(self, frame->as.beat.epoch))
        return;
    self->is_alone = false;
    self->heard_ms = self->now_ms;
    if (frame->as.beat.epoch != self->epoch) {
        self->epoch = frame->as.beat.epoch;
        self->consumer_left = false;
        rejoin(self);
        return;
    }
    for (size_t i = 0; i < frame->as.beat.count; i++) {
        const mm_acknowledgement_t *item = &frame->as.beat.items[i];
        if (mm_str_equal(item->worker, mm_str(self->config.name.text)))
            acknowledgement(self, item->session, item->acknowledged_through);
    }
    if ((self->config.verbs & MM_VERB_REAL) != 0)
        mm_permit_hear(&self->permit, &frame->as.beat, mm_str(self->config.name.text),
                       self->boot_ms, self->config.lost_after_ms);
}

static void apply_leaving(mm_worker_t *self, const mm_frame_t *frame)
{
    if (!is_epoch(self, frame->as.leaving.epoch) || frame->as.leaving.epoch < self->epoch)
        return;
    leave_session(self);
    self->report_ms = self->now_ms + self->config.heartbeat_ms;
    if (self->drain_until_ms != MM_NEVER)
        self->draining = true; // a saver that drains has waited for this
    self->consumer_left = true;
}

static void apply_tasks(mm_worker_t *self, const mm_frame_t *frame)
{
    if (self->session == 0 || frame->as.tasks.session != self->session)
        return;
    acknowledgement(self, self->session, frame->as.tasks.acknowledged_through);
    // It echoes a stamp of this worker: one from the future would never be too late (R1).
    bool in_time = is_in_time(self, frame->as.tasks.stamp_ms) &&
                   (frame->as.tasks.stamp_ms <= self->boot_ms ||
                    ignore_claim(self, "a stamp that is not mine"));
    bool is_sure = !self->has_gone_back && self->session <= UINT64_MAX - NUMBERS_MAX;
    uint64_t surely = is_sure ? self->session + NUMBERS_MAX : 0; // up to it a number is good
    for (size_t i = 0; i < frame->as.tasks.count; i++) {
        const mm_task_t *task = &frame->as.tasks.items[i];
        if (task->number <= self->last_number ||
            (task->number > surely && !is_number(self, task->number)))
            continue; // seen (R3), or none
        self->last_number = task->number;
        bool free_slot = self->held.count < self->slots;
        if (!in_time || !free_slot || self->draining || !is_my_leg(self, task->leg)) {
            give_back(self, task); // R1, R12, R10
            continue;
        }
        assignment_t *held = hold(self, task, frame->as.tasks.stamp_ms);
        bool may_wait = mm_leg_is_restarters(task->leg); // what is saved is not kept
        if (may_wait && (task->real || self->config.one_by_one || self->waiting))
            let_wait(self, held, task);
        else
            start(self, task);
    }
    if (frame->as.tasks.last && self->draining)
        self->last_seen = true;
}

// Orders are no tasks: they take no slot, and a saver that drains records them, too.
static void apply_orders(mm_worker_t *self, const mm_frame_t *frame)
{
    bool is_mine = self->session != 0 && frame->as.orders.session == self->session;
    if (is_mine && self->config.role == MM_ROLE_SAVER)
        act(self, MM_WORKER_ORDERS)->as.orders = &frame->as.orders;
}

static void apply_frame(mm_worker_t *self, const mm_frame_t *frame)
{
    switch ((int)frame->kind) { // the others are not for workers
    case MM_FRAME_TASKS: apply_tasks(self, frame); break;
    case MM_FRAME_ORDERS: apply_orders(self, frame); break;
    case MM_FRAME_WELCOME: apply_welcome(self, frame); break;
    case MM_FRAME_REFUSED:
        if (is_for_me(self, frame) && self->session == 0)
            log_event(self, MM_WORKER_LOG_REFUSED, frame->as.answer.reason, 0);
        break;
    case MM_FRAME_REJOIN:
        if (is_for_me(self, frame) && self->session != 0)
            rejoin(self);
        break;
    case MM_FRAME_BEAT: apply_beat(self, frame); break;
    case MM_FRAME_LEAVING: apply_leaving(self, frame); break;
    }
}

// ---- other events

static void apply_finished(mm_worker_t *self, const mm_result_t *finished)
{
    assignment_t *held = find_held(self, finished->number);
    assert(held);
    add_result(self, finished, held->leg, &held->id);
    drop_held(self, held);
}

static void apply_slots(mm_worker_t *self, uint32_t slots)
{
    assert(slots >= 1 && slots <= self->config.slots);
    bool is_news = slots != self->slots && !self->draining;
    self->slots = slots;
    if (is_news && self->session != 0)
        heartbeat(self, false);
}

static void apply_drain(mm_worker_t *self)
{
    if (self->drain_until_ms != MM_NEVER)
        return;
    self->drain_until_ms = self->now_ms + self->config.drain_ms;
    if (self->config.leaves_last && self->session != 0)
        return;
    self->draining = true;
    return_waiting(self);
    if (self->session != 0)
        heartbeat(self, false); // with 0 slots
}

static void begin_anew(mm_worker_t *self)
{
    leave_session(self);
    act(self, MM_WORKER_RECREATE);
    self->heard_ms = self->now_ms;
}

static void apply_time(mm_worker_t *self)
{
    if (self->now_ms >= self->drain_until_ms && !self->stopped) {
        self->draining = self->stopped = true;
        if (self->held.count > 0)
            act(self, MM_WORKER_STOP);
    }
    if (self->now_ms - self->heard_ms >= SILENT_BEATS * self->config.heartbeat_ms) {
        log_event(self, MM_WORKER_LOG_SILENT, (mm_str_t){0}, 0);
        begin_anew(self);
        self->is_alone = true;
    }
    if (self->now_ms < self->report_ms)
        return;
    if (self->session != 0)
        heartbeat(self, false);
    else
        hello(self);
}

// The latest time at which a worker that drains and runs nothing leaves; MM_NEVER for any other. It
// waits for the acknowledgement of its results: without them their restarts are done again.
static int64_t leave_deadline(const mm_worker_t *self)
{
    if (!self->draining || self->held.count > 0 || self->done)
        return MM_NEVER;
    if (self->consumer_left || (self->stopped && self->config.leaves_last))
        return self->now_ms;
    // Within the drain timeout, which is longer.
    int64_t limit =
        mm_earlier(self->leave_by_ms, self->drain_until_ms + self->config.lost_after_ms);
    if (mm_worker_unacknowledged(self) > 0)
        return limit > self->drain_until_ms ? limit : self->drain_until_ms;
    return self->session != 0 && !self->last_seen ? limit : self->now_ms;
}

// Leaves when nothing runs, all results are acknowledged and the consumer has announced that no
// task will follow; or at the limit.
static void try_leave(mm_worker_t *self)
{
    if (self->draining && self->held.count == 0 && self->leave_by_ms == MM_NEVER) {
        self->leave_by_ms = self->now_ms + self->config.lost_after_ms;
        if (self->session != 0)
            heartbeat(self, false); // a request for the last word
    }
    if (self->now_ms < leave_deadline(self))
        return;
    if (self->session != 0)
        act(self, MM_WORKER_BYE)->as.last_serial = mm_results_last(self->results);
    self->done = true;
    act(self, MM_WORKER_DONE);
}

void mm_worker_step(mm_worker_t *self, const mm_worker_event_t *event,
                    mm_worker_actions_t *ret_actions)
{
    assert(event->now_ms >= self->now_ms);
    self->now_ms = event->now_ms;
    self->boot_ms = event->boot_ms;
    self->actions = ret_actions;
    ret_actions->count = 0;
    self->report_count = 0;
    switch (event->kind) {
    case MM_WORKER_FRAME: apply_frame(self, event->as.frame); break;
    case MM_WORKER_FINISHED: apply_finished(self, event->as.result); break;
    case MM_WORKER_TIME: apply_time(self); break;
    case MM_WORKER_CUT: begin_anew(self); break;
    case MM_WORKER_SLOTS: apply_slots(self, event->as.slots); break;
    case MM_WORKER_DRAIN: apply_drain(self); break;
    }
    start_first_waiting(self);
    try_leave(self);
}

int64_t mm_worker_deadline(const mm_worker_t *self)
{
    if (self->waiting)
        return self->now_ms;
    int64_t silent_ms = self->heard_ms + SILENT_BEATS * self->config.heartbeat_ms;
    int64_t deadline = mm_earlier(self->report_ms, silent_ms);
    if (!self->stopped)
        deadline = mm_earlier(deadline, self->drain_until_ms);
    return mm_earlier(deadline, leave_deadline(self));
}
