// A stage for tests of publisher/intake.h: a real database, a real core, a real source, and the
// consumer's word as one call each. Whatever the core is given is looked up in the database from
// outside before anything else (I1), and must come in order and once.

#ifndef INTAKE_PLAY_H
#define INTAKE_PLAY_H

#include "clock.h"
#include "intake.h"
#include "job.h"
#include "temp_folder.h"
#include "uuid.h"
#include "uuid_source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

enum { GIVEN_MAX = 8192, LIFE = 3 };

typedef struct {
    mm_id_t id;
    uint64_t token;
    int64_t accepted_us;
    char host[64];
    bool maybe_sent;
} given_t;

static char path[TEMP_PATH_MAX];
static char input[TEMP_PATH_MAX];
static outbox_db_t *db;
static outbox_db_t *viewer; // looks at the database from outside
static outbox_t *core;
static outbox_actions_t actions;
static intake_t *intake;
static source_t *source;
static int64_t run_number;
static int64_t now_ms;
static given_t given[GIVEN_MAX]; // to the core
static size_t given_count;
static size_t settled_count; // of the given ones, in order
static uint32_t window;
static bool is_bounded, is_endless;

// ---- the stage

static inline int make_folder(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(path, "outbox.db");
    temp_path(input, "input");
    now_ms = 10000;
    run_number = 0;
    window = 100;
    is_bounded = is_endless = false;
    return 0;
}

static inline void generate(uint64_t jobs)
{
    source_generate_config_t config = {.seed = 7, .pace = SOURCE_PACE_UNLIMITED, .jobs = jobs};
    source = source_generate_new(&config);
    is_endless = jobs == 0;
}

static inline void read_input(bool skips_bad_lines)
{
    char error[SOURCE_ERROR_MAX];
    source_file_config_t config = {.path = input, .skips_bad_lines = skips_bad_lines};
    assert_int_equal(source_file_open(&config, &source, error), 0);
}

static inline bool is_on_record(uint64_t token, const mm_id_t *id)
{
    const outbox_row_t *rows;
    size_t count = 0;
    assert_int_equal(outbox_db_load(viewer, token - 1, 1, &rows, &count), OUTBOX_DB_OK);
    return count == 1 && rows[0].token == token && mm_id_equal(&rows[0].id, id);
}

// What every test looks at: a job is on record, and of the right run, before the core hears of it.
static inline void take_given(void *arg, const outbox_event_t *event)
{
    assert_ptr_equal(arg, given);
    assert_int_equal(event->kind, OUTBOX_JOB);
    assert_int_equal(event->as.job.run, run_number);
    assert_true(is_on_record(event->as.job.token, &event->as.job.id));
    assert_true(outbox_capacity(core) > 0);
    assert_true(given_count < GIVEN_MAX);
    given_t *last = &given[given_count++];
    last->id = event->as.job.id;
    last->token = event->as.job.token;
    last->accepted_us = event->as.job.accepted_us;
    last->maybe_sent = event->as.job.maybe_sent;
    assert_true(event->as.job.host.size < sizeof last->host);
    (void)snprintf(last->host, sizeof last->host, "%.*s", (int)event->as.job.host.size,
                   event->as.job.host.data);
    if (given_count > 1) // in order, none twice
        assert_true(mm_id_compare(&last[-1].id, &last->id) < 0);
    outbox_event_t told = *event;
    told.now_ms = now_ms;
    outbox_step(core, &told, &actions);
}

static inline void hear_beat(void)
{
    outbox_event_t event = {.kind = OUTBOX_BEAT, .now_ms = now_ms, .as.beat.epoch = LIFE};
    outbox_step(core, &event, &actions);
}

// Starts a publisher on what is in the folder; the consumer is not heard yet.
static inline void start(void)
{
    char error[MM_ERROR_MAX];
    assert_int_equal(outbox_db_open(path, false, &db, error), 0);
    source_progress_t progress;
    source_progress(source, &progress);
    if (run_number == 0) {
        char name[] = "test";
        outbox_run_t run = {.input = name, .driver = name, .started_ms = 1, .progress = progress};
        assert_int_equal(outbox_db_begin_run(db, &run, &run_number), OUTBOX_DB_OK);
    } else {
        outbox_run_t run = {0};
        bool found;
        assert_int_equal(outbox_db_run(db, run_number, &run, &found), OUTBOX_DB_OK);
        source_resume(source, &run.progress);
        outbox_run_clear(&run);
    }
    assert_int_equal(outbox_db_open(path, true, &viewer, error), 0);
    outbox_config_t config = {.window = window,
                              .ack_deadline_ms = 3000,
                              .heartbeat_ms = 500,
                              .drain_ms = 5000,
                              .seed = 42};
    core = outbox_new(&config, now_ms);
    intake_config_t settings = {
        .db = db,
        .outbox = core,
        .run = {.number = run_number, .source = source, .is_endless = is_endless},
        .window = window,
        .is_bounded = is_bounded};
    intake = intake_new(&settings, take_given, given);
    assert_non_null(intake);
    given_count = settled_count = 0;
}

// As a kill would: nothing is committed on the way.
static inline void crash(void)
{
    intake_destroy(&intake);
    assert_null(intake);
    intake_destroy(&intake);
    outbox_destroy(&core);
    outbox_actions_clear(&actions);
    outbox_db_close(&viewer);
    outbox_db_close(&db);
    source_destroy(&source);
}

static inline int end_all(void **state)
{
    crash();
    return remove_temp_folder(state);
}

// ---- what happens

static inline void step(void)
{
    assert_true(intake_step(intake, now_ms, true));
}

static inline void begin(uint64_t jobs)
{
    generate(jobs);
    start();
    hear_beat();
}

// The consumer acks, or gives up, the oldest job that it was given.
static inline void settle(mm_verdict_kind_t verdict)
{
    assert_true(settled_count < given_count);
    outbox_event_t event = {.kind = OUTBOX_VERDICT, .now_ms = now_ms};
    event.as.verdict.epoch = LIFE;
    event.as.verdict.what = (mm_verdict_t){
        .kind = verdict, .id = given[settled_count++].id, .attempts = 2, .error = {"no", 2}};
    outbox_step(core, &event, &actions);
    assert_true(actions.count > 0 && actions.items[0].kind == OUTBOX_SETTLED);
    intake_settle(intake, &actions.items[0], now_ms, mm_clock_us());
}

static inline void settle_all(void)
{
    while (settled_count < given_count)
        settle(MM_VERDICT_ACK);
}

static inline uint64_t on_record(void)
{
    return outbox_db_backlog(db);
}

static inline outbox_run_t run_on_record(void)
{
    outbox_run_t run = {0};
    bool found = false;
    assert_int_equal(outbox_db_run(viewer, run_number, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    return run;
}

#define INTAKE_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_folder, end_all)

#endif
