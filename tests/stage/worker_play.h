// A stage for tests of common/worker/core/worker_session.h: a worker with a clock that is only a
// number, the consumer's frames as one call each, and what the worker does as a line of text. Each
// report is checked for what must hold in every one (P5.2 to P5.5), so that the tests need not say
// it.

#ifndef WORKER_PLAY_H
#define WORKER_PLAY_H

#include "uuid.h"
#include "worker_session.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEARTBEAT = 500, LOST_AFTER = 1500, DRAIN = 8000, NONCE = 77, LIFE = 3 };

static mm_worker_t *worker;
static mm_role_t worker_role;
static mm_worker_actions_t actions;
static int64_t now_ms, suspended_ms;
static char story[1 << 16]; // what it has done since the last `does`
static size_t story_size;
static uint64_t last_sequence;
static uint32_t next_part;     // of the report under way
static int64_t hello_ms[64];   // when it said hello
static size_t hello_count;     //
static uint64_t beat_serial;   // what the consumer's beats confirm
static uint64_t beat_session;  // to the worker in this session
static uint64_t task_confirms; // what its task frames confirm
static bool task_last;         // whether they say that nothing more comes

static inline int64_t boot_ms(void)
{
    return now_ms + suspended_ms;
}

// The worker that each test plays with.
static inline void new_worker_that(mm_role_t role, uint32_t slots, bool one_by_one)
{
    now_ms = 10000;
    suspended_ms = 5000;
    story_size = 0;
    story[0] = '\0';
    last_sequence = 0;
    next_part = 0;
    hello_count = 0;
    beat_serial = beat_session = task_confirms = 0;
    task_last = false;
    worker_role = role;
    mm_worker_destroy(&worker);
    worker = mm_worker_new(&(mm_worker_config_t){.name = {"r1"},
                                                 .role = role,
                                                 .instance = NONCE,
                                                 .slots = slots,
                                                 .heartbeat_ms = HEARTBEAT,
                                                 .lost_after_ms = LOST_AFTER,
                                                 .drain_ms = DRAIN,
                                                 .leaves_last = role == MM_ROLE_SAVER,
                                                 .one_by_one = one_by_one},
                           now_ms);
}

static inline void new_worker(mm_role_t role, uint32_t slots)
{
    new_worker_that(role, slots, false);
}

static inline int new_restarter(void **state)
{
    (void)state;
    new_worker(MM_ROLE_RESTARTER, 2);
    return 0;
}

static inline int end_worker(void **state)
{
    (void)state;
    mm_worker_destroy(&worker);
    mm_worker_actions_clear(&actions);
    return 0;
}

// ---- what it does, as text

static inline void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(story + story_size, sizeof story - story_size, format, args);
    va_end(args);
    assert_true(size >= 0 && (size_t)size < sizeof story - story_size);
    story_size += (size_t)size;
}

static inline void check_report(const mm_report_t *report)
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

static inline void tell_report(const mm_report_t *report)
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

static inline void tell_note(const mm_worker_action_t *action)
{
    switch (action->as.log.log) {
    case MM_WORKER_LOG_JOINED: tell("joined"); break;
    case MM_WORKER_LOG_REFUSED:
        tell("refused: %.*s", (int)action->as.log.text.size, action->as.log.text.data);
        break;
    case MM_WORKER_LOG_SILENT: tell("silent"); break;
    case MM_WORKER_LOG_REJOIN: tell("rejoins"); break;
    case MM_WORKER_LOG_RETURNED: tell("returns %" PRIu64, action->as.log.number); break;
    }
}

