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
        mm_assignment_t held[MM_BATCH_ITEMS];
        uint64_t numbers[MM_BATCH_ITEMS];
        mm_verdict_t notices[MM_BATCH_ITEMS];
        mm_acknowledgement_t acknowledgements[MM_BATCH_ITEMS];
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

bool mm_decoder_foreign_hello(const mm_decoder_t *self, mm_str_t *ret_worker, uint64_t *ret_nonce)
{
    if (!self->is_foreign_hello)
        return false;
    *ret_worker = self->frame.as.report.worker;
    *ret_nonce = self->frame.as.report.instance;
    return true;
}

// ---- items

static bool parse_job(fields_t *in, mm_job_t *ret)
{
    return parse_id(in, &ret->id) && parse_host(in, &ret->host) &&
           parse_count(in, "delivery", 1, UINT32_MAX, &ret->delivery);
}

static bool parse_origin(fields_t *in, mm_task_t *ret)
{
    return parse_count(in, "deliveries", 1, UINT32_MAX, &ret->deliveries) &&
           parse_name(in, "publisher", &ret->publisher) &&
           parse_time(in, "received_ms", &ret->received_ms);
}

static bool parse_settlement(fields_t *in, mm_task_t *ret)
{
    return parse_count(in, "attempts", 0, UINT32_MAX, &ret->attempts) &&
           parse_count(in, "extended", 0, UINT32_MAX, &ret->extended) &&
           parse_outcome(in, MM_OUTCOME_RESTARTED, &ret->outcome) &&
           parse_name_or_none(in, "worker", &ret->worker) &&
           parse_utf8(in, "error", MM_ERROR_MAX, &ret->error);
}

static bool parse_task(fields_t *in, mm_task_t *ret)
{
    *ret = (mm_task_t){0};
    if (!(parse_number(in, "number", 0, &ret->number) && parse_leg(in, &ret->leg) &&
          parse_id(in, &ret->id) && parse_host(in, &ret->host)))
        return false;
    switch (ret->leg) {
    case MM_LEG_RESTART: return parse_count(in, "attempt", 1, UINT32_MAX, &ret->attempt);
    case MM_LEG_SAVE: return parse_origin(in, ret);
    case MM_LEG_SETTLE: return parse_origin(in, ret) && parse_settlement(in, ret);
    }
    assert(false);
    return false;
}

static bool parse_held(fields_t *in, mm_assignment_t *ret)
{
    return parse_number(in, "number", 0, &ret->number) && parse_id(in, &ret->id) &&
           parse_leg(in, &ret->leg) && parse_bool(in, "started", &ret->started) &&
           (ret->leg == MM_LEG_RESTART ? parse_host(in, &ret->host)
                                       : parse_host_or_none(in, &ret->host));
}

static bool parse_result(fields_t *in, mm_evidence_t **evidence, mm_result_t *ret)
{
    if (!(parse_number(in, "serial", 1, &ret->serial) &&
          parse_number(in, "number", 0, &ret->number) && parse_leg(in, &ret->leg) &&
          parse_id(in, &ret->id) && parse_status(in, &ret->status)))
        return false;
    bool is_settled = ret->leg == MM_LEG_SETTLE && ret->status == MM_STATUS_OK;
    return parse_outcome(in, is_settled ? MM_OUTCOME_RESTARTED : MM_OUTCOME_NONE, &ret->outcome) &&
           parse_time(in, "took_ms", &ret->took_ms) &&
           parse_utf8(in, "error", MM_ERROR_MAX, &ret->error) &&
           parse_evidence(in, evidence, &ret->evidence, &ret->evidence_count);
}

static bool apply_verdict(fields_t *in, mm_verdict_t *ret)
{
    *ret = (mm_verdict_t){0};
    if (!(parse_verdict_kind(in, &ret->kind) && parse_id(in, &ret->id)))
        return false;
    switch (ret->kind) {
    case MM_VERDICT_EXTEND: return true;
    case MM_VERDICT_ACK: return parse_count(in, "attempts", 0, UINT32_MAX, &ret->attempts);
    case MM_VERDICT_NACK: return parse_time(in, "delay_ms", &ret->delay_ms);
    case MM_VERDICT_DEAD:
        return parse_count(in, "attempts", 0, UINT32_MAX, &ret->attempts) &&
               parse_utf8(in, "error", MM_ERROR_MAX, &ret->error);
    }
    assert(false);
    return false;
}

static bool parse_acknowledgement(fields_t *in, mm_acknowledgement_t *ret)
{
    return parse_name(in, "worker", &ret->worker) &&
           parse_number(in, "session", 1, &ret->session) &&
           parse_number(in, "confirmed", 0, &ret->acknowledged_through);
}

// ---- lists

