// See intake_play.h.

#include "intake_play.h"

char input[TEMP_PATH_MAX];
outbox_db_t *db;
static outbox_db_t *viewer; // looks at the database from outside
outbox_t *core;
static outbox_actions_t actions;
intake_t *intake;
source_t *source;
int64_t run_number;
given_t given[GIVEN_MAX];
size_t given_count;
static size_t settled_count; // of the given ones, in order
uint32_t window;
bool is_bounded, is_endless;

int make_intake_folder(void **state)
{
    (void)state;
    make_database_folder("outbox.db");
    temp_path(input, "input");
    now_ms = 10000;
    run_number = 0;
    window = 100;
    is_bounded = is_endless = false;
    return 0;
}

void generate(uint64_t jobs)
{
    source_generate_config_t config = {.seed = 7, .pace = SOURCE_PACE_UNLIMITED, .jobs = jobs};
    source = source_generate_new(&config);
    is_endless = jobs == 0;
}

void read_input(bool skips_bad_lines)
{
    char error[SOURCE_ERROR_MAX];
    source_file_config_t config = {.path = input, .skips_bad_lines = skips_bad_lines};
    assert_int_equal(source_file_open(&config, &source, error), 0);
}

bool is_on_record(uint64_t token, const mm_id_t *id)
{
    const outbox_row_t *rows;
    size_t count = 0;
    assert_int_equal(outbox_db_load(viewer, token - 1, 1, &rows, &count), OUTBOX_DB_OK);
    return count == 1 && rows[0].token == token && mm_id_equal(&rows[0].id, id);
}

void accept_given(void *arg, const outbox_event_t *event)
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

void hear_beat(void)
{
    outbox_event_t event = {.kind = OUTBOX_BEAT, .now_ms = now_ms, .as.beat.epoch = LIFE};
    outbox_step(core, &event, &actions);
}

void start_publisher(void)
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
    intake = intake_new(&settings, accept_given, given);
    assert_non_null(intake);
    given_count = settled_count = 0;
}

void crash(void)
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

int end_intake(void **state)
{
    crash();
    return remove_temp_folder(state);
}

void turn(void)
{
    assert_true(intake_step(intake, now_ms, true));
}

void begin_generating(uint64_t jobs)
{
    generate(jobs);
    start_publisher();
    hear_beat();
}

void settle_oldest(mm_verdict_kind_t verdict)
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

void settle_all(void)
{
    while (settled_count < given_count)
        settle_oldest(MM_VERDICT_ACK);
}

uint64_t on_record(void)
{
    return outbox_db_backlog(db);
}

outbox_run_t run_on_record(void)
{
    outbox_run_t run = {0};
    bool found = false;
    assert_int_equal(outbox_db_run(viewer, run_number, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    return run;
}
