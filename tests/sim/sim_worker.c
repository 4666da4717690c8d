// The simulator's workers: a restarter whose restarts take time, fail or kill it, and a saver whose
// store keeps the rules of saver/store.h and can be full, slow, or die between commit and answer.

#include "sim.h"

#include "job.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>

#define STOP_MS 2000

static bool is_saver(const sim_process_t *process)
{
    return process->role == SIM_SAVER;
}

uint32_t sim_verbs(const sim_t *self)
{
    return MM_VERB_REAL | (self->shape.blind ? 0U : MM_VERB_IDENTIFY) |
           (self->shape.hooks ? MM_VERB_HOOKS : 0U) | (self->shape.skips ? MM_VERB_SKIP : 0U);
}

void sim_worker_start(sim_t *self, sim_process_t *process)
{
    bool saver = is_saver(process);
    process->instance = 1 + sim_below(self, UINT64_MAX - 1);
    mm_worker_config_t config = {.name = process->name,
                                 .role = saver ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                                 .instance = process->instance,
                                 .slots = saver ? SIM_RUNNING : self->shape.slots,
                                 .heartbeat_ms = self->shape.gather.heartbeat_ms,
                                 .lost_after_ms = self->shape.gather.lost_after_ms,
                                 .drain_ms = saver ? self->shape.gather.drain_ms + 1000
                                                   : self->shape.gather.drain_ms + 1000 - STOP_MS,
                                 .leaves_last = saver,
                                 .one_by_one = !saver && self->shape.one_by_one};
    if (!saver && self->shape.real)
        config.verbs = sim_verbs(self);
    if (!saver && self->shape.real)
        (void)mm_name_from(mm_str("real"), &config.driver);
    process->worker = mm_worker_new(&config, sim_clock(self, process));
    process->session = 0;
    process->running_count = 0;
    process->commit_ms = 0;
    process->order_count = 0;
    process->is_asked = false;
    process->has_put = false;
    process->broken_ms = process->ready_ms = 0;
    process->connection++; // what the former one has put may be committed yet
    process->askers = (askers_t){0};
    sim_follow_begin(self, process);
}

void sim_worker_end(sim_process_t *process)
{
    mm_worker_destroy(&process->worker);
    process->running_count = 0;
    process->session = 0;
}

static int64_t next_end(const sim_process_t *process)
{
    if (is_saver(process) && process->broken_ms > 0)
        return process->broken_ms;
    if (is_saver(process))
        return process->commit_ms > 0 ? process->commit_ms : MM_NEVER;
    int64_t next = MM_NEVER;
    for (uint32_t i = 0; i < process->running_count; i++)
        if (process->running[i].end_ms < next)
            next = process->running[i].end_ms;
    return next;
}

int64_t sim_worker_deadline(const sim_process_t *process)
{
    int64_t core = sim_clock_reaches(&process->clock, mm_worker_deadline(process->worker));
    int64_t work = next_end(process);
    return work < core ? work : core;
}

static void start_task(sim_t *self, sim_process_t *process, const mm_task_t *task)
{
    sim_job_t *job = sim_job(self, &task->id);
    assert(job && process->running_count < SIM_RUNNING);
    sim_running_t *running = &process->running[process->running_count++];
    *running = (sim_running_t){.number = task->number,
                               .leg = task->leg,
                               .id = task->id,
                               .job = job,
                               .attempt = task->attempt,
                               .is_real = task->real != NULL,
                               .outcome = task->outcome};
    if (task->real)
        running->real = *task->real;
    if (task->real && task->real->worker.size > 0)
        (void)mm_name_from(task->real->worker, &running->row_worker);
    if (is_saver(process)) {
        int64_t takes =
            (int64_t)sim_below(self, 1 + (uint64_t)(self->faulty ? self->faults.store_slow_ms : 5));
        if (process->commit_ms == 0 && !process->has_put)
            process->commit_ms = self->now_ms + 1 + takes;
        return;
    }
    if (task->real) {
        sim_check_started(self, process, running);
        sim_check_begun(self, running);
        sim_check_attributes(self, job, task->attributes);
        sim_real_start(self, process, running);
        return;
    }
    running->end_ms = self->now_ms + (int64_t)sim_below(self, 1 + (uint64_t)self->shape.restart_ms);
    running->fails = sim_chance(self, self->shape.fail);
    running->kills = job->poison;
    sim_check_started(self, process, running);
    sim_check_attributes(self, job, task->attributes);
    if (self->faulty && self->shape.one_by_one && self->faults.start_ms > 0)
        sim_pause(self, process, sim_between(self, 1, self->faults.start_ms));
}

static void apply(sim_t *self, sim_process_t *process);

