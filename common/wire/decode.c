// Bytes to frames, in one pass: each field is read and checked where it stands. A frame of which
// every element is known and good needs nothing else: its fields allow no more depth or elements
// than docs/protocol.md does. Any other frame is scanned whole, which tells a bad field from bytes
// that are no frame at all. It allocates when a decoder is made and not again, keeps no byte of a
// frame, and leaves the caller's frame alone until the whole of it is good.

#include "wire_take.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

// The most that a frame of known elements can have: a report with both lists full.
_Static_assert(16 + MM_BATCH_ITEMS * (6 + 10 + 2 * MM_EVIDENCE_MAX) <= MM_WIRE_ELEMENTS_MAX,
               "a frame without a single unknown element must not need the scan");

struct mm_decoder {
    mm_frame_t frame; // being filled
    fields_t fields;  // of the frame
    const char *list; // the list being read, once its length is good; else NULL
    size_t index;     // of the item being read
    fields_t item;    // its fields
    bool has_unknown; // elements were stepped over
    bool is_foreign_hello;
    char complaint[80];
    // What frames point to. Only a report uses two of them at once.
    union {
        mm_job_t jobs[MM_BATCH_ITEMS];
        mm_task_t tasks[MM_BATCH_ITEMS];
        mm_held_t held[MM_BATCH_ITEMS];
        uint64_t numbers[MM_BATCH_ITEMS];
        mm_notice_t notices[MM_BATCH_ITEMS];
        mm_confirm_t confirms[MM_BATCH_ITEMS];
    } items;
    mm_result_t results[MM_BATCH_ITEMS];
    mm_evidence_t evidence[MM_BATCH_ITEMS * MM_EVIDENCE_MAX];
    mm_evidence_t *next_evidence;
};

mm_decoder_t *mm_decoder_new(void)
{
    mm_decoder_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    return self;
}

