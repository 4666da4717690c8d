// What a consumer on a shared record sends when it is not trusted any more, though it was when that
// was decided (A5): the process may have stood still in between.

#include "clock.h"
#include "send_batch.h"
#include "socket.h"
#include "temp_folder.h"
#include "wire.h"

#define LIMIT_MS 5000

typedef struct stage {
    mm_loop_t *loop;
    mm_endpoint_t base;
    broadcast_t *events;
    mm_socket_t *sub;
    local_names_t *locals;
    send_batch_t *batch;
    gather_t *gather;
    mm_decoder_t *decoder;
    zmq_msg_t message;
    bool is_trusted;
    mm_socket_t *restarter;
    mm_socket_t *saver;
    int64_t until_ms;
    unsigned heard;
} stage_t;

static bool hear(struct stage *self, mm_socket_t *socket, bool is_event, int64_t wait_ms,
                 mm_frame_t *ret_frame);

// Until both have heard of their first tasks, which wait for a connection.
static int64_t turn(void *arg)
{
    stage_t *self = arg;
    mm_frame_t frame;
    assert_true(mm_clock_ms() < self->until_ms);
    if (self->restarter && hear(self, self->restarter, false, 0, &frame))
        self->heard |= 1;
    if (self->saver && hear(self, self->saver, false, 0, &frame))
        self->heard |= 2;
    if (self->heard == 3)
        mm_loop_stop(self->loop);
    return mm_clock_ms() + 10;
}

static bool is_trusted(void *arg)
{
    return ((const stage_t *)arg)->is_trusted;
}

static void open_stage(stage_t *self)
{
    char path[TEMP_PATH_MAX], address[TEMP_PATH_MAX + 8], endpoint[MM_ENDPOINT_MAX];
    char topic[MM_TOPIC_MAX];
    *self = (stage_t){.is_trusted = true};
    make_temp_folder();
    temp_path(path, "c");
    (void)snprintf(address, sizeof address, "ipc://%s", path);
    assert_true(mm_endpoint_parse(address, &self->base));
    mm_socket_t *pub = mm_socket_new(ZMQ_PUB);
    assert_int_equal(mm_socket_bind(pub, mm_endpoint_of(&self->base, MM_SOCKET_EVENTS, endpoint)),
                     0);
    self->events = broadcast_new(pub);
    self->sub = mm_socket_new(ZMQ_SUB);
    mm_socket_subscribe(self->sub, mm_topic("consumer", NULL, topic));
    assert_int_equal(mm_socket_connect(self->sub, endpoint), 0);
    self->loop = mm_loop_new(turn, self);
    self->gather = gather_new(&(gather_config_t){.epoch = 1,
                                                 .attempts = 1,
                                                 .heartbeat_ms = 500,
                                                 .lost_after_ms = 1500,
                                                 .extend_every_ms = 1000,
                                                 .max_lease_ms = 1000,
                                                 .max_in_flight = 1,
                                                 .settled_max = 1,
                                                 .nacked_max = 1,
                                                 .savers_max = 1,
                                                 .restarters_max = 1},
                              0);
    self->locals = local_names_new();
    self->batch = send_batch_new(&(send_batch_config_t){.loop = self->loop,
                                                        .base = self->base,
                                                        .events = self->events,
                                                        .locals = self->locals,
                                                        .name = "consumer",
                                                        .epoch = 1,
                                                        .is_trusted = is_trusted,
                                                        .arg = self});
    self->decoder = mm_decoder_new();
    (void)zmq_msg_init(&self->message);
}

static void close_stage(stage_t *self)
{
    (void)zmq_msg_close(&self->message);
    mm_decoder_destroy(&self->decoder);
    send_batch_destroy(&self->batch);
    local_names_destroy(&self->locals);
    gather_destroy(&self->gather);
    mm_loop_destroy(&self->loop);
    mm_socket_destroy(&self->sub);
    broadcast_destroy(&self->events);
    mm_socket_end();
    assert_int_equal(remove_temp_folder(NULL), 0);
}

