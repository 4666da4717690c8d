// See worker.h. It is either joining (says hello, with growing pauses, until it is welcomed) or
// joined (heartbeats). Whenever it leaves a session its PULL is closed first, so that what is still
// in the pipe can never start.

#include "host.h"
#include "job.h"
#include "worker_session_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HOST_ROOM    64 // bytes for the host of a task that is held: enough for nearly all
#define SILENT_BEATS 3  // missed heartbeats of the consumer after which sockets are recreated

mm_worker_t *mm_worker_new(const mm_worker_config_t *config, int64_t now_ms)
{
    assert(config->slots >= 1 && config->slots <= MM_SLOTS_MAX);
    mm_worker_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
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
    assignment_t *held, *next;
    DL_FOREACH_SAFE (self->held_list, held, next)
        free(held);
    LL_FOREACH_SAFE(self->spare, held, next)
    free(held);
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

uint64_t mm_worker_instance(const mm_worker_t *self)
{
    return self->config.instance;
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

mm_worker_action_t *mm_worker_act(mm_worker_t *self, mm_worker_action_kind_t kind)
{
    mm_worker_actions_t *actions = self->actions;
    if (actions->count == actions->size) {
        actions->size = actions->size ? 2 * actions->size : 64;
        actions->items = realloc(actions->items, actions->size * sizeof *actions->items);
        assert(actions->items);
    }
    mm_worker_action_t *action = &actions->items[actions->count++];
    action->kind = kind;
    return action;
}

static void log_event(mm_worker_t *self, mm_worker_log_t what, mm_str_t text, uint64_t number)
{
    mm_worker_action_t *action = mm_worker_act(self, MM_WORKER_LOG);
    action->as.log.log = what;
    action->as.log.text = text;
    action->as.log.number = number;
}

// ---- results

// Numbers the result, keeps it, and sends it if there is a session; else it goes with the next
// report.
static void add_result(mm_worker_t *self, const mm_result_t *result)
{
    uint64_t serial = mm_results_add(self->results, result, self->now_ms);
    if (self->session != 0)
        mm_worker_act(self, MM_WORKER_RESULT)->as.serial = serial;
}

// ---- what is held

static void give_back(mm_worker_t *self, const mm_task_t *task)
{
    log_event(self, MM_WORKER_LOG_RETURNED, (mm_str_t){0}, task->number);
    add_result(self, &(mm_result_t){.number = task->number,
                                    .leg = task->leg,
                                    .id = task->id,
                                    .status = MM_STATUS_RETURNED});
}

// One whose task has ended, when its room is enough.
static assignment_t *spare_held(mm_worker_t *self, size_t host_size)
{
    assignment_t *held = self->spare;
    if (held) {
        LL_DELETE(self->spare, held);
        if (held->capacity >= host_size)
            return held;
        free(held);
    }
    size_t capacity = host_size <= HOST_ROOM ? HOST_ROOM : MM_HOST_MAX;
    held = malloc(sizeof *held + capacity);
    assert(held);
    held->capacity = (uint16_t)capacity;
    return held;
}

static assignment_t *hold(mm_worker_t *self, const mm_task_t *task, int64_t stamp_ms)
{
    size_t host_size = task->leg == MM_LEG_RESTART ? task->host.size : 0;
    assignment_t *held = spare_held(self, host_size);
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
    LL_PREPEND(self->spare, held);
}

static mm_task_t task_of(const assignment_t *held)
{
    return (mm_task_t){.number = held->number,
                       .leg = held->leg,
                       .id = held->id,
                       .attempt = held->attempt,
                       .host = {held->host, held->host_size}};
}

bool mm_worker_holds(const mm_worker_t *self, uint64_t number, mm_task_t *ret_task)
{
    const assignment_t *held = find_held(self, number);
    if (held && ret_task)
        *ret_task = task_of(held);
    return held != NULL;
}

static void start(mm_worker_t *self, const mm_task_t *task)
{
    mm_worker_act(self, MM_WORKER_STARTED)->as.number = task->number;
    mm_worker_act(self, MM_WORKER_START)->as.task = task;
}

static void return_first_waiting(mm_worker_t *self)
{
    assignment_t *held = self->waiting;
    mm_task_t task = task_of(held);
    self->waiting = held->next;
    give_back(self, &task);
    drop_held(self, held);
}

static void return_waiting(mm_worker_t *self)
{
    while (self->waiting)
        return_first_waiting(self);
}

// The consumer may presume this worker lost from the end of a task's lease on (R1).
static bool is_in_time(const mm_worker_t *self, int64_t stamp_ms)
{
    return self->boot_ms - stamp_ms < self->config.lost_after_ms;
}

// One in a step: starting takes time, and what comes behind it may not be in time any more.
static void start_first_waiting(mm_worker_t *self)
{
    while (self->waiting && !is_in_time(self, self->waiting->stamp_ms))
        return_first_waiting(self);
    if (!self->waiting)
        return;
    self->starting = task_of(self->waiting);
    self->waiting = self->waiting->next;
    start(self, &self->starting);
}

// ---- reports

static void acknowledgement(mm_worker_t *self, uint64_t session, uint64_t acknowledged_through)
{
    if (session == self->session)
        mm_results_acknowledge(self->results, acknowledged_through);
}

static void close_session(mm_worker_t *self)
{
    if (self->session != 0)
        mm_worker_act(self, MM_WORKER_DISCONNECT);
    self->session = 0;
    self->last_seen = false;
    return_waiting(self);
}

// Out of the session, if there is one; the hello follows when it is due, that is now.
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
    return (leg == MM_LEG_RESTART) == (self->config.role == MM_ROLE_RESTARTER);
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
        frame->as.answer.suffix.size >= sizeof action->as.connect.suffix)
        return;
    close_session(self);
    self->heard_ms = self->now_ms;
    self->epoch = frame->as.answer.epoch;
    self->consumer_left = false;
    self->session = self->highest = frame->as.answer.session;
    action = mm_worker_act(self, MM_WORKER_CONNECT);
    action->as.connect.session = self->session;
    memcpy(action->as.connect.suffix, frame->as.answer.suffix.data, frame->as.answer.suffix.size);
    action->as.connect.suffix[frame->as.answer.suffix.size] = '\0';
    log_event(self, MM_WORKER_LOG_JOINED, (mm_str_t){0}, self->session);
    mm_worker_heartbeat(self, true); // with what has ended since the hello
}

