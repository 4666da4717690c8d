// The same work over Redis Streams, as a good user of them would do it. An entry of the stream
// "jobs" is a job. Restarters, of which there can be many, share it as a consumer group and
// acknowledge each job. The saver, the gatherer and the producer are one each: they read from a
// position, which saver and gatherer put on record with what they have done, and that costs less
// than a group does. Results and acks travel as one entry for a batch. Everybody pipelines: what
// was read is answered, acknowledged and followed by the next read in one round trip. The server
// keeps an append-only file, and is started and ended here; its CPU time counts.
//
// redis [-n JOBS] [-w WINDOW] [-b JOBS] [-f always|everysec] DIR
//   -b: so many jobs in an entry; a lost restarter then costs all of them

#include "clock.h"
#include "roles.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX     512 // jobs
#define ENTRIES_MAX   8   // of a batch each
#define JOBS_MAX      (ENTRIES_MAX * BATCH_MAX)
#define PAYLOAD_BYTES 120
#define ENTRY_MAX     64       // jobs in an entry
#define KEEP          "100000" // entries of a stream, about: more than a window
#define TIME_LIMIT_S  300
#define ID_MAX        48

typedef struct {
    uint64_t jobs, window;
    size_t per_entry;
    const char *fsync, *dir;
    char socket[256];
    roles_result_t *result;
} bench_t;

static bench_t bench = {.jobs = 100000, .window = 10000, .per_entry = 1, .fsync = "always"};

// ---- the connection ----------------------------------------------------------------------------

static redisContext *connect_server(void)
{
    for (int tries = 0; tries < 500; tries++) {
        redisContext *context = redisConnectUnix(bench.socket);
        if (context && !context->err)
            return context;
        redisFree(context);
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    roles_fail("redis-server", "it does not answer");
}

static redisReply *next_reply(redisContext *context)
{
    void *reply = NULL;
    if (redisGetReply(context, &reply) != REDIS_OK)
        roles_fail("redis", context->errstr);
    redisReply *typed = reply;
    if (typed->type == REDIS_REPLY_ERROR)
        roles_fail("redis", typed->str);
    return typed;
}

static void skip_replies(redisContext *context, size_t count)
{
    for (size_t i = 0; i < count; i++)
        freeReplyObject(next_reply(context));
}

// One entry with `count` jobs and what each carries.
static void append_new(redisContext *context, uint64_t first, size_t count)
{
    static char text[ENTRY_MAX][24], rest[PAYLOAD_BYTES - 8];
    const char *words[6 + 4 * ENTRY_MAX] = {"XADD", "jobs", "MAXLEN", "~", KEEP, "*"};
    size_t sizes[6 + 4 * ENTRY_MAX] = {4, 4, 6, 1, sizeof KEEP - 1, 1};
    for (size_t i = 0; i < count; i++) {
        int size = snprintf(text[i], sizeof text[i], "%" PRIu64, first + i);
        const char **word = &words[6 + 4 * i];
        size_t *bytes = &sizes[6 + 4 * i];
        word[0] = "n", bytes[0] = 1;
        word[1] = text[i], bytes[1] = (size_t)size;
        word[2] = "d", bytes[2] = 1;
        word[3] = rest, bytes[3] = sizeof rest;
    }
    (void)redisAppendCommandArgv(context, 6 + 4 * (int)count, words, sizes);
}

// One entry that names many jobs: n JOB n JOB …
static void append_jobs(redisContext *context, const char *stream, const uint64_t *jobs,
                        size_t count)
{
    static char text[BATCH_MAX][24];
    const char *words[6 + 2 * BATCH_MAX] = {"XADD", stream, "MAXLEN", "~", "1000", "*"};
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text[i], sizeof text[i], "%" PRIu64, jobs[i]);
        words[6 + 2 * i] = "n";
        words[7 + 2 * i] = text[i];
    }
    (void)redisAppendCommandArgv(context, 6 + 2 * (int)count, words, NULL);
}