// The next frame there, within wait_ms; false: there was none.
static bool hear(stage_t *self, mm_socket_t *socket, bool is_event, int64_t wait_ms,
                 mm_frame_t *ret_frame)
{
    zmq_pollitem_t item = {.socket = mm_socket_zmq(socket), .events = ZMQ_POLLIN};
    (void)zmq_poll(&item, 1, (long)wait_ms);
    if (mm_socket_receive(socket, is_event, &self->message) != MM_RECEIVED_FRAME)
        return false;
    assert_int_equal(mm_socket_decode(self->decoder, &self->message, ret_frame), MM_WIRE_OK);
    return true;
}

static void who_is_not_trusted_any_more_says_halted(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    open_stage(&stage);
    int64_t until_ms = mm_clock_ms() + LIMIT_MS;
    do { // the first ones are lost
        assert_true(mm_clock_ms() < until_ms);
        send_batch_beat(stage.batch, stage.gather);
    } while (!hear(&stage, stage.sub, true, 20, &frame));
    while (hear(&stage, stage.sub, true, 50, &frame))
        assert_false(frame.as.beat.halted);
    stage.is_trusted = false; // the core does not know yet
    assert_false(gather_is_halted(stage.gather));
    send_batch_beat(stage.batch, stage.gather);
    assert_true(hear(&stage, stage.sub, true, LIMIT_MS, &frame));
    assert_true(frame.as.beat.halted);
    close_stage(&stage);
}

static mm_socket_t *open_session(stage_t *self, uint64_t session, const char *worker)
{
    char endpoint[MM_ENDPOINT_MAX];
    gather_action_t action = {.kind = GATHER_OPEN, .as.answer.session = session};
    assert_true(mm_name_from(mm_str(worker), &action.as.answer.worker));
    assert_true(send_batch_open(self->batch, &action));
    mm_socket_t *pull = mm_socket_new(ZMQ_PULL);
    assert_int_equal(mm_socket_connect(pull, mm_endpoint_session(&self->base, session, endpoint)),
                     0);
    return pull;
}

static void give(stage_t *self, uint64_t session, uint64_t number, mm_leg_t leg)
{
    send_batch_task(self->batch,
                    &(gather_action_t){.kind = GATHER_TASK,
                                       .as.task = {.worker = "w",
                                                   .session = session,
                                                   .stamp_ms = 1,
                                                   .task = {.number = number,
                                                            .leg = leg,
                                                            .host = mm_str("web-1"),
                                                            .attempt = 1,
                                                            .deliveries = 1,
                                                            .publisher = mm_str("p1")}}});
}

static void who_is_not_trusted_any_more_sends_no_restart(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    uint64_t number = 2;
    open_stage(&stage);
    stage.restarter = open_session(&stage, 1, "r1");
    stage.saver = open_session(&stage, 2, "s1");
    give(&stage, 1, 1, MM_LEG_RESTART);
    give(&stage, 2, 2, MM_LEG_SAVE);
    send_batch_flush(stage.batch);
    stage.until_ms = mm_clock_ms() + LIMIT_MS;
    mm_loop_run(stage.loop);
    give(&stage, 1, ++number, MM_LEG_RESTART);
    give(&stage, 2, ++number, MM_LEG_SAVE);
    stage.is_trusted = false;
    send_batch_flush(stage.batch);
    assert_true(hear(&stage, stage.saver, false, LIMIT_MS, &frame)); // the record has its own fence
    assert_int_equal(frame.as.tasks.items[0].number, number);
    assert_false(hear(&stage, stage.restarter, false, 50, &frame));
    stage.is_trusted = true;
    give(&stage, 1, ++number, MM_LEG_RESTART);
    send_batch_flush(stage.batch);
    assert_true(hear(&stage, stage.restarter, false, LIMIT_MS, &frame));
    assert_int_equal(frame.as.tasks.count, 1);
    assert_int_equal(frame.as.tasks.items[0].number, number);
    mm_socket_destroy(&stage.restarter);
    mm_socket_destroy(&stage.saver);
    close_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_not_trusted_any_more_says_halted),
        cmocka_unit_test(who_is_not_trusted_any_more_sends_no_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