void mm_decoder_destroy(mm_decoder_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

const char *mm_decoder_complaint(const mm_decoder_t *self)
{
    return self->complaint;
}

bool mm_decoder_foreign_hello(const mm_decoder_t *self, mm_text_t *ret_worker, uint64_t *ret_nonce)
{
    if (!self->is_foreign_hello)
        return false;
    *ret_worker = self->frame.as.report.worker;
    *ret_nonce = self->frame.as.report.nonce;
    return true;
}

// ---- items

static bool take_job(fields_t *in, mm_job_t *ret)
{
    return take_id(in, &ret->id) && take_host(in, &ret->host) &&
           take_count(in, "delivery", 1, UINT32_MAX, &ret->delivery);
}

static bool take_origin(fields_t *in, mm_task_t *ret)
{
    return take_count(in, "deliveries", 1, UINT32_MAX, &ret->deliveries) &&
           take_name(in, "publisher", &ret->publisher) &&
           take_time(in, "received_ms", &ret->received_ms);
}

static bool take_settlement(fields_t *in, mm_task_t *ret)
{
    return take_count(in, "attempts", 0, UINT32_MAX, &ret->attempts) &&
           take_count(in, "extended", 0, UINT32_MAX, &ret->extended) &&
           take_outcome(in, MM_OUTCOME_RESTARTED, &ret->outcome) &&
           take_name_or_none(in, "worker", &ret->worker) &&
           take_utf8(in, "error", MM_ERROR_MAX, &ret->error);
}

static bool take_task(fields_t *in, mm_task_t *ret)
{
    *ret = (mm_task_t){0};
    if (!(take_number(in, "number", 0, &ret->number) && take_leg(in, &ret->leg) &&
          take_id(in, &ret->id) && take_host(in, &ret->host)))
        return false;
    switch (ret->leg) {
    case MM_LEG_RESTART: return take_count(in, "attempt", 1, UINT32_MAX, &ret->attempt);
    case MM_LEG_SAVE: return take_origin(in, ret);
    case MM_LEG_SETTLE: return take_origin(in, ret) && take_settlement(in, ret);
    }
    assert(false);
    return false;
}

static bool take_held(fields_t *in, mm_held_t *ret)
{
    return take_number(in, "number", 0, &ret->number) && take_id(in, &ret->id) &&
           take_leg(in, &ret->leg) && take_bool(in, "started", &ret->started) &&
           (ret->leg == MM_LEG_RESTART ? take_host(in, &ret->host)
                                       : take_host_or_none(in, &ret->host));
}

static bool take_result(fields_t *in, mm_evidence_t **evidence, mm_result_t *ret)
{
    if (!(take_number(in, "serial", 1, &ret->serial) &&
          take_number(in, "number", 0, &ret->number) && take_leg(in, &ret->leg) &&
          take_id(in, &ret->id) && take_status(in, &ret->status)))
        return false;
    bool is_settled = ret->leg == MM_LEG_SETTLE && ret->status == MM_STATUS_OK;
    return take_outcome(in, is_settled ? MM_OUTCOME_RESTARTED : MM_OUTCOME_NONE, &ret->outcome) &&
           take_time(in, "took_ms", &ret->took_ms) &&
           take_utf8(in, "error", MM_ERROR_MAX, &ret->error) &&
           take_evidence(in, evidence, &ret->evidence, &ret->evidence_count);
}

static bool take_notice(fields_t *in, mm_notice_t *ret)
{
    *ret = (mm_notice_t){0};
    if (!(take_verdict(in, &ret->verdict) && take_id(in, &ret->id)))
        return false;
    switch (ret->verdict) {
    case MM_VERDICT_EXTEND: return true;
    case MM_VERDICT_ACK: return take_count(in, "attempts", 0, UINT32_MAX, &ret->attempts);
    case MM_VERDICT_NACK: return take_time(in, "delay_ms", &ret->delay_ms);
    case MM_VERDICT_DEAD:
        return take_count(in, "attempts", 0, UINT32_MAX, &ret->attempts) &&
               take_utf8(in, "error", MM_ERROR_MAX, &ret->error);
    }
    assert(false);
    return false;
}

static bool take_confirm(fields_t *in, mm_confirm_t *ret)
{
    return take_name(in, "worker", &ret->worker) && take_number(in, "session", 1, &ret->session) &&
           take_number(in, "confirmed", 0, &ret->confirmed);
}

// ---- lists

// Takes the frame's next field, a list of at most MM_BATCH_ITEMS.
static bool open_list(mm_decoder_t *self, const char *name, size_t *ret_count)
{
    self->list = NULL;
    if (!take_array(&self->fields, name, ret_count) || *ret_count > MM_BATCH_ITEMS)
        return false;
    self->list = name;
    self->item = (fields_t){.at = self->fields.at, .end = self->fields.end};
    return true;
}

// The list was read whole: the frame goes on behind it.
static bool close_list(mm_decoder_t *self)
{
    self->fields.at = self->item.at;
    return true;
}

// Opens the next item of that list: its fields are then read from self->item.
static bool open_item(mm_decoder_t *self, size_t index)
{
    self->index = index;
    self->item.left = 1;
    return take_array(&self->item, NULL, &self->item.left);
}

// Steps over elements that a later version has added.
static bool skip_unknown(mm_decoder_t *self, fields_t *in)
{
    for (; in->left > 0; in->left--) {
        self->has_unknown = true;
        const uint8_t *behind = mm_wire_skip(in->at, in->end);
        if (behind == NULL)
            return false;
        in->at = behind;
    }
    return true;
}

static bool close_item(mm_decoder_t *self)
{
    return skip_unknown(self, &self->item);
}

static bool take_results(mm_decoder_t *self, const mm_result_t **ret_items, size_t *ret_count)
{
    if (!open_list(self, "results", ret_count))
        return false;
    self->next_evidence = self->evidence;
    for (size_t i = 0; i < *ret_count; i++)
        if (!open_item(self, i) ||
            !take_result(&self->item, &self->next_evidence, &self->results[i]) || !close_item(self))
            return false;
    *ret_items = self->results;
    return close_list(self);
}

// ---- frames: each fills the member of self->frame that its kind names

static bool take_jobs_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!take_name(in, "publisher", &frame->as.jobs.publisher) ||
        !take_number(in, "life", 0, &frame->as.jobs.life) ||
        !open_list(self, "jobs", &frame->as.jobs.count))
        return false;
    for (size_t i = 0; i < frame->as.jobs.count; i++)
        if (!open_item(self, i) || !take_job(&self->item, &self->items.jobs[i]) ||
            !close_item(self))
            return false;
    frame->as.jobs.items = self->items.jobs;
    return close_list(self);
}

static bool take_tasks_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!take_number(in, "session", 1, &frame->as.tasks.session) ||
        !take_time(in, "stamp_ms", &frame->as.tasks.stamp_ms) ||
        !take_number(in, "confirmed", 0, &frame->as.tasks.confirmed) ||
        !take_bool(in, "last", &frame->as.tasks.last) ||
        !open_list(self, "tasks", &frame->as.tasks.count))
        return false;
    for (size_t i = 0; i < frame->as.tasks.count; i++)
        if (!open_item(self, i) || !take_task(&self->item, &self->items.tasks[i]) ||
            !close_item(self))
            return false;
    frame->as.tasks.items = self->items.tasks;
    return close_list(self);
}