static inline void tell_action(const mm_worker_action_t *action)
{
    static const char *const statuses[] = {"ok", "failed", "returned"};
    const mm_result_t *result;
    tell("%s", story_size > 0 ? "; " : "");
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

// What it has done since this was said last.
static inline void does(const char *expected)
{
    assert_string_equal(story, expected);
    story_size = 0;
    story[0] = '\0';
}

static inline void forget_story(void)
{
    story_size = 0;
    story[0] = '\0';
}

// ---- what happens to it

static inline void step(mm_worker_event_t event)
{
    event.now_ms = now_ms;
    event.boot_ms = boot_ms();
    mm_worker_step(worker, &event, &actions);
    for (size_t i = 0; i < actions.count; i++)
        tell_action(&actions.items[i]);
    assert_int_equal(next_part, 0); // a report is whole when its step is over
}

// Time passes; the worker is woken when it wants to be, and wants it later each time.
static inline void passes(int64_t milliseconds)
{
    int64_t until_ms = now_ms + milliseconds;
    for (int64_t due_ms; (due_ms = mm_worker_deadline(worker)) <= until_ms;) {
        now_ms = due_ms > now_ms ? due_ms : now_ms;
        step((mm_worker_event_t){.kind = MM_WORKER_TIME});
        assert_true(mm_worker_deadline(worker) > now_ms);
    }
    now_ms = until_ms;
}

static inline void hears(const mm_frame_t *frame)
{
    step((mm_worker_event_t){.kind = MM_WORKER_FRAME, .as.frame = frame});
}

static inline mm_frame_t answer(mm_frame_kind_t kind, uint64_t session)
{
    return (mm_frame_t){.kind = kind,
                        .as.answer = {.consumer = mm_str("consumer"),
                                      .epoch = LIFE,
                                      .worker = mm_str("r1"),
                                      .instance = NONCE,
                                      .session = session}};
}

static inline void hears_welcome(uint64_t session)
{
    mm_frame_t frame = answer(MM_FRAME_WELCOME, session);
    char suffix[32];
    (void)snprintf(suffix, sizeof suffix, "task.%" PRIu64, session);
    frame.as.answer.suffix = mm_str(suffix);
    hears(&frame);
    assert_int_equal(mm_worker_session(worker), session);
}

static inline void hears_rejoin(void)
{
    mm_frame_t frame = answer(MM_FRAME_REJOIN, 0);
    hears(&frame);
}

// Says hello and is welcomed.
static inline void joins(uint64_t session)
{
    passes(0);
    hears_welcome(session);
    beat_session = session;
    forget_story();
}

static inline void hears_beat_of(uint64_t epoch)
{
    mm_acknowledgement_t acknowledgements[] = {{mm_str("r10"), beat_session, 1000000},
                                               {mm_str("r1"), beat_session, beat_serial}};
    hears(&(mm_frame_t){.kind = MM_FRAME_BEAT,
                        .as.beat = {.consumer = mm_str("consumer"),
                                    .epoch = epoch,
                                    .items = acknowledgements,
                                    .count = 2}});
}

static inline void hears_beat(void)
{
    hears_beat_of(LIFE);
}

// The consumer's beat says that all results up to this one were read.
static inline void hears_beat_confirming(uint64_t serial)
{
    beat_serial = serial;
    hears_beat();
}

static inline void hears_leaving_of(uint64_t epoch)
{
    hears(&(mm_frame_t){.kind = MM_FRAME_LEAVING,
                        .as.leaving = {.consumer = mm_str("consumer"), .epoch = epoch}});
}

static inline mm_id_t id_of(uint64_t number)
{
    mm_id_t id = {{0}};
    for (size_t i = 0; i < 8; i++)
        id.bytes[15 - i] = (uint8_t)(number >> 8 * i);
    return id;
}

static inline mm_task_t task_of(uint64_t number)
{
    return (mm_task_t){.number = number,
                       .leg = worker_role == MM_ROLE_SAVER ? MM_LEG_SAVE : MM_LEG_RESTART,
                       .id = id_of(number),
                       .host = mm_str("web-7.example.net"),
                       .attempt = 1};
}

static inline void gets_tasks(uint64_t session, int64_t stamp_ms, const mm_task_t *tasks,
                              size_t count)
{
    hears(&(mm_frame_t){.kind = MM_FRAME_TASKS,
                        .as.tasks = {.session = session,
                                     .stamp_ms = stamp_ms,
                                     .acknowledged_through = task_confirms,
                                     .last = task_last,
                                     .items = tasks,
                                     .count = count}});
}

// A task of the current session, with the newest stamp.
static inline void gets_task(uint64_t number)
{
    mm_task_t task = task_of(number);
    gets_tasks(mm_worker_session(worker), boot_ms(), &task, 1);
}

// The consumer's last word: nothing more comes.
static inline void gets_last(void)
{
    task_last = true;
    gets_tasks(mm_worker_session(worker), boot_ms(), NULL, 0);
}

static inline void finishes_as(uint64_t number, mm_status_t status)
{
    mm_result_t result = {.number = number, .status = status, .took_ms = 5};
    step((mm_worker_event_t){.kind = MM_WORKER_FINISHED, .as.result = &result});
}

static inline void finishes(uint64_t number)
{
    finishes_as(number, MM_STATUS_OK);
}

static inline void gets_task_and_finishes(uint64_t number)
{
    gets_task(number);
    finishes(number);
}

static inline void is_told_to_leave(void)
{
    step((mm_worker_event_t){.kind = MM_WORKER_DRAIN});
}

#endif
