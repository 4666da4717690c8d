// The shells of the four processes, as their main.c and common/worker/worker_client.c have them,
// without sockets and disk: a turn reads all that has come, steps the core for each item, puts what
// it answers into open batches, and sends these at its end.

#include "instructions.h"
#include "job.h"
#include "string_view.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- frames on their way

static void deliver(world_t *self, inbox_t *to, mm_frame_kind_t kind, const mm_encoder_t *encoder)
{
    mm_str_t bytes = mm_encoder_bytes(encoder);
    expect(to->count < MESSAGES, "an inbox is full");
    if (to->used + bytes.size > to->size) {
        to->size = 2 * (to->used + bytes.size);
        to->bytes = realloc(to->bytes, to->size);
        assert(to->bytes);
    }
    memcpy(to->bytes + to->used, bytes.data, bytes.size);
    to->messages[to->count++] = (message_t){.kind = kind, .offset = to->used, .size = bytes.size};
    to->used += bytes.size;
    self->frames++;
}

static void deliver_to_all(world_t *self, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    deliver(self, &self->events, frame->kind, self->encoder);
    for (int i = 0; i < WORKERS; i++)
        deliver(self, &self->members[i].inbox, frame->kind, self->encoder);
}

static void flush(world_t *self, inbox_t *to, mm_frame_kind_t kind, mm_encoder_t *encoder)
{
    if (mm_encoder_count(encoder) == 0)
        return;
    part_encode_finish(encoder);
    deliver(self, to, kind, encoder);
}

static void flush_full(world_t *self, inbox_t *to, mm_frame_kind_t kind, mm_encoder_t *encoder)
{
    if (mm_encoder_is_full(encoder))
        flush(self, to, kind, encoder);
}

static void decode(const world_t *self, const inbox_t *inbox, size_t i, mm_frame_t *ret_frame)
{
    const message_t *message = &inbox->messages[i];
    mm_str_t bytes = {inbox->bytes + message->offset, message->size};
    mm_wire_status_t status = MM_WIRE_OK;
    switch ((int)message->kind) {
    case MM_FRAME_JOBS: status = part_decode_jobs(self->decoder, bytes, ret_frame); break;
    case MM_FRAME_TASKS: status = part_decode_tasks(self->decoder, bytes, ret_frame); break;
    case MM_FRAME_RESULTS: status = part_decode_results(self->decoder, bytes, ret_frame); break;
    case MM_FRAME_NOTICES: status = part_decode_notices(self->decoder, bytes, ret_frame); break;
    case MM_FRAME_STARTED: status = part_decode_started(self->decoder, bytes, ret_frame); break;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT: status = part_decode_reports(self->decoder, bytes, ret_frame); break;
    default: status = mm_decode(self->decoder, bytes.data, bytes.size, ret_frame); break;
    }
    expect(status == MM_WIRE_OK && ret_frame->kind == message->kind, "a frame that is none");
}

static void empty(inbox_t *inbox)
{
    inbox->count = 0;
    inbox->used = 0;
}

// ---- the publisher

static void step_publisher(world_t *self, outbox_event_t event)
{
    part_outbox(self, &event);
    for (size_t i = 0; i < self->outbox_actions.count; i++) {
        const outbox_action_t *action = &self->outbox_actions.items[i];
        switch (action->kind) {
        case OUTBOX_DELIVER:
            part_encode_jobs(
                self,
                &(mm_job_t){.id = action->id, .host = action->host, .delivery = action->delivery});
            flush_full(self, &self->inbox, MM_FRAME_JOBS, self->batch);
            break;
        case OUTBOX_SETTLED: settle_job(self, action); break;
        case OUTBOX_ASK:
            mm_encode_frame(self->encoder, &(mm_frame_t){.kind = MM_FRAME_JOBS,
                                                         .as.jobs.publisher = mm_str("publisher")});
            deliver(self, &self->inbox, MM_FRAME_JOBS, self->encoder);
            break;
        case OUTBOX_LOG:
            expect(action->log == OUTBOX_LOG_PRESENT, "a lease has expired, or was nacked");
            break;
        case OUTBOX_LEAVE: expect(false, "the publisher leaves"); break;
        }
    }
}

static void accept_jobs(world_t *self, uint32_t jobs)
{
    for (uint32_t i = 0;
         i < self->fresh_max && self->accepted < jobs && outbox_capacity(self->outbox) > 0; i++) {
        const job_t *job = accept_job(self);
        outbox_event_t event = {.kind = OUTBOX_JOB};
        event.as.job.id = job->id;
        event.as.job.host = (mm_str_t){job->host, job->host_size};
        step_publisher(self, event);
    }
}