static bool take_report_frame(mm_decoder_t *self, fields_t *in)
{
    mm_report_t *report = &self->frame.as.report;
    report->is_hello = self->frame.kind == MM_FRAME_HELLO;
    if (!take_name(in, "worker", &report->worker) || !take_number(in, "nonce", 0, &report->nonce) ||
        !take_role(in, &report->role) || !take_number(in, "session", 0, &report->session) ||
        !take_number(in, "sequence", 0, &report->sequence) ||
        !take_time(in, "stamp_ms", &report->stamp_ms) ||
        !take_count(in, "slots", 0, MM_SLOTS_MAX, &report->slots) ||
        !take_number(in, "last_serial", 0, &report->last_serial) ||
        !take_count(in, "part", 0, MM_PARTS_MAX - 1, &report->part) ||
        !take_count(in, "parts", report->part + 1, MM_PARTS_MAX, &report->parts) ||
        !open_list(self, "held", &report->held_count))
        return false;
    for (size_t i = 0; i < report->held_count; i++)
        if (!open_item(self, i) || !take_held(&self->item, &self->items.held[i]) ||
            !close_item(self))
            return false;
    report->held = self->items.held;
    (void)close_list(self);
    return take_results(self, &report->results, &report->result_count);
}

static bool take_started_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!take_name(in, "worker", &frame->as.started.worker) ||
        !take_number(in, "nonce", 0, &frame->as.started.nonce) ||
        !take_number(in, "session", 0, &frame->as.started.session) ||
        !open_list(self, "numbers", &frame->as.started.count))
        return false;
    // Its items are no arrays: the list itself is read as one.
    self->item.left = frame->as.started.count;
    for (self->index = 0; self->index < frame->as.started.count; self->index++)
        if (!take_number(&self->item, NULL, 0, &self->items.numbers[self->index]))
            return false;
    frame->as.started.numbers = self->items.numbers;
    return close_list(self);
}

static bool take_results_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return take_name(in, "worker", &frame->as.results.worker) &&
           take_number(in, "nonce", 0, &frame->as.results.nonce) &&
           take_number(in, "session", 0, &frame->as.results.session) &&
           take_results(self, &frame->as.results.items, &frame->as.results.count);
}

static bool take_bye_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return take_name(in, "worker", &frame->as.bye.worker) &&
           take_number(in, "nonce", 0, &frame->as.bye.nonce) &&
           take_number(in, "session", 0, &frame->as.bye.session) &&
           take_number(in, "last_serial", 0, &frame->as.bye.last_serial);
}

static bool take_notices_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!take_name(in, "consumer", &frame->as.notices.consumer) ||
        !take_number(in, "life", 1, &frame->as.notices.life) ||
        !open_list(self, "notices", &frame->as.notices.count))
        return false;
    for (size_t i = 0; i < frame->as.notices.count; i++)
        if (!open_item(self, i) || !take_notice(&self->item, &self->items.notices[i]) ||
            !close_item(self))
            return false;
    frame->as.notices.items = self->items.notices;
    return close_list(self);
}

static bool take_answer_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!take_name(in, "consumer", &frame->as.answer.consumer) ||
        !take_number(in, "life", 1, &frame->as.answer.life) ||
        !take_name(in, "worker", &frame->as.answer.worker) ||
        !take_number(in, "nonce", 0, &frame->as.answer.nonce) ||
        !take_number(in, "session", frame->kind == MM_FRAME_WELCOME ? 1 : 0,
                     &frame->as.answer.session))
        return false;
    if (frame->kind == MM_FRAME_WELCOME)
        return take_suffix(in, &frame->as.answer.suffix);
    if (frame->kind == MM_FRAME_REFUSED)
        return take_utf8(in, "reason", MM_ERROR_MAX, &frame->as.answer.reason);
    return true;
}

static bool take_beat_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!take_name(in, "consumer", &frame->as.beat.consumer) ||
        !take_number(in, "life", 1, &frame->as.beat.life) ||
        !take_bool(in, "draining", &frame->as.beat.draining) ||
        !open_list(self, "confirms", &frame->as.beat.count))
        return false;
    for (size_t i = 0; i < frame->as.beat.count; i++)
        if (!open_item(self, i) || !take_confirm(&self->item, &self->items.confirms[i]) ||
            !close_item(self))
            return false;
    frame->as.beat.items = self->items.confirms;
    return close_list(self);
}

static bool take_leaving_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return take_name(in, "consumer", &frame->as.leaving.consumer) &&
           take_number(in, "life", 1, &frame->as.leaving.life);
}