// The entries of a reply to XREAD or XREADGROUP of one stream; NULL when there are none.
static const redisReply *entries_of(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 ? reply->element[0]->element[1]
                                                                   : NULL;
}

// The jobs of an entry; adds them behind those that are there already.
static size_t take_entry(const redisReply *entry, uint64_t *jobs, size_t count)
{
    const redisReply *fields = entry->element[1];
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (*fields->element[i]->str == 'n' && count < JOBS_MAX)
            jobs[count++] = strtoull(fields->element[i + 1]->str, NULL, 10);
    return count;
}

static void create_group(void)
{
    redisContext *context = connect_server();
    (void)redisAppendCommand(context, "XGROUP CREATE jobs restarter 0 MKSTREAM");
    skip_replies(context, 1);
    redisFree(context);
}

// ---- producer ----------------------------------------------------------------------------------

static int run_producer(void *arg)
{
    (void)arg;
    redisContext *context = connect_server();
    char last[ID_MAX] = "0";
    uint64_t sent = 0, acked = 0;
    int64_t start_us = mm_clock_us();
    while (acked < bench.jobs) {
        size_t count = 0;
        uint64_t most = acked + bench.window < bench.jobs ? acked + bench.window : bench.jobs;
        for (uint64_t last_of_turn = sent + BATCH_MAX; sent < most && sent < last_of_turn;
             count++) {
            size_t some = most - sent < bench.per_entry ? (size_t)(most - sent) : bench.per_entry;
            append_new(context, sent, some);
            sent += some;
        }
        if (count > 0)
            (void)redisAppendCommand(context, "XREAD COUNT %d STREAMS acks %s", ENTRIES_MAX, last);
        else
            (void)redisAppendCommand(context, "XREAD COUNT %d BLOCK 0 STREAMS acks %s", ENTRIES_MAX,
                                     last);
        skip_replies(context, count);
        redisReply *reply = next_reply(context);
        const redisReply *entries = entries_of(reply);
        for (size_t i = 0; entries && i < entries->elements; i++) {
            static uint64_t jobs[JOBS_MAX];
            acked += take_entry(entries->element[i], jobs, 0);
            (void)snprintf(last, sizeof last, "%s", entries->element[i]->element[0]->str);
        }
        freeReplyObject(reply);
    }
    bench.result->seconds = (double)(mm_clock_us() - start_us) / 1e6;
    bench.result->jobs = acked;
    redisFree(context);
    return 0;
}

// ---- those who read one stream and write another ----------------------------------------------

typedef struct {
    const char *name, *from, *to;
    size_t entries; // read at a time; 0: as many as are a batch
    bool is_group;  // acknowledges each entry, instead of keeping a position
    bool gathers;   // hands on what it has seen twice, instead of everything
} stage_t;

static const stage_t saver = {.name = "saver", .from = "jobs", .to = "results"};
static const stage_t restarter = {
    .name = "restarter", .from = "jobs", .to = "results", .is_group = true};
static const stage_t gatherer = {
    .name = "gatherer", .from = "results", .to = "acks", .entries = ENTRIES_MAX, .gathers = true};

typedef struct {
    const stage_t *stage;
    redisContext *context;
    char position[ID_MAX];
    uint8_t *seen;           // results of each job, for the gatherer
    uint64_t jobs[JOBS_MAX]; // to be handed on
} reader_t;

static void append_done(reader_t *self, const redisReply *entries)
{
    const stage_t *stage = self->stage;
    const char *words[3 + BATCH_MAX] = {"XACK", stage->from, stage->name};
    if (!stage->is_group) {
        (void)redisAppendCommand(self->context, "SET position:%s %s", stage->name, self->position);
        return;
    }
    for (size_t i = 0; i < entries->elements; i++)
        words[3 + i] = entries->element[i]->element[0]->str;
    (void)redisAppendCommandArgv(self->context, 3 + (int)entries->elements, words, NULL);
}