static void step(sim_t *self, sim_process_t *process, mm_worker_event_t event)
{
    if (!process->alive)
        return;
    process->is_due_known = false;
    event.now_ms = event.boot_ms = sim_clock(self, process);
    mm_worker_step(process->worker, &event, &process->worker_actions);
    apply(self, process);
}

static void finish_with(sim_t *self, sim_process_t *process, const mm_result_t *result)
{
    sim_trace(self, "%s: #%llu ends with status %d, %s", process->name.text,
              (unsigned long long)result->number, (int)result->status,
              result->real ? mm_end_name(result->real->end) : "");
    step(self, process, (mm_worker_event_t){.kind = MM_WORKER_FINISHED, .as.result = result});
}

static void finish(sim_t *self, sim_process_t *process, const sim_running_t *task,
                   mm_status_t status, mm_outcome_t outcome, const char *error)
{
    sim_trace(self, "%s: #%llu %s", process->name.text, (unsigned long long)task->number,
              status == MM_STATUS_OK ? "ok" : error);
    step(self, process,
         (mm_worker_event_t){.kind = MM_WORKER_FINISHED,
                             .as.result = &(mm_result_t){.number = task->number,
                                                         .status = status,
                                                         .outcome = outcome,
                                                         .error = mm_str(error)}});
}

static void stop_all(sim_t *self, sim_process_t *process)
{
    if (is_saver(process) && self->shape.shared && process->running_count > 0) {
        sim_crash(self, process, "left, and waits for its store no longer");
        return;
    }
    if (is_saver(process) && process->commit_ms > 0)
        process->commit_ms = self->now_ms + 1;
    for (uint32_t i = 0; i < process->running_count; i++) {
        process->running[i].end_ms = self->now_ms, process->running[i].fails = true;
        process->running[i].is_timeout = true;
    }
}

static void end_process(sim_t *self, sim_process_t *process)
{
    sim_crash(self, process, "left");
}

static void send(sim_t *self, sim_process_t *process, const mm_worker_action_t *action)
{
    mm_str_t name = mm_str(process->name.text);
    mm_frame_t frame = {0};
    if (action->kind == MM_WORKER_RESULT) {
        const mm_result_t *result = mm_worker_result(process->worker, action->as.serial);
        frame.kind = MM_FRAME_RESULTS;
        frame.as.results.worker = name;
        frame.as.results.session = process->session;
        frame.as.results.items = result;
        frame.as.results.count = 1;
    } else if (action->kind == MM_WORKER_REPORT) {
        frame.kind = action->as.report->is_hello ? MM_FRAME_HELLO : MM_FRAME_HEARTBEAT;
        frame.as.report = *action->as.report;
    } else {
        frame.kind = MM_FRAME_BYE;
        frame.as.bye.worker = name;
        frame.as.bye.session = mm_worker_session(process->worker);
        frame.as.bye.last_serial = action->as.last_serial;
    }
    if (frame.kind == MM_FRAME_RESULTS)
        frame.as.results.instance = process->instance;
    else if (frame.kind == MM_FRAME_BYE)
        frame.as.bye.instance = process->instance;
    if (action->kind == MM_WORKER_REPORT)
        sim_ask_up(self, process, &frame);
    else
        sim_send_up(self, process, &frame);
}

static void apply(sim_t *self, sim_process_t *process)
{
    for (size_t i = 0; i < process->worker_actions.count && process->alive; i++) {
        const mm_worker_action_t *action = &process->worker_actions.items[i];
        switch (action->kind) {
        case MM_WORKER_CONNECT:
            process->session = action->as.connect.session;
            process->connected_ms = self->now_ms + (int64_t)sim_below(self, 20);
            sim_trace(self, "%s: joined session %llu", process->name.text,
                      (unsigned long long)process->session);
            break;
        case MM_WORKER_DISCONNECT: process->session = 0; break;
        case MM_WORKER_RECREATE:
            process->sockets++;
            process->heard_from = self->now_ms + (int64_t)sim_below(self, 200);
            break;
        case MM_WORKER_START: start_task(self, process, action->as.task); break;
        case MM_WORKER_STOP: stop_all(self, process); break;
        case MM_WORKER_ORDERS: break; // no consumer sends any here
        case MM_WORKER_STARTED: break;
        case MM_WORKER_RESULT:
        case MM_WORKER_REPORT:
        case MM_WORKER_BYE: send(self, process, action); break;
        case MM_WORKER_DONE: end_process(self, process); break;
        case MM_WORKER_LOG: break;
        }
    }
}

void sim_worker_answer(sim_t *self, sim_process_t *saver, const mm_result_t *result)
{
    finish_with(self, saver, result);
}

