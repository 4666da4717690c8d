// Two consumers as processes on one shared record, whose savers are this test: one leads, the other
// one stands by, takes over when the leader is cut off, and frees the lease when it ends.

#include "clock.h"
#include "endpoint.h"
#include "lease_row.h"
#include "socket.h"
#include "temp_folder.h"
#include "wire.h"

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define LIMIT_MS  15000 // for anything that has to happen
#define CONSUMERS 2

typedef struct {
    pid_t pid;
    mm_endpoint_t base;
    mm_socket_t *inbox;
    mm_socket_t *events;
    bool is_cut; // no saver hears it
    uint64_t epoch;
    bool is_halted;
    unsigned beats;
    unsigned asks;
    bool has_left;
} consumer_t;

typedef struct {
    consumer_t consumers[CONSUMERS];
    lease_row_t row;
    mm_encoder_t *encoder;
    mm_decoder_t *decoder;
    zmq_msg_t message;
    uint64_t sequence;
} stage_t;

// ---- the consumers

static void run_program(const char *id, const char *address)
{
    char self[PATH_MAX], program[PATH_MAX + 32];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_in_range(size, 1, sizeof self - 2);
    self[size] = '\0';
    (void)snprintf(program, sizeof program, "%s/../mayhem-consumer", dirname(self));
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // also when an assertion ends the test
    (void)execl(program, program, "--dir", folder, "--id", id, "--consumer", address, "--store",
                "memory://row", (char *)NULL);
    perror(program);
    _exit(127);
}

static void start(stage_t *self, size_t at)
{
    consumer_t *consumer = &self->consumers[at];
    char address[TEMP_PATH_MAX + 8], path[TEMP_PATH_MAX], endpoint[MM_ENDPOINT_MAX];
    char id[] = {'c', (char)('a' + at), '\0'}, topic[MM_TOPIC_MAX];
    temp_path(path, id);
    (void)snprintf(address, sizeof address, "ipc://%s", path);
    assert_true(mm_endpoint_parse(address, &consumer->base));
    consumer->pid = fork();
    assert_true(consumer->pid >= 0);
    if (consumer->pid == 0)
        run_program(id, address);
    consumer->inbox = mm_socket_new(ZMQ_PUSH);
    consumer->events = mm_socket_new(ZMQ_SUB);
    mm_socket_subscribe(consumer->events, mm_topic("lease", NULL, topic));
    mm_socket_subscribe(consumer->events, mm_topic("consumer", NULL, topic));
    assert_int_equal(mm_socket_connect(consumer->inbox,
                                       mm_endpoint_of(&consumer->base, MM_SOCKET_INBOX, endpoint)),
                     0);
    assert_int_equal(mm_socket_connect(consumer->events,
                                       mm_endpoint_of(&consumer->base, MM_SOCKET_EVENTS, endpoint)),
                     0);
}

static void send_frame(stage_t *self, consumer_t *consumer, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    (void)mm_socket_send(consumer->inbox, mm_encoder_bytes(self->encoder));
}

static void stop_hearing(consumer_t *consumer)
{
    mm_socket_destroy(&consumer->inbox);
    mm_socket_destroy(&consumer->events);
}

static void hand_over(stage_t *self, size_t at)
{
    send_frame(self, &self->consumers[at],
               &(mm_frame_t){.kind = MM_FRAME_HANDOVER,
                             .as.handover = {.viewer = 7,
                                             .id = {{1}},
                                             .why = mm_str("patches"),
                                             .actor = mm_str("anna")}});
}

// So that it is heard (A8).
static void say_hello(stage_t *self, size_t at)
{
    send_frame(self, &self->consumers[at],
               &(mm_frame_t){.kind = MM_FRAME_HELLO,
                             .as.report = {.is_hello = true,
                                           .worker = mm_str("r1"),
                                           .instance = 7,
                                           .role = MM_ROLE_RESTARTER,
                                           .sequence = ++self->sequence,
                                           .stamp_ms = mm_clock_ms(),
                                           .slots = 1,
                                           .parts = 1}});
}

static void receive(stage_t *self, consumer_t *consumer, const mm_frame_t *frame)
{
    if (frame->kind == MM_FRAME_BEAT) {
        consumer->beats++;
        consumer->epoch = frame->as.beat.epoch;
        consumer->is_halted = frame->as.beat.halted;
    }
    consumer->has_left = consumer->has_left || frame->kind == MM_FRAME_LEAVING;
    if (frame->kind != MM_FRAME_LEASE_ASK)
        return;
    consumer->asks++;
    if (consumer->is_cut)
        return;
    mm_frame_t answer = {.kind = MM_FRAME_LEASE,
                         .as.lease =
                             lease_row_ask(&self->row, &frame->as.lease_ask, mm_clock_ms())};
    answer.as.lease.worker = mm_str("saver-1");
    send_frame(self, consumer, &answer);
}

