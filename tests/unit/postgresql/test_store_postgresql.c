// What the store in PostgreSQL does by itself: several savers, one chain, the fence, and a database
// that refuses, waits or hangs up. What it has in common with others is in tests/unit/saver/. Skips
// what needs a server when there is none.

#include "attempts_found.h"
#include "order_play.h"
#include "pg_params.h"
#include "pg_queue.h"
#include "temp_postgresql.h"

#include <libpq-fe.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define LIMIT_S 20 // for anything that has to happen

// ---- without a server

static void a_text_that_is_no_text_is_written_with_marks(void **state)
{
    (void)state;
    pg_params_t params = {0};
    pg_params_array(&params, PG_TEXT, 2);
    pg_params_put_text(&params, (mm_str_t){"a\0b\xff\xc3\xa9", 6});
    pg_params_put_text_or_null(&params, mm_str(""));
    pg_params_number(&params, false, 0);
    pg_params_end(&params);
    static const char expected[] = "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1"
                                   "\0\0\0\6a?b?\xc3\xa9\xff\xff\xff\xff";
    assert_int_equal(params.count, 2);
    assert_int_equal(params.sizes[0], sizeof expected - 1);
    assert_memory_equal(params.values[0], expected, sizeof expected - 1);
    assert_null(params.values[1]);
    pg_params_clear(&params);
}

static void put(pg_queue_t *queue, uint64_t number)
{
    mm_task_t task = store_task(MM_LEG_SAVE, 1, number);
    pg_queue_put(queue, &task);
}

