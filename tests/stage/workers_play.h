// A stage for tests of consumer/core/workers.h: workers that say hello and send heartbeats in one
// call each, a clock that is only a number, and the changes that come of it as a line of text.

#ifndef WORKERS_PLAY_H
#define WORKERS_PLAY_H

#include "job.h"
#include "uuid.h"
#include "workers.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LOST_AFTER = 1500, FIRST_NUMBER = 100, FIRST_SESSION = 10 };

// What the next report says beside its name and session; set back to this after each.
typedef struct {
    mm_role_t role;
    uint64_t instance;
    uint32_t slots;
    int64_t stamp_ms;  // 0: the clock's
    uint64_t sequence; // 0: the next one
    uint64_t last_serial;
    uint32_t part;
    uint32_t parts;
    mm_assignment_t held[8];
    size_t held_count;
    mm_result_t results[8];
    size_t result_count;
} said_t;

static workers_t *workers;
static hosts_t hosts;
static int64_t now_ms;
static uint64_t sequence;
static said_t says;
static char story[4096]; // what has changed since the last `then`
static size_t story_size;

static inline void say_nothing_special(void)
{
    says = (said_t){.role = MM_ROLE_RESTARTER, .instance = 1, .slots = 2, .parts = 1};
}

static int new_workers(void **state)
{
    (void)state;
    now_ms = 10000;
    sequence = 0;
    story_size = 0;
    story[0] = '\0';
    say_nothing_special();
    workers = workers_new(&(workers_config_t){.lost_after_ms = LOST_AFTER,
                                              .savers_max = 1,
                                              .restarters_max = 3,
                                              .first_number = FIRST_NUMBER,
                                              .first_session = FIRST_SESSION},
                          &hosts);
    return 0;
}

static int end_workers(void **state)
{
    (void)state;
    workers_destroy(&workers);
    assert_null(workers);
    workers_destroy(&workers);
    hosts_clear(&hosts); // whatever was held gave its host back
    return 0;
}

// ---- what has changed, as text

static inline void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(story + story_size, sizeof story - story_size, format, args);
    va_end(args);
    assert_true(size >= 0 && (size_t)size < sizeof story - story_size);
    story_size += (size_t)size;
}

static inline void tell_change(const workers_change_t *change)
{
    static const char *const whys[] = {"result", "lost", "missing"};
    ended_t ended = change->ended;
    tell("%s", story_size > 0 ? "; " : "");
    switch (change->kind) {
    case WORKERS_OPEN: tell("open %" PRIu64, change->session); break;
    case WORKERS_CLOSE: tell("close %" PRIu64, change->session); break;
    case WORKERS_WELCOME: tell("welcome %s %" PRIu64, change->name.text, change->session); break;
    case WORKERS_REFUSED: tell("refused %s: %s", change->name.text, change->reason); break;
    case WORKERS_REJOIN: tell("rejoin %s", change->name.text); break;
    case WORKERS_LAST: tell("last %s", change->name.text); break;
    case WORKERS_LOSS: tell("loss %s", change->name.text); break;
    case WORKERS_LEFT: tell("left %s", change->name.text); break;
    case WORKERS_ENDED:
        tell("%" PRIu64 " %s", ended.number, whys[ended.why]);
        hosts_put(&hosts, &ended.host);
        break;
    }
}

static inline void tell_changes(void)
{
    const workers_change_t *changes;
    size_t count = workers_changes(workers, &changes);
    for (size_t i = 0; i < count; i++)
        tell_change(&changes[i]);
}

// What has changed since this was asked last.
static inline void then(const char *expected)
{
    assert_string_equal(story, expected);
    story_size = 0;
    story[0] = '\0';
}

// ---- what workers say

static inline mm_id_t id_of(uint64_t number)
{
    mm_id_t id = {{0}};
    for (size_t i = 0; i < 8; i++)
        id.bytes[15 - i] = (uint8_t)(number >> 8 * i);
    return id;
}

// The next report lists this task, a restart.
static inline void assignment(uint64_t number)
{
    says.held[says.held_count++] = (mm_assignment_t){.number = number,
                                                     .leg = MM_LEG_RESTART,
                                                     .id = id_of(number),
                                                     .host = mm_str("web-7"),
                                                     .started = true};
}

