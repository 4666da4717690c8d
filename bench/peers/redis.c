// The same work over Redis Streams, as a good user of them would do it. An entry of the stream
// "jobs" is a job. Restarters, of which there can be many, share it as a consumer group and
// acknowledge each job. The saver, the gatherer and the producer are one each: they read from a
// position, which saver and gatherer put on record with what they have done, and that costs less
// than a group does. Results and acks travel as one entry for a batch. Everybody pipelines: what
// was read is answered, acknowledged and followed by the next read in one round trip. The server
// keeps an append-only file.
//
// redis [-n JOBS] [-w WINDOW] [-b JOBS] [-f always|everysec] DIR
//   -b: so many jobs in an entry; a lost restarter then costs all of them

#include "peer.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX  8 // of a batch each
#define JOBS_MAX     (ENTRIES_MAX * PEER_BATCH_MAX)
#define KEEP         "100000" // entries of "jobs", about: more than a window
#define KEEP_RESULTS "1000"   // the same of "results"; of "acks" all, as they are the outcome
#define ID_MAX       48

static char socket_path[256];

// ---- the connection ----------------------------------------------------------------------------

static redisContext *connect_server(void)
{
    for (;; peer_try_again("redis-server")) {
        redisContext *context = redisConnectUnix(socket_path);
        if (context && !context->err)
            return context;
        redisFree(context);
    }
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
    static char text[PEER_MESSAGE_JOBS][24], rest[PEER_PAYLOAD - 8];
    const char *words[6 + 4 * PEER_MESSAGE_JOBS] = {"XADD", "jobs", "MAXLEN", "~", KEEP, "*"};
    size_t sizes[6 + 4 * PEER_MESSAGE_JOBS] = {4, 4, 6, 1, sizeof KEEP - 1, 1};
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
    static char text[PEER_BATCH_MAX][24];
    const char *words[6 + 2 * PEER_BATCH_MAX] = {"XADD", stream};
    int size = 2;
    if (strcmp(stream, "results") == 0) {
        words[size++] = "MAXLEN";
        words[size++] = "~";
        words[size++] = KEEP_RESULTS;
    }
    words[size++] = "*";
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(text[i], sizeof text[i], "%" PRIu64, jobs[i]);
        words[size++] = "n";
        words[size++] = text[i];
    }
    (void)redisAppendCommandArgv(context, size, words, NULL);
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

// Sees the jobs of entries of "acks"; returns how many, and the last entry's position.
static size_t see_acks(peer_seen_t *seen, const redisReply *entries, char *ret_last)
{
    size_t sum = 0;
    for (size_t i = 0; entries && i < entries->elements; i++) {
        static uint64_t jobs[JOBS_MAX];
        size_t count = take_entry(entries->element[i], jobs, 0);
        for (size_t j = 0; j < count; j++)
            peer_see_ack(seen, jobs[j]);
        (void)snprintf(ret_last, ID_MAX, "%s", entries->element[i]->element[0]->str);
        sum += count;
    }
    return sum;
}

static void create_group(void)
{
    redisContext *context = connect_server();
    (void)redisAppendCommand(context, "XGROUP CREATE jobs restarter 0 MKSTREAM");
    skip_replies(context, 1);
    redisFree(context);
}

// ---- producer ----------------------------------------------------------------------------------

// Appends new jobs, as many as there is room for; returns how many entries.
static size_t append_turn(redisContext *context, uint64_t *sent, uint64_t acked)
{
    size_t count = 0;
    uint64_t most = acked + peer.window < peer.jobs ? acked + peer.window : peer.jobs;
    for (uint64_t last = *sent + PEER_BATCH_MAX; *sent < most && *sent < last; count++) {
        size_t some = most - *sent < peer.per_message ? (size_t)(most - *sent) : peer.per_message;
        append_new(context, *sent, some);
        *sent += some;
    }
    return count;
}

static int run_producer(void *arg)
{
    (void)arg;
    redisContext *context = connect_server();
    peer_seen_t *seen = peer_seen_create();
    char last[ID_MAX] = "0";
    peer_begin();
    for (uint64_t sent = 0, acked = 0; acked < peer.jobs;) {
        size_t count = append_turn(context, &sent, acked);
        if (count > 0)
            (void)redisAppendCommand(context, "XREAD COUNT %d STREAMS acks %s", ENTRIES_MAX, last);
        else
            (void)redisAppendCommand(context, "XREAD COUNT %d BLOCK 0 STREAMS acks %s", ENTRIES_MAX,
                                     last);
        skip_replies(context, count);
        redisReply *reply = next_reply(context);
        acked += see_acks(seen, entries_of(reply), last);
        freeReplyObject(reply);
    }
    peer_end();
    redisFree(context);
    return 0;
}