// Tasks join the batch that waits; one that was sent, orders, and another epoch begin a new one.
static void a_batch_grows_until_it_is_sent(void **state)
{
    (void)state;
    pg_queue_t queue = {0};
    put(&queue, 1);
    assert_null(pg_queue_begin(&queue)); // nobody has asked for its commit
    pg_queue_flush(&queue);
    put(&queue, 2);
    pg_request_t *first = pg_queue_begin(&queue);
    assert_int_equal(first->batch.item_count, 2);
    put(&queue, 3);
    put(&queue, 4);
    put(&queue, UINT64_C(1) << 32 | 5);
    assert_int_equal(queue.pending, 4);
    pg_queue_put_orders(&queue, &(mm_order_t){.name = mm_str("web")}, 1);
    put(&queue, UINT64_C(1) << 32 | 6);
    pg_queue_flush(&queue);
    assert_int_equal(queue.pending, 0);
    assert_ptr_equal(pg_queue_begin(&queue), first); // again, since its fate is unknown
    pg_queue_remove(&queue);
    static const struct {
        pg_request_kind_t kind;
        uint64_t epoch;
        size_t count;
    } expected[] = {{PG_REQUEST_TASKS, 0, 2},
                    {PG_REQUEST_TASKS, 1, 1},
                    {PG_REQUEST_ORDERS, 0, 0},
                    {PG_REQUEST_TASKS, 1, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const pg_request_t *request = pg_queue_begin(&queue);
        assert_int_equal(request->kind, expected[i].kind);
        assert_int_equal(request->epoch, expected[i].epoch);
        assert_int_equal(request->batch.item_count, expected[i].count);
        pg_queue_remove(&queue);
    }
    assert_null(pg_queue_begin(&queue));
    pg_queue_clear(&queue);
}

static void a_new_question_takes_the_place_of_the_former(void **state)
{
    (void)state;
    pg_queue_t queue = {0};
    pg_queue_put_question(&queue, &(store_question_t){.question = 1});
    pg_request_t *sent = pg_queue_begin(&queue);
    for (uint64_t i = 2; i <= 3; i++)
        pg_queue_put_question(&queue, &(store_question_t){.question = i});
    assert_true(sent->is_forgotten);
    assert_ptr_equal(pg_queue_begin(&queue), sent); // it is under way all the same
    pg_queue_remove(&queue);
    assert_int_equal(pg_queue_begin(&queue)->question.question, 3);
    pg_queue_clear(&queue);
}

// ---- with one

static int begin(void **state)
{
    make_temp_folder();
    *state = strdup(temp_postgresql_begin());
    return 0;
}

static int end(void **state)
{
    free(*state);
    temp_postgresql_end();
    return remove_temp_folder(state);
}

static store_t *opened(void **state)
{
    store_t *store = NULL;
    if (store_open(*state, &store, open_error) != 0)
        fail_msg("%s", open_error);
    return store;
}

static void refuses(void **state, int code, const char *words)
{
    store_t *store = NULL;
    assert_int_equal(store_open(*state, &store, open_error), code);
    assert_null(store);
    if (strstr(open_error, words) == NULL)
        fail_msg("%s", open_error);
}

// Until the query gives that.
static void wait_until(const char *sql, const char *expected)
{
    for (int i = 0; strcmp(query(sql), expected) != 0; i++) {
        if (i == LIMIT_S * 50)
            fail_msg("%s gives %s", sql, query(sql));
        usleep(20000);
    }
}

// A session of a saver that waits for a lock.
#define WAITS                                                                                      \
    "FROM pg_stat_activity WHERE application_name = 'mayhem-saver' AND wait_event_type = 'Lock'"

static void the_schema_of_another_program_is_refused(void **state)
{
    execute("CREATE TABLE jobs (title text)");
    refuses(state, EX_DATAERR, "has tables of another program");
    assert_string_equal(query("SELECT count(*) FROM pg_tables WHERE schemaname = "
                              "current_schema()"),
                        "1;");
}

static void another_version_is_refused(void **state)
{
    store_t *store = opened(state);
    assert_true(store_close(&store));
    execute("INSERT INTO mayhem_record VALUES (7)");
    refuses(state, EX_CONFIG, "has version 7, but this program writes version 1");
}

static void a_record_without_its_fence_is_refused(void **state)
{
    store_t *store = opened(state);
    assert_true(store_close(&store));
    execute("ALTER TABLE lease DROP CONSTRAINT lease_name_epoch_key");
    refuses(state, EX_CONFIG, "lacks its UNIQUE (name, epoch)");
}

static void a_search_path_without_a_schema_is_refused(void **state)
{
    strcat(*state, ""); // as it is
    strcpy(strstr(*state, "t_"), "z_");
    refuses(state, EX_CONFIG, "no schema of the search path exists");
}

static void several_savers_make_one_record(void **state)
{
    enum { SAVERS = 6 };
    pid_t savers[SAVERS];
    for (unsigned i = 0; i < SAVERS; i++) {
        savers[i] = fork();
        assert_true(savers[i] >= 0);
        if (savers[i] == 0) {
            store_t *store = NULL;
            if (store_open(*state, &store, open_error) != 0) {
                (void)fprintf(stderr, "%s\n", open_error);
                _exit(1);
            }
            put_save(store, i, i);
            commit_or_exit(store, 1);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < SAVERS; i++) {
        int status = 1;
        assert_int_equal(waitpid(savers[i], &status, 0), savers[i]);
        assert_int_equal(status, 0);
    }
    assert_string_equal(query("SELECT count(*), (SELECT count(*) FROM lease) FROM jobs"), "6|1;");
}

// ---- the chain

static mm_audit_value_t value_at(const PGresult *row, int column, uint8_t id[16])
{
    mm_audit_value_t value = {0};
    const char *text = PQgetvalue(row, 0, column);
    if (PQgetisnull(row, 0, column))
        return value;
    value.bytes = mm_str(text);
    switch (column) {
    case 4: // job, order_id
    case 5:
        for (int i = 0; i < 16; i++) {
            unsigned byte = 0;
            assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
            id[i] = (uint8_t)byte;
        }
        value.type = MM_AUDIT_BLOB;
        value.bytes = (mm_str_t){(const char *)id, 16};
        break;
    case 0: // seq, time_ms, run, casualty, until_ms
    case 1:
    case 6:
    case 13:
    case 14:
        value.type = MM_AUDIT_INTEGER;
        value.number = strtoll(text, NULL, 10);
        break;
    default: value.type = MM_AUDIT_STRING; break;
    }
    return value;
}

// Makes the chain anew from the rows, as `mayhem audit verify` does, and compares each hash.
static void verify(const char *uri, uint64_t count, mm_audit_head_t head)
{
    PGconn *other = PQconnectdb(uri);
    uint8_t hash[MM_AUDIT_HASH] = {0}, ids[2][16], written[MM_AUDIT_HASH];
    for (uint64_t seq = 1; seq <= count; seq++) {
        char sql[512];
        (void)snprintf(sql, sizeof sql,
                       "SELECT seq, time_ms, actor, action, encode(uuid_send(job), 'hex'),"
                       " encode(uuid_send(order_id), 'hex'), run, host, grp, reason, ids, outcome,"
                       " proof, casualty, until_ms, encode(hash, 'hex') FROM audit WHERE seq = %d",
                       (int)seq);
        PGresult *row = PQexec(other, sql);
        assert_int_equal(PQntuples(row), 1);
        mm_audit_value_t values[15];
        for (int i = 0; i < 15; i++)
            values[i] = value_at(row, i, ids[i % 2]);
        mm_audit_hash(hash, values, 15, hash);
        assert_true(mm_audit_parse(mm_str(PQgetvalue(row, 0, 15)), written));
        assert_memory_equal(hash, written, sizeof hash);
        PQclear(row);
    }
    PQfinish(other);
    assert_int_equal(head.seq, count);
    assert_memory_equal(head.hash, hash, sizeof hash);
}

// Two savers in turn, and each kind of row: the chain is the one that the program would make.
static void savers_side_by_side_make_one_chain(void **state)
{
    store_t *stores[] = {opened(state), opened(state)};
    for (unsigned i = 0; i < 6; i++) {
        real_task_t task = in_run(begun(i + 1, i + 1, 1), i % 2 ? "groups=web,eu" : "");
        (void)ask(stores[i % 2], task);
    }
    mm_order_t deny = order_of(1, MM_ACTION_DENY, "DB-1.");
    deny.until_ms = 4000000000000;
    deny.why = mm_str("das Gerät brennt");
    assert_string_equal(give(stores[0], deny), "");
    deny = order_of(2, MM_ACTION_HALT, "");
    deny.run = UINT64_MAX;
    assert_string_equal(give(stores[1], deny), "");
    real_task_t task =
        settled(in_run(ended(1, 9, 1, MM_END_EXIT), "groups=web"), MM_OUTCOME_DEAD, MM_PROOF_NONE);
    task.task.error = mm_str("no route");
    (void)ask(stores[0], task);
    task = settled(in_run(ended(2, 10, 1, MM_END_RESTARTED), ""), MM_OUTCOME_RESTARTED,
                   MM_PROOF_PROVEN);
    (void)ask(stores[1], task);
    verify(*state, 10, store_head(stores[1]));
    for (int i = 0; i < 2; i++)
        assert_true(store_close(&stores[i]));
    stores[0] = opened(state);
    verify(*state, 10, store_head(stores[0]));
    assert_true(store_close(&stores[0]));
}

// Both write to the audit at once, from the begin to the end: no number twice, no fork.
static void savers_at_once_make_one_chain(void **state)
{
    enum { SAVERS = 2, BATCHES = 20, TASKS = 8 };
    store_t *store = opened(state);
    pid_t savers[SAVERS];
    for (unsigned i = 0; i < SAVERS; i++) {
        savers[i] = fork();
        assert_true(savers[i] >= 0);
        if (savers[i] == 0) {
            store_t *own = NULL;
            if (store_open(*state, &own, open_error) != 0)
                _exit(1);
            for (unsigned batch = 0; batch < BATCHES; batch++) {
                for (unsigned k = 0; k < TASKS; k++) { // the same jobs, in other orders
                    real_task_t task = begun(i ? k : TASKS - 1 - k, k, 1 + batch);
                    put_task(own, &task);
                }
                commit_or_exit(own, TASKS);
            }
            _exit(0);
        }
    }
    for (unsigned i = 0; i < SAVERS; i++) {
        int status = 1;
        assert_int_equal(waitpid(savers[i], &status, 0), savers[i]);
        assert_int_equal(status, 0);
    }
    assert_true(store_close(&store));
    store = opened(state);
    verify(*state, SAVERS * BATCHES * TASKS, store_head(store));
    assert_true(store_close(&store));
}

// ---- the fence

#define FENCED_WRITE                                                                               \
    "mayhem_write(%s, 1000, ARRAY['00000000-0000-0000-0000-000000000001']::uuid[], "               \
    "ARRAY['h'], ARRAY['h'], ARRAY['p'], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY['dead'], "      \
    "ARRAY[0::bigint], ARRAY[0::bigint], ARRAY[NULL::text], ARRAY[NULL::text]"
#define FENCED_APPLY                                                                               \
    ", ARRAY['h'], ARRAY[''], ARRAY[7::bigint], ARRAY[''], ARRAY[''], ARRAY[true], "               \
    "ARRAY['begun'], ARRAY[1::bigint], ARRAY['r'], ARRAY[true], ARRAY[NULL::text], "               \
    "ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::bigint], "               \
    "ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[1::bigint], ARRAY[1::bigint], "                   \
    "ARRAY[1::bigint], ARRAY[NULL::text], ARRAY[false], ARRAY[NULL::text]"
#define FENCED_ORDER                                                                               \
    "mayhem_order(%s, 1000, ARRAY['00000000-0000-0000-0000-000000000002']::uuid[], "               \
    "ARRAY['halt'], ARRAY[''], ARRAY[NULL::text], ARRAY[false], ARRAY[7::bigint], "                \
    "ARRAY[0::bigint], ARRAY['why'], ARRAY['root']"
#define FENCED_STATE "mayhem_state(%s, 1000, 7, 0, 0, 0, 10"

// How many rows a call gives that names this epoch.
static long rows_of(const char *call, const char *epoch)
{
    char sql[4096];
    const char *mark = strstr(call, "%s");
    int size = snprintf(sql, sizeof sql, "SELECT count(*) FROM %.*s%s%s)", (int)(mark - call), call,
                        epoch, mark + 2);
    assert_in_range(size, 1, sizeof sql - 1);
    return strtol(query(sql), NULL, 10);
}

#define ALL_ROWS                                                                                   \
    "SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM attempts), (SELECT count(*) FROM "  \
    "audit), (SELECT count(*) FROM holds), (SELECT count(*) FROM places)"

// An epoch that is past, one that is to come, one whose lease has expired or has no holder: nothing
// is written, and nothing is read.
static void who_does_not_lead_writes_and_reads_nothing(void **state)
{
    store_t *store = opened(state);
    static const char *const calls[] = {FENCED_WRITE, "mayhem_apply" /* see below */, FENCED_ORDER,
                                        FENCED_STATE};
    char apply[2048];
    (void)snprintf(apply, sizeof apply, "%s%s%s", "mayhem_apply",
                   &FENCED_WRITE[sizeof "mayhem_write" - 1], FENCED_APPLY);
    assert_true(store_close(&store));
    execute("UPDATE lease SET epoch = 5, holder = 'x', expires = clock_timestamp() + interval '1 "
            "hour'");
    for (size_t i = 0; i < 4; i++) {
        const char *call = i == 1 ? apply : calls[i];
        assert_int_equal(rows_of(call, "4"), 0);
        assert_int_equal(rows_of(call, "6"), 0);
    }
    execute("UPDATE lease SET expires = clock_timestamp()");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rows_of(i == 1 ? apply : calls[i], "5"), 0);
    execute("UPDATE lease SET holder = NULL, expires = clock_timestamp() + interval '1 hour'");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rows_of(i == 1 ? apply : calls[i], "5"), 0);
    assert_string_equal(query(ALL_ROWS), "0|0|0|0|0;");
    execute("UPDATE lease SET holder = 'x'");
    assert_int_equal(rows_of(FENCED_STATE, "5"), 1);
    assert_int_equal(rows_of(apply, "5"), 1);
    assert_int_equal(rows_of(FENCED_ORDER, "5"), 1);
    assert_int_equal(rows_of(FENCED_WRITE, "5"), 1);
    assert_string_equal(query(ALL_ROWS), "1|1|3|1|1;");
    assert_int_equal(rows_of(FENCED_STATE, "NULL"), 4); // there is no lease
}