// Appends what answers a batch; returns how many replies will come.
static size_t answer(reader_t *self, const redisReply *entries)
{
    size_t count = 0, kept = 0, replies = 1;
    for (size_t i = 0; i < entries->elements; i++)
        count = take_entry(entries->element[i], self->jobs, count);
    for (size_t i = 0; i < count; i++)
        if (!self->stage->gathers || ++self->seen[self->jobs[i]] == 2)
            self->jobs[kept++] = self->jobs[i];
    (void)snprintf(self->position, sizeof self->position, "%s",
                   entries->element[entries->elements - 1]->element[0]->str);
    for (size_t i = 0; i < kept; i += BATCH_MAX) {
        append_jobs(self->context, self->stage->to, self->jobs + i,
                    kept - i < BATCH_MAX ? kept - i : BATCH_MAX);
        replies++;
    }
    append_done(self, entries);
    return replies;
}

_Noreturn static int run_stage(void *arg)
{
    static reader_t self = {.position = "0"};
    const stage_t *stage = self.stage = arg;
    self.context = connect_server();
    self.seen = calloc(bench.jobs, 1);
    int most = (int)(stage->entries > 0 ? stage->entries : BATCH_MAX / bench.per_entry);
    for (size_t replies = 0;;) {
        if (stage->is_group)
            (void)redisAppendCommand(self.context,
                                     "XREADGROUP GROUP %s one COUNT %d BLOCK 0 STREAMS %s >",
                                     stage->name, most, stage->from);
        else
            (void)redisAppendCommand(self.context, "XREAD COUNT %d BLOCK 0 STREAMS %s %s", most,
                                     stage->from, self.position);
        skip_replies(self.context, replies);
        redisReply *reply = next_reply(self.context);
        const redisReply *entries = entries_of(reply);
        replies = entries ? answer(&self, entries) : 0;
        freeReplyObject(reply);
    }
}

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: redis [-n JOBS] [-w WINDOW] [-b JOBS] [-f always|everysec] DIR\n", stderr);
    exit(EX_USAGE);
}

static void start_server(roles_t *roles)
{
    (void)snprintf(bench.socket, sizeof bench.socket, "%s/redis.sock", bench.dir);
    const char *argv[] = {
        "redis-server", "--port",      "0",  "--unixsocket", bench.socket, "--dir",
        bench.dir,      "--save",      "",   "--appendonly", "yes",        "--appendfsync",
        bench.fsync,    "--daemonize", "no", "--loglevel",   "warning",    NULL};
    (void)roles_execute(roles, "server", (char *const *)argv);
    create_group();
}

int main(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "n:w:b:f:")) != -1;) {
        switch (option) {
        case 'n': bench.jobs = strtoull(optarg, NULL, 10); break;
        case 'w': bench.window = strtoull(optarg, NULL, 10); break;
        case 'b': bench.per_entry = strtoull(optarg, NULL, 10); break;
        case 'f': bench.fsync = optarg; break;
        default: usage();
        }
    }
    if (optind != argc - 1 || bench.jobs == 0 || bench.per_entry == 0 ||
        bench.per_entry > ENTRY_MAX)
        usage();
    bench.dir = argv[optind];
    bench.result = roles_share(sizeof *bench.result);
    static roles_t roles;
    (void)alarm(TIME_LIMIT_S);
    start_server(&roles);
    (void)roles_fork(&roles, "saver", run_stage, (void *)&saver);
    (void)roles_fork(&roles, "restarter", run_stage, (void *)&restarter);
    (void)roles_fork(&roles, "gatherer", run_stage, (void *)&gatherer);
    size_t producer = roles_fork(&roles, "producer", run_producer, NULL);
    if (!roles_await(&roles, producer))
        return EX_UNAVAILABLE;
    roles_end(&roles);
    roles_print(&roles, bench.result);
    return 0;
}