static void rejoin(mm_worker_t *self)
{
    if (self->session != 0)
        log_event(self, MM_WORKER_LOG_REJOIN, (mm_str_t){0}, 0);
    leave_session(self);
}

static void apply_beat(mm_worker_t *self, const mm_frame_t *frame)
{
    if (frame->as.beat.epoch < self->epoch)
        return; // of a former consumer
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
}

static void apply_leaving(mm_worker_t *self, const mm_frame_t *frame)
{
    if (frame->as.leaving.epoch < self->epoch)
        return;
    leave_session(self);
    self->report_ms = self->now_ms + self->config.heartbeat_ms;
    if (self->drain_until_ms != MM_NEVER)
        self->draining = true; // a saver in its drain has waited for this
    self->consumer_left = true;
}

static void apply_tasks(mm_worker_t *self, const mm_frame_t *frame)
{
    if (self->session == 0 || frame->as.tasks.session != self->session)
        return;
    acknowledgement(self, self->session, frame->as.tasks.acknowledged_through);
    bool in_time = is_in_time(self, frame->as.tasks.stamp_ms);
    for (size_t i = 0; i < frame->as.tasks.count; i++) {
        const mm_task_t *task = &frame->as.tasks.items[i];
        if (task->number <= self->last_number)
            continue; // seen (R3)
        self->last_number = task->number;
        bool free_slot = self->held.count < self->config.slots;
        if (!in_time || !free_slot || self->draining || !is_my_leg(self, task->leg)) {
            give_back(self, task); // R1, R12, R10
            continue;
        }
        assignment_t *held = hold(self, task, frame->as.tasks.stamp_ms);
        if (!self->config.one_by_one)
            start(self, task);
        else if (!self->waiting)
            self->waiting = held;
    }
    if (frame->as.tasks.last && self->draining)
        self->last_seen = true;
}