// What a write says that names this epoch.
static const char *written_by(const char *epoch)
{
    char sql[4096];
    const char *mark = strstr(FENCED_WRITE, "%s");
    (void)snprintf(sql, sizeof sql, "SELECT * FROM mayhem_write(%s%s)", epoch, mark + 2);
    return query(sql);
}

// A save came first: the insert fails, and what is written instead asks for the epoch again.
static void a_settle_completes_a_save_under_the_same_fence(void **state)
{
    store_t *store = opened(state);
    assert_true(store_close(&store));
    execute("INSERT INTO jobs (id, host, instance, publisher, received_ms, deliveries)"
            " VALUES ('00000000-0000-0000-0000-000000000001', 'h', 'h', 'p', 1, 3)");
    execute("UPDATE lease SET epoch = 5, holder = 'x', expires = clock_timestamp() + interval '1 "
            "hour'");
    assert_int_equal(rows_of(FENCED_WRITE, "4"), 0);
    assert_string_equal(query("SELECT outcome IS NULL FROM jobs"), "1;");
    assert_string_equal(written_by("4"), "");
    assert_string_equal(written_by("5"), "1;");
    assert_string_equal(query("SELECT outcome, deliveries, settled_ms FROM jobs"), "dead|3|1000;");
    assert_string_equal(written_by("5"), "0;"); // it has to be told
}

