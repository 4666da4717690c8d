// The simulator's consumer: the shell of consumer/main.c around the gather core.

#include "sim.h"

#include "gather_frames.h"
#include "gather_private.h"
#include "gather_trace.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static mm_str_t name(const sim_t *self)
{
    return mm_str(self->consumer->name.text);
}

// The same machine as before, by the same clock, or it was booted meanwhile.
static void boot(sim_t *self, sim_process_t *process)
{
    if (process->control == 0 || sim_below(self, 4) == 0) {
        process->control = ++self->control_count;
        assert(process->control < SIM_CONTROLS);
        self->controls[process->control] = process->clock;
    }
    process->clock = self->controls[process->control];
}

void sim_consumer_start(sim_t *self, sim_process_t *process)
{
    process->epoch = 0;
    if (!self->shape.shared) {
        sim_consumer_begin(self, process, self->epoch + 1);
        return;
    }
    if (self->shape.real)
        boot(self, process);
    sim_leader_start(self, process);
}

void sim_consumer_begin(sim_t *self, sim_process_t *process, uint64_t epoch)
{
    process->epoch = self->epoch = epoch;
    process->lead_ms = self->consumer_ms = self->now_ms;
    self->consumer = process;
    gather_config_t config = self->shape.gather;
    config.epoch = self->epoch;
    config.first_number = self->epoch << 32;
    config.first_session = self->epoch << 32;
    config.seed = sim_below(self, UINT64_MAX);
    if (self->shape.real && !self->shape.shared)
        boot(self, process);
    if (self->shape.real)
        config.control_1 = process->control;
    sim_lease_begin(self);
    if (self->shape.starts_end_ms > 0)
        config.starts_end_ms = sim_clock_at(&process->clock, self->shape.starts_end_ms);
    process->gather = gather_new(&config, sim_clock(self, process));
    sim_policy_tell(self, process);
    if (self->policy)
        sim_operator_forget(self);
    sim_judge_epoch(self);
    gather_event_t clock = {.kind = GATHER_CLOCK};
    clock.as.clock.unix_ms = SIM_UNIX_MS + self->now_ms;
    sim_consumer_step(self, clock);
}

void sim_consumer_end(sim_process_t *process)
{
    if (process->gather)
        gather_destroy(&process->gather);
}

int64_t sim_consumer_deadline(const sim_process_t *process)
{
    if (!process->gather)
        return MM_NEVER; // a standby
    return sim_clock_reaches(&process->clock, gather_deadline(process->gather));
}

static sim_process_t *find(sim_t *self, const char *name)
{
    for (uint32_t i = 0; i < self->process_count; i++)
        if (strcmp(self->processes[i].name.text, name) == 0)
            return &self->processes[i];
    return NULL;
}

static void send_notice(sim_t *self, const gather_action_t *action)
{
    sim_check_notice(self, &action->as.verdict.verdict);
    sim_check_doubt(self, &action->as.verdict.verdict);
    if (action->as.verdict.verdict.kind == MM_VERDICT_NACK)
        sim_job(self, &action->as.verdict.verdict.id)->withdrawn_life = 0; // until it is told anew
    if (action->as.verdict.verdict.kind == MM_VERDICT_NACK)
        sim_judge_nacked(self, sim_job(self, &action->as.verdict.verdict.id));
    if (self->shape.real && action->as.verdict.verdict.kind == MM_VERDICT_NACK)
        sim_check_nacked(self, &action->as.verdict.verdict);
    // Every subscriber would filter by topic: only the publisher that it is for takes it.
    sim_process_t *to = find(self, action->as.verdict.publisher);
    assert(to);
    mm_frame_t frame = {.kind = MM_FRAME_NOTICES,
                        .as.notices = {.consumer = name(self),
                                       .epoch = self->epoch,
                                       .items = &action->as.verdict.verdict,
                                       .count = 1}};
    for (uint32_t i = 0; i < self->process_count; i++)
        self->processes[i].heard_from += &self->processes[i] == to ? 0 : INT64_MAX / 4;
    sim_publish(self, &frame);
    for (uint32_t i = 0; i < self->process_count; i++)
        self->processes[i].heard_from -= &self->processes[i] == to ? 0 : INT64_MAX / 4;
}

