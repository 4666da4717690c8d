// The saver's loop with a store that answers late and by its descriptor only (late_store.h). The
// saver is a child process; the test is its consumer. It says nothing that could wake the loop, and
// the saver's own timers are a minute away, so an answer arrives only when the loop watches the
// store. With no config of such a store it has a file, and short heartbeats.

#include "saver.h"

#include "clock.h"
#include "hear.h"
#include "late_store.h"
#include "loop.h"
#include "socket.h"
#include "temp_folder.h"
#include "uuid.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define LIMIT_MS  5000 // for anything that has to happen
#define ANSWER_MS 100
#define DRAIN_MS  500
#define MINUTE_MS 60000
#define BEAT_MS   100 // with a file
#define EPOCH     7
#define SESSION   (((uint64_t)EPOCH << 32) + 1)

typedef struct {
    mm_endpoint_t base;
    mm_endpoint_t standby; // of another consumer; zeros: there is none
    pid_t saver;
    int saver_end; // readable when the saver has died
    mm_socket_t *inbox;
    mm_socket_t *events;
    mm_socket_t *tasks;
    mm_encoder_t *encoder;
    mm_decoder_t *decoder;
    zmq_msg_t message;
    int64_t stamp_ms; // of its hello
} stage_t;

// ---- the saver

static store_t *new_store(const mm_options_t *options, const late_store_config_t *config)
{
    store_t *store = NULL;
    char error[MM_ERROR_MAX];
    if (config)
        return late_store_new(config);
    assert_int_equal(store_open(options->db, &store, error), 0);
    return store;
}

