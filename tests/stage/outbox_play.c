// See outbox_play.h.

#include "outbox_play.h"

uint64_t tokens[TOKENS];
static uint64_t last_token;

int make_outbox_folder(void **state)
{
    (void)state;
    make_database_folder("outbox.db");
    memset(tokens, 0, sizeof tokens);
    last_token = 0;
    return 0;
}

outbox_db_t *open_outbox(void)
{
    outbox_db_t *outbox = NULL;
    assert_int_equal(outbox_db_open(path, false, &outbox, open_error), 0);
    return outbox;
}

int64_t begin(outbox_db_t *outbox, const char *name)
{
    char input[32];
    char driver[] = "mock";
    strcpy(input, name);
    outbox_run_t run = {.input = input,
                        .driver = driver,
                        .started_ms = 5000,
                        .progress = {.digest = UINT64_MAX, .total = 9}};
    int64_t number = 0;
    assert_int_equal(outbox_db_begin_run(outbox, &run, &number), OUTBOX_DB_OK);
    return number;
}

void put_with(outbox_db_t *outbox, int64_t run, unsigned job, const char *attributes)
{
    char host[32];
    mm_id_t id = id_of(job);
    snprintf(host, sizeof host, "host-%u", job);
    uint64_t token = outbox_db_put(outbox, run, &id, mm_str(host), mm_str(attributes));
    assert_true(token > last_token);
    last_token = token;
    if (job < TOKENS)
        tokens[job] = token;
}

void put(outbox_db_t *outbox, int64_t run, unsigned job)
{
    put_with(outbox, run, job, NULL);
}

void settle(outbox_db_t *outbox, int64_t run, unsigned job, mm_outcome_t outcome)
{
    char host[32];
    snprintf(host, sizeof host, "host-%u", job);
    outbox_row_t row = {.id = id_of(job),
                        .host = mm_str(host),
                        .run = run,
                        .token = tokens[job],
                        .error = mm_str("no route")};
    outbox_db_settle(outbox, &row, outcome, 2);
}

void set_position(outbox_db_t *outbox, int64_t run, uint64_t position, bool done)
{
    source_progress_t progress = {
        .position = position, .digest = 77, .total = 9, .repeated = 3, .skipped = 4, .done = done};
    outbox_db_set_progress(outbox, run, &progress);
}

void commit(outbox_db_t *outbox)
{
    assert_int_equal(outbox_db_commit(outbox, 6000), OUTBOX_DB_OK);
    assert_int_equal(outbox_db_pending(outbox), 0);
}

outbox_run_t run_of(outbox_db_t *outbox, int64_t number)
{
    outbox_run_t run = {0};
    bool found = false;
    assert_int_equal(outbox_db_run(outbox, number, &run, &found), OUTBOX_DB_OK);
    assert_true(found);
    return run;
}

void expect_counts(outbox_db_t *outbox, int64_t number, uint64_t accepted, uint64_t restarted,
                   uint64_t dead)
{
    outbox_run_t run = run_of(outbox, number);
    assert_int_equal(run.accepted, accepted);
    assert_int_equal(run.restarted, restarted);
    assert_int_equal(run.dead, dead);
    assert_int_equal(run.attempts, 2 * (restarted + dead));
    outbox_run_clear(&run);
}

void expect_jobs(outbox_db_t *outbox, size_t limit, unsigned first, unsigned count)
{
    uint64_t after = 0;
    unsigned next = first;
    for (;;) {
        const outbox_row_t *rows = NULL;
        size_t row_count = 0;
        assert_int_equal(outbox_db_load(outbox, after, limit, &rows, &row_count), OUTBOX_DB_OK);
        for (size_t i = 0; i < row_count; i++, next++) {
            mm_id_t id = id_of(next);
            char host[32];
            snprintf(host, sizeof host, "host-%u", next);
            assert_true(mm_id_equal(&rows[i].id, &id));
            assert_true(mm_str_equal(rows[i].host, mm_str(host)));
            assert_int_equal(rows[i].run, 1);
            assert_true(rows[i].token > after);
            after = rows[i].token;
        }
        if (row_count < limit)
            break;
    }
    assert_int_equal(next - first, count);
    assert_int_equal(outbox_db_backlog(outbox), count);
}

void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
