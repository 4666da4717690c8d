// The simulator's shell around a consumer's lease, as consumer/leadership.c and consumer/main.c
// have it: a standby has no core. The process ends when it is deposed, and is started again.

#include "sim.h"

#include <assert.h>

static void step(sim_t *self, sim_process_t *process, lease_event_t event);

void sim_leader_start(sim_t *self, sim_process_t *process)
{
    lease_config_t config =
        lease_config(1 + sim_below(self, UINT64_MAX - 1), self->shape.gather.lost_after_ms);
    lease_init(&process->lease, &config, sim_clock(self, process));
    process->is_handed_over = false;
    process->stall_ms = 0;
}

int64_t sim_leader_deadline(const sim_process_t *process)
{
    return sim_clock_reaches(&process->clock, lease_deadline(&process->lease));
}

bool sim_leader_is_trusted(const sim_t *self, const sim_process_t *process)
{
    if (!self->shape.shared)
        return true;
    int64_t look_ms = self->now_ms + (process->looks_late ? process->stall_ms : 0);
    return lease_is_trusted(&process->lease, sim_clock_at(&process->clock, look_ms));
}

// ---- what the core wants

static void ask(sim_t *self, sim_process_t *process, const mm_lease_ask_body_t *asked)
{
    sim_process_t *leader = self->consumer;
    mm_frame_t frame = {.kind = MM_FRAME_LEASE_ASK, .as.lease_ask = *asked};
    frame.as.lease_ask.consumer = mm_str(process->name.text);
    self->consumer = process; // it publishes
    sim_publish(self, &frame);
    self->consumer = leader;
}

static void trust(sim_t *self, sim_process_t *process, int64_t until_ms)
{
    sim_consumer_step_of(self, process,
                         (gather_event_t){.kind = GATHER_TRUST, .as.trust.until_ms = until_ms});
}

static void leave(sim_t *self, sim_process_t *process)
{
    sim_process_t *leader = self->consumer;
    uint64_t epoch = self->epoch;
    self->consumer = process;
    self->epoch = process->epoch;
    if (process->gather)
        sim_consumer_beat(self, process, true);
    sim_publish(self, &(mm_frame_t){.kind = MM_FRAME_LEAVING,
                                    .as.leaving = {.consumer = mm_str(process->name.text),
                                                   .epoch = process->epoch}});
    self->consumer = leader;
    self->epoch = epoch;
    sim_crash(self, process, "leads no longer");
}

static void apply(sim_t *self, sim_process_t *process, const lease_action_t *action)
{
    switch (action->kind) {
    case LEASE_ASK: ask(self, process, &action->as.ask); break;
    case LEASE_LEAD:
        sim_trace(self, "%s: leads, epoch %llu", process->name.text,
                  (unsigned long long)action->as.epoch);
        sim_check_taken(self, process);
        sim_consumer_begin(self, process, action->as.epoch);
        break;
    case LEASE_TRUST: trust(self, process, action->as.until_ms); break;
    case LEASE_SUSPEND:
        sim_trace(self, "%s: is suspended", process->name.text);
        trust(self, process, process->lease.now_ms);
        break;
    case LEASE_STOP: trust(self, process, process->lease.now_ms); break;
    case LEASE_ORDERS:
        sim_consumer_step_of(
            self, process,
            (gather_event_t){.kind = GATHER_BESIDE, .as.beside.is_halted = action->as.is_halted});
        break;
    case LEASE_LEAVE:
        sim_trace(self, "%s: %s", process->name.text, action->as.reason);
        leave(self, process);
        break;
    }
}

static void step(sim_t *self, sim_process_t *process, lease_event_t event)
{
    lease_actions_t actions;
    if (!process->alive)
        return;
    process->is_due_known = false;
    event.now_ms = sim_clock(self, process);
    lease_step(&process->lease, &event, &actions);
    for (size_t i = 0; i < actions.count && process->alive; i++)
        apply(self, process, &actions.items[i]);
}

// ---- events

void sim_leader_time(sim_t *self, sim_process_t *process)
{
    if (process->is_handed_over && process->gather && gather_is_recorded(process->gather))
        step(self, process, (lease_event_t){.kind = LEASE_FINISHED});
    if (process->alive && sim_leader_deadline(process) <= self->now_ms)
        step(self, process, (lease_event_t){.kind = LEASE_TIME});
}

bool sim_leader_take(sim_t *self, sim_process_t *process, const sim_process_t *from,
                     const mm_frame_t *frame)
{
    switch ((int)frame->kind) { // the others say nothing of it
    case MM_FRAME_LEASE:
        step(self, process, (lease_event_t){.kind = LEASE_ANSWER, .as.answer = &frame->as.lease});
        return false;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
        if (from->role == SIM_RESTARTER)
            step(self, process,
                 (lease_event_t){.kind = LEASE_RESTARTER,
                                 .as.session = frame->as.report.session >> 32});
        break;
    case MM_FRAME_JOBS:
        if (frame->as.jobs.epoch > process->lease.epoch)
            step(self, process,
                 (lease_event_t){.kind = LEASE_RIVAL, .as.rival = frame->as.jobs.epoch});
        break;
    }
    return process->alive && process->gather;
}

// An operator asks the one that leads.
void sim_leader_hand_over(sim_t *self)
{
    sim_process_t *process = self->consumer;
    if (!process->alive || process->paused_until > 0 || process->lease.state == LEASE_STANDBY)
        return;
    sim_trace(self, "%s: is to hand over", process->name.text);
    step(self, process, (lease_event_t){.kind = LEASE_HAND_OVER});
    process->is_handed_over = true;
}

void sim_leader_left(sim_t *self, sim_process_t *process)
{
    if (self->shape.shared)
        step(self, process, (lease_event_t){.kind = LEASE_LEFT});
}
