// Frames that are valid, in bad faith: sessions and tasks that never were, credit that lies, ids of
// others, floods. It does not speak in the name of another worker: whoever can open the consumer's
// socket without a key could as well write into the record, which is why the folder has mode 0700.
// Its workers announce no slots unless the tale is about them, since a task that is lost with its
// worker costs the job an attempt.

#include "peer.h"

#include "clock.h"
#include "job.h"
#include "uuid.h"
#include "uuid_source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define JOIN_MS  3000 // within which a hello is answered
#define TASK_MS  3000 // within which a joined worker gets a task
#define CLAIM_MS 2000 // of claims

#define NO_JOB                                                                                     \
    {                                                                                              \
        "no-such-job-here"                                                                         \
    }

// ---- a worker that is played

static mm_frame_t report_of(peer_t *self, bool is_hello, const char *name)
{
    return (mm_frame_t){.kind = is_hello ? MM_FRAME_HELLO : MM_FRAME_HEARTBEAT,
                        .as.report = {.is_hello = is_hello,
                                      .worker = mm_str(name),
                                      .instance = self->instance,
                                      .role = MM_ROLE_RESTARTER,
                                      .sequence = ++self->sequence,
                                      .stamp_ms = mm_clock_ms(),
                                      .parts = 1}};
}

static void report(peer_t *self, mm_frame_t *frame)
{
    peer_send_frame(self, MM_SOCKET_INBOX, frame);
}

// Says hello with so many slots until it is welcomed; exits with 1 when it is not.
static mm_frame_t join(peer_t *self, const char *name, uint32_t slots)
{
    char topic[MM_TOPIC_MAX];
    int64_t limit_ms = mm_clock_ms() + JOIN_MS;
    self->instance = mm_instance_draw();
    peer_listen(self, mm_topic("worker", name, topic));
    while (mm_clock_ms() < limit_ms) {
        mm_frame_t answer, hello = report_of(self, true, name);
        hello.as.report.slots = slots;
        report(self, &hello);
        if (peer_hear(self, 50, &answer) && answer.kind == MM_FRAME_WELCOME &&
            answer.as.answer.instance == self->instance)
            return answer;
    }
    (void)fprintf(stderr, "peer: %s is not welcomed\n", name);
    exit(EXIT_FAILURE);
}

static void send_result(peer_t *self, const char *name, uint64_t session, const mm_result_t *result)
{
    mm_frame_t frame = {.kind = MM_FRAME_RESULTS,
                        .as.results = {.worker = mm_str(name),
                                       .instance = self->instance,
                                       .session = session,
                                       .items = result,
                                       .count = 1}};
    peer_send_frame(self, MM_SOCKET_INBOX, &frame);
}

static void send_bye(peer_t *self, const char *name, uint64_t session, uint64_t last_serial)
{
    mm_frame_t frame = {.kind = MM_FRAME_BYE,
                        .as.bye = {.worker = mm_str(name),
                                   .instance = self->instance,
                                   .session = session,
                                   .last_serial = last_serial}};
    peer_send_frame(self, MM_SOCKET_INBOX, &frame);
}

static void fill_id(mm_id_t *id, uint64_t number)
{
    memset(id->bytes, 0, sizeof id->bytes);
    memcpy(id->bytes, &number, sizeof number);
}

// ---- who is who

static void another_process_of_an_id(peer_t *self)
{
    self->instance = mm_instance_draw();
    mm_frame_t hello = report_of(self, true, "restarter-1");
    report(self, &hello);
    report(self, &hello); // the same sequence again
}

static void second_saver(peer_t *self)
{
    self->instance = mm_instance_draw();
    mm_frame_t hello = report_of(self, true, "saver-2");
    hello.as.report.role = MM_ROLE_SAVER;
    hello.as.report.slots = MM_SLOTS_MAX;
    report(self, &hello);
}

static void changed_role(peer_t *self)
{
    (void)join(self, "peer-role", 0);
    mm_frame_t hello = report_of(self, true, "peer-role");
    hello.as.report.role = MM_ROLE_SAVER;
    hello.as.report.slots = MM_SLOTS_MAX;
    report(self, &hello);
}