// ---- those who read one stream and write another ----------------------------------------------

typedef struct {
    const peer_stage_t *stage;
    redisContext *context;
    char position[ID_MAX];
    peer_seen_t *seen; // for the gatherer
    uint64_t done;
    uint64_t jobs[JOBS_MAX]; // to be handed on
} reader_t;

static void append_done(reader_t *self, const redisReply *entries)
{
    const peer_stage_t *stage = self->stage;
    const char *words[3 + PEER_BATCH_MAX] = {"XACK", stage->from, stage->name};
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
        if (!self->stage->gathers || peer_see(self->seen, self->jobs[i]) == 2)
            self->jobs[kept++] = self->jobs[i];
    (void)snprintf(self->position, sizeof self->position, "%s",
                   entries->element[entries->elements - 1]->element[0]->str);
    for (size_t i = 0; i < kept; i += PEER_BATCH_MAX) {
        append_jobs(self->context, self->stage->to, self->jobs + i,
                    kept - i < PEER_BATCH_MAX ? kept - i : PEER_BATCH_MAX);
        replies++;
    }
    append_done(self, entries);
    self->done += kept;
    return replies;
}

static int run_stage(void *arg)
{
    static reader_t self = {.position = "0"};
    const peer_stage_t *stage = self.stage = arg;
    self.context = connect_server();
    self.seen = peer_seen_create();
    int most = (int)(stage->gathers ? ENTRIES_MAX : PEER_BATCH_MAX / peer.per_message);
    size_t replies = 0;
    peer_join();
    while (self.done < peer.jobs) {
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
    skip_replies(self.context, replies);
    redisFree(self.context);
    return 0;
}

// ---- the check ---------------------------------------------------------------------------------

// That reader's position is behind the last entry of the stream.
static void check_position(redisContext *context, const char *reader, const char *stream)
{
    (void)redisAppendCommand(context, "GET position:%s", reader);
    (void)redisAppendCommand(context, "XREVRANGE %s + - COUNT 1", stream);
    redisReply *position = next_reply(context), *last = next_reply(context);
    if (position->type != REDIS_REPLY_STRING || last->elements != 1 ||
        strcmp(position->str, last->element[0]->element[0]->str) != 0)
        roles_fail(reader, "its position is not the end of its stream");
    freeReplyObject(position);
    freeReplyObject(last);
}

// The acks are in their stream, each once, and everybody has acknowledged everything.
static void check(void)
{
    redisContext *context = connect_server();
    peer_seen_t *seen = peer_seen_create();
    char last[ID_MAX] = "-", from[ID_MAX + 1] = "-";
    for (size_t count = 1; count > 0;) {
        (void)redisAppendCommand(context, "XRANGE acks %s + COUNT 64", from);
        redisReply *reply = next_reply(context);
        count = see_acks(seen, reply, last);
        (void)snprintf(from, sizeof from, "(%s", last);
        freeReplyObject(reply);
    }
    peer_see_all(seen, "the stream of acks");
    check_position(context, "saver", "jobs");
    check_position(context, "gatherer", "results");
    (void)redisAppendCommand(context, "XPENDING jobs restarter");
    redisReply *pending = next_reply(context);
    if (pending->element[0]->integer != 0)
        roles_fail("restarter", "not everything in its stream is acknowledged");
    freeReplyObject(pending);
    redisFree(context);
}

// ---- main --------------------------------------------------------------------------------------

int main(int argc, char **argv)
{
    peer_start(argc, argv, (const char *const[]){"always", "everysec", NULL});
    (void)snprintf(socket_path, sizeof socket_path, "%s/redis.sock", peer.dir);
    peer_serve((const char *[]){"redis-server", "--port", "0", "--unixsocket", socket_path, "--dir",
                                peer.dir, "--save", "", "--appendonly", "yes", "--appendfsync",
                                peer.durability, "--daemonize", "no", "--loglevel", "warning",
                                NULL});
    create_group();
    return peer_measure(run_stage, run_producer, check);
}