// The result of this task, with the leg and the job that whoever holds it has.
static inline mm_result_t result_of(uint64_t serial, uint64_t number)
{
    mm_result_t result = {
        .serial = serial, .number = number, .leg = MM_LEG_RESTART, .id = id_of(number)};
    for (const worker_t *worker = NULL; (worker = workers_next(workers, worker)) != NULL;)
        for (const assignment_t *held = worker->assignments; held; held = held->next)
            if (held->number == number) {
                result.leg = held->leg;
                result.id = held->id;
            }
    return result;
}

// The next report repeats this result, and says that there is none newer.
static inline void repeating(uint64_t serial, uint64_t number)
{
    says.results[says.result_count++] = result_of(serial, number);
    says.last_serial = serial;
}

static inline void reads(worker_t *worker, const mm_result_t *result, bool in_hello)
{
    ended_t ended = {0};
    if (workers_apply_result(workers, worker, result, in_hello, &ended)) {
        tell("%sread %" PRIu64, story_size > 0 ? "; " : "", result->serial);
        if (ended.number != 0)
            tell(" of %s%" PRIu64, ended.why == ENDED_LOST ? "lost " : "", ended.number);
        hosts_put(&hosts, &ended.host);
    }
    tell_changes();
}

static inline void report(bool is_hello, const char *name, uint64_t session)
{
    mm_report_t whole = {.is_hello = is_hello,
                         .worker = mm_str(name),
                         .instance = says.instance,
                         .role = says.role,
                         .session = session,
                         .sequence = says.sequence ? says.sequence : ++sequence,
                         .stamp_ms = says.stamp_ms ? says.stamp_ms : now_ms,
                         .slots = says.slots,
                         .last_serial = says.last_serial,
                         .part = says.part,
                         .parts = says.parts,
                         .held = says.held,
                         .held_count = says.held_count};
    worker_t *worker = workers_report_open(workers, &whole, now_ms);
    for (size_t i = 0; worker && i < says.result_count; i++)
        reads(worker, &says.results[i], is_hello);
    if (worker)
        workers_report_close(workers, worker, &whole);
    tell_changes();
    say_nothing_special();
}

static inline void hello(const char *name, uint64_t session)
{
    report(true, name, session);
}

static inline void heartbeat(const char *name, uint64_t session)
{
    report(false, name, session);
}

// The record of a worker's first process.
static inline worker_t *the(const char *name)
{
    worker_t *worker = workers_find(workers, mm_str(name), 1);
    assert_non_null(worker);
    return worker;
}

static inline void result(const char *name, uint64_t serial, uint64_t number)
{
    mm_result_t result = result_of(serial, number);
    reads(the(name), &result, false);
}

static inline void bye(const char *name, uint64_t session, uint64_t last_serial)
{
    workers_bye(workers, the(name), session, last_serial);
    tell_changes();
}

// Joins as the process 1; the story of it is told already.
static inline uint64_t joins(const char *name)
{
    hello(name, 0);
    story_size = 0;
    story[0] = '\0';
    return the(name)->session;
}

static inline void check(void)
{
    workers_check(workers, now_ms);
    tell_changes();
}

// ---- what the consumer hands out

// A restart of this host, for this worker; its number.
static inline uint64_t hands_out_for(worker_t *worker, const char *host_name)
{
    assert_non_null(worker);
    mm_id_t id = id_of(1);
    host_t *host = hosts_get(&hosts, mm_str(host_name));
    uint64_t number = workers_hand_out(workers, worker, MM_LEG_RESTART, &id, host);
    hosts_put(&hosts, &host);
    return number;
}

static inline uint64_t hands_out(const char *name)
{
    return hands_out_for(the(name), "web-7");
}

// Who is next in turn; "" when nobody has credit.
static inline const char *picked(mm_role_t role)
{
    const worker_t *worker = workers_pick(workers, role);
    return worker ? worker->name.text : "";
}

// The restarter that one task may have for itself now; NULL: there is none yet.
static inline worker_t *picked_alone(void)
{
    workers_reserve_quarantine(workers);
    return workers_pick_quarantine(workers);
}

// How many restarts of this host are held by workers that are not presumed lost.
static inline uint32_t busy(const char *host_name)
{
    host_t *host = hosts_get(&hosts, mm_str(host_name));
    uint32_t count = host->restarts.busy;
    hosts_put(&hosts, &host);
    return count;
}

#endif