// Waits until the consumer is heard: then it knows what is subscribed to.
static void hear_the_consumer(peer_t *self)
{
    char topic[MM_TOPIC_MAX];
    int64_t limit_ms = mm_clock_ms() + JOIN_MS;
    mm_frame_t frame = {0};
    mm_socket_subscribe(self->events, mm_topic("consumer", NULL, topic));
    while (mm_clock_ms() < limit_ms)
        if (peer_hear(self, 50, &frame) && frame.kind == MM_FRAME_BEAT)
            return;
    (void)fprintf(stderr, "peer: the consumer is not heard\n");
    exit(EXIT_FAILURE);
}

// The HELLO of a release that speaks version 1, and what that release can read of the answer:
// [1, 10, consumer, life, "peer-of-version-1", 7, 0, reason]. Exits with 1 when it is another.
static void worker_of_version_1(peer_t *self)
{
    static const char hello[] = "\x9E\x01\x03\xB1peer-of-version-1\x07\x02\x00\x01\xCD\x13\x88\x01"
                                "\x00\x00\x01\xDC\x00\x00\xDC\x00\x00";
    static const char heard[] = "\xB1peer-of-version-1\x07\x00\xD9";
    static const char reason[] = "it speaks another version of the protocol";
    char topic[MM_TOPIC_MAX];
    int64_t limit_ms = mm_clock_ms() + JOIN_MS;
    mm_str_t bytes;
    peer_listen(self, mm_topic("worker", "peer-of-version-1", topic));
    hear_the_consumer(self);
    peer_send(self, MM_SOCKET_INBOX, hello, sizeof hello - 1);
    while (mm_clock_ms() < limit_ms)
        if (peer_hear_bytes(self, 50, &bytes) && bytes.size > 3 &&
            memcmp(bytes.data, "\x98\x01\x0A", 3) == 0 &&
            memmem(bytes.data, bytes.size, heard, sizeof heard - 1) &&
            memmem(bytes.data, bytes.size, reason, sizeof reason - 1))
            return;
    (void)fprintf(stderr, "peer: a worker of version 1 is not refused so that it can read it\n");
    exit(EXIT_FAILURE);
}

static void foreign_nonce(peer_t *self)
{
    const mm_result_t result = {.serial = 1, .leg = MM_LEG_RESTART, .id = NO_JOB};
    self->instance = mm_instance_draw();
    mm_frame_t heartbeat = report_of(self, false, "restarter-1");
    heartbeat.as.report.session = 1;
    report(self, &heartbeat);
    send_result(self, "restarter-1", 1, &result);
    send_bye(self, "restarter-1", 1, UINT64_MAX);
    send_bye(self, "nobody", 1, 0);
}

static void wrong_session(peer_t *self)
{
    mm_frame_t welcome = join(self, "peer-session", 0);
    uint64_t sessions[] = {0, 1, welcome.as.answer.session + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        mm_frame_t heartbeat = report_of(self, false, "peer-session");
        heartbeat.as.report.session = sessions[i];
        report(self, &heartbeat);
        send_bye(self, "peer-session", sessions[i], 0);
    }
}

// ---- numbers at their ends

static void session_numbers(peer_t *self)
{
    uint64_t sessions[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof sessions / sizeof *sessions; i++) {
        self->instance = mm_instance_draw();
        mm_frame_t hello = report_of(self, true, "peer-session-number");
        hello.as.report.session = sessions[i];
        report(self, &hello);
        send_bye(self, "peer-session-number", sessions[i], 0);
        peer_reset(self);
    }
}

static void sequence_and_serials(peer_t *self)
{
    const mm_result_t result = {.serial = UINT64_MAX, .leg = MM_LEG_RESTART, .id = NO_JOB};
    self->instance = mm_instance_draw();
    mm_frame_t hello = report_of(self, true, "peer-serial");
    hello.as.report.sequence = UINT64_MAX;
    hello.as.report.last_serial = UINT64_MAX;
    hello.as.report.results = &result;
    hello.as.report.result_count = 1;
    report(self, &hello);
    for (uint64_t serial = 1; serial < 4; serial++)
        send_result(self, "peer-serial", 1, &(mm_result_t){.serial = serial, .leg = MM_LEG_SAVE});
    send_bye(self, "peer-serial", 1, UINT64_MAX);
}

