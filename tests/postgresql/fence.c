// The fence of the record under load: takers take the lease from each other while writers send
// batches under the epoch that they last saw. A row is late when it is of an epoch that had ended,
// and the transaction that ended it did not see it. On a real server, through pg_link.
//
//   fence URI TAKE-OVERS SEED [VARIANT]
//
// Two kinds of rounds take turns: the lease expires, as in the product; and any taker may take it
// at any time, so that nothing but the locks fences.
//
// VARIANT: key, the fence of the product; nonkey, an epoch in no unique index; nolock, a fence that
// looks and locks nothing. The latter two let late rows through: they show that this test sees
// them. Exit 0: no late row; 1: late rows; 70: it did not come to pass.

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pg_link.h"
#include "random.h"

#define TAKERS      3
#define WRITERS     6
#define ROUND       250   // take-overs between two looks at the rows
#define DEADLINE_MS 20000 // of a command
#define STALL_MS    60000 // without a take-over
#define TTL_MAX_MS  12

static const char tables[] =
    "SET client_min_messages = error; DROP TABLE IF EXISTS lease, jobs, takes CASCADE;"
    "RESET client_min_messages;"
    "CREATE TABLE lease (name text PRIMARY KEY, epoch bigint NOT NULL, holder text,"
    " expires timestamptz NOT NULL);"
    "CREATE TABLE jobs (id bigint PRIMARY KEY, epoch bigint NOT NULL, outcome text);"
    "CREATE INDEX ON jobs (epoch);"
    "CREATE TABLE takes (epoch bigint PRIMARY KEY, previous bigint NOT NULL, seen bigint NOT NULL);"
    "INSERT INTO lease VALUES ('leader', 1, NULL, 'epoch'); INSERT INTO takes VALUES (1, 0, 0)";

#define UNIQUE_EPOCH "ALTER TABLE lease ADD UNIQUE (name, epoch)"

// A function, so that the transaction that takes also counts: each statement has a new snapshot.
static const char take[] =
    "CREATE OR REPLACE FUNCTION take(who text, ttl interval, is_due boolean) RETURNS bigint AS $$ "
    "DECLARE mine bigint; BEGIN "
    "UPDATE lease SET epoch = greatest(epoch + 1,"
    " (extract(epoch FROM clock_timestamp()) * 1000)::bigint),"
    " holder = who, expires = clock_timestamp() + ttl"
    " WHERE name = 'leader' AND (is_due OR expires <= clock_timestamp()) RETURNING epoch INTO mine;"
    "IF mine IS NOT NULL THEN INSERT INTO takes SELECT mine, t.epoch,"
    " (SELECT count(*) FROM jobs AS j WHERE j.epoch = t.epoch)"
    " FROM takes AS t ORDER BY t.epoch DESC LIMIT 1; END IF;"
    "RETURN mine; END $$ LANGUAGE plpgsql";

#define BATCH(condition, lock)                                                                     \
    "WITH f AS MATERIALIZED (SELECT 1 FROM lease WHERE name = 'leader' AND "                       \
    "epoch = $1::text::bigint" condition lock "), "                                                \
    "u AS (INSERT INTO jobs AS j (id, epoch, outcome) SELECT s.id, $1::text::bigint, 'restarted' " \
    "FROM f CROSS JOIN unnest(string_to_array($2::text, ',')::bigint[]) AS s (id) "                \
    "ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome WHERE j.outcome IS NULL "           \
    "RETURNING 1) SELECT (SELECT count(*)::text FROM f), (SELECT count(*)::text FROM u), "         \
    "pg_sleep($3::text::float8 / 1000)"

#define PREPARES(lock)                                                                             \
    {                                                                                              \
        "take", "SELECT take($1::text, $2::text::interval, $3::text::boolean)::text", "renew",     \
            "UPDATE lease SET expires = clock_timestamp() + $2::text::interval WHERE name = "      \
            "'leader' "                                                                            \
            "AND epoch = $1::text::bigint AND expires > clock_timestamp() RETURNING 1",            \
            "look", "SELECT epoch::text FROM lease WHERE name = 'leader'", "batch",                \
            BATCH(" AND expires > clock_timestamp()", lock), "batch_of_any_time", BATCH("", lock), \
            NULL                                                                                   \
    }