// Takes the frame's next field, a list of at most MM_BATCH_ITEMS.
static bool open_list(mm_decoder_t *self, const char *name, size_t *ret_count)
{
    self->list = NULL;
    if (!parse_array(&self->fields, name, ret_count) || *ret_count > MM_BATCH_ITEMS)
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
    return parse_array(&self->item, NULL, &self->item.left);
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

static bool parse_results(mm_decoder_t *self, const mm_result_t **ret_items, size_t *ret_count)
{
    if (!open_list(self, "results", ret_count))
        return false;
    self->next_evidence = self->evidence;
    for (size_t i = 0; i < *ret_count; i++)
        if (!open_item(self, i) ||
            !parse_result(&self->item, &self->next_evidence, &self->results[i]) ||
            !close_item(self))
            return false;
    *ret_items = self->results;
    return close_list(self);
}

// ---- frames: each fills the member of self->frame that its kind names

static bool parse_jobs_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!parse_name(in, "publisher", &frame->as.jobs.publisher) ||
        !parse_number(in, "life", 0, &frame->as.jobs.epoch) ||
        !open_list(self, "jobs", &frame->as.jobs.count))
        return false;
    for (size_t i = 0; i < frame->as.jobs.count; i++)
        if (!open_item(self, i) || !parse_job(&self->item, &self->items.jobs[i]) ||
            !close_item(self))
            return false;
    frame->as.jobs.items = self->items.jobs;
    return close_list(self);
}

static bool parse_tasks_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!parse_number(in, "session", 1, &frame->as.tasks.session) ||
        !parse_time(in, "stamp_ms", &frame->as.tasks.stamp_ms) ||
        !parse_number(in, "confirmed", 0, &frame->as.tasks.acknowledged_through) ||
        !parse_bool(in, "last", &frame->as.tasks.last) ||
        !open_list(self, "tasks", &frame->as.tasks.count))
        return false;
    for (size_t i = 0; i < frame->as.tasks.count; i++)
        if (!open_item(self, i) || !parse_task(&self->item, &self->items.tasks[i]) ||
            !close_item(self))
            return false;
    frame->as.tasks.items = self->items.tasks;
    return close_list(self);
}

static bool parse_report_frame(mm_decoder_t *self, fields_t *in)
{
    mm_report_t *report = &self->frame.as.report;
    report->is_hello = self->frame.kind == MM_FRAME_HELLO;
    if (!parse_name(in, "worker", &report->worker) ||
        !parse_number(in, "nonce", 0, &report->instance) || !parse_role(in, &report->role) ||
        !parse_number(in, "session", 0, &report->session) ||
        !parse_number(in, "sequence", 0, &report->sequence) ||
        !parse_time(in, "stamp_ms", &report->stamp_ms) ||
        !parse_count(in, "slots", 0, MM_SLOTS_MAX, &report->slots) ||
        !parse_number(in, "last_serial", 0, &report->last_serial) ||
        !parse_count(in, "part", 0, MM_PARTS_MAX - 1, &report->part) ||
        !parse_count(in, "parts", report->part + 1, MM_PARTS_MAX, &report->parts) ||
        !open_list(self, "held", &report->held_count))
        return false;
    for (size_t i = 0; i < report->held_count; i++)
        if (!open_item(self, i) || !parse_held(&self->item, &self->items.held[i]) ||
            !close_item(self))
            return false;
    report->held = self->items.held;
    (void)close_list(self);
    return parse_results(self, &report->results, &report->result_count);
}

static bool parse_started_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!parse_name(in, "worker", &frame->as.started.worker) ||
        !parse_number(in, "nonce", 0, &frame->as.started.instance) ||
        !parse_number(in, "session", 0, &frame->as.started.session) ||
        !open_list(self, "numbers", &frame->as.started.count))
        return false;
    // Its items are no arrays: the list itself is read as one.
    self->item.left = frame->as.started.count;
    for (self->index = 0; self->index < frame->as.started.count; self->index++)
        if (!parse_number(&self->item, NULL, 0, &self->items.numbers[self->index]))
            return false;
    frame->as.started.numbers = self->items.numbers;
    return close_list(self);
}

static bool parse_results_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return parse_name(in, "worker", &frame->as.results.worker) &&
           parse_number(in, "nonce", 0, &frame->as.results.instance) &&
           parse_number(in, "session", 0, &frame->as.results.session) &&
           parse_results(self, &frame->as.results.items, &frame->as.results.count);
}

static bool parse_bye_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return parse_name(in, "worker", &frame->as.bye.worker) &&
           parse_number(in, "nonce", 0, &frame->as.bye.instance) &&
           parse_number(in, "session", 0, &frame->as.bye.session) &&
           parse_number(in, "last_serial", 0, &frame->as.bye.last_serial);
}

static bool parse_notices_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!parse_name(in, "consumer", &frame->as.notices.consumer) ||
        !parse_number(in, "life", 1, &frame->as.notices.epoch) ||
        !open_list(self, "notices", &frame->as.notices.count))
        return false;
    for (size_t i = 0; i < frame->as.notices.count; i++)
        if (!open_item(self, i) || !apply_verdict(&self->item, &self->items.notices[i]) ||
            !close_item(self))
            return false;
    frame->as.notices.items = self->items.notices;
    return close_list(self);
}

