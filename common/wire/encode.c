// Frames to bytes. What the decoder would refuse is asserted: it is a bug of the caller, and
// nothing is cut to fit. The list of a batch has a header of fixed width, written again when its
// count is known. It allocates when an encoder is made, and when a frame is larger than any before.

#include "wire_put.h"

#define LIST_HEAD   3 // bytes of an array 16 header
#define FIRST_BYTES (MM_BATCH_BYTES + 2 * MM_WIRE_ITEM_BYTES)

// Even a report with both lists at their limits is a frame that libzmq takes.
_Static_assert(2 * MM_WIRE_ITEM_BYTES + MM_BATCH_ITEMS * (300 + 3000) <= MM_FRAME_BYTES,
               "the limits of items and of frames do not fit together");

mm_encoder_t *mm_encoder_new(void)
{
    mm_encoder_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->capacity = FIRST_BYTES;
    self->bytes = malloc(self->capacity);
    assert(self->bytes != NULL);
    return self;
}

void mm_encoder_destroy(mm_encoder_t **self_p)
{
    if (*self_p == NULL)
        return;
    free((*self_p)->bytes);
    free(*self_p);
    *self_p = NULL;
}

mm_str_t mm_encoder_bytes(const mm_encoder_t *self)
{
    assert(!self->is_open);
    return (mm_str_t){.data = (const char *)self->bytes, .size = self->size};
}

size_t mm_encoder_count(const mm_encoder_t *self)
{
    return self->is_open ? self->count : 0;
}

bool mm_encoder_is_full(const mm_encoder_t *self)
{
    return self->is_open && (self->count == MM_BATCH_ITEMS || self->size >= MM_BATCH_BYTES);
}

// ---- items

static void put_job(mm_encoder_t *self, const mm_job_t *job)
{
    put_array(self, 3);
    put_id(self, &job->id);
    put_host(self, job->host);
    put_count(self, job->delivery, 1, UINT32_MAX);
}

static void put_origin(mm_encoder_t *self, const mm_task_t *task)
{
    put_count(self, task->deliveries, 1, UINT32_MAX);
    put_name(self, task->publisher);
    put_time(self, task->received_ms);
}

static void put_settlement(mm_encoder_t *self, const mm_task_t *task)
{
    put_number(self, task->attempts);
    put_number(self, task->extended);
    put_outcome(self, task->outcome, MM_OUTCOME_RESTARTED);
    if (task->worker.size == 0)
        put_string(self, task->worker);
    else
        put_name(self, task->worker);
    put_utf8(self, task->error, MM_ERROR_MAX);
}

static size_t task_fields(mm_leg_t leg)
{
    switch (leg) {
    case MM_LEG_RESTART: return 5;
    case MM_LEG_SAVE: return 7;
    case MM_LEG_SETTLE: return 12;
    }
    assert(false);
    return 0;
}

static void put_task(mm_encoder_t *self, const mm_task_t *task)
{
    put_array(self, task_fields(task->leg));
    put_number(self, task->number);
    put_leg(self, task->leg);
    put_id(self, &task->id);
    put_host(self, task->host);
    if (task->leg == MM_LEG_RESTART) {
        put_count(self, task->attempt, 1, UINT32_MAX);
        return;
    }
    put_origin(self, task);
    if (task->leg == MM_LEG_SETTLE)
        put_settlement(self, task);
}

static void put_held(mm_encoder_t *self, const mm_assignment_t *held)
{
    put_array(self, 5);
    put_number(self, held->number);
    put_id(self, &held->id);
    put_leg(self, held->leg);
    put_bool(self, held->started);
    if (held->leg != MM_LEG_RESTART && held->host.size == 0)
        put_string(self, held->host);
    else
        put_host(self, held->host);
}

static void put_evidence(mm_encoder_t *self, const mm_result_t *result)
{
    msgpack_packer out = packer(self);
    assert(result->evidence_count <= MM_EVIDENCE_MAX);
    (void)msgpack_pack_map(&out, result->evidence_count);
    for (uint32_t i = 0; i < result->evidence_count; i++) {
        assert(result->evidence[i].key.size > 0);
        put_utf8(self, result->evidence[i].key, MM_EVIDENCE_KEY_MAX);
        put_utf8(self, result->evidence[i].value, MM_EVIDENCE_VALUE_MAX);
    }
}