static void take_event(world_t *self, const mm_frame_t *frame)
{
    outbox_event_t event = {.kind = OUTBOX_VERDICT};
    if (frame->kind == MM_FRAME_BEAT) {
        event.kind = OUTBOX_BEAT;
        event.as.beat.epoch = frame->as.beat.epoch;
        step_publisher(self, event);
        return;
    }
    if (frame->kind != MM_FRAME_NOTICES)
        return; // for workers
    event.as.verdict.epoch = frame->as.notices.epoch;
    for (size_t i = 0; i < frame->as.notices.count; i++) {
        event.as.verdict.what = frame->as.notices.items[i];
        step_publisher(self, event);
    }
}

static void turn_publisher(world_t *self, uint32_t jobs)
{
    mm_frame_t frame;
    for (size_t i = 0; i < self->events.count; i++) {
        decode(self, &self->events, i, &frame);
        take_event(self, &frame);
    }
    empty(&self->events);
    if (self->now_ms >= outbox_deadline(self->outbox)) {
        outbox_event_t event = {.kind = OUTBOX_TIME};
        event.as.time.events_empty = true;
        step_publisher(self, event);
    }
    accept_jobs(self, jobs);
    flush(self, &self->inbox, MM_FRAME_JOBS, self->batch);
}

// ---- the consumer

static void send_task(world_t *self, const gather_action_t *action)
{
    for (int i = 0; i < WORKERS; i++) {
        member_t *member = &self->members[i];
        if (member->session != action->as.task.session)
            continue;
        part_encode_tasks(member, action);
        flush_full(self, &member->inbox, MM_FRAME_TASKS, member->tasks);
        return;
    }
    expect(false, "a task for nobody");
}

static void send_notice(world_t *self, const gather_action_t *action)
{
    part_encode_notices(self, &action->as.verdict.verdict);
    flush_full(self, &self->events, MM_FRAME_NOTICES, self->notices);
}

static void welcome(world_t *self, const gather_action_t *action)
{
    for (int i = 0; i < WORKERS; i++)
        if (strcmp(self->members[i].name.text, action->as.answer.worker.text) == 0)
            self->members[i].session = action->as.answer.session;
    deliver_to_all(self,
                   &(mm_frame_t){.kind = MM_FRAME_WELCOME,
                                 .as.answer = {.consumer = mm_str("consumer"),
                                               .epoch = LIFE,
                                               .worker = mm_str(action->as.answer.worker.text),
                                               .instance = action->as.answer.instance,
                                               .session = action->as.answer.session,
                                               .suffix = mm_str("task.0000000000000000")}});
}

static void send_beat(world_t *self)
{
    mm_acknowledgement_t acknowledgements[WORKERS];
    size_t count = 0;
    gather_worker_t worker = {0};
    while (gather_next_worker(self->gather, &worker))
        if (worker.joined)
            acknowledgements[count++] = worker.acknowledgement;
    deliver_to_all(self, &(mm_frame_t){.kind = MM_FRAME_BEAT,
                                       .as.beat = {.consumer = mm_str("consumer"),
                                                   .epoch = LIFE,
                                                   .items = acknowledgements,
                                                   .count = count}});
}

static void step_consumer(world_t *self, gather_event_t event)
{
    part_gather(self, &event);
    for (size_t i = 0; i < self->gather_actions.count; i++) {
        const gather_action_t *action = &self->gather_actions.items[i];
        switch (action->kind) {
        case GATHER_VERDICT: send_notice(self, action); break;
        case GATHER_TASK: send_task(self, action); break;
        case GATHER_OPEN: break;
        case GATHER_WELCOME: welcome(self, action); break;
        case GATHER_BEAT: send_beat(self); break;
        case GATHER_LOG:
            expect(action->as.log.log == GATHER_LOG_RETRY,
                   "the consumer notes a job or worker that went astray");
            break;
        case GATHER_CLOSE:
        case GATHER_REFUSED:
        case GATHER_REJOIN:
        case GATHER_LAST:
        case GATHER_LEAVE: expect(false, "the consumer sends a worker away, or leaves"); break;
        case GATHER_NEWS:
        case GATHER_ORDERS:
        case GATHER_ANSWER:
        case GATHER_ASK_GUARD: expect(false, "the consumer has a policy, or orders"); break;
        }
    }
}