// All tasks of this step for the session of its first one go in one frame.
static void send_tasks(sim_t *self, sim_process_t *process, size_t first)
{
    const gather_actions_t *actions = &process->gather_actions;
    const gather_action_t *action = &actions->items[first];
    mm_task_t tasks[MM_BATCH_ITEMS];
    size_t count = 0;
    bool has_restarts = false;
    sim_process_t *to = find(self, action->as.task.worker);
    assert(to);
    for (size_t i = 0; i < actions->count; i++) {
        const gather_action_t *other = &actions->items[i];
        if (other->kind != GATHER_TASK || other->as.task.session != action->as.task.session)
            continue;
        if (i < first)
            return; // it has gone with that
        assert(count < MM_BATCH_ITEMS);
        tasks[count++] = other->as.task.task;
        sim_judge_handed_out(self, &other->as.task.task);
        if (mm_leg_is_restarters(other->as.task.task.leg)) {
            has_restarts = true;
            sim_check_handed_out(self, process, other);
            continue;
        }
        sim_check_one_settle(self, to, &other->as.task.task);
        sim_access_check_task(self, &other->as.task.task);
        if (other->as.task.task.outcome == MM_OUTCOME_DEAD)
            sim_check_dead(self, &other->as.task.task);
        else if (other->as.task.task.outcome == MM_OUTCOME_RESTARTED)
            sim_check_restarted(self, &other->as.task.task);
    }
    if (has_restarts && !sim_leader_is_trusted(self, process))
        return; // they stay undelivered, and are reclaimed
    sim_send(
        self, process, to, action->as.task.session,
        &(mm_frame_t){.kind = MM_FRAME_TASKS,
                      .as.tasks = {.session = action->as.task.session,
                                   .stamp_ms = action->as.task.stamp_ms,
                                   .acknowledged_through = action->as.task.acknowledged_through,
                                   .items = tasks,
                                   .count = count}});
}

static void send_last(sim_t *self, sim_process_t *process, const gather_action_t *action)
{
    if (sim_access_is_liar(mm_str(action->as.answer.worker.text)))
        return;
    sim_process_t *to = find(self, action->as.answer.worker.text);
    assert(to);
    sim_send(
        self, process, to, action->as.answer.session,
        &(mm_frame_t){.kind = MM_FRAME_TASKS,
                      .as.tasks = {.session = action->as.answer.session,
                                   .acknowledged_through = action->as.answer.acknowledged_through,
                                   .last = true}});
}

static void send_orders(sim_t *self, sim_process_t *process, const gather_action_t *action)
{
    sim_process_t *to = find(self, action->as.orders.worker);
    assert(to);
    mm_frame_t frame = orders_frame(action);
    sim_send(self, process, to, action->as.orders.session, &frame);
}

static void send_answer(sim_t *self, const gather_action_t *action)
{
    mm_frame_kind_t kind = action->kind == GATHER_WELCOME   ? MM_FRAME_WELCOME
                           : action->kind == GATHER_REFUSED ? MM_FRAME_REFUSED
                                                            : MM_FRAME_REJOIN;
    sim_publish(self, &(mm_frame_t){.kind = kind,
                                    .as.answer = {.consumer = name(self),
                                                  .epoch = self->epoch,
                                                  .worker = mm_str(action->as.answer.worker.text),
                                                  .instance = action->as.answer.instance,
                                                  .session = action->as.answer.session,
                                                  .suffix = mm_str("task.0000000000000000"),
                                                  .reason = mm_str(action->as.answer.reason)}});
}

// Of one that leads no longer: it permits nothing.
void sim_consumer_beat(sim_t *self, sim_process_t *process, bool is_last)
{
    mm_acknowledgement_t acknowledgements[SIM_PROCESSES];
    size_t count = 0;
    gather_worker_t worker = {0};
    sim_check_beats(self, process);
    if (!gather_is_halted(process->gather))
        sim_lease_check(self, "commands are permitted");
    // As consumer/send_batch.c: the stamps are read before the clock is (A5).
    while (gather_next_worker(process->gather, &worker))
        if (worker.joined)
            acknowledgements[count++] = worker.acknowledgement;
    sim_publish(self,
                &(mm_frame_t){.kind = MM_FRAME_BEAT,
                              .as.beat = {.consumer = name(self),
                                          .epoch = self->epoch,
                                          .draining = gather_statistics(process->gather).draining,
                                          .halted = is_last || gather_is_halted(process->gather) ||
                                                    !sim_leader_is_trusted(self, process),
                                          .items = acknowledgements,
                                          .count = count}});
}