static void apply_frame(mm_worker_t *self, const mm_frame_t *frame)
{
    switch ((int)frame->kind) { // the others are not a worker's
    case MM_FRAME_TASKS: apply_tasks(self, frame); break;
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

// ---- the rest

static void apply_finished(mm_worker_t *self, const mm_result_t *finished)
{
    assignment_t *held = find_held(self, finished->number);
    assert(held);
    mm_result_t result = *finished;
    result.leg = held->leg;
    result.id = held->id;
    drop_held(self, held);
    add_result(self, &result);
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
        mm_worker_heartbeat(self, false); // 0 slots
}

static void apply_time(mm_worker_t *self)
{
    if (self->now_ms >= self->drain_until_ms && !self->stopped) {
        self->draining = self->stopped = true;
        if (self->held.count > 0)
            mm_worker_act(self, MM_WORKER_STOP);
    }
    if (self->now_ms - self->heard_ms >= SILENT_BEATS * self->config.heartbeat_ms) {
        log_event(self, MM_WORKER_LOG_SILENT, (mm_str_t){0}, 0);
        leave_session(self);
        mm_worker_act(self, MM_WORKER_RECREATE);
        self->heard_ms = self->now_ms;
    }
    if (self->now_ms < self->report_ms)
        return;
    if (self->session != 0)
        mm_worker_heartbeat(self, false);
    else
        mm_worker_hello(self);
}

// When a worker that drains and runs nothing leaves at the latest; MM_NEVER for any other. Results
// that no consumer has confirmed are worth waiting for: without them their restarts are done again.
static int64_t leave_deadline(const mm_worker_t *self)
{
    if (!self->draining || self->held.count > 0 || self->done)
        return MM_NEVER;
    if (self->consumer_left || (self->stopped && self->config.leaves_last))
        return self->now_ms;
    int64_t limit = self->drain_until_ms + self->config.lost_after_ms; // within the drain timeout
    limit = self->leave_by_ms < limit ? self->leave_by_ms : limit;
    if (mm_worker_unacknowledged(self) > 0)
        return limit > self->drain_until_ms ? limit : self->drain_until_ms;
    return self->session != 0 && !self->last_seen ? limit : self->now_ms;
}

// Leaves when nothing runs, the consumer has read everything, and has said that nothing more comes;
// or when it does not say so in time.
static void try_leave(mm_worker_t *self)
{
    if (self->draining && self->held.count == 0 && self->leave_by_ms == MM_NEVER) {
        self->leave_by_ms = self->now_ms + self->config.lost_after_ms;
        if (self->session != 0)
            mm_worker_heartbeat(self, false); // asks for the last word
    }
    if (self->now_ms < leave_deadline(self))
        return;
    if (self->session != 0)
        mm_worker_act(self, MM_WORKER_BYE)->as.last_serial = mm_results_last(self->results);
    self->done = true;
    mm_worker_act(self, MM_WORKER_DONE);
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
    case MM_WORKER_DRAIN: apply_drain(self); break;
    }
    start_first_waiting(self);
    try_leave(self);
}

int64_t mm_worker_deadline(const mm_worker_t *self)
{
    if (self->waiting)
        return self->now_ms;
    int64_t deadline = self->report_ms;
    int64_t silent = self->heard_ms + SILENT_BEATS * self->config.heartbeat_ms;
    if (silent < deadline)
        deadline = silent;
    if (!self->stopped && self->drain_until_ms < deadline)
        deadline = self->drain_until_ms;
    int64_t leave = leave_deadline(self);
    return leave < deadline ? leave : deadline;
}