static bool parse_answer_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!parse_name(in, "consumer", &frame->as.answer.consumer) ||
        !parse_number(in, "life", 1, &frame->as.answer.epoch) ||
        !parse_name(in, "worker", &frame->as.answer.worker) ||
        !parse_number(in, "nonce", 0, &frame->as.answer.instance) ||
        !parse_number(in, "session", frame->kind == MM_FRAME_WELCOME ? 1 : 0,
                      &frame->as.answer.session))
        return false;
    if (frame->kind == MM_FRAME_WELCOME)
        return parse_suffix(in, &frame->as.answer.suffix);
    if (frame->kind == MM_FRAME_REFUSED)
        return parse_utf8(in, "reason", MM_ERROR_MAX, &frame->as.answer.reason);
    return true;
}

static bool parse_beat_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    if (!parse_name(in, "consumer", &frame->as.beat.consumer) ||
        !parse_number(in, "life", 1, &frame->as.beat.epoch) ||
        !parse_bool(in, "draining", &frame->as.beat.draining) ||
        !open_list(self, "confirms", &frame->as.beat.count))
        return false;
    for (size_t i = 0; i < frame->as.beat.count; i++)
        if (!open_item(self, i) ||
            !parse_acknowledgement(&self->item, &self->items.acknowledgements[i]) ||
            !close_item(self))
            return false;
    frame->as.beat.items = self->items.acknowledgements;
    return close_list(self);
}

static bool parse_leaving_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return parse_name(in, "consumer", &frame->as.leaving.consumer) &&
           parse_number(in, "life", 1, &frame->as.leaving.epoch);
}

static bool parse_query_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return parse_number(in, "viewer", 0, &frame->as.query.viewer) &&
           parse_about(in, &frame->as.query.about) &&
           parse_name_or_none(in, "process", &frame->as.query.process) &&
           parse_count(in, "seconds", 0, UINT32_MAX, &frame->as.query.seconds) &&
           parse_utf8(in, "text", MM_ASKED_MAX, &frame->as.query.text);
}

static bool parse_tell_frame(mm_decoder_t *self, fields_t *in)
{
    mm_frame_t *frame = &self->frame;
    return parse_name(in, "process", &frame->as.tell.process) &&
           parse_number(in, "viewer", 0, &frame->as.tell.viewer) &&
           parse_about(in, &frame->as.tell.about) &&
           parse_utf8(in, "text", MM_REPLY_BYTES, &frame->as.tell.text);
}

static bool parse_frame(mm_decoder_t *self, fields_t *in)
{
    switch (self->frame.kind) {
    case MM_FRAME_JOBS: return parse_jobs_frame(self, in);
    case MM_FRAME_TASKS: return parse_tasks_frame(self, in);
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT: return parse_report_frame(self, in);
    case MM_FRAME_STARTED: return parse_started_frame(self, in);
    case MM_FRAME_RESULTS: return parse_results_frame(self, in);
    case MM_FRAME_BYE: return parse_bye_frame(self, in);
    case MM_FRAME_NOTICES: return parse_notices_frame(self, in);
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN: return parse_answer_frame(self, in);
    case MM_FRAME_BEAT: return parse_beat_frame(self, in);
    case MM_FRAME_LEAVING: return parse_leaving_frame(self, in);
    case MM_FRAME_QUERY: return parse_query_frame(self, in);
    case MM_FRAME_TELL: return parse_tell_frame(self, in);
    }
    assert(false);
    return false;
}

// ---- from the outside in

// A hello of another version: only what no version may change is read.
static bool is_foreign_hello(mm_decoder_t *self)
{
    uint64_t kind;
    return parse_range(&self->fields, "kind", MM_FRAME_HELLO, MM_FRAME_HELLO, &kind) &&
           parse_name(&self->fields, "worker", &self->frame.as.report.worker) &&
           parse_number(&self->fields, "nonce", 0, &self->frame.as.report.instance);
}

static mm_wire_status_t decode_array(mm_decoder_t *self)
{
    fields_t *in = &self->fields;
    self->frame = (mm_frame_t){0};
    uint64_t version;
    uint64_t kind;
    if (!parse_number(in, "version", 0, &version))
        return MM_WIRE_FIELD_BAD;
    if (version != MM_WIRE_VERSION) {
        self->is_foreign_hello = is_foreign_hello(self);
        in->name = "version";
        return MM_WIRE_VERSION_BAD;
    }
    if (!parse_number(in, "kind", 0, &kind))
        return MM_WIRE_FIELD_BAD;
    if (kind < MM_FRAME_JOBS || kind > MM_FRAME_TELL)
        return MM_WIRE_KIND_BAD;
    self->frame.kind = (mm_frame_kind_t)kind;
    return parse_frame(self, in) ? MM_WIRE_OK : MM_WIRE_FIELD_BAD;
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
    if (size <= MM_FRAME_BYTES && parse_array(&self->fields, "frame", &self->fields.left))
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