static const char *const prepares[] = PREPARES(" FOR KEY SHARE");
static const char *const prepares_nolock[] = PREPARES("");

typedef enum { NOTHING, TAKE, RENEW, LOOK, BATCH_ROWS } doing_t;

typedef struct {
    mm_pg_link_t *link;
    bool is_taker;
    doing_t doing; // what is under way
    doing_t next;  // and what comes at due_ms
    int64_t due_ms;
    int64_t began_ms;
    int64_t epoch; // the one that it believes in
    int ttl_ms;
} actor_t;

typedef struct {
    actor_t actors[TAKERS + WRITERS];
    uint64_t chance;
    bool is_timed; // whether leases of this round expire
    long wanted, takes, round_takes;
    int64_t last_take_ms;
    long long next_id;
    long long rows, fenced, deadlocks, late, longest_ms;
} fence_t;

static int below(fence_t *self, int limit)
{
    return (int)mm_random_below(&self->chance, (uint64_t)limit);
}

static void fail(const char *what, const char *why)
{
    printf("FAIL fence: %s: %s\n", what, why);
    exit(70);
}

// ---- sending
// -------------------------------------------------------------------------------------

static void send_texts(actor_t *actor, doing_t doing, const char *prepared, const char *a,
                       const char *b, const char *c)
{
    const char *values[] = {a, b, c};
    int sizes[3] = {0}, count = 0;
    for (; count < 3 && values[count] != NULL; count++)
        sizes[count] = (int)strlen(values[count]);
    mm_pg_send(actor->link, prepared, count, values, sizes);
    actor->doing = doing;
    actor->began_ms = mm_clock_ms();
}

static void send_batch(fence_t *self, actor_t *actor)
{
    char epoch[24], ids[32 * 21], pause[8], *end = ids;
    int count = 1 + below(self, 30);
    for (int i = 0; i < count; i++)
        end += sprintf(end, i == 0 ? "%lld" : ",%lld", self->next_id++);
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)actor->epoch);
    // A quarter goes on for a while with its locks held, as behind a slow disk.
    (void)snprintf(pause, sizeof pause, "%d", below(self, 4) == 0 ? below(self, 8) : 0);
    send_texts(actor, BATCH_ROWS, self->is_timed ? "batch" : "batch_of_any_time", epoch, ids,
               pause);
}

static void send_next(fence_t *self, actor_t *actor)
{
    char epoch[24], ttl[32];
    (void)snprintf(epoch, sizeof epoch, "%lld", (long long)actor->epoch);
    switch (actor->next) {
    case TAKE:
        actor->ttl_ms = 1 + below(self, TTL_MAX_MS);
        (void)snprintf(ttl, sizeof ttl, "%d ms", actor->ttl_ms);
        send_texts(actor, TAKE, "take", "taker", ttl, self->is_timed ? "false" : "true");
        break;
    case RENEW:
        (void)snprintf(ttl, sizeof ttl, "%d ms", actor->ttl_ms);
        send_texts(actor, RENEW, "renew", epoch, ttl, NULL);
        break;
    case LOOK: send_texts(actor, LOOK, "look", NULL, NULL, NULL); break;
    case BATCH_ROWS: send_batch(self, actor); break;
    case NOTHING: break;
    }
}

// ---- receiving
// -----------------------------------------------------------------------------------

static void plan(actor_t *actor, doing_t next, int in_ms)
{
    actor->next = next;
    actor->due_ms = mm_clock_ms() + in_ms;
}

// A value of the first row, which is text; NULL: NULL, or no row.
static const char *value(const mm_pg_answer_t *answer, int column)
{
    return PQntuples(answer->result) == 0 || PQgetisnull(answer->result, 0, column)
               ? NULL
               : PQgetvalue(answer->result, 0, column);
}