static void leave(sim_t *self, sim_process_t *process)
{
    sim_consumer_beat(self, process, false);
    sim_leader_left(self, process);
    sim_publish(self, &(mm_frame_t){.kind = MM_FRAME_LEAVING,
                                    .as.leaving = {.consumer = name(self), .epoch = self->epoch}});
    self->too_many_dead = self->too_many_dead || gather_statistics(process->gather).too_many_dead;
    sim_crash(self, process, "left");
}

static void apply(sim_t *self, sim_process_t *process, size_t index)
{
    const gather_action_t *action = &process->gather_actions.items[index];
    switch (action->kind) {
    case GATHER_VERDICT: send_notice(self, action); break;
    case GATHER_TASK: send_tasks(self, process, index); break;
    case GATHER_OPEN: break;
    case GATHER_CLOSE: sim_check_session_closed(self, action->as.answer.session); break;
    case GATHER_WELCOME:
        if (sim_access_is_liar(mm_str(action->as.answer.worker.text)))
            sim_access_welcome(self, action->as.answer.session);
        send_answer(self, action);
        break;
    case GATHER_REFUSED:
    case GATHER_REJOIN: send_answer(self, action); break;
    case GATHER_LAST: send_last(self, process, action); break;
    case GATHER_BEAT: sim_consumer_beat(self, process, false); break;
    case GATHER_LOG:
        if (action->as.log.log == GATHER_LOG_RECLAIMED)
            sim_check_reclaimed(self, action->as.log.number);
        break;
    case GATHER_NEWS: break;
    case GATHER_LEAVE: leave(self, process); break;
    case GATHER_ORDERS: send_orders(self, process, action); break;
    case GATHER_ANSWER:
        sim_operator_answered(self, &action->as.reply.id, action->as.reply.error.size == 0);
        break;
    case GATHER_ASK_GUARD: sim_operator_asked(self); break;
    }
}

static void trace(sim_t *self, const sim_process_t *process, const gather_event_t *event)
{
    if (self->silent)
        return;
    char text[8192];
    FILE *file = fmemopen(text, sizeof text, "w");
    assert(file);
    gather_trace_event(file, event);
    (void)fputs(" ->", file);
    for (size_t i = 0; i < process->gather_actions.count; i++) {
        (void)fputc(' ', file);
        if (gather_trace_action(file, &process->gather_actions.items[i]))
            (void)fputc(';', file);
    }
    (void)fclose(file);
    text[sizeof text - 1] = '\0';
    sim_trace(self, "%s", text);
}

// The serial up to which the results of a worker are read, of a lost one, too; 0: it is unknown.
static uint64_t read_up_to(const sim_process_t *process, mm_str_t name, uint64_t instance)
{
    const worker_t *worker = workers_find(process->gather->workers, name, instance);
    return worker ? worker->acknowledged_through : 0;
}

// Which successes this epoch of the consumer knows of (R8): those that this event made it read.
static void learn(sim_t *self, uint64_t before, uint64_t after, const mm_result_t *results,
                  size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (results[i].leg == MM_LEG_RESTART && results[i].status == MM_STATUS_OK &&
            results[i].serial > before && results[i].serial <= after)
            sim_job(self, &results[i].id)->known_life = self->epoch;
        else if (results[i].serial > before && results[i].serial <= after)
            sim_check_told(self, &results[i]);
    for (size_t i = 0; i < count; i++)
        if (results[i].serial > before && results[i].serial <= after)
            sim_judge_read(self, &results[i]);
}

static void step_once(sim_t *self, sim_process_t *process, gather_event_t event)
{
    process->is_due_known = false;
    event.now_ms = sim_clock(self, process);
    const mm_result_t *results = NULL;
    mm_str_t name = {0};
    uint64_t instance = 0;
    size_t count = 0;
    if (event.kind == GATHER_RESULT) {
        name = event.as.from.worker;
        instance = event.as.from.instance;
        results = event.as.from.result;
        count = 1;
    } else if (event.kind == GATHER_REPORT) {
        name = event.as.report->worker;
        instance = event.as.report->instance;
        results = event.as.report->results;
        count = event.as.report->result_count;
    }
    uint64_t before = count > 0 ? read_up_to(process, name, instance) : 0;
    gather_step(process->gather, &event, &process->gather_actions);
    trace(self, process, &event);
    uint64_t after = count > 0 ? read_up_to(process, name, instance) : 0;
    if (!sim_access_is_liar(name))
        learn(self, before, after, results, count);
    sim_judge_step(self, process, &event);
    for (size_t i = 0; i < process->gather_actions.count && process->alive; i++)
        apply(self, process, i);
    sim_check_consumer(self, process);
    if (process->alive)
        sim_access_check(self, process);
}