// The table keeps a stamp for each task that is listed, and compares later ones with it.
static void stamps(peer_t *self)
{
    const mm_assignment_t held = {.number = UINT64_MAX, .leg = MM_LEG_SAVE, .id = NO_JOB};
    int64_t all[] = {INT64_MAX, 0, INT64_MAX - 1};
    mm_frame_t welcome = join(self, "peer-stamp", 1);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        mm_frame_t heartbeat = report_of(self, false, "peer-stamp");
        heartbeat.as.report.session = welcome.as.answer.session;
        heartbeat.as.report.stamp_ms = all[i];
        heartbeat.as.report.held = &held;
        heartbeat.as.report.held_count = i == 0;
        report(self, &heartbeat);
    }
}

static void parts_out_of_order(peer_t *self)
{
    const uint32_t parts[] = {63, 0, 0, 2, 1, 63};
    self->instance = mm_instance_draw();
    self->sequence++;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        mm_frame_t hello = report_of(self, true, "peer-parts");
        hello.as.report.sequence = self->sequence - i;
        hello.as.report.part = parts[i];
        hello.as.report.parts = MM_PARTS_MAX;
        report(self, &hello);
    }
}

// ---- credit that lies

static void takes_and_never_answers(peer_t *self)
{
    (void)join(self, "peer-silent", MM_SLOTS_MAX);
}

static void results_of_no_task(peer_t *self)
{
    mm_frame_t welcome = join(self, "peer-liar", 0);
    for (uint64_t serial = 1; serial <= 999; serial++) {
        mm_result_t result = {.serial = serial,
                              .number = serial,
                              .leg = (mm_leg_t)(1 + serial % 3),
                              .status = (mm_status_t)(serial / 3 % 3),
                              .outcome = MM_OUTCOME_DEAD,
                              .error = mm_str("made up")};
        fill_id(&result.id, serial);
        send_result(self, "peer-liar", welcome.as.answer.session, &result);
    }
}

static void results_with_gaps(peer_t *self)
{
    mm_frame_t welcome = join(self, "peer-gaps", 0);
    for (uint64_t serial = 1000; serial > 900; serial -= 7)
        send_result(self, "peer-gaps", welcome.as.answer.session,
                    &(mm_result_t){.serial = serial, .leg = MM_LEG_RESTART, .id = NO_JOB});
}

// Takes tasks, and answers the first with what is not its own: the task's number, but another leg
// or another job. The job must not wait for ever.
static void answer_with(peer_t *self, const char *name, mm_leg_t leg, bool own_id)
{
    char endpoint[MM_ENDPOINT_MAX], suffix[32];
    zmq_msg_t message;
    mm_frame_t frame, welcome = join(self, name, 1);
    uint64_t session = welcome.as.answer.session;
    (void)snprintf(suffix, sizeof suffix, "%.*s", (int)welcome.as.answer.suffix.size,
                   welcome.as.answer.suffix.data);
    mm_socket_t *tasks = mm_socket_new(ZMQ_PULL);
    int rc = mm_socket_connect(tasks, mm_endpoint_suffix(&self->base, suffix, endpoint));
    assert(rc == 0);
    zmq_pollitem_t item = {.socket = mm_socket_zmq(tasks), .events = ZMQ_POLLIN};
    (void)zmq_msg_init(&message);
    if (zmq_poll(&item, 1, TASK_MS) > 0 &&
        mm_socket_receive(tasks, false, &message) == MM_RECEIVED_FRAME &&
        mm_decode(self->decoder, zmq_msg_data(&message), zmq_msg_size(&message), &frame) ==
            MM_WIRE_OK &&
        frame.as.tasks.count > 0) {
        const mm_task_t *task = &frame.as.tasks.items[0];
        mm_result_t result = {.serial = 1, .number = task->number, .leg = leg, .id = NO_JOB};
        result.status = leg == MM_LEG_RESTART ? MM_STATUS_FAILED : MM_STATUS_OK;
        if (own_id)
            result.id = task->id;
        send_result(self, name, session, &result);
    }
    (void)zmq_msg_close(&message);
    mm_socket_destroy(&tasks);
}

static void answers_with_another_leg(peer_t *self)
{
    answer_with(self, "peer-leg", MM_LEG_SAVE, true);
}

static void answers_for_another_job(peer_t *self)
{
    answer_with(self, "peer-id", MM_LEG_RESTART, false);
}

// ---- what is held

