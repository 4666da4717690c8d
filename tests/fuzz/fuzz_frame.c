// See fuzz_frame.h.

#include "fuzz_frame.h"
#include "utf8.h"
#include "wire_walk.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS 4

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

mm_str_t fuzz_host(size_t index)
{
    static char longest[MM_HOST_MAX];
    static const char *const names[HOSTS - 1] = {"web-1", "web-2.example.net", "10.0.0.1:22"};
    if (index % HOSTS < HOSTS - 1)
        return mm_str(names[index % HOSTS]);
    memset(longest, 'h', sizeof longest);
    return (mm_str_t){longest, sizeof longest};
}

mm_str_t fuzz_attributes(const mm_id_t *id)
{
    static char longest[MM_ATTRIBUTES_BYTES], value[MM_ATTRIBUTE_VALUE_MAX];
    static size_t size;
    memset(value, '/', sizeof value);
    for (char c = 'a'; size < sizeof longest; c++) {
        char key[MM_ATTRIBUTE_KEY_MAX];
        memset(key, c, sizeof key);
        (void)mm_attributes_add(longest, &size, (mm_str_t){key, sizeof key},
                                (mm_str_t){value, sizeof value});
    }
    switch (id->bytes[15] % 4) {
    case 0: return mm_str("bmc=10.0.0.1");
    case 1: return mm_str("zone= rack_2=/a=b,c");
    case 2: return (mm_str_t){longest, sizeof longest};
    }
    return (mm_str_t){0};
}

mm_id_t fuzz_id(size_t index)
{
    return (mm_id_t){{[14] = (uint8_t)(index >> 8), [15] = (uint8_t)index}};
}