static void take_jobs(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_ASK};
    if (frame->as.jobs.count == 0)
        step_consumer(self, event);
    event.kind = GATHER_JOB;
    event.as.job.publisher = frame->as.jobs.publisher;
    event.as.job.epoch = frame->as.jobs.epoch;
    event.as.job.received_ms = WALL_MS + self->now_ms;
    for (size_t i = 0; i < frame->as.jobs.count; i++) {
        event.as.job.job = frame->as.jobs.items[i];
        step_consumer(self, event);
    }
}

static void take_results(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_RESULT};
    event.as.from.worker = frame->as.results.worker;
    event.as.from.instance = frame->as.results.instance;
    event.as.from.session = frame->as.results.session;
    for (size_t i = 0; i < frame->as.results.count; i++) {
        event.as.from.result = &frame->as.results.items[i];
        step_consumer(self, event);
    }
}

static void take_started(world_t *self, const mm_frame_t *frame)
{
    gather_event_t event = {.kind = GATHER_STARTED};
    event.as.from.worker = frame->as.started.worker;
    event.as.from.instance = frame->as.started.instance;
    event.as.from.session = frame->as.started.session;
    for (size_t i = 0; i < frame->as.started.count; i++) {
        event.as.from.number = frame->as.started.numbers[i];
        step_consumer(self, event);
    }
}

static void turn_consumer(world_t *self)
{
    mm_frame_t frame;
    for (size_t i = 0; i < self->inbox.count; i++) {
        decode(self, &self->inbox, i, &frame);
        if (frame.kind == MM_FRAME_JOBS)
            take_jobs(self, &frame);
        else if (frame.kind == MM_FRAME_RESULTS)
            take_results(self, &frame);
        else if (frame.kind == MM_FRAME_STARTED)
            take_started(self, &frame);
        else
            step_consumer(self,
                          (gather_event_t){.kind = GATHER_REPORT, .as.report = &frame.as.report});
    }
    empty(&self->inbox);
    if (self->now_ms >= gather_deadline(self->gather)) {
        gather_event_t event = {.kind = GATHER_TIME};
        event.as.time.inbox_empty = true;
        step_consumer(self, event);
    }
    for (int i = 0; i < WORKERS; i++)
        flush(self, &self->members[i].inbox, MM_FRAME_TASKS, self->members[i].tasks);
    flush(self, &self->events, MM_FRAME_NOTICES, self->notices);
    size_t in_flight = gather_statistics(self->gather).in_flight;
    if (in_flight > self->most_in_flight)
        self->most_in_flight = in_flight;
}

// ---- the workers

static void start_restart(world_t *self, member_t *member, const mm_task_t *task)
{
    job_t *job = job_of(self, &task->id);
    run_t *run = member->spare;
    expect(run != NULL, "a restarter was given more than its slots");
    member->spare = run->next;
    run->number = task->number;
    run->attempt = ++job->attempts;
    run_t **end = &member->ends[(self->round + attempt_rounds(self, job, run->attempt)) % ENDS];
    run->next = *end;
    *end = run;
}

// Puts it on record; the answer follows at the end of the turn, as after a commit.
static void save(world_t *self, member_t *member, const mm_task_t *task)
{
    job_t *job = job_of(self, &task->id);
    if (task->leg == MM_LEG_SETTLE && job->outcome == MM_OUTCOME_NONE)
        job->outcome = task->outcome;
    if (self->store)
        part_store_put(self, task);
    expect(member->answer_count < MM_SLOTS_MAX, "the saver was given more than its slots");
    member->answers[member->answer_count++] =
        (mm_result_t){.number = task->number, .status = MM_STATUS_OK, .outcome = job->outcome};
}

static void send_report(world_t *self, member_t *member, const mm_report_t *report)
{
    flush(self, &self->inbox, MM_FRAME_RESULTS, member->results);
    mm_frame_t frame = {.kind = report->is_hello ? MM_FRAME_HELLO : MM_FRAME_HEARTBEAT,
                        .as.report = *report};
    part_encode_reports(self, &frame);
    deliver(self, &self->inbox, frame.kind, self->encoder);
}

// Those that still run; the results of the others say enough.
static void send_started(world_t *self, member_t *member)
{
    size_t count = 0;
    for (size_t i = 0; i < member->started_count; i++)
        if (part_restarter_holds(member, member->started[i], NULL))
            member->started[count++] = member->started[i];
    member->started_count = 0;
    if (count == 0)
        return;
    mm_frame_t frame = {.kind = MM_FRAME_STARTED,
                        .as.started = {.worker = mm_str(member->name.text),
                                       .instance = member->instance,
                                       .session = mm_worker_session(member->core),
                                       .numbers = member->started,
                                       .count = count}};
    part_encode_started(self, &frame);
    deliver(self, &self->inbox, MM_FRAME_STARTED, self->encoder);
}