// Answers whoever asks, for a while.
static void pump(stage_t *self)
{
    zmq_pollitem_t items[CONSUMERS];
    mm_frame_t frame;
    for (size_t i = 0; i < CONSUMERS; i++)
        items[i] = (zmq_pollitem_t){.socket = mm_socket_zmq(self->consumers[i].events),
                                    .events = ZMQ_POLLIN};
    (void)zmq_poll(items, CONSUMERS, 100);
    for (size_t i = 0; i < CONSUMERS; i++)
        while (mm_socket_receive(self->consumers[i].events, true, &self->message) ==
               MM_RECEIVED_FRAME) {
            assert_int_equal(mm_socket_decode(self->decoder, &self->message, &frame), MM_WIRE_OK);
            receive(self, &self->consumers[i], &frame);
        }
}

#define PUMP_UNTIL(SELF, CONDITION)                                                                \
    for (int64_t until_ms = mm_clock_ms() + LIMIT_MS; !(CONDITION);) {                             \
        assert_true(mm_clock_ms() < until_ms);                                                     \
        pump(SELF);                                                                                \
    }

// Its exit code; it has to end within the limit.
static int end_of(stage_t *self, size_t at)
{
    int status = 0;
    PUMP_UNTIL(self, waitpid(self->consumers[at].pid, &status, WNOHANG) == self->consumers[at].pid)
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// ---- the test

static void one_leads_and_the_other_one_takes_over(void **state)
{
    (void)state;
    stage_t stage = {.encoder = mm_encoder_new(), .decoder = mm_decoder_new()};
    consumer_t *first = &stage.consumers[0], *second = &stage.consumers[1];
    make_temp_folder();
    (void)zmq_msg_init(&stage.message);
    start(&stage, 0);
    start(&stage, 1);
    // A standby asks, and sends no BEAT.
    PUMP_UNTIL(&stage, first->asks > 0 && second->asks > 0)
    assert_int_equal(first->beats + second->beats, 0);
    while (first->beats == 0) {
        say_hello(&stage, 0); // who hears a restarter leads first
        pump(&stage);
    }
    assert_int_equal(first->epoch, 1);
    PUMP_UNTIL(&stage, first->beats > 3)
    assert_false(first->is_halted);
    assert_int_equal(second->beats, 0);
    // Cut off, it is suspended before the other one may lead (A4).
    first->is_cut = true;
    PUMP_UNTIL(&stage, first->is_halted)
    assert_int_equal(second->beats, 0);
    int64_t cut_ms = mm_clock_ms();
    while (second->beats == 0) {
        say_hello(&stage, 1);
        pump(&stage);
        assert_true(mm_clock_ms() < cut_ms + 5000);
    }
    assert_int_equal(second->epoch, 2);
    assert_true(first->is_halted);
    // It hears that it was deposed.
    first->is_cut = false;
    assert_int_equal(end_of(&stage, 0), EX_TEMPFAIL);
    assert_true(first->has_left);
    // Handed over, it ends with 75, and the lease is free: whoever is started again has it at once.
    hand_over(&stage, 1);
    PUMP_UNTIL(&stage, stage.row.holder == 0)
    assert_int_equal(end_of(&stage, 1), EX_TEMPFAIL);
    assert_true(second->has_left);
    stop_hearing(first);
    start(&stage, 0);
    first->beats = 0;
    first->has_left = false;
    while (first->beats == 0) {
        say_hello(&stage, 0);
        pump(&stage);
    }
    assert_int_equal(first->epoch, 3);
    // Who ends frees the lease.
    assert_int_equal(kill(first->pid, SIGTERM), 0);
    PUMP_UNTIL(&stage, first->has_left)
    assert_int_equal(stage.row.holder, 0);
    assert_int_equal(end_of(&stage, 0), 0);
    for (size_t i = 0; i < CONSUMERS; i++)
        stop_hearing(&stage.consumers[i]);
    (void)zmq_msg_close(&stage.message);
    mm_encoder_destroy(&stage.encoder);
    mm_decoder_destroy(&stage.decoder);
    mm_socket_end();
    assert_int_equal(remove_temp_folder(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_leads_and_the_other_one_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