static void run_saver(stage_t *self, const late_store_config_t *config, int64_t drain_ms)
{
    char file[TEMP_PATH_MAX];
    temp_path(file, "mayhem.db");
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    self->saver = fork();
    assert_true(self->saver >= 0);
    if (self->saver == 0) {
        (void)close(ends[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // also when an assertion ends the test
        mm_loop_block_signals();
        mm_options_t options = {.id = "saver",
                                .db = config ? "late://user:secret@host/db?password=secret" : file,
                                .batch = 256,
                                .heartbeat_ms = config ? MINUTE_MS : BEAT_MS,
                                .lost_after_ms = 2 * MINUTE_MS,
                                .drain_timeout_ms = drain_ms};
        store_t *store = new_store(&options, config);
        mm_addresses_t addresses = {.items = {self->base, self->standby},
                                    .count = self->standby.is_ipc ? 2 : 1};
        int exit_code = saver_run(&options, &addresses, &store);
        mm_socket_end();
        _exit(exit_code);
    }
    (void)close(ends[1]);
    self->saver_end = ends[0];
}

// The exit code of the saver, which ends within the limit.
static int exit_code_of(stage_t *self)
{
    int status = 0;
    assert_int_equal(poll(&(struct pollfd){.fd = self->saver_end, .events = POLLIN}, 1, LIMIT_MS),
                     1);
    assert_int_equal(waitpid(self->saver, &status, 0), self->saver);
    self->saver = 0;
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

// ---- its consumer

static mm_socket_t *bind_to(const char *endpoint, int type)
{
    mm_socket_t *socket = mm_socket_new(type);
    assert_int_equal(mm_socket_bind(socket, endpoint), 0);
    return socket;
}

// The next frame of this kind from the saver; others are passed over. False: none came in time.
static bool hear(stage_t *self, mm_frame_kind_t kind, int64_t wait_ms, mm_frame_t *ret_frame)
{
    for (int64_t until_ms = mm_clock_ms() + wait_ms, now_ms; (now_ms = mm_clock_ms()) < until_ms;) {
        zmq_pollitem_t item = {.socket = mm_socket_zmq(self->inbox), .events = ZMQ_POLLIN};
        (void)zmq_poll(&item, 1, (long)(until_ms - now_ms));
        if (mm_socket_receive(self->inbox, false, &self->message) != MM_RECEIVED_FRAME)
            continue;
        assert_int_equal(mm_socket_decode(self->decoder, &self->message, ret_frame), MM_WIRE_OK);
        if (ret_frame->kind == kind)
            return true;
    }
    return false;
}

static void publish(stage_t *self, const char *kind, const char *name, const mm_frame_t *frame)
{
    char topic[MM_TOPIC_MAX];
    mm_encode_frame(self->encoder, frame);
    mm_socket_publish(self->events, mm_topic(kind, name, topic), mm_encoder_bytes(self->encoder));
}

// The welcome is repeated: a saver that has not yet subscribed does not hear it.
static void let_join(stage_t *self)
{
    mm_frame_t frame;
    char endpoint[MM_ENDPOINT_MAX];
    assert_true(hear(self, MM_FRAME_HELLO, LIMIT_MS, &frame));
    uint64_t instance = frame.as.report.instance;
    self->stamp_ms = frame.as.report.stamp_ms;
    self->tasks = bind_to(mm_endpoint_session(&self->base, SESSION, endpoint), ZMQ_PUSH);
    int64_t until_ms = mm_clock_ms() + LIMIT_MS;
    do {
        assert_true(mm_clock_ms() < until_ms);
        publish(self, "worker", "saver",
                &(mm_frame_t){.kind = MM_FRAME_WELCOME,
                              .as.answer = {.consumer = mm_str("consumer"),
                                            .epoch = EPOCH,
                                            .worker = mm_str("saver"),
                                            .instance = instance,
                                            .session = SESSION,
                                            .suffix = mm_str("task.0000000700000001")}});
    } while (!hear(self, MM_FRAME_HEARTBEAT, 20, &frame));
    assert_int_equal(frame.as.report.session, SESSION);
}

static void send_tasks(stage_t *self, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    zmq_pollitem_t item = {.socket = mm_socket_zmq(self->tasks),
                           .events = ZMQ_POLLOUT}; // until it has connected
    assert_int_equal(zmq_poll(&item, 1, LIMIT_MS), 1);
    assert_true(mm_socket_send(self->tasks, mm_encoder_bytes(self->encoder)));
}

static void send_save(stage_t *self, uint64_t number)
{
    mm_task_t task = {.number = number,
                      .leg = MM_LEG_SAVE,
                      .id = {.bytes = {[15] = (uint8_t)number}},
                      .host = mm_str("web-7.example.net"),
                      .deliveries = 1,
                      .publisher = mm_str("publisher"),
                      .received_ms = 1000};
    send_tasks(self, &(mm_frame_t){.kind = MM_FRAME_TASKS,
                                   .as.tasks = {.session = SESSION,
                                                .stamp_ms = self->stamp_ms,
                                                .items = &task,
                                                .count = 1}});
}

// Denies of hosts h-000 and so on, each with an id of its own.
static void send_denies(stage_t *self, uint64_t session, unsigned count)
{
    static mm_order_t orders[MM_BATCH_ITEMS];
    static char names[MM_BATCH_ITEMS][8];
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "h-%03u", i);
        orders[i] = (mm_order_t){.id = {.bytes = {1, [15] = (uint8_t)i}},
                                 .action = MM_ACTION_DENY,
                                 .name = mm_str(names[i]),
                                 .why = mm_str("a bad kernel")};
    }
    send_tasks(self,
               &(mm_frame_t){.kind = MM_FRAME_ORDERS,
                             .as.orders = {.session = session, .items = orders, .count = count}});
}

static void send_question(stage_t *self, uint64_t from)
{
    send_tasks(self, &(mm_frame_t){
                         .kind = MM_FRAME_ORDERS,
                         .as.orders = {.session = SESSION, .question = 1, .run = 7, .from = from}});
}

static void leave(stage_t *self)
{
    publish(self, "consumer", NULL,
            &(mm_frame_t){.kind = MM_FRAME_LEAVING,
                          .as.leaving = {.consumer = mm_str("consumer"), .epoch = EPOCH}});
}

// ---- the tests

static void begin(stage_t *self, const late_store_config_t *config, int64_t drain_ms,
                  bool has_standby)
{
    char path[TEMP_PATH_MAX], address[TEMP_PATH_MAX + 8], endpoint[MM_ENDPOINT_MAX];
    make_temp_folder();
    temp_path(path, "c");
    (void)snprintf(address, sizeof address, "ipc://%s", path);
    *self = (stage_t){0};
    assert_true(mm_endpoint_parse(address, &self->base));
    strcat(address, "2");
    if (has_standby)
        assert_true(mm_endpoint_parse(address, &self->standby));
    run_saver(self, config, drain_ms); // before there are threads of ZeroMQ
    self->inbox = bind_to(mm_endpoint_of(&self->base, MM_SOCKET_INBOX, endpoint), ZMQ_PULL);
    self->events = bind_to(mm_endpoint_of(&self->base, MM_SOCKET_EVENTS, endpoint), ZMQ_PUB);
    self->encoder = mm_encoder_new();
    self->decoder = mm_decoder_new();
    (void)zmq_msg_init(&self->message);
    let_join(self);
}

static void set_the_stage(stage_t *self, const late_store_config_t *config, int64_t drain_ms)
{
    begin(self, config, drain_ms, false);
}

static void strike_the_stage(stage_t *self)
{
    (void)close(self->saver_end);
    (void)zmq_msg_close(&self->message);
    mm_encoder_destroy(&self->encoder);
    mm_decoder_destroy(&self->decoder);
    mm_socket_destroy(&self->inbox);
    mm_socket_destroy(&self->events);
    mm_socket_destroy(&self->tasks);
    mm_socket_end();
    assert_int_equal(remove_temp_folder(NULL), 0);
}

static void a_store_that_answers_late_wakes_the_loop(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = ANSWER_MS}, MINUTE_MS);
    for (uint64_t number = 1; number <= 3; number++) {
        send_save(&stage, number);
        assert_true(hear(&stage, MM_FRAME_RESULTS, LIMIT_MS, &frame));
        assert_int_equal(frame.as.results.count, 1);
        assert_int_equal(frame.as.results.items[0].number, number);
        assert_int_equal(frame.as.results.items[0].status, MM_STATUS_OK);
    }
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    leave(&stage);
    assert_int_equal(exit_code_of(&stage), 0);
    strike_the_stage(&stage);
}