static void add_started(world_t *self, member_t *member, uint64_t number)
{
    if (member->is_saver)
        return;
    if (member->started_count == MM_BATCH_ITEMS)
        send_started(self, member);
    member->started[member->started_count++] = number;
}

static void add_result(world_t *self, member_t *member, uint64_t serial)
{
    part_encode_results(member, serial);
    flush_full(self, &self->inbox, MM_FRAME_RESULTS, member->results);
}

static void step_worker(world_t *self, member_t *member, mm_worker_event_t event)
{
    if (member->is_saver)
        part_saver(self, member, &event);
    else
        part_restarter(self, member, &event);
    for (size_t i = 0; i < self->worker_actions.count; i++) {
        const mm_worker_action_t *action = &self->worker_actions.items[i];
        switch (action->kind) {
        case MM_WORKER_CONNECT: break;
        case MM_WORKER_START:
            if (member->is_saver)
                save(self, member, action->as.task);
            else
                start_restart(self, member, action->as.task);
            break;
        case MM_WORKER_STARTED: add_started(self, member, action->as.number); break;
        case MM_WORKER_RESULT: add_result(self, member, action->as.serial); break;
        case MM_WORKER_REPORT: send_report(self, member, action->as.report); break;
        case MM_WORKER_LOG:
            expect(action->as.log.log == MM_WORKER_LOG_JOINED, "a worker is at a loss");
            break;
        case MM_WORKER_DISCONNECT:
        case MM_WORKER_RECREATE:
        case MM_WORKER_STOP:
        case MM_WORKER_ORDERS:
        case MM_WORKER_BYE:
        case MM_WORKER_DONE: expect(false, "a worker leaves its session"); break;
        }
    }
}

static void commit(world_t *self, const member_t *member)
{
    const mm_result_t *answers;
    if (!self->store || !member->is_saver || member->answer_count == 0)
        return;
    expect(part_store_commit(self), "the store is broken");
    expect(store_answers(self->store, &answers) == member->answer_count, "answers are missing");
}

static void finish(world_t *self, member_t *member, const mm_result_t *result)
{
    step_worker(self, member, (mm_worker_event_t){.kind = MM_WORKER_FINISHED, .as.result = result});
}

static void finish_restart(world_t *self, member_t *member, const run_t *run)
{
    mm_task_t task;
    bool held = part_restarter_holds(member, run->number, &task);
    expect(held, "a restart that the worker does not hold");
    const job_t *job = job_of(self, &task.id);
    expect(mm_str_equal(task.host, (mm_str_t){job->host, job->host_size}), "another host");
    mm_result_t result = {.number = run->number, .took_ms = ROUND_MS};
    if (attempt_fails(self, job, run->attempt)) {
        result.status = MM_STATUS_FAILED;
        result.error = mm_str("Could not restart cattle-000000.example.net");
    }
    finish(self, member, &result);
}

static void turn_worker(world_t *self, member_t *member)
{
    mm_frame_t frame;
    for (size_t i = 0; i < member->inbox.count; i++) {
        decode(self, &member->inbox, i, &frame);
        if (frame.kind != MM_FRAME_NOTICES)
            step_worker(self, member,
                        (mm_worker_event_t){.kind = MM_WORKER_FRAME, .as.frame = &frame});
    }
    empty(&member->inbox);
    commit(self, member);
    for (size_t i = 0; i < member->answer_count; i++)
        finish(self, member, &member->answers[i]);
    member->answer_count = 0;
    run_t *run = member->ends[self->round % ENDS];
    member->ends[self->round % ENDS] = NULL;
    for (run_t *next; run; run = next) {
        next = run->next;
        finish_restart(self, member, run);
        run->next = member->spare;
        member->spare = run;
    }
    if (self->now_ms >= mm_worker_deadline(member->core))
        step_worker(self, member, (mm_worker_event_t){.kind = MM_WORKER_TIME});
    send_started(self, member);
    flush(self, &self->inbox, MM_FRAME_RESULTS, member->results);
}

void roles_play_round(world_t *self, uint32_t jobs)
{
    self->round++;
    self->now_ms += ROUND_MS;
    turn_publisher(self, jobs);
    turn_consumer(self);
    for (int i = 0; i < WORKERS; i++)
        turn_worker(self, &self->members[i]);
}
