// The calls of the real parts: one function for each, with nothing else in it.
// bench/instructions.sh takes what callgrind counts in part_NAME, callees included, for the cost of
// NAME.

#include "instructions.h"
#include "string_view.h"

// No two parts are merged into one function, and none ends in a jump.
#define KEEP() __asm__ volatile("" : : "i"(__LINE__))

void part_outbox(world_t *self, outbox_event_t *event)
{
    event->now_ms = self->now_ms;
    outbox_step(self->outbox, event, &self->outbox_actions);
    KEEP();
}

void part_gather(world_t *self, gather_event_t *event)
{
    event->now_ms = self->now_ms;
    gather_step(self->gather, event, &self->gather_actions);
    KEEP();
}

void part_saver(world_t *self, member_t *member, mm_worker_event_t *event)
{
    event->now_ms = event->boot_ms = self->now_ms;
    mm_worker_step(member->core, event, &self->worker_actions);
    KEEP();
}

void part_restarter(world_t *self, member_t *member, mm_worker_event_t *event)
{
    event->now_ms = event->boot_ms = self->now_ms;
    mm_worker_step(member->core, event, &self->worker_actions);
    KEEP();
}

bool part_restarter_holds(const member_t *member, uint64_t number, mm_task_t *ret_task)
{
    bool holds = mm_worker_holds(member->core, number, ret_task);
    KEEP();
    return holds;
}

void part_store_put(world_t *self, const mm_task_t *task)
{
    store_put(self->store, task);
    KEEP();
}

bool part_store_commit(world_t *self)
{
    bool works = store_flush(self->store);
    KEEP();
    return works;
}

void part_encode_jobs(const world_t *self, const mm_job_t *job)
{
    if (mm_encoder_count(self->batch) == 0)
        mm_encode_begin(self->batch,
                        &(mm_frame_t){.kind = MM_FRAME_JOBS,
                                      .as.jobs = {.publisher = {"publisher", 9},
                                                  .epoch = outbox_epoch(self->outbox)}});
    mm_encode_job(self->batch, job);
    KEEP();
}

void part_encode_tasks(const member_t *member, const gather_action_t *action)
{
    if (mm_encoder_count(member->tasks) == 0)
        mm_encode_begin(member->tasks,
                        &(mm_frame_t){.kind = MM_FRAME_TASKS,
                                      .as.tasks = {.session = action->as.task.session,
                                                   .stamp_ms = action->as.task.stamp_ms,
                                                   .acknowledged_through =
                                                       action->as.task.acknowledged_through}});
    mm_encode_task(member->tasks, &action->as.task.task);
    KEEP();
}

void part_encode_results(const member_t *member, uint64_t serial)
{
    if (mm_encoder_count(member->results) == 0)
        mm_encode_begin(member->results,
                        &(mm_frame_t){.kind = MM_FRAME_RESULTS,
                                      .as.results = {.worker = mm_str(member->name.text),
                                                     .instance = member->instance,
                                                     .session = mm_worker_session(member->core)}});
    mm_encode_result(member->results, mm_worker_result(member->core, serial));
    KEEP();
}

void part_encode_notices(const world_t *self, const mm_verdict_t *verdict)
{
    if (mm_encoder_count(self->notices) == 0)
        mm_encode_begin(self->notices,
                        &(mm_frame_t){.kind = MM_FRAME_NOTICES,
                                      .as.notices = {.consumer = {"consumer", 8}, .epoch = LIFE}});
    mm_encode_verdict(self->notices, verdict);
    KEEP();
}

void part_encode_started(const world_t *self, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    KEEP();
}

void part_encode_reports(const world_t *self, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    KEEP();
}

void part_encode_finish(mm_encoder_t *encoder)
{
    mm_encode_finish(encoder);
    KEEP();
}

#define DECODE_PART(NAME)                                                                          \
    mm_wire_status_t part_decode_##NAME(mm_decoder_t *decoder, mm_str_t bytes,                     \
                                        mm_frame_t *ret_frame)                                     \
    {                                                                                              \
        mm_wire_status_t status = mm_decode(decoder, bytes.data, bytes.size, ret_frame);           \
        KEEP();                                                                                    \
        return status;                                                                             \
    }
DECODE_PART(jobs)
DECODE_PART(tasks)
DECODE_PART(results)
DECODE_PART(notices)
DECODE_PART(started)
DECODE_PART(reports)

void part_log_line(const job_t *job)
{
    mm_log(MM_LOG_INFO, "Done. Acked", MM_JOB(&job->id),
           MM_STR("host", ((mm_str_t){job->host, job->host_size})),
           MM_INT("attempts", job->attempts));
    KEEP();
}

// What the log's own thread does with that line, but for the write.
size_t part_log_format(mm_log_format_t *format, const job_t *job, char *buffer)
{
    mm_field_t fields[] = {MM_JOB(&job->id),
                           MM_STR("host", ((mm_str_t){job->host, job->host_size})),
                           MM_INT("attempts", job->attempts)};
    mm_log_entry_t entry = {
        .wall_ms = WALL_MS, .level = MM_LOG_INFO, .count = 3, .message = "Done. Acked"};
    size_t size = mm_log_format(format, &entry, fields, buffer);
    KEEP();
    return size;
}
