// Hands out tasks: saves and settles as long as the saver has credit, restarts as admission.h
// decides. See gather.h.

#include "admission.h"
#include "gather_private.h"
#include "job.h"
#include "string_view.h"

#include <utlist.h>

// Of these outcomes an error is recorded.
static bool has_reason(mm_outcome_t outcome)
{
    return outcome == MM_OUTCOME_DEAD || outcome == MM_OUTCOME_WITHDRAWN ||
           outcome == MM_OUTCOME_SKIPPED;
}

// Field by field: a literal would be built elsewhere and then copied.
static mm_task_t *give_task(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg,
                            uint64_t number)
{
    gather_action_t *action = gather_act(self, GATHER_TASK);
    action->as.task.worker = worker->name.text;
    action->as.task.session = worker->session;
    action->as.task.stamp_ms = worker->stamp_ms;
    action->as.task.acknowledged_through = worker->acknowledged_through;
    mm_task_t *task = &action->as.task.task;
    task->number = number;
    task->leg = leg;
    task->id = flight->id;
    task->host = host_name(flight->host);
    task->attempt = flight->attempts;
    task->attributes = (mm_str_t){0};
    task->deliveries = flight->deliveries;
    task->publisher = mm_str(flight->publisher);
    task->received_ms = flight->received_ms;
    task->attempts = flight->attempts;
    task->extended = flight->extended;
    task->outcome = flight->settle;
    task->worker = mm_str(flight->worker);
    task->error = mm_str(has_reason(flight->settle) ? flight->error : NULL);
    task->real = NULL;
    if (flight->has_attempt)
        gather_attempt_fill(self, flight, worker, task);
    return task;
}

static void give_store(gather_t *self, worker_t *worker, flight_t *flight)
{
    if (flight->settle == MM_OUTCOME_NONE && flight->restart == RESTART_OK)
        flight->settle = gather_outcome(self, flight); // a settle saves, too
    mm_leg_t leg = flight->settle == MM_OUTCOME_NONE ? MM_LEG_SAVE : MM_LEG_SETTLE;
    flight_set_store(&self->flights, flight, STORE_OUT, 0);
    flight->store_task = workers_hand_out(self->workers, worker, leg, &flight->id, NULL, flight);
    (void)give_task(self, worker, flight, leg, flight->store_task);
}

static inline void assign_restart(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg)
{
    flight->restart_task =
        workers_hand_out(self->workers, worker, leg, &flight->id, flight->host, flight);
    mm_task_t *task = give_task(self, worker, flight, leg, flight->restart_task);
    if (flight->has_attributes)
        task->attributes = attribute_records_get(&self->flights.attributes, &flight->id);
}

void gather_give_restart(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg)
{
    assign_restart(self, worker, flight, leg);
}

static void give_restart(gather_t *self, worker_t *worker, flight_t *flight)
{
    flight_set_restart(&self->flights, flight, RESTART_OUT, 0);
    flight->attempts++;
    flight->handed_out = true;
    assign_restart(self, worker, flight, MM_LEG_RESTART);
}

// Hands the restart out, or moves it to the queue where it waits. False: it is there already.
static bool admit(gather_t *self, flight_t *flight)
{
    bool was_quarantined = flight->restart == RESTART_QUARANTINED;
    if (flight->withdrawn && gather_end_withdrawn(self, flight))
        return true;
    admission_t admission = admission_decide(self, flight);
    switch (admission.verdict) {
    case ADMISSION_GO:
        if (flight->has_attempt) {
            gather_attempt_next(self, admission.as.worker, flight);
            break;
        }
        give_restart(self, admission.as.worker, flight);
        if (was_quarantined) {
            self->quarantine_number = flight->restart_task;
            self->flights.resources.quarantine.busy = 1;
        }
        break;
    case ADMISSION_WAIT_AT_GATE: gather_gate(self, flight); break;
    case ADMISSION_WAIT_ON:
        if (admission.as.resource == RESOURCE_SLOT ||
            (was_quarantined && admission.as.resource == RESOURCE_QUARANTINE))
            return false;
        flight_wait_on(&self->flights, flight, admission.as.resource);
        break;
    case ADMISSION_WAIT_UNTIL:
        flight_set_restart(&self->flights, flight, RESTART_BACKOFF, admission.as.until_ms);
        if (admission.reason == MM_REASON_TOO_LATE)
            gather_nack_if_over(self, flight);
        break;
    }
    return true;
}

static void hand_out_quarantined(gather_t *self)
{
    const resource_t *quarantine = &self->flights.resources.quarantine;
    const size_t *begun = &self->flights.in_place[1]; // alone
    bool moves = true;
    while (moves && quarantine->waiting && quarantine->busy == 0 && *begun == 0) {
        workers_reserve_quarantine(self->workers);
        moves = admit(self, quarantine->waiting);
    }
    if (!quarantine->waiting && quarantine->busy == 0 && *begun == 0)
        workers_release_quarantine(self->workers);
}

static void hand_out_begun(gather_t *self)
{
    flight_t *flight, *next;
    DL_FOREACH_SAFE2 (self->flights.restart_begun, flight, next, restart_next)
        gather_attempt_start(self, flight);
}

// Up to the first that waits for a slot: the rest of the queue does too.
static void hand_out_ready(gather_t *self)
{
    for (flight_t *flight; (flight = flights_next_restart(&self->flights)) != NULL;)
        if (!admit(self, flight))
            break;
}

// Whether a flight that passes the gate would be handed out: it takes no place to wait with it.
static bool has_capacity(const gather_t *self)
{
    const flights_t *flights = &self->flights;
    const resource_t *at_once = &flights->resources.at_once;
    return !self->statistics.draining && !flights->restart_lost && !flights->restart_ready &&
           at_once->busy + at_once->grants < at_once->limit &&
           flights->in_place[0] < workers_credit(self->workers, MM_ROLE_RESTARTER) &&
           workers_pick(self->workers, MM_ROLE_RESTARTER);
}

static void hand_out_gated(gather_t *self)
{
    flight_t *flight;
    gather_gate_time(self);
    while (has_capacity(self) && (flight = gather_next_gated(self)) != NULL) {
        gather_admit(self, flight);
        hand_out_ready(self);
        hand_out_quarantined(self);
    }
}

static void hand_out_restarts(gather_t *self)
{
    if (self->flights.restart_begun)
        hand_out_begun(self);
    do {
        hand_out_ready(self);
        hand_out_quarantined(self);
    } while (self->flights.resources.released.count > 0); // by a flight that lost a grant
    if (self->is_real)
        hand_out_gated(self);
    if (self->flights.restart_begun) // its restarter may be reserved no longer
        hand_out_begun(self);
}

void gather_dispatch(gather_t *self)
{
    worker_t *worker;
    do {
        while (self->flights.store_ready &&
               (worker = workers_pick(self->workers, MM_ROLE_SAVER)) != NULL)
            give_store(self, worker, self->flights.store_ready);
        if (gather_may_hand_out(self))
            hand_out_restarts(self);
        else // what was released in this step is granted in this step: its host may be gone by the
             // next
            (void)flights_next_restart(&self->flights);
        // What has just begun, or has to wait, is to be saved.
    } while (self->flights.store_ready && workers_pick(self->workers, MM_ROLE_SAVER));
}