void sim_worker_take(sim_t *self, sim_process_t *process, const mm_frame_t *frame)
{
    if (frame->kind == MM_FRAME_ORDERS) {
        sim_orders_take(self, process, frame);
        return;
    }
    sim_trace(self, "%s: takes frame %d", process->name.text, (int)frame->kind);
    step(self, process, (mm_worker_event_t){.kind = MM_WORKER_FRAME, .as.frame = frame});
}

static void end_real(sim_t *self, sim_process_t *process, uint32_t index, const mm_result_t *result)
{
    sim_running_t task = process->running[index];
    process->running[index] = process->running[--process->running_count];
    if (task.job->poison && task.sent && task.real.command > 0) {
        sim_check_killed(&task);
        sim_crash(self, process, "killed by its job");
        return;
    }
    if (task.real.command > 0 && result->status != MM_STATUS_OK) {
        task.job->told_number = task.number;
        bool is_end = task.sent || result->status == MM_STATUS_FAILED;
        if (is_end && task.attempt > task.job->told_attempt) // not by a late look of an earlier one
            task.job->told_attempt = task.attempt;
    }
    bool is_success = result->status == MM_STATUS_OK && result->leg == MM_LEG_RESTART;
    task.job->successes += is_success;
    self->statistics.restarts += is_success;
    finish_with(self, process, result);
}

static void end_restarts(sim_t *self, sim_process_t *process)
{
    for (uint32_t i = 0; i < process->running_count && process->alive;) {
        if (process->running[i].end_ms > self->now_ms) {
            i++;
            continue;
        }
        if (process->running[i].is_real) {
            mm_result_t result = {0};
            if (sim_real_step(self, process, &process->running[i], &result))
                end_real(self, process, i, &result);
            i += process->running[i].end_ms > self->now_ms;
            continue;
        }
        sim_running_t task = process->running[i];
        process->running[i] = process->running[--process->running_count];
        if (task.kills) {
            sim_check_killed(&task);
            sim_crash(self, process, "killed by its job");
            return;
        }
        if (!task.fails)
            task.job->successes++;
        self->statistics.restarts += !task.fails;
        finish(self, process, &task, task.fails ? MM_STATUS_FAILED : MM_STATUS_OK, MM_OUTCOME_NONE,
               task.fails ? "exit 1" : "");
    }
}

static void commit(sim_t *self, sim_process_t *process)
{
    sim_running_t batch[SIM_RUNNING];
    mm_result_t answers[SIM_RUNNING];
    mm_real_t reals[SIM_RUNNING];
    uint32_t count = process->running_count;
    bool full = self->now_ms < self->store_full_until;
    for (uint32_t i = 0; i < count; i++) {
        batch[i] = process->running[i];
        answers[i] = (mm_result_t){.number = batch[i].number, .leg = batch[i].leg};
        if (full) {
            answers[i].status = MM_STATUS_FAILED;
            answers[i].error = mm_str("database or disk is full");
            continue;
        }
        sim_record_answer(self, &batch[i], &reals[i], &answers[i]);
        sim_record_write(self, &batch[i]);
        answers[i].outcome = sim_record_outcome(self, &batch[i]);
        reals[i].seq = batch[i].job->seq;
    }
    process->running_count = 0;
    process->commit_ms = 0;
    sim_orders_commit(self, process, full);
    if (self->faulty && sim_chance(self, self->faults.commit_crash)) {
        sim_crash(self, process, "died between commit and answer");
        return;
    }
    for (uint32_t i = 0; i < count && process->alive; i++)
        finish_with(self, process, &answers[i]);
    if (process->alive)
        sim_orders_answer(self, process);
}

void sim_worker_time(sim_t *self, sim_process_t *process)
{
    bool is_due = is_saver(process) && process->commit_ms > 0 && process->commit_ms <= self->now_ms;
    if (is_saver(process) && process->broken_ms > 0 && process->broken_ms <= self->now_ms)
        sim_database_connect(self, process);
    else if (is_due && self->shape.shared)
        sim_database_put(self, process);
    else if (is_due)
        commit(self, process);
    else if (!is_saver(process))
        end_restarts(self, process);
    if (process->alive && mm_worker_deadline(process->worker) <= sim_clock(self, process))
        step(self, process, (mm_worker_event_t){.kind = MM_WORKER_TIME});
}

void sim_worker_drain(sim_t *self, sim_process_t *process)
{
    step(self, process, (mm_worker_event_t){.kind = MM_WORKER_DRAIN});
    for (uint32_t i = 0; !is_saver(process) && process->alive && i < process->running_count;) {
        mm_result_t result;
        if (process->running[i].is_real && sim_real_open(&process->running[i], &result)) {
            end_real(self, process, i, &result);
        } else {
            i++;
        }
    }
}
