// See worker_play.h.

#include "worker_play.h"

mm_worker_t *worker;
static mm_role_t worker_role;
mm_worker_actions_t worker_actions;
int64_t suspended_ms;
static uint64_t last_sequence;
static uint32_t next_part; // of the report under way
int64_t hello_ms[64];
size_t hello_count;
uint64_t beat_serial;
uint64_t beat_session;
uint64_t task_confirms;
static bool task_last; // whether they say that nothing more comes

int64_t boot_ms(void)
{
    return now_ms + suspended_ms;
}

static void begin(const mm_worker_config_t *config)
{
    now_ms = 10000;
    suspended_ms = 5000;
    forget_story();
    last_sequence = 0;
    next_part = 0;
    hello_count = 0;
    beat_serial = beat_session = task_confirms = 0;
    task_last = false;
    worker_role = config->role;
    mm_worker_destroy(&worker);
    worker = mm_worker_new(config, now_ms);
}

static mm_worker_config_t config_of(mm_role_t role, uint32_t slots)
{
    return (mm_worker_config_t){.name = {"r1"},
                                .role = role,
                                .instance = NONCE,
                                .slots = slots,
                                .heartbeat_ms = HEARTBEAT,
                                .lost_after_ms = LOST_AFTER,
                                .drain_ms = DRAIN,
                                .leaves_last = role == MM_ROLE_SAVER};
}

void new_worker_that(mm_role_t role, uint32_t slots, bool one_by_one)
{
    mm_worker_config_t config = config_of(role, slots);
    config.one_by_one = one_by_one;
    begin(&config);
}

void new_restarter_of(const char *driver, uint32_t verbs)
{
    mm_worker_config_t config = config_of(MM_ROLE_RESTARTER, 2);
    (void)snprintf(config.driver.text, sizeof config.driver.text, "%s", driver);
    config.verbs = verbs;
    begin(&config);
}

void new_worker(mm_role_t role, uint32_t slots)
{
    new_worker_that(role, slots, false);
}

int new_restarter(void **state)
{
    (void)state;
    new_worker(MM_ROLE_RESTARTER, 2);
    return 0;
}

int end_worker(void **state)
{
    (void)state;
    mm_worker_destroy(&worker);
    mm_worker_actions_clear(&worker_actions);
    return 0;
}

static void check_report(const mm_report_t *report)
{
    assert_true(mm_str_equal(report->worker, mm_str("r1")));
    assert_int_equal(report->instance, NONCE);
    assert_int_equal(report->stamp_ms, boot_ms());
    assert_in_range(report->parts, 1, MM_PARTS_MAX);
    assert_int_equal(report->part, next_part);
    if (report->part == 0)
        assert_true(report->sequence > last_sequence);
    else
        assert_int_equal(report->sequence, last_sequence);
    last_sequence = report->sequence;
    next_part = report->part + 1 < report->parts ? report->part + 1 : 0;
    assert_true(report->held_count <= MM_BATCH_ITEMS && report->result_count <= MM_BATCH_ITEMS);
    for (size_t i = 0; i < report->result_count; i++)
        assert_in_range(report->results[i].serial, 1, report->last_serial);
    if (!report->is_hello)
        assert_int_equal(report->session, mm_worker_session(worker));
    if (report->is_hello && report->part == 0 && hello_count < 64)
        hello_ms[hello_count++] = now_ms;
}

static void tell_report(const mm_report_t *report)
{
    check_report(report);
    if (report->is_hello)
        tell("hello session=%" PRIu64, report->session);
    else
        tell("heartbeat");
    if (report->parts > 1)
        tell(" part=%" PRIu32 "/%" PRIu32, report->part, report->parts);
    tell(" slots=%" PRIu32, report->slots);
    for (size_t i = 0; i < report->held_count; i++)
        tell("%s%" PRIu64, i ? "," : " held=", report->held[i].number);
    for (size_t i = 0; i < report->result_count; i++)
        tell("%s%" PRIu64, i ? "," : " results=", report->results[i].serial);
}

static void tell_note(const mm_worker_action_t *action)
{
    switch (action->as.log.log) {
    case MM_WORKER_LOG_JOINED: tell("joined"); break;
    case MM_WORKER_LOG_REFUSED:
        tell("refused: %.*s", (int)action->as.log.text.size, action->as.log.text.data);
        break;
    case MM_WORKER_LOG_SILENT: tell("silent"); break;
    case MM_WORKER_LOG_REJOIN: tell("rejoins"); break;
    case MM_WORKER_LOG_CLAIM:
        tell("ignores %.*s", (int)action->as.log.text.size, action->as.log.text.data);
        break;
    case MM_WORKER_LOG_RETURNED: tell("returns %" PRIu64, action->as.log.number); break;
    }
}