// A batch has locked the lease: whoever takes over waits for its end, a renewal does not.
static void a_take_over_waits_for_the_batch_under_way(void **state)
{
    store_t *store = opened(state);
    assert_true(store_close(&store));
    execute("UPDATE lease SET epoch = 5, holder = 'x', expires = clock_timestamp() + interval '1 "
            "hour'");
    execute("BEGIN");
    assert_int_equal(rows_of(FENCED_WRITE, "5"), 1);
    PGconn *other = PQconnectdb(*state);
    PQclear(PQexec(other, "SET lock_timeout = '200ms'"));
    PGresult *result = PQexec(other, "UPDATE lease SET expires = clock_timestamp()");
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    result = PQexec(other, "UPDATE lease SET epoch = 6");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "55P03");
    PQclear(result);
    execute("COMMIT");
    result = PQexec(other, "UPDATE lease SET epoch = 6");
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
    PQfinish(other);
}

// ---- a database that refuses, waits, or hangs up

// What it has refused is on record nowhere, all of it; the next batch is another one.
static void a_batch_that_is_refused_fails_and_passes(void **state)
{
    store_t *store = opened(state);
    execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
            " 'the disk is full' USING ERRCODE = 'disk_full'; END $$;"
            "CREATE TRIGGER no BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION no()");
    real_task_t task = begun(2, 12, 1);
    put_save(store, 1, 11);
    put_task(store, &task);
    EXPECT(store, {11, MM_STATUS_FAILED, MM_OUTCOME_NONE}, {12, MM_STATUS_FAILED, MM_OUTCOME_NONE});
    assert_non_null(strstr(store_error(store), "the disk is full"));
    assert_non_null(strstr(give(store, order_of(1, MM_ACTION_HALT, "")), "the disk is full"));
    assert_string_equal(query(ALL_ROWS), "0|0|0|0|0;");
    assert_int_equal(store_head(store).seq, 0);
    execute("DROP TRIGGER no ON audit");
    put_settle(store, 1, 13, MM_OUTCOME_RESTARTED);
    EXPECT(store, {13, MM_STATUS_OK, MM_OUTCOME_RESTARTED});
    assert_string_equal(store_error(store), "");
    assert_string_equal(give(store, order_of(1, MM_ACTION_HALT, "")), "");
    assert_true(store_close(&store));
}