// So many tasks in reports of 256, all with hosts of a pipeline that numbers them from web-00001.
static void claim(peer_t *self, const char *name, uint64_t first_number, uint32_t parts)
{
    static mm_assignment_t held[MM_BATCH_ITEMS];
    static char names[MM_BATCH_ITEMS][16];
    uint64_t sequence = ++self->sequence;
    for (uint32_t part = 0; part < parts; part++) {
        for (size_t i = 0; i < MM_BATCH_ITEMS; i++) {
            uint64_t number = part * MM_BATCH_ITEMS + i;
            (void)snprintf(names[i], sizeof names[i], "web-%05u", (unsigned)(number + 1) % 100000);
            held[i] = (mm_assignment_t){.number = first_number + number,
                                        .leg = MM_LEG_RESTART,
                                        .host = mm_str(names[i]),
                                        .started = true};
            fill_id(&held[i].id, number);
        }
        mm_frame_t hello = report_of(self, true, name);
        hello.as.report.sequence = sequence;
        hello.as.report.part = part;
        hello.as.report.parts = parts;
        hello.as.report.held = held;
        hello.as.report.held_count = MM_BATCH_ITEMS;
        report(self, &hello);
    }
}

static void claims_all_hosts(peer_t *self)
{
    self->instance = mm_instance_draw();
    claim(self, "peer-holds-all", 1, 8);
}

// The most that a report can list, again and again with other numbers.
static void claims_more_and_more(peer_t *self)
{
    self->instance = mm_instance_draw();
    for (uint64_t i = 0; i < 6; i++)
        claim(self, "peer-holds-more", 1 + i * MM_PARTS_MAX * MM_BATCH_ITEMS, MM_PARTS_MAX);
}

// Numbers that the consumer has given out, or is about to.
static void claims_numbers_of_others(peer_t *self)
{
    mm_frame_t welcome = join(self, "peer-numbers", 0);
    claim(self, "peer-numbers", welcome.as.answer.session >> 32 << 32, 32);
}

// Tasks, results and a sequence that it was never given, and cannot have reached: the numbers of
// all others would begin above them, and a new consumer's would not.
static void claims_numbers_of_nobody(peer_t *self)
{
    static const uint64_t numbers[] = {UINT64_C(1) << 63, UINT64_MAX / 16 * 15, UINT64_MAX};
    mm_frame_t welcome = join(self, "peer-above", 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const mm_assignment_t held = {.number = numbers[i], .leg = MM_LEG_SAVE, .id = NO_JOB};
        mm_frame_t heartbeat = report_of(self, false, "peer-above");
        heartbeat.as.report.session = welcome.as.answer.session;
        heartbeat.as.report.held = &held;
        heartbeat.as.report.held_count = 1;
        report(self, &heartbeat);
        send_result(
            self, "peer-above", welcome.as.answer.session,
            &(mm_result_t){
                .serial = i + 1, .number = numbers[i], .leg = MM_LEG_RESTART, .id = NO_JOB});
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        self->instance = mm_instance_draw();
        mm_frame_t hello = report_of(self, true, "peer-above-session");
        hello.as.report.session = numbers[i];
        report(self, &hello);
    }
}

// As a restarter with a valid key could, which knows what the jobs are called: each has succeeded,
// it says, under a number of an earlier consumer, and under those that this one gives out about
// now.
static void claims_jobs_of_others(peer_t *self)
{
    char topic[MM_TOPIC_MAX];
    mm_frame_t frame, welcome = join(self, "peer-claims", 0);
    uint64_t session = welcome.as.answer.session, serial = 0, first = session >> 32 << 32;
    int64_t limit_ms = mm_clock_ms() + CLAIM_MS;
    mm_socket_subscribe(self->events, mm_topic("job", "publisher", topic));
    while (mm_clock_ms() < limit_ms) {
        mm_frame_t heartbeat = report_of(self, false, "peer-claims");
        heartbeat.as.report.session = session;
        heartbeat.as.report.last_serial = serial;
        report(self, &heartbeat);
        if (!peer_hear(self, 100, &frame) || frame.kind != MM_FRAME_NOTICES)
            continue;
        for (size_t i = 0; i < 2 * frame.as.notices.count; i++) {
            mm_result_t result = {.serial = ++serial,
                                  .number = i % 2 ? 1 : first + 1 + serial % 256,
                                  .leg = MM_LEG_RESTART,
                                  .id = frame.as.notices.items[i / 2].id};
            send_result(self, "peer-claims", session, &result);
        }
    }
    send_bye(self, "peer-claims", session, serial);
}

// ---- floods