static void put_result(mm_encoder_t *self, const mm_result_t *result)
{
    bool is_settled = result->leg == MM_LEG_SETTLE && result->status == MM_STATUS_OK;
    assert(result->serial >= 1);
    assert(result->status >= MM_STATUS_OK && result->status <= MM_STATUS_RETURNED);
    put_array(self, 9);
    put_number(self, result->serial);
    put_number(self, result->number);
    put_leg(self, result->leg);
    put_id(self, &result->id);
    put_number(self, (uint64_t)result->status);
    put_outcome(self, result->outcome, is_settled ? MM_OUTCOME_RESTARTED : MM_OUTCOME_NONE);
    put_time(self, result->took_ms);
    put_utf8(self, result->error, MM_ERROR_MAX);
    put_evidence(self, result);
}

static void put_verdict(mm_encoder_t *self, const mm_verdict_t *verdict)
{
    bool has_attempts = verdict->kind == MM_VERDICT_ACK || verdict->kind == MM_VERDICT_DEAD;
    bool has_delay = verdict->kind == MM_VERDICT_NACK;
    bool has_error = verdict->kind == MM_VERDICT_DEAD;
    assert(verdict->kind >= MM_VERDICT_EXTEND && verdict->kind <= MM_VERDICT_DEAD);
    put_array(self, 2U + has_attempts + has_delay + has_error);
    put_number(self, (uint64_t)verdict->kind);
    put_id(self, &verdict->id);
    if (has_attempts)
        put_number(self, verdict->attempts);
    if (has_delay)
        put_time(self, verdict->delay_ms);
    if (has_error)
        put_utf8(self, verdict->error, MM_ERROR_MAX);
}

static void put_acknowledgement(mm_encoder_t *self, const mm_acknowledgement_t *acknowledgement)
{
    assert(acknowledgement->session >= 1);
    put_array(self, 3);
    put_name(self, acknowledgement->worker);
    put_number(self, acknowledgement->session);
    put_number(self, acknowledgement->acknowledged_through);
}

// ---- lists and batches

static void open_list(mm_encoder_t *self)
{
    self->list_at = self->size;
    self->count = 0;
    (void)append(self, "\xDC\x00\x00", LIST_HEAD);
}

static void close_list(mm_encoder_t *self)
{
    assert(self->count <= MM_BATCH_ITEMS);
    self->bytes[self->list_at + 1] = (uint8_t)(self->count >> 8);
    self->bytes[self->list_at + 2] = (uint8_t)self->count;
}

// Counts the next item of the open list and makes room for it. Returns self.
static mm_encoder_t *open_item(mm_encoder_t *self)
{
    self->count++;
    reserve(self);
    return self;
}

static void put_items(mm_encoder_t *self, const mm_frame_t *frame)
{
    switch (frame->kind) {
    case MM_FRAME_JOBS:
        for (size_t i = 0; i < frame->as.jobs.count; i++)
            put_job(open_item(self), &frame->as.jobs.items[i]);
        return;
    case MM_FRAME_TASKS:
        for (size_t i = 0; i < frame->as.tasks.count; i++)
            put_task(open_item(self), &frame->as.tasks.items[i]);
        return;
    case MM_FRAME_STARTED:
        for (size_t i = 0; i < frame->as.started.count; i++)
            put_number(open_item(self), frame->as.started.numbers[i]);
        return;
    case MM_FRAME_RESULTS:
        for (size_t i = 0; i < frame->as.results.count; i++)
            put_result(open_item(self), &frame->as.results.items[i]);
        return;
    case MM_FRAME_NOTICES:
        for (size_t i = 0; i < frame->as.notices.count; i++)
            put_verdict(open_item(self), &frame->as.notices.items[i]);
        return;
    case MM_FRAME_BEAT:
        for (size_t i = 0; i < frame->as.beat.count; i++)
            put_acknowledgement(open_item(self), &frame->as.beat.items[i]);
        return;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
    case MM_FRAME_BYE:
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN:
    case MM_FRAME_LEAVING:
    case MM_FRAME_QUERY:
    case MM_FRAME_TELL: break;
    }
    assert(false);
}