// Its session ends in the middle: nobody knows what it has done. It is written again, and what came
// later is written behind it.
static void what_is_unknown_is_written_again_before_all_later(void **state)
{
    store_t *store = opened(state);
    const mm_result_t *answers = NULL;
    execute("BEGIN; LOCK TABLE jobs IN EXCLUSIVE MODE");
    put_settle(store, 1, 11, MM_OUTCOME_DEAD);
    assert_true(store_flush(store));
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    wait_until("SELECT count(*) > 0 " WAITS, "1;");
    execute("SELECT pg_terminate_backend(pid) " WAITS);
    put_save(store, 2, 13);
    assert_true(store_flush(store));
    while (*store_trouble(store) == '\0')
        wait_for_store(store);
    assert_int_equal(store_answers(store, &answers), 0);
    execute("COMMIT");
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_DEAD}, {12, MM_STATUS_OK, MM_OUTCOME_DEAD},
           {13, MM_STATUS_OK, MM_OUTCOME_NONE});
    assert_string_equal(store_trouble(store), "");
    assert_true(store_close(&store));
}

// Another session holds what the batch waits for, and waits for what the batch has. The server ends
// that one of the two which has waited for a second first: the batch, if this machine is not slow.
static void a_batch_that_ends_by_a_deadlock_is_written_again(void **state)
{
    store_t *store = opened(state);
    PGconn *other = PQconnectdb(*state);
    PQclear(PQexec(other, "BEGIN; INSERT INTO jobs (id, host, instance, publisher, received_ms)"
                          " VALUES ('00000000-0000-0000-0000-000000000009', 'h', 'h', 'p', 1)"));
    put_save(store, 9, 12);
    put_save(store, 1, 11);
    assert_true(store_flush(store));
    wait_until("SELECT count(*) > 0 " WAITS, "1;");
    PQclear(PQexec(other, "INSERT INTO jobs (id, host, instance, publisher, received_ms) VALUES"
                          " ('00000000-0000-0000-0000-000000000001', 'h', 'h', 'p', 1)"));
    PQclear(PQexec(other, "COMMIT")); // rolls back if it is the one
    PQfinish(other);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_NONE}, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    assert_string_equal(query("SELECT count(*) FROM jobs"), "2;");
    wait_until("SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()",
               "1;");
    assert_true(store_close(&store));
}

