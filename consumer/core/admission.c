// Handing out: which task goes to which worker, and whether it may start now (I6, I8). See
// gather.h.

#include "gather_private.h"
#include "job.h"
#include "string_view.h"

#define QUARANTINE_LOSSES 2 // workers lost with a job after which it is handed out alone

static void give_task(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg,
                      uint64_t number)
{
    gather_action_t *action = gather_act(self, GATHER_TASK);
    action->as.task.worker = worker->name.text;
    action->as.task.session = worker->session;
    action->as.task.stamp_ms = worker->stamp_ms;
    action->as.task.acknowledged_through = worker->acknowledged_through;
    action->as.task.task =
        (mm_task_t){.number = number,
                    .leg = leg,
                    .id = flight->id,
                    .host = host_name(flight->host),
                    .attempt = flight->attempts,
                    .deliveries = flight->deliveries,
                    .publisher = mm_str(flight->publisher),
                    .received_ms = flight->received_ms,
                    .attempts = flight->attempts,
                    .extended = flight->extended,
                    .outcome = flight->settle,
                    .worker = mm_str(flight->worker),
                    .error = mm_str(flight->settle == MM_OUTCOME_DEAD ? flight->error : NULL)};
}

static void give_store(gather_t *self, worker_t *worker, flight_t *flight)
{
    if (flight->settle == MM_OUTCOME_NONE && flight->restart == RESTART_OK)
        flight->settle = MM_OUTCOME_RESTARTED; // which is a save, too
    mm_leg_t leg = flight->settle == MM_OUTCOME_NONE ? MM_LEG_SAVE : MM_LEG_SETTLE;
    flight_set_store(&self->flights, flight, STORE_OUT, 0);
    flight->store_task = workers_hand_out(self->workers, worker, leg, &flight->id, NULL);
    give_task(self, worker, flight, leg, flight->store_task);
}

static void give_restart(gather_t *self, worker_t *worker, flight_t *flight)
{
    flight_set_restart(&self->flights, flight, RESTART_OUT, 0);
    flight->attempts++;
    flight->handed_out = true;
    flight->restart_task =
        workers_hand_out(self->workers, worker, MM_LEG_RESTART, &flight->id, flight->host);
    give_task(self, worker, flight, MM_LEG_RESTART, flight->restart_task);
}

// May this restart start now, and where? The one place that decides it: today one per host and
// credit; caps, time windows and a breaker belong here. NULL: not now, and the flight has been
// moved to where it waits, unless it waits for credit at the head of its queue.
static worker_t *admit(gather_t *self, flight_t *flight)
{
    if (flight->host->busy > 0) {
        flight_set_restart(&self->flights, flight, RESTART_BLOCKED, 0);
        return NULL;
    }
    if (flight->losses < QUARANTINE_LOSSES)
        return workers_pick(self->workers, MM_ROLE_RESTARTER);
    if (flight->restart == RESTART_QUARANTINED)
        return self->quarantine_number == 0 ? workers_pick_quarantine(self->workers) : NULL;
    flight_set_restart(&self->flights, flight, RESTART_QUARANTINED, 0);
    return NULL;
}

static void hand_out_quarantined(gather_t *self)
{
    flight_t *flight = self->flights.restart_quarantined;
    if (!flight || self->quarantine_number != 0)
        return;
    worker_t *worker = admit(self, flight);
    if (!worker)
        return;
    give_restart(self, worker, flight);
    self->quarantine_number = flight->restart_task;
}

void gather_hand_out(gather_t *self)
{
    worker_t *worker;
    while (self->flights.store_ready &&
           (worker = workers_pick(self->workers, MM_ROLE_SAVER)) != NULL)
        give_store(self, worker, self->flights.store_ready);
    if (self->statistics.draining)
        return; // no restart begins (R10)
    for (flight_t *flight; (flight = flights_next_restart(&self->flights)) != NULL;) {
        worker = admit(self, flight);
        if (worker)
            give_restart(self, worker, flight);
        else if (flight->restart == RESTART_READY)
            break; // no credit
    }
    hand_out_quarantined(self);
    if (!self->flights.restart_quarantined && self->quarantine_number == 0)
        workers_release_quarantine(self->workers);
}