static void a_store_that_breaks_late_ends_the_saver(void **state)
{
    (void)state;
    stage_t stage;
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = ANSWER_MS, .breaks = true},
                  MINUTE_MS);
    send_save(&stage, 1);
    assert_int_equal(exit_code_of(&stage), EX_IOERR);
    strike_the_stage(&stage);
}

static void a_store_that_never_answers_does_not_hold_up_the_end(void **state)
{
    (void)state;
    stage_t stage;
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = MM_NEVER}, DRAIN_MS);
    send_save(&stage, 1);
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    assert_int_equal(exit_code_of(&stage), 0);
    strike_the_stage(&stage);
}

static void the_password_of_a_url_is_not_logged(void **state)
{
    (void)state;
    stage_t stage;
    hear_begin();
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = ANSWER_MS}, MINUTE_MS);
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    leave(&stage);
    int exit_code = exit_code_of(&stage);
    const char *heard = hear_end();
    strike_the_stage(&stage);
    assert_int_equal(exit_code, 0);
    assert_non_null(strstr(heard, "Ready db=late\n"));
    assert_null(strstr(heard, "secret"));
}

static void send_ask(stage_t *self, mm_lease_verb_t verb, uint64_t asker, bool hears_restarters)
{
    publish(self, "lease", NULL,
            &(mm_frame_t){.kind = MM_FRAME_LEASE_ASK,
                          .as.lease_ask = {.consumer = mm_str("consumer"),
                                           .asker = asker,
                                           .verb = verb,
                                           .ttl_ms = MM_LEASE_TTL_MAX,
                                           .stamp_ms = 12,
                                           .hears_restarters = hears_restarters}});
}

static mm_lease_body_t answer_to(stage_t *self, mm_lease_verb_t verb, uint64_t asker,
                                 bool hears_restarters)
{
    mm_frame_t frame;
    send_ask(self, verb, asker, hears_restarters);
    assert_true(hear(self, MM_FRAME_LEASE, LIMIT_MS, &frame));
    assert_int_equal(frame.as.lease.asker, asker);
    assert_int_equal(frame.as.lease.verb, verb);
    assert_int_equal(frame.as.lease.stamp_ms, 12);
    return frame.as.lease;
}

static void release(stage_t *self, uint64_t asker, uint64_t epoch)
{
    mm_frame_t frame;
    publish(self, "lease", NULL,
            &(mm_frame_t){.kind = MM_FRAME_LEASE_ASK,
                          .as.lease_ask = {.consumer = mm_str("consumer"),
                                           .asker = asker,
                                           .verb = MM_LEASE_RELEASE,
                                           .epoch = epoch,
                                           .ttl_ms = 1}});
    assert_true(hear(self, MM_FRAME_LEASE, LIMIT_MS, &frame));
    assert_int_equal(frame.as.lease.verdict, MM_LEASE_FREE);
}

// Outside of any session, too: the stage's is of another epoch than the row's.
static void asks_for_the_lease_are_answered(void **state)
{
    (void)state;
    stage_t stage;
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = 10, .has_lease = true}, MINUTE_MS);
    assert_int_equal(answer_to(&stage, MM_LEASE_LOOK, 71, false).verdict, MM_LEASE_FREE);
    mm_lease_body_t taken = answer_to(&stage, MM_LEASE_TAKE, 71, false);
    assert_int_equal(taken.verdict, MM_LEASE_HELD);
    assert_int_equal(taken.epoch, 1);
    assert_false(taken.restarters_elsewhere);
    mm_lease_body_t look = answer_to(&stage, MM_LEASE_LOOK, 72, true);
    assert_int_equal(look.verdict, MM_LEASE_OTHER);
    assert_false(look.restarters_elsewhere);
    // The other one hears some, says this saver (A8).
    assert_true(answer_to(&stage, MM_LEASE_TAKE, 71, false).restarters_elsewhere);
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    leave(&stage);
    assert_int_equal(exit_code_of(&stage), 0);
    strike_the_stage(&stage);
}