static void a_page_and_orders_come_behind_what_was_put_before(void **state)
{
    store_t *store = opened(state);
    const mm_recorded_t *recorded;
    store_page_t page;
    real_task_t task = in_run(begun(1, 11, 1), "groups=web");
    put_task(store, &task);
    assert_true(store_flush(store));
    store_ask(store, &(store_question_t){.question = 1, .run = RUN});
    mm_order_t halt = order_of(1, MM_ACTION_HALT, "");
    assert_true(store_order(store, &halt, 1));
    store_ask(store, &(store_question_t){.question = 2, .run = RUN});
    (void)answers_to(store, 1);
    while (store_recorded(store, &recorded) == 0)
        wait_for_store(store);
    while (!store_page(store, &page))
        wait_for_store(store);
    assert_int_equal(page.asked.question, 2);
    assert_int_equal(page.count, 2);
    assert_int_equal(page.items[0].action, MM_ACTION_HALT);
    assert_int_equal(page.items[1].action, MM_ACTION_BEGUN);
    assert_false(store_page(store, &page));
    assert_true(store_close(&store));
}

// Somebody has written there what the wire does not take.
static void a_strange_record_is_read_within_the_limits_of_frames(void **state)
{
    store_t *store = opened(state);
    execute("INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor) VALUES"
            " ('halt', '', 0, -5, -5, repeat('00', 2000), ''), ('music', 'x', 0, 0, 0, '', '');"
            "INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES"
            " (repeat('é', 500), repeat('0', 500), 7, 0, lpad('', 32, '0')::uuid, -1)");
    store_page_t page;
    ask_state(store, RUN, 0, &page);
    assert_int_equal(page.count, 2);
    assert_int_equal(page.items[0].why.size, MM_ERROR_MAX);
    assert_int_equal(page.items[0].until_ms + page.items[0].at_ms, 0);
    assert_int_equal(page.items[1].name.size, MM_HOST_MAX - 1); // é has two bytes
    assert_int_equal(page.items[1].groups.size, MM_GROUPS_BYTES);
    execute("UPDATE jobs SET outcome = 'odd'");
    assert_true(store_close(&store));
}