// ---- frames: the fields before the list of a batch, or all of them

static void put_head(mm_encoder_t *self, mm_frame_kind_t kind, size_t fields)
{
    assert(!self->is_open);
    self->kind = kind;
    self->size = 0;
    reserve(self);
    put_array(self, 2 + fields);
    put_number(self, MM_WIRE_VERSION);
    put_number(self, (uint64_t)kind);
}

static void put_worker(mm_encoder_t *self, mm_str_t worker, uint64_t instance)
{
    put_name(self, worker);
    put_number(self, instance);
}

static void put_session(mm_encoder_t *self, uint64_t session)
{
    assert(session >= 1);
    put_number(self, session);
}

static void put_consumer(mm_encoder_t *self, mm_str_t consumer, uint64_t epoch)
{
    assert(epoch >= 1);
    put_name(self, consumer);
    put_number(self, epoch);
}

static void put_report(mm_encoder_t *self, const mm_frame_t *frame)
{
    const mm_report_t *report = &frame->as.report;
    assert(report->role >= MM_ROLE_SAVER && report->role <= MM_ROLE_RESTARTER);
    put_head(self, frame->kind, 12);
    put_worker(self, report->worker, report->instance);
    put_number(self, (uint64_t)report->role);
    put_number(self, report->session);
    put_number(self, report->sequence);
    put_time(self, report->stamp_ms);
    put_count(self, report->slots, 0, MM_SLOTS_MAX);
    put_number(self, report->last_serial);
    put_count(self, report->part, 0, MM_PARTS_MAX - 1);
    put_count(self, report->parts, report->part + 1, MM_PARTS_MAX);
    open_list(self);
    for (size_t i = 0; i < report->held_count; i++)
        put_held(open_item(self), &report->held[i]);
    close_list(self);
    reserve(self);
    open_list(self);
    for (size_t i = 0; i < report->result_count; i++)
        put_result(open_item(self), &report->results[i]);
    close_list(self);
}

static void put_answer(mm_encoder_t *self, const mm_frame_t *frame)
{
    put_head(self, frame->kind, frame->kind == MM_FRAME_REJOIN ? 5 : 6);
    put_consumer(self, frame->as.answer.consumer, frame->as.answer.epoch);
    put_worker(self, frame->as.answer.worker, frame->as.answer.instance);
    if (frame->kind != MM_FRAME_WELCOME) {
        put_number(self, frame->as.answer.session);
        if (frame->kind == MM_FRAME_REFUSED)
            put_utf8(self, frame->as.answer.reason, MM_ERROR_MAX);
        return;
    }
    assert(mm_wire_is_suffix(frame->as.answer.suffix));
    put_session(self, frame->as.answer.session);
    put_string(self, frame->as.answer.suffix);
}

static void put_about(mm_encoder_t *self, mm_about_t about)
{
    assert(about >= MM_ABOUT_STATS && about <= MM_ABOUT_VIEWERS);
    put_number(self, (uint64_t)about);
}

static void put_query(mm_encoder_t *self, const mm_frame_t *frame)
{
    put_head(self, frame->kind, 5);
    put_number(self, frame->as.query.viewer);
    put_about(self, frame->as.query.about);
    if (frame->as.query.process.size == 0)
        put_string(self, frame->as.query.process);
    else
        put_name(self, frame->as.query.process);
    put_number(self, frame->as.query.seconds);
    put_utf8(self, frame->as.query.text, MM_ASKED_MAX);
}

static void put_tell(mm_encoder_t *self, const mm_frame_t *frame)
{
    put_head(self, frame->kind, 4);
    reserve_text(self, frame->as.tell.text.size);
    put_name(self, frame->as.tell.process);
    put_number(self, frame->as.tell.viewer);
    put_about(self, frame->as.tell.about);
    put_utf8(self, frame->as.tell.text, MM_REPLY_BYTES);
}

