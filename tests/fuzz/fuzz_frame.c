// See fuzz_frame.h.

#include "fuzz_frame.h"
#include "host.h"
#include "job.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS 4

static struct {
    mm_job_t jobs[MM_BATCH_ITEMS];
    mm_task_t tasks[MM_BATCH_ITEMS];
    mm_assignment_t held[MM_BATCH_ITEMS];
    uint64_t numbers[MM_BATCH_ITEMS];
    mm_result_t results[MM_BATCH_ITEMS];
    mm_verdict_t notices[MM_BATCH_ITEMS];
    mm_acknowledgement_t acknowledgements[MM_BATCH_ITEMS];
} items;

// ---- values

uint8_t fuzz_byte(fuzz_bytes_t *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

uint64_t fuzz_number(fuzz_bytes_t *in, uint64_t likely)
{
    uint8_t choice = fuzz_byte(in);
    if (choice < 0xC0)
        return likely;
    uint64_t literal = 0;
    switch (choice & 15) {
    case 0: return 0;
    case 1: return 1;
    case 2: return likely + 1;
    case 3: return likely - 1;
    case 4: return INT64_MAX;
    case 5: return (uint64_t)INT64_MAX + 1;
    case 6: return UINT64_MAX;
    case 7: return UINT64_MAX - 1;
    case 8: return UINT32_MAX;
    case 9: return (uint64_t)UINT32_MAX + 1;
    case 10: return UINT64_MAX / 16 * 15;
    case 11: return UINT64_MAX / 16 * 15 + 1;
    case 12: return likely + 1500;
    case 13: return likely - 1500;
    case 14: return fuzz_byte(in);
    }
    for (int i = 0; i < 8; i++)
        literal = literal << 8 | fuzz_byte(in);
    return literal;
}

static int64_t time_of(fuzz_bytes_t *in, int64_t likely)
{
    return (int64_t)(fuzz_number(in, (uint64_t)likely) & INT64_MAX);
}

static uint32_t count_of(fuzz_bytes_t *in, uint32_t likely, uint32_t min, uint32_t max)
{
    uint64_t number = fuzz_number(in, likely);
    return number < min ? min : number > max ? max : (uint32_t)number;
}

static uint64_t at_least_one(uint64_t number)
{
    return number == 0 ? 1 : number;
}

mm_str_t fuzz_host(size_t index)
{
    static char longest[MM_HOST_MAX];
    static const char *const names[HOSTS - 1] = {"web-1", "web-2.example.net", "10.0.0.1:22"};
    if (index % HOSTS < HOSTS - 1)
        return mm_str(names[index % HOSTS]);
    memset(longest, 'h', sizeof longest);
    return (mm_str_t){longest, sizeof longest};
}

mm_id_t fuzz_id(size_t index)
{
    return (mm_id_t){{[14] = (uint8_t)(index >> 8), [15] = (uint8_t)index}};
}

size_t fuzz_id_index(const mm_id_t *id)
{
    return (size_t)id->bytes[14] << 8 | id->bytes[15];
}

static mm_str_t text_of(fuzz_bytes_t *in)
{
    static char longest[MM_ERROR_MAX];
    uint8_t choice = fuzz_byte(in);
    switch (choice) {
    case 0: return mm_str("");
    case 1: return mm_str("exit status 1");
    case 2: return mm_str("Gerät weg: \"a\\b\" -> # ; \n");
    case 3: memset(longest, 'x', sizeof longest); return (mm_str_t){longest, sizeof longest};
    }
    mm_str_t text = {(const char *)in->at, choice & 31};
    if (text.size > (size_t)(in->end - in->at))
        text.size = (size_t)(in->end - in->at);
    in->at += text.size;
    text.size = mm_wire_utf8_prefix(text, MM_ERROR_MAX);
    return text;
}

static mm_str_t name_of(fuzz_bytes_t *in, const char *likely)
{
    static const char *const names[] = {
        "p2", "consumer-1", "r1", "s1",
        "a23456789_123456789_123456789_123456789_123456789_123456789_123"};
    uint8_t choice = fuzz_byte(in);
    return mm_str(choice < 0xC0 ? likely : names[choice % (sizeof names / sizeof *names)]);
}

// How many items a list has: mostly one.
static size_t items_of(fuzz_bytes_t *in)
{
    uint8_t choice = fuzz_byte(in);
    return choice == 0 ? 1 : choice == 0xFF ? MM_BATCH_ITEMS : choice % 8;
}

static mm_id_t recent_id(const fuzz_known_t *known, fuzz_bytes_t *in)
{
    uint8_t choice = fuzz_byte(in);
    return fuzz_id(choice < 0xF0 ? known->newest_id - choice % 8 : choice);
}

// ---- what is known

void fuzz_known_init(fuzz_known_t *self)
{
    static const char *const names[FUZZ_PEERS] = {"s1", "s2", "r1", "r2", "r3", "r4"};
    *self = (fuzz_known_t){.epoch = 1};
    for (size_t i = 0; i < FUZZ_PEERS; i++)
        self->peers[i] = (fuzz_peer_t){.name = names[i],
                                       .role = i < 2 ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                                       .instance = 100 + i};
}

size_t fuzz_known_peer(const fuzz_known_t *self, mm_str_t name)
{
    size_t i = 0;
    while (i < FUZZ_PEERS && !mm_str_equal(mm_str(self->peers[i].name), name))
        i++;
    return i;
}

void fuzz_known_add_task(fuzz_known_t *self, const mm_task_t *task, size_t peer)
{
    self->tasks[self->task_count++ % FUZZ_TASKS] = (fuzz_task_t){
        .number = task->number, .leg = task->leg, .id = task->id, .peer = peer, .is_open = true};
}

// A task that the peer has, oldest first, or any; NULL: none is known.
static fuzz_task_t *known_task(fuzz_known_t *known, fuzz_bytes_t *in, size_t peer)
{
    uint8_t choice = fuzz_byte(in);
    size_t kept = known->task_count < FUZZ_TASKS ? known->task_count : FUZZ_TASKS;
    if (kept == 0)
        return NULL;
    if (choice >= 0xC0)
        return &known->tasks[choice % kept];
    for (size_t i = 0, skip = choice % 4; i < kept; i++) {
        fuzz_task_t *task = &known->tasks[(known->task_count - kept + i) % FUZZ_TASKS];
        if (task->is_open && task->peer == peer && skip-- == 0)
            return task;
    }
    return &known->tasks[choice % kept];
}

// ---- items

static void fill_task(fuzz_known_t *known, fuzz_bytes_t *in, mm_task_t *task)
{
    mm_leg_t leg = known->peers[0].role == MM_ROLE_SAVER ? MM_LEG_SAVE : MM_LEG_RESTART;
    uint8_t choice = fuzz_byte(in);
    if (choice >= 0x80)
        leg = (mm_leg_t)(choice % 3 + MM_LEG_SAVE);
    *task = (mm_task_t){.number = fuzz_number(in, ++known->number),
                        .leg = leg,
                        .id = recent_id(known, in),
                        .host = fuzz_host(fuzz_byte(in))};
    if (leg == MM_LEG_RESTART) {
        task->attempt = count_of(in, 1, 1, UINT32_MAX);
        return;
    }
    task->deliveries = count_of(in, 1, 1, UINT32_MAX);
    task->publisher = name_of(in, "p1");
    task->received_ms = time_of(in, 1795332314123);
    if (leg != MM_LEG_SETTLE)
        return;
    task->attempts = count_of(in, 1, 0, UINT32_MAX);
    task->extended = count_of(in, 1, 0, UINT32_MAX);
    task->outcome = fuzz_byte(in) & 1 ? MM_OUTCOME_DEAD : MM_OUTCOME_RESTARTED;
    task->worker = fuzz_byte(in) & 1 ? mm_str("") : name_of(in, "r1");
    task->error = text_of(in);
}

static void fill_held(fuzz_known_t *known, fuzz_bytes_t *in, size_t peer, mm_assignment_t *held)
{
    const fuzz_task_t *task = known_task(known, in, peer);
    uint8_t lies = fuzz_byte(in);
    *held = (mm_assignment_t){.number = fuzz_number(in, task ? task->number : 1),
                              .leg = task ? task->leg : MM_LEG_RESTART,
                              .id = task ? task->id : fuzz_id(1),
                              .started = (lies & 1) == 0};
    if (lies & 2)
        held->leg = (mm_leg_t)(lies % 3 + MM_LEG_SAVE);
    if (lies & 4)
        held->id = recent_id(known, in);
    held->host = fuzz_host(lies & 8 ? lies : fuzz_id_index(&held->id));
    if (held->leg != MM_LEG_RESTART && (lies & 16) == 0)
        held->host = mm_str("");
}

// The whole list at its limit, each task new: what fills tables.
static void fill_many_held(fuzz_known_t *known, fuzz_bytes_t *in,
                           mm_assignment_t held[MM_BATCH_ITEMS])
{
    uint64_t number = fuzz_number(in, known->number + 1000);
    for (size_t i = 0; i < MM_BATCH_ITEMS; i++)
        held[i] = (mm_assignment_t){.number = number + i,
                                    .leg = MM_LEG_RESTART,
                                    .id = fuzz_id(i),
                                    .host = fuzz_host(i),
                                    .started = true};
}

static void fill_result(fuzz_known_t *known, fuzz_bytes_t *in, size_t peer, mm_result_t *result)
{
    fuzz_task_t *task = known_task(known, in, peer);
    uint8_t lies = fuzz_byte(in);
    *result =
        (mm_result_t){.serial = at_least_one(fuzz_number(in, ++known->peers[peer].serial)),
                      .number = fuzz_number(in, task ? task->number : 1),
                      .leg = lies & 1 || !task ? (mm_leg_t)(lies % 3 + MM_LEG_SAVE) : task->leg,
                      .id = lies & 2 || !task ? recent_id(known, in) : task->id,
                      .status = lies & 4   ? MM_STATUS_FAILED
                                : lies & 8 ? MM_STATUS_RETURNED
                                           : MM_STATUS_OK,
                      .took_ms = time_of(in, 10),
                      .error = text_of(in)};
    if (task && task->peer == peer)
        task->is_open = false;
    bool is_settled = result->leg == MM_LEG_SETTLE && result->status == MM_STATUS_OK;
    if (is_settled || lies & 16)
        result->outcome = lies & 32 ? MM_OUTCOME_DEAD : MM_OUTCOME_RESTARTED;
    if (lies < 0xF0)
        return;
    result->evidence_count = lies % (MM_EVIDENCE_MAX + 1);
    result->evidence = known->evidence;
    for (uint32_t i = 0; i < result->evidence_count; i++)
        known->evidence[i] = (mm_evidence_t){.key = mm_str("boot"), .value = mm_str("7")};
}

static void fill_notice(fuzz_known_t *known, fuzz_bytes_t *in, mm_verdict_t *verdict)
{
    uint8_t choice = fuzz_byte(in);
    *verdict = (mm_verdict_t){.kind = (mm_verdict_kind_t)(choice % 4 + MM_VERDICT_EXTEND),
                              .id = recent_id(known, in)};
    if (verdict->kind == MM_VERDICT_ACK || verdict->kind == MM_VERDICT_DEAD)
        verdict->attempts = count_of(in, 1, 0, UINT32_MAX);
    if (verdict->kind == MM_VERDICT_NACK)
        verdict->delay_ms = time_of(in, 1000);
    if (verdict->kind == MM_VERDICT_DEAD)
        verdict->error = text_of(in);
}

// ---- frames

static size_t peer_of(fuzz_bytes_t *in)
{
    return fuzz_byte(in) % FUZZ_PEERS;
}

static void fill_results(fuzz_known_t *known, fuzz_bytes_t *in, size_t peer,
                         const mm_result_t **ret_items, size_t *ret_count)
{
    *ret_count = items_of(in);
    *ret_items = items.results;
    for (size_t i = 0; i < *ret_count; i++)
        fill_result(known, in, peer, &items.results[i]);
}

static void fill_report(fuzz_known_t *known, fuzz_bytes_t *in, bool is_hello, mm_report_t *report)
{
    size_t index = peer_of(in);
    fuzz_peer_t *peer = &known->peers[index];
    uint8_t lies = fuzz_byte(in);
    if (lies & 1) { // another process of that name
        peer->instance++;
        peer->session = peer->sequence = peer->serial = 0;
    }
    *report = (mm_report_t){.is_hello = is_hello,
                            .worker = mm_str(peer->name),
                            .instance = fuzz_number(in, peer->instance),
                            .role = peer->role,
                            .session = fuzz_number(in, peer->session),
                            .stamp_ms = time_of(in, known->now_ms),
                            .slots = count_of(in, 2, 0, MM_SLOTS_MAX)};
    if (lies & 2)
        report->role = lies & 4 ? MM_ROLE_SAVER : MM_ROLE_RESTARTER;
    if (lies & 8) { // one of several parts; the later ones have the sequence of the first
        report->part = count_of(in, lies >> 6, 0, MM_PARTS_MAX - 1);
        report->parts = count_of(in, 2, report->part + 1, MM_PARTS_MAX);
    } else {
        report->parts = 1;
    }
    if (report->part == 0)
        peer->sequence++;
    report->sequence = fuzz_number(in, peer->sequence);
    report->held = items.held;
    if (lies & 16)
        report->held_count = items_of(in);
    if (report->held_count == MM_BATCH_ITEMS)
        fill_many_held(known, in, items.held);
    else
        for (size_t i = 0; i < report->held_count; i++)
            fill_held(known, in, index, &items.held[i]);
    report->results = items.results;
    if (lies & 32)
        fill_results(known, in, index, &report->results, &report->result_count);
    report->last_serial = fuzz_number(in, peer->serial);
}

static void fill_answer(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    static const char *const suffixes[] = {"task.000000000000000c", "1", "65535"};
    const fuzz_peer_t *peer = &known->peers[fuzz_byte(in) < 0xC0 ? 0 : 1];
    bool is_welcome = frame->kind == MM_FRAME_WELCOME;
    frame->as.answer.consumer = name_of(in, "consumer");
    frame->as.answer.epoch = at_least_one(fuzz_number(in, known->epoch));
    frame->as.answer.worker = mm_str(peer->name);
    frame->as.answer.instance = fuzz_number(in, peer->instance);
    frame->as.answer.session = fuzz_number(in, peer->session + is_welcome);
    if (is_welcome) {
        frame->as.answer.session = at_least_one(frame->as.answer.session);
        frame->as.answer.suffix = mm_str(suffixes[fuzz_byte(in) % 3]);
    }
    if (frame->kind == MM_FRAME_REFUSED)
        frame->as.answer.reason = text_of(in);
}

static void fill_jobs(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    frame->as.jobs.publisher = name_of(in, "p1");
    frame->as.jobs.epoch = fuzz_number(in, known->epoch);
    frame->as.jobs.count = items_of(in);
    frame->as.jobs.items = items.jobs;
    for (size_t i = 0; i < frame->as.jobs.count; i++) {
        mm_id_t id = recent_id(known, in);
        uint8_t host = fuzz_byte(in);
        items.jobs[i] = (mm_job_t){.id = id,
                                   .host = fuzz_host(host ? host : fuzz_id_index(&id)),
                                   .delivery = count_of(in, 1, 1, UINT32_MAX)};
    }
}

static void fill_tasks(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    const fuzz_peer_t *me = &known->peers[0];
    frame->as.tasks.session = at_least_one(fuzz_number(in, me->session));
    frame->as.tasks.stamp_ms = time_of(in, known->now_ms);
    frame->as.tasks.acknowledged_through = fuzz_number(in, me->serial);
    frame->as.tasks.last = fuzz_byte(in) >= 0xC0;
    frame->as.tasks.count = items_of(in);
    frame->as.tasks.items = items.tasks;
    for (size_t i = 0; i < frame->as.tasks.count; i++)
        fill_task(known, in, &items.tasks[i]);
}

static void fill_started(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    size_t peer = peer_of(in);
    frame->as.started.worker = mm_str(known->peers[peer].name);
    frame->as.started.instance = fuzz_number(in, known->peers[peer].instance);
    frame->as.started.session = fuzz_number(in, known->peers[peer].session);
    frame->as.started.count = items_of(in);
    frame->as.started.numbers = items.numbers;
    for (size_t i = 0; i < frame->as.started.count; i++) {
        const fuzz_task_t *task = known_task(known, in, peer);
        items.numbers[i] = fuzz_number(in, task ? task->number : 1);
    }
}

static void fill_worker_frame(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    size_t peer = peer_of(in);
    mm_str_t name = mm_str(known->peers[peer].name);
    uint64_t instance = fuzz_number(in, known->peers[peer].instance);
    uint64_t session = fuzz_number(in, known->peers[peer].session);
    if (frame->kind == MM_FRAME_BYE) {
        frame->as.bye.worker = name;
        frame->as.bye.instance = instance;
        frame->as.bye.session = session;
        frame->as.bye.last_serial = fuzz_number(in, known->peers[peer].serial);
        return;
    }
    frame->as.results.worker = name;
    frame->as.results.instance = instance;
    frame->as.results.session = session;
    fill_results(known, in, peer, &frame->as.results.items, &frame->as.results.count);
}

static void fill_notices(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    frame->as.notices.consumer = name_of(in, "consumer");
    frame->as.notices.epoch = at_least_one(fuzz_number(in, known->epoch));
    frame->as.notices.count = items_of(in);
    frame->as.notices.items = items.notices;
    for (size_t i = 0; i < frame->as.notices.count; i++)
        fill_notice(known, in, &items.notices[i]);
}

static void fill_beat(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_t *frame)
{
    frame->as.beat.consumer = name_of(in, "consumer");
    frame->as.beat.epoch = at_least_one(fuzz_number(in, known->epoch));
    frame->as.beat.draining = fuzz_byte(in) >= 0xC0;
    frame->as.beat.count = items_of(in);
    frame->as.beat.items = items.acknowledgements;
    for (size_t i = 0; i < frame->as.beat.count; i++)
        items.acknowledgements[i] = (mm_acknowledgement_t){
            .worker = name_of(in, known->peers[0].name),
            .session = at_least_one(fuzz_number(in, known->peers[0].session)),
            .acknowledged_through = fuzz_number(in, known->peers[0].serial)};
}

static mm_about_t about_of(fuzz_bytes_t *in)
{
    return (mm_about_t)(MM_ABOUT_STATS + fuzz_byte(in) % MM_ABOUT_VIEWERS);
}

static void fill_query(fuzz_bytes_t *in, mm_frame_t *frame)
{
    frame->as.query.viewer = fuzz_number(in, 1);
    frame->as.query.about = about_of(in);
    frame->as.query.process = name_of(in, "consumer");
    frame->as.query.seconds = fuzz_byte(in);
    frame->as.query.text = text_of(in);
    frame->as.query.text.size = mm_wire_utf8_prefix(frame->as.query.text, MM_ASKED_MAX);
}

static void fill_tell(fuzz_bytes_t *in, mm_frame_t *frame)
{
    frame->as.tell.process = name_of(in, "r1");
    frame->as.tell.viewer = fuzz_number(in, 1);
    frame->as.tell.about = about_of(in);
    frame->as.tell.text = text_of(in);
}

void fuzz_frame(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_kind_t kind, mm_frame_t *ret_frame)
{
    *ret_frame = (mm_frame_t){.kind = kind};
    switch (kind) {
    case MM_FRAME_JOBS: fill_jobs(known, in, ret_frame); break;
    case MM_FRAME_TASKS: fill_tasks(known, in, ret_frame); break;
    case MM_FRAME_HELLO: fill_report(known, in, true, &ret_frame->as.report); break;
    case MM_FRAME_HEARTBEAT: fill_report(known, in, false, &ret_frame->as.report); break;
    case MM_FRAME_STARTED: fill_started(known, in, ret_frame); break;
    case MM_FRAME_RESULTS:
    case MM_FRAME_BYE: fill_worker_frame(known, in, ret_frame); break;
    case MM_FRAME_NOTICES: fill_notices(known, in, ret_frame); break;
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN: fill_answer(known, in, ret_frame); break;
    case MM_FRAME_BEAT: fill_beat(known, in, ret_frame); break;
    case MM_FRAME_LEAVING:
        ret_frame->as.leaving.consumer = name_of(in, "consumer");
        ret_frame->as.leaving.epoch = at_least_one(fuzz_number(in, known->epoch));
        break;
    case MM_FRAME_QUERY: fill_query(in, ret_frame); break;
    case MM_FRAME_TELL: fill_tell(in, ret_frame); break;
    }
}

void fuzz_carry(const mm_frame_t *frame, mm_frame_t *ret_frame, char **ret_bytes)
{
    static mm_encoder_t *encoder;
    static mm_decoder_t *decoder;
    if (!encoder) {
        encoder = mm_encoder_new();
        decoder = mm_decoder_new();
    }
    mm_encode_frame(encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    *ret_bytes = malloc(bytes.size);
    assert(*ret_bytes);
    memcpy(*ret_bytes, bytes.data, bytes.size);
    mm_wire_status_t status = mm_decode(decoder, *ret_bytes, bytes.size, ret_frame);
    assert(status == MM_WIRE_OK);
}