// Its session is elsewhere, and stays there.
static void an_answer_about_the_lease_goes_to_the_one_that_has_asked(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    char endpoint[MM_ENDPOINT_MAX];
    begin(&stage, &(late_store_config_t){.answer_ms = 10, .has_lease = true}, MINUTE_MS, true);
    stage_t standby = stage;
    (void)zmq_msg_init(&standby.message);
    standby.inbox = bind_to(mm_endpoint_of(&stage.standby, MM_SOCKET_INBOX, endpoint), ZMQ_PULL);
    standby.events = bind_to(mm_endpoint_of(&stage.standby, MM_SOCKET_EVENTS, endpoint), ZMQ_PUB);
    int64_t until_ms = mm_clock_ms() + LIMIT_MS;
    do {
        assert_true(mm_clock_ms() < until_ms);
        send_ask(&standby, MM_LEASE_LOOK, 72, false);
    } while (!hear(&standby, MM_FRAME_LEASE, 50, &frame));
    assert_int_equal(frame.as.lease.asker, 72);
    assert_int_equal(answer_to(&stage, MM_LEASE_TAKE, 71, false).verdict, MM_LEASE_HELD);
    send_save(&stage, SESSION + 1);
    assert_true(hear(&stage, MM_FRAME_RESULTS, LIMIT_MS, &frame));
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    leave(&stage);
    assert_int_equal(exit_code_of(&stage), 0);
    (void)zmq_msg_close(&standby.message);
    mm_socket_destroy(&standby.inbox);
    mm_socket_destroy(&standby.events);
    strike_the_stage(&stage);
}

// A6: the epoch of the session is the fence of what comes in it.
static void tasks_have_the_epoch_of_their_session(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = 10, .has_lease = true}, MINUTE_MS);
    send_save(&stage, SESSION + 1);
    assert_true(hear(&stage, MM_FRAME_RESULTS, LIMIT_MS, &frame));
    assert_int_equal(frame.as.results.items[0].status, MM_STATUS_FAILED);
    for (uint64_t epoch = 1; epoch <= EPOCH; epoch++) // a new asker, each time behind a release
        if (answer_to(&stage, MM_LEASE_TAKE, 71, false).epoch < EPOCH)
            release(&stage, 71, epoch);
    send_save(&stage, SESSION + 2);
    assert_true(hear(&stage, MM_FRAME_RESULTS, LIMIT_MS, &frame));
    assert_int_equal(frame.as.results.items[0].status, MM_STATUS_OK);
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    leave(&stage);
    assert_int_equal(exit_code_of(&stage), 0);
    strike_the_stage(&stage);
}

// What was put before is answered before.
static void orders_are_recorded_and_answered_in_their_turn(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    set_the_stage(&stage, NULL, MINUTE_MS);
    send_denies(&stage, SESSION + 1, 3); // not of this session
    send_save(&stage, 1);
    send_denies(&stage, SESSION, 2);
    send_denies(&stage, SESSION, 2); // again
    assert_true(hear(&stage, MM_FRAME_RESULTS, LIMIT_MS, &frame));
    for (int i = 0; i < 2; i++) {
        assert_true(hear(&stage, MM_FRAME_RECORDED, LIMIT_MS, &frame));
        assert_int_equal(frame.as.recorded.session, SESSION);
        assert_int_equal(frame.as.recorded.count, 2);
        assert_int_equal(frame.as.recorded.items[1].id.bytes[15], 1);
        assert_int_equal(frame.as.recorded.items[1].error.size, 0);
    }
    send_question(&stage, 0);
    assert_true(hear(&stage, MM_FRAME_STATE, LIMIT_MS, &frame));
    assert_int_equal(frame.as.state.count, 2);
    assert_int_equal(frame.as.state.next + frame.as.state.from, 0);
    assert_int_equal(frame.as.state.run, 7);
    assert_int_equal(frame.as.state.session, SESSION);
    strike_the_stage(&stage);
}