static void an_outcome_of_no_name_is_dead(void **state)
{
    store_t *store = opened(state);
    put_save(store, 1, 11);
    (void)answers_to(store, 1);
    execute("UPDATE jobs SET outcome = 'odd', error = 'why'");
    put_settle(store, 1, 12, MM_OUTCOME_RESTARTED);
    EXPECT(store, {12, MM_STATUS_OK, MM_OUTCOME_DEAD});
    assert_true(store_close(&store));
}

// An error of a command may have any bytes.
static void what_is_no_text_does_not_fail_the_batch(void **state)
{
    store_t *store = opened(state);
    mm_task_t settle = store_task(MM_LEG_SETTLE, 1, 11);
    settle.outcome = MM_OUTCOME_DEAD;
    settle.error = (mm_str_t){"a\0b\xff", 4};
    store_put(store, &settle);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_DEAD});
    assert_string_equal(query("SELECT error FROM jobs"), "a?b?;");
    assert_true(store_close(&store));
}

// Half of a page is kept for the settle behind a save, so that no index has to change.
static void a_settle_behind_its_save_changes_no_index(void **state)
{
    enum { JOBS = 1000 };
    store_t *store = opened(state);
    for (unsigned i = 0; i < JOBS; i++)
        put_save(store, i, i);
    (void)answers_to(store, JOBS);
    for (unsigned i = 0; i < JOBS; i++)
        put_settle(store, i, i, MM_OUTCOME_RESTARTED);
    (void)answers_to(store, JOBS);
    assert_true(store_close(&store)); // its session tells the statistics then
    wait_until("SELECT n_tup_hot_upd >= 950 AND n_tup_upd = 1000 FROM pg_stat_user_tables"
               " WHERE relid = 'jobs'::regclass",
               "1;");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_is_no_text_is_written_with_marks),
        cmocka_unit_test(a_batch_grows_until_it_is_sent),
        cmocka_unit_test(a_new_question_takes_the_place_of_the_former),
    };
    const struct CMUnitTest with_a_server[] = {
        TEST(the_schema_of_another_program_is_refused),
        TEST(another_version_is_refused),
        TEST(a_record_without_its_fence_is_refused),
        TEST(a_search_path_without_a_schema_is_refused),
        TEST(several_savers_make_one_record),
        TEST(savers_side_by_side_make_one_chain),
        TEST(savers_at_once_make_one_chain),
        TEST(who_does_not_lead_writes_and_reads_nothing),
        TEST(a_settle_completes_a_save_under_the_same_fence),
        TEST(a_take_over_waits_for_the_batch_under_way),
        TEST(a_batch_that_is_refused_fails_and_passes),
        TEST(what_is_unknown_is_written_again_before_all_later),
        TEST(a_batch_that_ends_by_a_deadlock_is_written_again),
        TEST(a_page_and_orders_come_behind_what_was_put_before),
        TEST(a_strange_record_is_read_within_the_limits_of_frames),
        TEST(an_outcome_of_no_name_is_dead),
        TEST(what_is_no_text_does_not_fail_the_batch),
        TEST(a_settle_behind_its_save_changes_no_index),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (temp_postgresql_server() == NULL) {
        printf("skip - PostgreSQL: TEST_POSTGRESQL names no server\n");
        return failed;
    }
    return failed + cmocka_run_group_tests(with_a_server, NULL, NULL);
}