static void tell_action(const mm_worker_action_t *action)
{
    static const char *const statuses[] = {"ok", "failed", "returned", "open"};
    const mm_result_t *result;
    tell_next();
    switch (action->kind) {
    case MM_WORKER_CONNECT:
        tell("connect %" PRIu64 " %s", action->as.connect.session, action->as.connect.suffix);
        break;
    case MM_WORKER_DISCONNECT: tell("disconnect"); break;
    case MM_WORKER_RECREATE: tell("recreate"); break;
    case MM_WORKER_START:
        tell("start %" PRIu64, action->as.task->number);
        if (action->as.task->attributes.size > 0)
            tell(" %.*s", (int)action->as.task->attributes.size, action->as.task->attributes.data);
        break;
    case MM_WORKER_STOP: tell("stop"); break;
    case MM_WORKER_ORDERS: tell("%zu orders", action->as.orders->count); break;
    case MM_WORKER_STARTED: tell("started %" PRIu64, action->as.number); break;
    case MM_WORKER_RESULT:
        result = mm_worker_result(worker, action->as.serial);
        assert_int_equal(result->serial, action->as.serial);
        tell("result %" PRIu64 " of %" PRIu64 " %s", result->serial, result->number,
             statuses[result->status]);
        break;
    case MM_WORKER_REPORT: tell_report(action->as.report); break;
    case MM_WORKER_BYE: tell("bye %" PRIu64, action->as.last_serial); break;
    case MM_WORKER_DONE: tell("done"); break;
    case MM_WORKER_LOG: tell_note(action); break;
    }
}

void does(const char *expected)
{
    expect_story(expected);
}

void step(mm_worker_event_t event)
{
    event.now_ms = now_ms;
    event.boot_ms = boot_ms();
    mm_worker_step(worker, &event, &worker_actions);
    for (size_t i = 0; i < worker_actions.count; i++)
        tell_action(&worker_actions.items[i]);
    assert_int_equal(next_part, 0); // a report is whole when its step is over
}

void passes(int64_t milliseconds)
{
    int64_t until_ms = now_ms + milliseconds;
    for (int64_t due_ms; (due_ms = mm_worker_deadline(worker)) <= until_ms;) {
        now_ms = due_ms > now_ms ? due_ms : now_ms;
        step((mm_worker_event_t){.kind = MM_WORKER_TIME});
        assert_true(mm_worker_deadline(worker) > now_ms);
    }
    now_ms = until_ms;
}

void hears(const mm_frame_t *frame)
{
    step((mm_worker_event_t){.kind = MM_WORKER_FRAME, .as.frame = frame});
}

mm_frame_t answer(mm_frame_kind_t kind, uint64_t session)
{
    return (mm_frame_t){.kind = kind,
                        .as.answer = {.consumer = mm_str("consumer"),
                                      .epoch = LIFE,
                                      .worker = mm_str("r1"),
                                      .instance = NONCE,
                                      .session = session}};
}

void hears_welcome(uint64_t session)
{
    mm_frame_t frame = answer(MM_FRAME_WELCOME, session);
    char suffix[32];
    (void)snprintf(suffix, sizeof suffix, "task.%" PRIu64, session);
    frame.as.answer.suffix = mm_str(suffix);
    hears(&frame);
    assert_int_equal(mm_worker_session(worker), session);
}

void hears_rejoin(void)
{
    mm_frame_t frame = answer(MM_FRAME_REJOIN, 0);
    hears(&frame);
}

void joins(uint64_t session)
{
    passes(0);
    hears_welcome(session);
    beat_session = session;
    forget_story();
}

void hears_beat_of(uint64_t epoch)
{
    mm_acknowledgement_t acknowledgements[] = {
        {mm_str("r10"), beat_session, 1000000, boot_ms()},
        {mm_str("r1"), beat_session, beat_serial, boot_ms()}};
    hears(&(mm_frame_t){.kind = MM_FRAME_BEAT,
                        .as.beat = {.consumer = mm_str("consumer"),
                                    .epoch = epoch,
                                    .items = acknowledgements,
                                    .count = 2}});
}

void hears_beat(void)
{
    hears_beat_of(LIFE);
}

void hears_beat_confirming(uint64_t serial)
{
    beat_serial = serial;
    hears_beat();
}

void hears_leaving_of(uint64_t epoch)
{
    hears(&(mm_frame_t){.kind = MM_FRAME_LEAVING,
                        .as.leaving = {.consumer = mm_str("consumer"), .epoch = epoch}});
}

mm_task_t task_of(uint64_t number)
{
    return (mm_task_t){.number = number,
                       .leg = worker_role == MM_ROLE_SAVER ? MM_LEG_SAVE : MM_LEG_RESTART,
                       .id = id_of(number),
                       .host = mm_str("web-7.example.net"),
                       .attempt = 1};
}

void gets_tasks(uint64_t session, int64_t stamp_ms, const mm_task_t *tasks, size_t count)
{
    hears(&(mm_frame_t){.kind = MM_FRAME_TASKS,
                        .as.tasks = {.session = session,
                                     .stamp_ms = stamp_ms,
                                     .acknowledged_through = task_confirms,
                                     .last = task_last,
                                     .items = tasks,
                                     .count = count}});
}

void gets_task(uint64_t number)
{
    mm_task_t task = task_of(number);
    gets_tasks(mm_worker_session(worker), boot_ms(), &task, 1);
}

void gets_last(void)
{
    task_last = true;
    gets_tasks(mm_worker_session(worker), boot_ms(), NULL, 0);
}

void finishes_as(uint64_t number, mm_status_t status)
{
    mm_result_t result = {.number = number, .status = status, .took_ms = 5};
    step((mm_worker_event_t){.kind = MM_WORKER_FINISHED, .as.result = &result});
}

void finishes(uint64_t number)
{
    finishes_as(number, MM_STATUS_OK);
}

void gets_task_and_finishes(uint64_t number)
{
    gets_task(number);
    finishes(number);
}

void is_told_to_leave(void)
{
    step((mm_worker_event_t){.kind = MM_WORKER_DRAIN});
}