static void a_long_state_comes_in_pages(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    uint64_t from = 0;
    unsigned seen = 0, pages = 0;
    set_the_stage(&stage, NULL, MINUTE_MS);
    send_denies(&stage, SESSION, MM_BATCH_ITEMS);
    assert_true(hear(&stage, MM_FRAME_RECORDED, LIMIT_MS, &frame));
    send_tasks(&stage, &(mm_frame_t){.kind = MM_FRAME_ORDERS, // with one order more
                                     .as.orders = {.session = SESSION,
                                                   .question = 1,
                                                   .items = &(mm_order_t){.action = MM_ACTION_HALT},
                                                   .count = 1}});
    assert_true(hear(&stage, MM_FRAME_RECORDED, LIMIT_MS, &frame));
    do {
        if (pages > 0)
            send_question(&stage, from);
        assert_true(hear(&stage, MM_FRAME_STATE, LIMIT_MS, &frame));
        assert_int_equal(frame.as.state.from, from);
        for (size_t i = 0; i < frame.as.state.count; i++, seen++)
            if (seen < MM_BATCH_ITEMS)
                assert_int_equal(atoi(frame.as.state.items[i].name.data + 2), seen);
        from = frame.as.state.next;
        pages++;
    } while (from != 0);
    assert_int_equal(seen, MM_BATCH_ITEMS + 1);
    assert_int_equal(pages, 2);
    strike_the_stage(&stage);
}

static void the_head_of_the_audit_is_logged_at_the_end(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    hear_begin();
    set_the_stage(&stage, NULL, MINUTE_MS);
    send_denies(&stage, SESSION, 3);
    bool is_recorded = hear(&stage, MM_FRAME_RECORDED, LIMIT_MS, &frame);
    assert_int_equal(kill(stage.saver, SIGTERM), 0);
    leave(&stage);
    int exit_code = exit_code_of(&stage);
    const char *heard = hear_end();
    strike_the_stage(&stage);
    assert_true(is_recorded);
    assert_int_equal(exit_code, 0);
    assert_non_null(strstr(heard, "The head of the audit seq=3 hash="));
}

// A store without an audit says so.
static void a_store_that_takes_no_orders_is_asked_in_vain(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    set_the_stage(&stage, &(late_store_config_t){.answer_ms = ANSWER_MS}, MINUTE_MS);
    send_denies(&stage, SESSION, 1);
    assert_true(hear(&stage, MM_FRAME_RECORDED, LIMIT_MS, &frame));
    assert_int_equal(frame.as.recorded.count, 1);
    assert_true(
        mm_str_equal(frame.as.recorded.items[0].error, mm_str("this record takes no orders")));
    strike_the_stage(&stage);
}

static void remove_record(void)
{
    char file[TEMP_PATH_MAX];
    temp_path(file, "mayhem.db");
    assert_int_equal(unlink(file), 0);
}

static void a_saver_whose_record_is_removed_ends_although_nothing_comes(void **state)
{
    (void)state;
    stage_t stage;
    set_the_stage(&stage, NULL, MINUTE_MS);
    remove_record();
    assert_int_equal(exit_code_of(&stage), EX_IOERR);
    strike_the_stage(&stage);
}

static void a_saver_whose_record_is_removed_confirms_nothing_more(void **state)
{
    (void)state;
    stage_t stage;
    mm_frame_t frame;
    set_the_stage(&stage, NULL, MINUTE_MS);
    send_save(&stage, 1);
    assert_true(hear(&stage, MM_FRAME_RESULTS, LIMIT_MS, &frame));
    remove_record();
    send_save(&stage, 2);
    assert_int_equal(exit_code_of(&stage), EX_IOERR);
    assert_false(hear(&stage, MM_FRAME_RESULTS, BEAT_MS, &frame));
    strike_the_stage(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_answers_late_wakes_the_loop),
        cmocka_unit_test(a_store_that_breaks_late_ends_the_saver),
        cmocka_unit_test(a_store_that_never_answers_does_not_hold_up_the_end),
        cmocka_unit_test(the_password_of_a_url_is_not_logged),
        cmocka_unit_test(asks_for_the_lease_are_answered),
        cmocka_unit_test(an_answer_about_the_lease_goes_to_the_one_that_has_asked),
        cmocka_unit_test(tasks_have_the_epoch_of_their_session),
        cmocka_unit_test(orders_are_recorded_and_answered_in_their_turn),
        cmocka_unit_test(a_long_state_comes_in_pages),
        cmocka_unit_test(the_head_of_the_audit_is_logged_at_the_end),
        cmocka_unit_test(a_store_that_takes_no_orders_is_asked_in_vain),
        cmocka_unit_test(a_saver_whose_record_is_removed_ends_although_nothing_comes),
        cmocka_unit_test(a_saver_whose_record_is_removed_confirms_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