// Returns whether the frame takes items, and has opened their list if so.
static bool put_frame(mm_encoder_t *self, const mm_frame_t *frame)
{
    switch (frame->kind) {
    case MM_FRAME_JOBS:
        put_head(self, frame->kind, 3);
        put_name(self, frame->as.jobs.publisher);
        put_number(self, frame->as.jobs.epoch);
        break;
    case MM_FRAME_TASKS:
        put_head(self, frame->kind, 5);
        put_session(self, frame->as.tasks.session);
        put_time(self, frame->as.tasks.stamp_ms);
        put_number(self, frame->as.tasks.acknowledged_through);
        put_bool(self, frame->as.tasks.last);
        break;
    case MM_FRAME_STARTED:
        put_head(self, frame->kind, 4);
        put_worker(self, frame->as.started.worker, frame->as.started.instance);
        put_number(self, frame->as.started.session);
        break;
    case MM_FRAME_RESULTS:
        put_head(self, frame->kind, 4);
        put_worker(self, frame->as.results.worker, frame->as.results.instance);
        put_number(self, frame->as.results.session);
        break;
    case MM_FRAME_NOTICES:
        put_head(self, frame->kind, 3);
        put_consumer(self, frame->as.notices.consumer, frame->as.notices.epoch);
        break;
    case MM_FRAME_BEAT:
        put_head(self, frame->kind, 4);
        put_consumer(self, frame->as.beat.consumer, frame->as.beat.epoch);
        put_bool(self, frame->as.beat.draining);
        break;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT: put_report(self, frame); return false;
    case MM_FRAME_BYE:
        put_head(self, frame->kind, 4);
        put_worker(self, frame->as.bye.worker, frame->as.bye.instance);
        put_number(self, frame->as.bye.session);
        put_number(self, frame->as.bye.last_serial);
        return false;
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN: put_answer(self, frame); return false;
    case MM_FRAME_LEAVING:
        put_head(self, frame->kind, 2);
        put_consumer(self, frame->as.leaving.consumer, frame->as.leaving.epoch);
        return false;
    case MM_FRAME_QUERY: put_query(self, frame); return false;
    case MM_FRAME_TELL: put_tell(self, frame); return false;
    }
    open_list(self);
    return true;
}

void mm_encode_frame(mm_encoder_t *self, const mm_frame_t *frame)
{
    if (put_frame(self, frame)) {
        put_items(self, frame);
        close_list(self);
    }
    assert(self->size <= MM_FRAME_BYTES);
}

// ---- batches

void mm_encode_begin(mm_encoder_t *self, const mm_frame_t *header)
{
    self->is_open = put_frame(self, header);
    assert(self->is_open);
}

void mm_encode_finish(mm_encoder_t *self)
{
    assert(self->is_open);
    close_list(self);
    self->is_open = false;
}

// Opens an item of the open batch, which must be of that kind and take one more.
static mm_encoder_t *open_batch_item(mm_encoder_t *self, mm_frame_kind_t kind)
{
    assert(self->is_open && self->kind == kind && !mm_encoder_is_full(self));
    return open_item(self);
}

void mm_encode_job(mm_encoder_t *self, const mm_job_t *job)
{
    put_job(open_batch_item(self, MM_FRAME_JOBS), job);
}

void mm_encode_task(mm_encoder_t *self, const mm_task_t *task)
{
    put_task(open_batch_item(self, MM_FRAME_TASKS), task);
}

void mm_encode_number(mm_encoder_t *self, uint64_t number)
{
    put_number(open_batch_item(self, MM_FRAME_STARTED), number);
}

void mm_encode_result(mm_encoder_t *self, const mm_result_t *result)
{
    put_result(open_batch_item(self, MM_FRAME_RESULTS), result);
}

void mm_encode_verdict(mm_encoder_t *self, const mm_verdict_t *verdict)
{
    put_verdict(open_batch_item(self, MM_FRAME_NOTICES), verdict);
}

void mm_encode_acknowledgement(mm_encoder_t *self, const mm_acknowledgement_t *acknowledgement)
{
    put_acknowledgement(open_batch_item(self, MM_FRAME_BEAT), acknowledgement);
}