static bool take_query_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return take_number(in, "viewer", 0, &frame->as.query.viewer) &&
           take_about(in, &frame->as.query.about) &&
           take_name_or_none(in, "process", &frame->as.query.process) &&
           take_count(in, "seconds", 0, UINT32_MAX, &frame->as.query.seconds) &&
           take_utf8(in, "text", MM_ASKED_MAX, &frame->as.query.text);
}

static bool take_tell_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return take_name(in, "process", &frame->as.tell.process) &&
           take_number(in, "viewer", 0, &frame->as.tell.viewer) &&
           take_about(in, &frame->as.tell.about) &&
           take_utf8(in, "text", MM_TELL_BYTES, &frame->as.tell.text);
}

static bool take_frame(mm_decoder_t *self, fields_t *in)
{
    switch (self->frame.kind) {
    case MM_FRAME_JOBS: return take_jobs_frame(self, in);
    case MM_FRAME_TASKS: return take_tasks_frame(self, in);
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT: return take_report_frame(self, in);
    case MM_FRAME_STARTED: return take_started_frame(self, in);
    case MM_FRAME_RESULTS: return take_results_frame(self, in);
    case MM_FRAME_BYE: return take_bye_frame(self, in);
    case MM_FRAME_NOTICES: return take_notices_frame(self, in);
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN: return take_answer_frame(self, in);
    case MM_FRAME_BEAT: return take_beat_frame(self, in);
    case MM_FRAME_LEAVING: return take_leaving_frame(self, in);
    case MM_FRAME_QUERY: return take_query_frame(self, in);
    case MM_FRAME_TELL: return take_tell_frame(self, in);
    }
    assert(false);
    return false;
}

// ---- from the outside in

// A hello of another version: only what no version may change is read.
static bool is_foreign_hello(mm_decoder_t *self)
{
    uint64_t kind;
    return take_range(&self->fields, "kind", MM_FRAME_HELLO, MM_FRAME_HELLO, &kind) &&
           take_name(&self->fields, "worker", &self->frame.as.report.worker) &&
           take_number(&self->fields, "nonce", 0, &self->frame.as.report.nonce);
}

static mm_wire_status_t decode_array(mm_decoder_t *self)
{
    fields_t *in = &self->fields;
    self->frame = (mm_frame_t){0};
    uint64_t version;
    uint64_t kind;
    if (!take_number(in, "version", 0, &version))
        return MM_WIRE_FIELD_BAD;
    if (version != MM_WIRE_VERSION) {
        self->is_foreign_hello = is_foreign_hello(self);
        in->name = "version";
        return MM_WIRE_VERSION_BAD;
    }
    if (!take_number(in, "kind", 0, &kind))
        return MM_WIRE_FIELD_BAD;
    if (kind < MM_FRAME_JOBS || kind > MM_FRAME_TELL)
        return MM_WIRE_KIND_BAD;
    self->frame.kind = (mm_frame_kind_t)kind;
    return take_frame(self, in) ? MM_WIRE_OK : MM_WIRE_FIELD_BAD;
}

// Whether the frame has nothing behind its known fields, or only what a later version may add.
static bool ends_well(mm_decoder_t *self)
{
    return skip_unknown(self, &self->fields) && self->fields.at == self->fields.end;
}

static void complain(mm_decoder_t *self)
{
    char *to = self->complaint;
    size_t size = sizeof self->complaint;
    if (self->list == NULL)
        (void)snprintf(to, size, "%s", self->fields.name);
    else if (self->item.name == NULL)
        (void)snprintf(to, size, "%s[%zu]", self->list, self->index);
    else
        (void)snprintf(to, size, "%s[%zu].%s", self->list, self->index, self->item.name);
}

mm_wire_status_t mm_decode(mm_decoder_t *self, const void *data, size_t size, mm_frame_t *ret_frame)
{
    self->list = NULL;
    self->has_unknown = false;
    self->is_foreign_hello = false;
    self->fields = (fields_t){.at = data, .end = (const uint8_t *)data + size, .left = 1};
    mm_wire_status_t status = MM_WIRE_MALFORMED;
    if (size <= MM_FRAME_BYTES && take_array(&self->fields, "frame", &self->fields.left))
        status = decode_array(self);
    bool is_known = status == MM_WIRE_OK && ends_well(self) && !self->has_unknown;
    if (!is_known && !mm_wire_scan(data, size)) {
        status = MM_WIRE_MALFORMED;
        self->is_foreign_hello = false;
        self->list = NULL;
        self->fields.name = "frame";
    }
    if (status == MM_WIRE_OK)
        *ret_frame = self->frame;
    else
        complain(self);
    return status;
}