static void took(fence_t *self, actor_t *actor, const char *epoch)
{
    int64_t now_ms = mm_clock_ms();
    plan(actor, TAKE, below(self, 3));
    if (epoch == NULL)
        return;
    self->takes++;
    self->round_takes++;
    self->last_take_ms = now_ms;
    if (now_ms - actor->began_ms > self->longest_ms)
        self->longest_ms = now_ms - actor->began_ms;
    actor->epoch = strtoll(epoch, NULL, 10);
    if (below(self, 3) == 0)
        plan(actor, RENEW, actor->ttl_ms / 2);
    else
        plan(actor, TAKE, actor->ttl_ms + below(self, 4));
}

static void wrote(fence_t *self, actor_t *actor, const mm_pg_answer_t *answer)
{
    bool is_fenced = strcmp(value(answer, 0), "0") == 0;
    self->rows += strtoll(value(answer, 1), NULL, 10);
    self->fenced += is_fenced;
    plan(actor, is_fenced ? LOOK : BATCH_ROWS, below(self, 3) == 0 ? below(self, 4) : 0);
}

static void receive(fence_t *self, actor_t *actor, const mm_pg_answer_t *answer)
{
    doing_t doing = actor->doing;
    actor->doing = NOTHING;
    if (answer->outcome == MM_PG_FAILED && strcmp(answer->sqlstate, "40P01") == 0) {
        self->deadlocks++;
        plan(actor, doing, 0);
        return;
    }
    if (answer->outcome != MM_PG_DONE)
        fail("a command is not done", answer->error);
    switch (doing) {
    case TAKE: took(self, actor, value(answer, 0)); break;
    case RENEW: plan(actor, TAKE, below(self, 2 * TTL_MAX_MS)); break;
    case LOOK:
        actor->epoch = strtoll(value(answer, 0), NULL, 10);
        plan(actor, BATCH_ROWS, 0);
        break;
    case BATCH_ROWS: wrote(self, actor, answer); break;
    case NOTHING: break;
    }
}

// ---- rounds
// --------------------------------------------------------------------------------------

// One wait, and what has come. With is_ending nothing more is sent. Returns how many are under way.
static int turn(fence_t *self, bool is_ending)
{
    struct pollfd ready[TAKERS + WRITERS];
    int64_t now_ms = mm_clock_ms(), wait_ms = 1000;
    int under_way = 0;
    for (int i = 0; i < TAKERS + WRITERS; i++) {
        actor_t *actor = &self->actors[i];
        if (!is_ending && actor->doing == NOTHING && actor->due_ms <= now_ms &&
            mm_pg_is_ready(actor->link))
            send_next(self, actor);
        if (!is_ending && actor->doing == NOTHING && actor->due_ms - now_ms < wait_ms)
            wait_ms = actor->due_ms > now_ms ? actor->due_ms - now_ms : 0;
        under_way += actor->doing != NOTHING;
        ready[i] = (struct pollfd){.fd = mm_pg_descriptor(actor->link), .events = POLLIN};
    }
    if (is_ending && under_way == 0)
        return 0;
    (void)poll(ready, TAKERS + WRITERS, (int)wait_ms);
    for (int i = 0; i < TAKERS + WRITERS; i++) {
        mm_pg_answer_t answer;
        if (ready[i].revents != 0 && mm_pg_step(self->actors[i].link, &answer))
            receive(self, &self->actors[i], &answer);
    }
    return under_way;
}

static long long ask(fence_t *self, const char *sql)
{
    mm_pg_answer_t answer = mm_pg_run(self->actors[0].link, sql);
    if (answer.outcome != MM_PG_DONE)
        fail(sql, answer.error);
    return PQntuples(answer.result) > 0 ? strtoll(PQgetvalue(answer.result, 0, 0), NULL, 10) : 0;
}