// It stands still for a while behind what it has decided, before or behind its look at the clock.
static void draw_stall(sim_t *self, sim_process_t *process)
{
    process->stall_ms = 0;
    if (!self->faulty || !sim_chance(self, self->faults.stall))
        return;
    int64_t left_ms = SIM_FAULTS_MS - self->now_ms, span_ms = sim_between(self, 1000, 60000);
    process->stall_ms = span_ms < left_ms ? span_ms : left_ms;
    process->looks_late = sim_coin(self);
}

// All that is looked at in it is this consumer's.
static void step(sim_t *self, sim_process_t *process, gather_event_t event)
{
    if (!process->alive || !process->gather)
        return;
    sim_process_t *leader = self->consumer;
    uint64_t epoch = self->epoch;
    int64_t consumer_ms = self->consumer_ms;
    self->consumer = process;
    self->epoch = process->epoch;
    self->consumer_ms = process->lead_ms;
    draw_stall(self, process);
    step_once(self, process, event);
    if (process->stall_ms > 0 && process->alive)
        sim_pause(self, process, process->stall_ms);
    process->stall_ms = 0;
    self->consumer = leader;
    self->epoch = epoch;
    self->consumer_ms = consumer_ms;
}

static void parse_jobs(sim_t *self, sim_process_t *process, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_ASK};
    event.as.job.publisher = frame->as.jobs.publisher;
    event.as.job.epoch = frame->as.jobs.epoch;
    event.as.job.dead = frame->as.jobs.dead;
    event.as.job.run = frame->as.jobs.run;
    event.as.job.groups = frame->as.jobs.groups;
    event.as.job.group_count = frame->as.jobs.group_count;
    if (frame->as.jobs.epoch == process->epoch)
        self->publisher_epoch = process->epoch;
    if (frame->as.jobs.count == 0)
        step(self, process, event);
    event.kind = GATHER_JOB;
    for (size_t i = 0; i < frame->as.jobs.count; i++) {
        event.as.job.job = frame->as.jobs.items[i];
        uint64_t last_task = sim_job(self, &event.as.job.job.id)->last_task;
        step(self, process, event);
        sim_see_withdrawn(self, process, &event.as.job.job, last_task);
    }
}

void sim_consumer_take(sim_t *self, sim_process_t *process, const sim_process_t *from,
                       const mm_frame_t *frame)
{
    if (self->shape.shared && !sim_leader_take(self, process, from, frame))
        return;
    gather_event_t event = {.kind = GATHER_REPORT};
    switch ((int)frame->kind) { // the others are not the consumer's, or only for viewers
    case MM_FRAME_JOBS: parse_jobs(self, process, frame); break;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
        event.as.report = &frame->as.report;
        step(self, process, event);
        break;
    case MM_FRAME_RESULTS:
        event.kind = GATHER_RESULT;
        event.as.from.worker = frame->as.results.worker;
        event.as.from.instance = frame->as.results.instance;
        event.as.from.session = frame->as.results.session;
        event.as.from.result = frame->as.results.items;
        step(self, process, event);
        break;
    case MM_FRAME_STATE:
        event.kind = GATHER_STATE;
        event.as.state = &frame->as.state;
        step(self, process, event);
        break;
    case MM_FRAME_RECORDED:
        event.kind = GATHER_RECORDED;
        event.as.recorded = &frame->as.recorded;
        step(self, process, event);
        break;
    case MM_FRAME_BYE:
        event.kind = GATHER_BYE;
        event.as.from.worker = frame->as.bye.worker;
        event.as.from.instance = frame->as.bye.instance;
        event.as.from.session = frame->as.bye.session;
        event.as.from.last_serial = frame->as.bye.last_serial;
        step(self, process, event);
        break;
    }
}

void sim_consumer_time(sim_t *self, sim_process_t *process)
{
    gather_event_t event = {.kind = GATHER_TIME};
    event.as.time.inbox_empty = true; // what has arrived was taken before
    step(self, process, event);
}

void sim_consumer_step(sim_t *self, gather_event_t event)
{
    step(self, self->consumer, event);
}

void sim_consumer_step_of(sim_t *self, sim_process_t *process, gather_event_t event)
{
    step(self, process, event);
}

void sim_consumer_drain(sim_t *self, sim_process_t *process)
{
    if (process->gather)
        step(self, process, (gather_event_t){.kind = GATHER_DRAIN});
    else
        sim_crash(self, process, "left"); // a standby
}