static void hellos_of_many(peer_t *self)
{
    for (unsigned i = 0; i < 3000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "peer-many-%u", i);
        self->instance = mm_instance_draw();
        mm_frame_t hello = report_of(self, true, name);
        report(self, &hello);
    }
}

static void hellos_of_one(peer_t *self)
{
    for (unsigned i = 0; i < 3000; i++) {
        self->instance = mm_instance_draw();
        mm_frame_t hello = report_of(self, true, "peer-one");
        report(self, &hello);
    }
}

void peer_flood_workers(peer_t *self, int64_t span_ms)
{
    mm_frame_t welcome = join(self, "peer-comes", 0);
    uint64_t session = welcome.as.answer.session;
    unsigned long count = 0;
    send_bye(self, "peer-comes", session, 0);
    for (int64_t end_ms = mm_clock_ms() + span_ms; mm_clock_ms() < end_ms; count++) {
        self->instance++;
        self->sequence = 0;
        mm_frame_t hello = report_of(self, true, "peer-comes");
        report(self, &hello);
        send_bye(self, "peer-comes", ++session, 0);
    }
    (void)printf("sent %lu hellos and byes\n", count);
}

// Each of these is answered on a socket that nobody has connected to.
static void draining_for_ever(peer_t *self)
{
    mm_frame_t welcome = join(self, "peer-drains", 0);
    for (unsigned i = 0; i < 20000; i++) {
        mm_frame_t heartbeat = report_of(self, false, "peer-drains");
        heartbeat.as.report.session = welcome.as.answer.session;
        report(self, &heartbeat);
    }
}

static void started_without_end(peer_t *self)
{
    uint64_t numbers[MM_BATCH_ITEMS];
    for (size_t i = 0; i < MM_BATCH_ITEMS; i++)
        numbers[i] = UINT64_MAX - i;
    mm_frame_t frame = {.kind = MM_FRAME_STARTED,
                        .as.started = {.worker = mm_str("restarter-1"),
                                       .instance = 1,
                                       .session = UINT64_MAX,
                                       .numbers = numbers,
                                       .count = MM_BATCH_ITEMS}};
    for (unsigned i = 0; i < 100; i++)
        peer_send_frame(self, MM_SOCKET_INBOX, &frame);
}

static const struct {
    const char *name;
    void (*send)(peer_t *self);
    unsigned drops;
} tales[] = {
    {"worker.another-process-of-an-id", another_process_of_an_id, 0},
    {"worker.second-saver", second_saver, 0},
    {"worker.changed-role", changed_role, 0},
    {"worker.of-version-1", worker_of_version_1, 1},
    {"worker.foreign-nonce", foreign_nonce, 0},
    {"worker.wrong-session", wrong_session, 0},
    {"worker.session-number-max", session_numbers, 0},
    {"worker.sequence-and-serial-max", sequence_and_serials, 0},
    {"worker.stamp-max", stamps, 0},
    {"worker.parts-out-of-order", parts_out_of_order, 0},
    {"worker.4096-slots-and-silence", takes_and_never_answers, 0},
    {"worker.results-of-no-task", results_of_no_task, 0},
    {"worker.results-with-gaps", results_with_gaps, 0},
    {"worker.answers-with-another-leg", answers_with_another_leg, 0},
    {"worker.answers-for-another-job", answers_for_another_job, 0},
    {"worker.claims-all-hosts", claims_all_hosts, 0},
    {"worker.claims-more-and-more", claims_more_and_more, 0},
    {"worker.claims-numbers-of-others", claims_numbers_of_others, 0},
    {"worker.claims-numbers-of-nobody", claims_numbers_of_nobody, 0},
    {"worker.claims-jobs-of-others", claims_jobs_of_others, 0},
    {"worker.hellos-of-3000-ids", hellos_of_many, 0},
    {"worker.hellos-of-3000-processes", hellos_of_one, 0},
    {"worker.draining-for-ever", draining_for_ever, 0},
    {"worker.started-without-end", started_without_end, 0},
};

bool peer_tale(peer_t *self, size_t number, bool send, peer_item_t *ret_item)
{
    if (number >= sizeof tales / sizeof *tales)
        return false;
    ret_item->drops = tales[number].drops;
    (void)snprintf(ret_item->name, sizeof ret_item->name, "%s", tales[number].name);
    if (send)
        tales[number].send(self);
    return true;
}