// Whatever a take-over had not seen of the epoch that it ended; the last epoch has not ended.
static void judge(fence_t *self)
{
    long long late = ask(self, "SELECT coalesce(sum((SELECT count(*) FROM jobs AS j WHERE "
                               "j.epoch = t.previous) - t.seen), 0) FROM takes AS t");
    long long unheard = ask(self, "SELECT count(*) FROM jobs AS j WHERE NOT EXISTS "
                                  "(SELECT FROM takes AS t WHERE t.epoch = j.epoch)");
    if (late > 0)
        printf("late rows: %lld within %ld take-overs, %s\n", late, self->round_takes,
               self->is_timed ? "of leases that expire" : "at any time");
    if (unheard > 0)
        fail("rows of an epoch that nobody took", "the test is wrong");
    self->late += late;
    (void)ask(self,
              "TRUNCATE jobs; DELETE FROM takes WHERE epoch <> (SELECT max(epoch) FROM takes)");
    (void)ask(self, "UPDATE takes SET previous = 0, seen = 0");
}

static void run_round(fence_t *self)
{
    self->round_takes = 0;
    self->last_take_ms = mm_clock_ms();
    for (int i = 0; i < TAKERS + WRITERS; i++)
        plan(&self->actors[i], self->actors[i].is_taker ? TAKE : LOOK, below(self, 5));
    while (self->round_takes < ROUND && self->takes < self->wanted) {
        (void)turn(self, false);
        if (mm_clock_ms() - self->last_take_ms > STALL_MS)
            fail("no take-over", "for a minute");
    }
    while (turn(self, true) > 0) {
    }
    judge(self);
}

// ---- the program
// ---------------------------------------------------------------------------------

static mm_pg_link_t *open_link(const char *uri, const char *const *commands)
{
    mm_pg_link_t *link = NULL;
    char error[MM_ERROR_MAX];
    mm_pg_config_t config = {
        .uri = uri, .name = "fence", .deadline_ms = DEADLINE_MS, .prepares = commands};
    if (mm_pg_open(&config, &link, error) != 0)
        fail("no connection", error);
    return link;
}

static void make_tables(const char *uri, const char *variant)
{
    mm_pg_link_t *link = open_link(uri, NULL);
    const char *const commands[] = {tables, take,
                                    strcmp(variant, "nonkey") == 0 ? "SELECT" : UNIQUE_EPOCH};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        mm_pg_answer_t answer = mm_pg_run(link, commands[i]);
        if (answer.outcome != MM_PG_DONE)
            fail("no tables", answer.error);
    }
    mm_pg_close(&link);
}

int main(int argc, char **argv)
{
    const char *variant = argc > 4 ? argv[4] : "key";
    if (argc < 4 || (strcmp(variant, "key") != 0 && strcmp(variant, "nonkey") != 0 &&
                     strcmp(variant, "nolock") != 0)) {
        (void)fprintf(stderr, "usage: fence URI TAKE-OVERS SEED [key|nonkey|nolock]\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    fence_t self = {.wanted = strtol(argv[2], NULL, 10), .chance = strtoull(argv[3], NULL, 10)};
    make_tables(argv[1], variant);
    const char *const *commands = strcmp(variant, "nolock") == 0 ? prepares_nolock : prepares;
    for (int i = 0; i < TAKERS + WRITERS; i++)
        self.actors[i] = (actor_t){.link = open_link(argv[1], commands), .is_taker = i < TAKERS};
    int64_t began_ms = mm_clock_ms();
    for (int round = 0; self.takes < self.wanted; round++) {
        self.is_timed = round % 2 == 0;
        run_round(&self);
    }
    for (int i = 0; i < TAKERS + WRITERS; i++)
        mm_pg_close(&self.actors[i].link);
    printf("%s: %ld take-overs, %lld rows, %lld batches fenced, %lld deadlocks, longest take "
           "%lld ms, %lld s, seed %s: %lld late rows\n",
           variant, self.takes, self.rows, self.fenced, self.deadlocks, self.longest_ms,
           (long long)(mm_clock_ms() - began_ms) / 1000, argv[3], self.late);
    if (self.rows == 0 || self.fenced == 0)
        fail("nothing was written or fenced", "no test");
    return self.late > 0 ? 1 : 0;
}