size_t fuzz_id_index(const mm_id_t *id)
{
    return (size_t)id->bytes[14] << 8 | id->bytes[15];
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

// ---- an honest frame: what is not set here stays zero, or at the least that is legal. An optional
// block is there when its condition holds by then.

typedef struct {
    wire_visitor_t visitor;
    fuzz_known_t *known;
    fuzz_bytes_t *in;
    size_t peer;    // that sends or receives the frame
    unsigned lists; // bits, the lowest for the next list: whether it has items
    size_t index;   // of the item
    wire_item_t which;
    const void *item;
    bool is_full; // the list has all items that it can have: none of them lies
} maker_t;

static void honest_report(maker_t *self, mm_report_t *report)
{
    fuzz_peer_t *peer = &self->known->peers[self->peer];
    uint8_t lies = fuzz_byte(self->in);
    if (lies & 1) { // another process of that name
        peer->instance++;
        peer->session = peer->sequence = peer->serial = 0;
    }
    if (lies & 2) // one of several parts; the later ones have the sequence of the first
        report->part = lies >> 6;
    if (report->part == 0)
        peer->sequence++;
    report->parts = lies & 2 ? 4 : 1;
    report->worker = mm_str(peer->name);
    report->instance = peer->instance;
    report->role = peer->role;
    report->session = peer->session;
    report->sequence = peer->sequence;
    report->stamp_ms = self->known->now_ms;
    report->slots = 2;
    report->last_serial = peer->serial;
    if (self->known->is_real && peer->role == MM_ROLE_RESTARTER) {
        report->driver = mm_str("ssh-1");
        report->verbs = MM_VERB_REAL | MM_VERB_IDENTIFY;
    }
    self->lists = lies >> 4;
}

// Those about orders, and what savers have on record of them.
static void honest_order_frame(maker_t *self, mm_frame_t *frame)
{
    const fuzz_peer_t *peer = &self->known->peers[self->peer];
    mm_str_t name = mm_str(peer->name);
    switch ((int)frame->kind) { // of another one nothing is known
    case MM_FRAME_ORDERS:
        frame->as.orders = (mm_orders_body_t){.session = peer->session, .question = 1, .run = 1};
        return;
    case MM_FRAME_RECORDED:
        frame->as.recorded = (mm_recorded_body_t){name, peer->instance, peer->session, NULL, 0};
        return;
    case MM_FRAME_STATE:
        frame->as.state = (mm_state_body_t){
            .worker = name, .instance = peer->instance, .session = peer->session, .run = 1};
        return;
    }
}

static void honest_frame(maker_t *self, mm_frame_t *frame)
{
    const fuzz_known_t *known = self->known;
    const fuzz_peer_t *peer = &known->peers[self->peer];
    mm_str_t consumer = mm_str("consumer"), name = mm_str(peer->name);
    switch ((int)frame->kind) {
    case MM_FRAME_LEASE_ASK:
        frame->as.lease_ask = (mm_lease_ask_body_t){.consumer = consumer,
                                                    .asker = 7,
                                                    .verb = MM_LEASE_RENEW,
                                                    .epoch = known->epoch,
                                                    .ttl_ms = 6000,
                                                    .stamp_ms = known->now_ms};
        return;
    case MM_FRAME_LEASE:
        frame->as.lease = (mm_lease_body_t){.worker = name,
                                            .asker = 7,
                                            .verb = MM_LEASE_RENEW,
                                            .stamp_ms = known->now_ms,
                                            .verdict = MM_LEASE_HELD,
                                            .epoch = known->epoch,
                                            .left_ms = 6000};
        return;
    case MM_FRAME_JOBS:
        frame->as.jobs = (mm_jobs_body_t){.publisher = mm_str("p1"), .epoch = known->epoch};
        return;
    case MM_FRAME_TASKS:
        frame->as.tasks = (mm_tasks_body_t){.session = peer->session,
                                            .stamp_ms = known->now_ms,
                                            .acknowledged_through = peer->serial};
        return;
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT: honest_report(self, &frame->as.report); return;
    case MM_FRAME_STARTED:
        frame->as.started = (mm_started_body_t){name, peer->instance, peer->session, NULL, 0};
        return;
    case MM_FRAME_RESULTS:
        frame->as.results = (mm_results_body_t){name, peer->instance, peer->session, NULL, 0};
        return;
    case MM_FRAME_BYE:
        frame->as.bye = (mm_bye_body_t){name, peer->instance, peer->session, peer->serial};
        return;
    case MM_FRAME_NOTICES:
        frame->as.notices = (mm_notices_body_t){.consumer = consumer, .epoch = known->epoch};
        return;
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN:
        frame->as.answer =
            (mm_answer_body_t){.consumer = consumer,
                               .epoch = known->epoch,
                               .worker = name,
                               .instance = peer->instance,
                               .session = peer->session + (frame->kind == MM_FRAME_WELCOME)};
        return;
    case MM_FRAME_BEAT:
        frame->as.beat = (mm_beat_body_t){.consumer = consumer, .epoch = known->epoch};
        return;
    case MM_FRAME_LEAVING: frame->as.leaving = (mm_leaving_body_t){consumer, known->epoch}; return;
    default: honest_order_frame(self, frame); return;
    }
}

// Each has some, so that they are asked for; make_field has the right ones.
static mm_str_t some_attributes(void)
{
    return mm_str("bmc=10.0.0.1");
}

// As many as a frame may have.
static mm_real_t *next_real(void)
{
    static mm_real_t reals[MM_BATCH_ITEMS];
    static size_t next;
    mm_real_t *real = &reals[next++ % MM_BATCH_ITEMS];
    *real = (mm_real_t){0};
    return real;
}

// What a driver that is not the mock has beyond. Savers: some of it is on record.
static void real_task(maker_t *self, mm_task_t *task)
{
    uint8_t choice = fuzz_byte(self->in);
    if (choice < 0xC0)
        return;
    mm_real_t *real = task->real = next_real();
    if (task->leg == MM_LEG_RESTART) {
        task->leg = choice & 1 ? MM_LEG_PROBE : MM_LEG_RESTART;
        real->left_ms = 60000;
        real->age_ms = 100;
        real->start_ms = self->known->now_ms + 1000;
        real->command = choice >> 1 & 3;
        real->owes = choice & 8;
        real->owed = choice & 16;
    } else {
        real->attempt = 1;
        real->row = (mm_attempt_row_t)(MM_ROW_BEGUN + choice % 4);
        real->command = 1;
        real->first_ms = self->known->now_ms;
        real->deadline_ms = self->known->now_ms + 60000;
        real->owes = choice & 8;
        real->run = choice & 16 ? 1 : 0;
        real->attributes = real->owes || real->run ? some_attributes() : (mm_str_t){0};
    }
}

static void honest_task(maker_t *self, mm_task_t *task)
{
    bool is_saver = self->known->peers[0].role == MM_ROLE_SAVER;
    *task = (mm_task_t){.number = ++self->known->number,
                        .leg = is_saver ? MM_LEG_SAVE : MM_LEG_RESTART,
                        .id = recent_id(self->known, self->in),
                        .host = fuzz_host(fuzz_byte(self->in)),
                        .attributes = some_attributes(),
                        .attempt = 1,
                        .deliveries = 1,
                        .publisher = mm_str("p1"),
                        .received_ms = 1795332314123,
                        .attempts = 1,
                        .extended = 1,
                        .worker = mm_str("r1")};
    real_task(self, task);
}

static void honest_assignment(maker_t *self, mm_assignment_t *held)
{
    *held = (mm_assignment_t){.leg = MM_LEG_RESTART, .started = true};
    if (self->is_full) { // each task is new: what fills tables
        held->number = self->known->number + 1000 + self->index;
        held->id = fuzz_id(self->index);
    } else {
        const fuzz_task_t *task = known_task(self->known, self->in, self->peer);
        held->number = task ? task->number : 1;
        held->id = task ? task->id : fuzz_id(1);
        held->leg = task ? task->leg : MM_LEG_RESTART;
    }
    if (mm_leg_is_restarters(held->leg))
        held->host = fuzz_host(fuzz_id_index(&held->id));
}

// How the tasks of a real restarter end: well, without effect, or open.
static void honest_end(mm_result_t *result, uint8_t choice)
{
    mm_real_t *real = result->real = next_real();
    *real = (mm_real_t){.exit = MM_EXIT_NONE, .pause_ms = 1000};
    real->machine = real->boot = result->id;
    if (result->leg == MM_LEG_PROBE) {
        real->end = MM_END_NOT_STARTED;
    } else if (choice < 0x40) {
        real->end = MM_END_RESTARTED;
        real->proof = MM_PROOF_PROVEN;
        real->boot.bytes[0] = 1;
        real->sent = true;
    } else if (choice < 0x80) {
        result->status = MM_STATUS_FAILED;
        real->end = choice & 2 ? MM_END_SAME_BOOT : MM_END_UNREACHABLE;
        real->sent = choice & 4;
        real->more = choice & 1;
    } else {
        result->status = choice & 1 ? MM_STATUS_OPEN : MM_STATUS_RETURNED;
        real->end = MM_END_EXIT;
        real->sent = choice & 2;
    }
}

// Of a driver that is not the mock, and of its savers.
static void real_result(maker_t *self, mm_result_t *result)
{
    uint8_t choice = fuzz_byte(self->in);
    if (choice < 0xC0) {
        if (self->known->is_real && mm_leg_is_restarters(result->leg))
            honest_end(result, choice);
        return;
    }
    mm_real_t *real = result->real = next_real();
    if (mm_leg_is_restarters(result->leg)) {
        result->status = choice & 16 ? MM_STATUS_OPEN : MM_STATUS_OK;
        real->end = (mm_end_t)(MM_END_RESTARTED + choice % MM_END_LAST);
        real->exit = MM_EXIT_NONE;
        real->sent = true;
        real->owes = choice & 8;
    } else {
        real->row = (mm_attempt_row_t)(MM_ROW_BEGUN + choice % 4);
        real->command = 1;
        real->first_ms = self->known->now_ms;
        real->deadline_ms = self->known->now_ms + 60000;
        real->owes = choice & 8;
    }
    real->attempt = 1;
    real->pause_ms = 1000; // of a returned one, if it lies about that
}

static void honest_result(maker_t *self, mm_result_t *result)
{
    fuzz_task_t *task = known_task(self->known, self->in, self->peer);
    *result = (mm_result_t){.serial = ++self->known->peers[self->peer].serial,
                            .number = task ? task->number : 1,
                            .leg = task ? task->leg : MM_LEG_RESTART,
                            .id = task ? task->id : recent_id(self->known, self->in),
                            .took_ms = 10};
    if (task && task->peer == self->peer)
        task->is_open = false;
    real_result(self, result);
}

static void honest_item(maker_t *self, wire_item_t which, void *item)
{
    const fuzz_known_t *known = self->known;
    mm_job_t *job = item;
    mm_verdict_t *verdict = item;
    switch ((int)which) {
    case WIRE_ITEM_job:
        job->id = recent_id(known, self->in);
        job->host = fuzz_host(fuzz_id_index(&job->id));
        job->attributes = some_attributes();
        job->withdrawn = fuzz_byte(self->in) % 8 == 7;
        return;
    case WIRE_ITEM_task: honest_task(self, item); return;
    case WIRE_ITEM_assignment: honest_assignment(self, item); return;
    case WIRE_ITEM_result: honest_result(self, item); return;
    case WIRE_ITEM_verdict:
        verdict->kind = MM_VERDICT_EXTEND + fuzz_byte(self->in) % MM_VERDICT_WITHDRAWN;
        verdict->id = recent_id(known, self->in);
        verdict->attempts = 1;
        verdict->delay_ms = 1000;
        return;
    case WIRE_ITEM_acknowledgement:
        *(mm_acknowledgement_t *)item =
            (mm_acknowledgement_t){mm_str(known->peers[0].name), known->peers[0].session,
                                   known->peers[0].serial, known->now_ms};
        return;
    }
}

// ---- the lies: each field costs a byte, a high one makes it lie

static uint64_t number_of(maker_t *self, const wire_field_t *field)
{
    uint64_t number = wire_number(field), range = field->high - field->low;
    if (field->name == NULL) {
        const fuzz_task_t *task = known_task(self->known, self->in, self->peer);
        number = task ? task->number : 1;
    }
    if (range < 16) {
        uint8_t choice = fuzz_byte(self->in);
        if (choice >= 0xC0)
            return field->low + choice % (range + 1);
    } else {
        number = fuzz_number(self->in, number);
    }
    return number < field->low ? field->low : number > field->high ? field->high : number;
}

static mm_str_t text_of(fuzz_bytes_t *in, size_t size_max)
{
    static char longest[MM_ERROR_MAX];
    mm_str_t text = mm_str("");
    uint8_t choice = fuzz_byte(in);
    switch (choice) {
    case 0: break;
    case 1: text = mm_str("exit status 1"); break;
    case 2: text = mm_str("Gerät weg: \"a\\b\" -> # ; \n"); break;
    case 3:
        memset(longest, 'x', sizeof longest);
        text = (mm_str_t){longest, sizeof longest};
        break;
    default:
        text = (mm_str_t){(const char *)in->at, choice & 31};
        if (text.size > (size_t)(in->end - in->at))
            text.size = (size_t)(in->end - in->at);
        in->at += text.size;
    }
    text.size = mm_utf8_prefix(text, size_max);
    return text;
}

static mm_str_t string_of(maker_t *self, const wire_field_t *field)
{
    static const char *const names[] = {
        "p2", "consumer-1", "r1", "s1",
        "a23456789_123456789_123456789_123456789_123456789_123456789_123"};
    static const char *const suffixes[] = {"task.000000000000000c", "1", "65535"};
    mm_str_t honest = *(const mm_str_t *)field->value;
    if (field->text == WIRE_TEXT_text) {
        mm_str_t text = text_of(self->in, field->high);
        return text.size < field->low ? mm_str("x") : text;
    }
    uint8_t choice = fuzz_byte(self->in);
    if (choice < 0xC0 && honest.size >= field->low)
        return honest;
    if (choice == 0xFF && field->low == 0)
        return mm_str("");
    if (strcmp(field->name, "worker") == 0) // the cores' worlds know no others
        return mm_str(self->known->peers[choice % FUZZ_PEERS].name);
    switch (field->text) {
    case WIRE_TEXT_name: return mm_str(names[choice % (sizeof names / sizeof *names)]);
    case WIRE_TEXT_host: return fuzz_host(choice);
    case WIRE_TEXT_suffix: return mm_str(suffixes[choice % 3]);
    case WIRE_TEXT_text: break;
    }
    assert(false);
    return honest;
}

static void make_pairs(maker_t *self, const wire_field_t *field)
{
    static mm_pair_t pairs[16];
    uint8_t choice = fuzz_byte(self->in);
    uint32_t count = choice >= 0xF0 ? (uint32_t)(choice % (field->high + 1)) : 0;
    assert(count <= 16);
    for (uint32_t i = 0; i < count; i++)
        pairs[i] = (mm_pair_t){mm_str("boot"), mm_str("7")};
    *(const mm_pair_t **)field->value = pairs;
    *field->pair_count = count;
}

static void make_field(wire_visitor_t *visitor, const wire_field_t *field)
{
    static fuzz_bytes_t nothing;
    maker_t *self = (maker_t *)visitor;
    fuzz_bytes_t *in = self->in;
    if (self->is_full)
        self->in = &nothing;
    switch (field->class) {
    case WIRE_flag: *(bool *)field->value ^= fuzz_byte(self->in) >= 0xC0; break;
    case WIRE_id:
        if (fuzz_byte(self->in) >= 0xF0)
            *(mm_id_t *)field->value = recent_id(self->known, self->in);
        break;
    case WIRE_TEXT: *(mm_str_t *)field->value = string_of(self, field); break;
    case WIRE_NUMBER: wire_set_number(field, number_of(self, field)); break;
    case WIRE_PAIRS: make_pairs(self, field); break;
    case WIRE_ATTRIBUTES: // they never lie: the cores give them back with the id
        *(mm_str_t *)field->value =
            fuzz_attributes(self->which == WIRE_ITEM_job ? &((const mm_job_t *)self->item)->id
                                                         : &((const mm_task_t *)self->item)->id);
        break;
    case WIRE_LIST:
        *(size_t *)field->value = self->lists & 1 ? items_of(in) : 0;
        self->is_full = *(size_t *)field->value == MM_BATCH_ITEMS;
        self->lists >>= 1;
        self->index = 0;
        break;
    case WIRE_ITEM:
        self->which = field->which;
        self->item = field->value;
        honest_item(self, field->which, field->value);
        self->index++;
        break;
    case WIRE_END: break;
    }
    self->in = in;
}

void fuzz_frame(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_kind_t kind, mm_frame_t *ret_frame)
{
    maker_t maker = {{.visit = make_field, .makes = true}, known, in, .lists = UINT_MAX};
    *ret_frame = (mm_frame_t){.kind = kind};
    bool is_of_saver =
        kind == MM_FRAME_RECORDED || kind == MM_FRAME_STATE || kind == MM_FRAME_LEASE;
    if ((kind >= MM_FRAME_HELLO && kind <= MM_FRAME_BYE) || is_of_saver)
        maker.peer = fuzz_byte(in) % FUZZ_PEERS;
    else if (kind >= MM_FRAME_WELCOME && kind <= MM_FRAME_REJOIN)
        maker.peer = fuzz_byte(in) >= 0xC0;
    honest_frame(&maker, ret_frame);
    wire_walk(&maker.visitor, ret_frame);
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
