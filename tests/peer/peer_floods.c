// What publishers and listeners can do in bad faith with valid frames: jobs again and again, ids at
// the ends of their range, ever new names, questions and subscriptions without end, and what those
// who watch can do. Its own jobs are restarted like any other, under the publisher "peer".

#include "peer.h"

#include "clock.h"
#include "uuid.h"
#include "uuid_source.h"

#include <string.h>

#define SETTLE_MS 3000 // within which some job is settled

static void send_jobs(peer_t *self, const char *publisher, uint64_t epoch, const mm_job_t *jobs,
                      size_t count)
{
    mm_frame_t frame = {
        .kind = MM_FRAME_JOBS,
        .as.jobs = {.publisher = mm_str(publisher), .epoch = epoch, .items = jobs, .count = count}};
    peer_send_frame(self, MM_SOCKET_JOBS, &frame);
}

static mm_job_t job_of(const char *host, uint32_t delivery)
{
    static mm_id_source_t *ids;
    ids = ids ? ids : mm_id_source_new();
    mm_job_t job = {.host = mm_str(host), .delivery = delivery};
    mm_id_next(ids, mm_clock_wall_ms(), &job.id);
    return job;
}

static void one_job_256_times(peer_t *self)
{
    mm_job_t jobs[MM_BATCH_ITEMS];
    jobs[0] = job_of("peer-host", 1);
    for (size_t i = 1; i < MM_BATCH_ITEMS; i++)
        jobs[i] = jobs[0];
    for (unsigned i = 0; i < 100; i++)
        send_jobs(self, "peer", 0, jobs, MM_BATCH_ITEMS);
}

static void one_id_with_many_hosts(peer_t *self)
{
    char hosts[MM_BATCH_ITEMS][32];
    mm_job_t jobs[MM_BATCH_ITEMS];
    mm_job_t first = job_of("peer-host", 1);
    for (size_t i = 0; i < MM_BATCH_ITEMS; i++) {
        (void)snprintf(hosts[i], sizeof hosts[i], "peer-host-%zu", i);
        jobs[i] = first;
        jobs[i].host = mm_str(hosts[i]);
        jobs[i].delivery = UINT32_MAX - (uint32_t)i;
    }
    send_jobs(self, "peer", UINT64_MAX, jobs, MM_BATCH_ITEMS);
}

static void ids_at_their_ends(peer_t *self)
{
    mm_job_t jobs[2] = {job_of("peer-host", 1), job_of("peer-host", UINT32_MAX)};
    memset(jobs[0].id.bytes, 0, sizeof jobs[0].id.bytes);
    memset(jobs[1].id.bytes, 0xFF, sizeof jobs[1].id.bytes);
    send_jobs(self, "peer", UINT64_MAX, jobs, 2);
}

// Waits until a job of somebody else is settled, and takes its id.
static bool overhear_ack(peer_t *self, mm_id_t *ret_id)
{
    char topic[MM_TOPIC_MAX];
    int64_t limit_ms = mm_clock_ms() + SETTLE_MS;
    peer_listen(self, mm_topic("job", "publisher", topic));
    while (mm_clock_ms() < limit_ms) {
        mm_frame_t frame;
        if (!peer_hear(self, 100, &frame) || frame.kind != MM_FRAME_NOTICES)
            continue;
        for (size_t i = 0; i < frame.as.notices.count; i++) {
            *ret_id = frame.as.notices.items[i].id;
            if (frame.as.notices.items[i].kind == MM_VERDICT_ACK)
                return true;
        }
    }
    return false;
}

// A settled job, asked for by as many publishers as say that it is theirs: each is answered.
static void many_publishers(peer_t *self)
{
    mm_job_t job = job_of("peer-host", 2);
    if (!overhear_ack(self, &job.id))
        (void)fprintf(stderr, "peer: nothing was settled: the names are told apart less well\n");
    for (unsigned i = 0; i < 10000; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "peer-publisher-%u", i);
        send_jobs(self, name, 0, &job, 1);
    }
}

static void questions(peer_t *self)
{
    for (unsigned i = 0; i < 10000; i++)
        send_jobs(self, "peer", 0, NULL, 0);
}

// ---- on events

static void subscribes_to_much(peer_t *self)
{
    char topic[MM_TOPIC_MAX], name[32];
    peer_listen(self, mm_topic("consumer", NULL, topic));
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof name, "peer-publisher-%u", i);
        mm_socket_subscribe(self->events, mm_topic("job", name, topic));
    }
    mm_frame_t frame;
    (void)peer_hear(self, 1000, &frame);
}

// ---- as those who watch

static void asks_for_everything(peer_t *self)
{
    for (unsigned i = 0; i < 20000; i++)
        peer_send_frame(
            self, MM_SOCKET_INBOX,
            &(mm_frame_t){.kind = MM_FRAME_QUERY,
                          .as.query = {.viewer = i,
                                       .about = (mm_about_t)(MM_ABOUT_STATS + i % MM_ABOUT_HOSTS),
                                       .seconds = UINT32_MAX,
                                       .text = mm_str(i % 2 ? "* *" : "peer-host")}});
}

// Of a process that is none, in the name of the consumer, and as long as may be.
static void tells_lies(peer_t *self)
{
    static char text[MM_REPLY_BYTES];
    memset(text, '{', sizeof text);
    for (unsigned i = 0; i < 50; i++)
        peer_send_frame(self, i % 2 ? MM_SOCKET_INBOX : MM_SOCKET_JOBS,
                        &(mm_frame_t){.kind = MM_FRAME_TELL,
                                      .as.tell = {.process = mm_str("consumer"),
                                                  .about = MM_ABOUT_STATS,
                                                  .text = {text, sizeof text}}});
}

// ---- for a while

void peer_flood_jobs(peer_t *self, int64_t span_ms)
{
    mm_job_t jobs[MM_BATCH_ITEMS];
    unsigned long count = 0;
    int64_t end_ms = mm_clock_ms() + span_ms;
    for (; mm_clock_ms() < end_ms; count += MM_BATCH_ITEMS) {
        for (size_t i = 0; i < MM_BATCH_ITEMS; i++)
            jobs[i] = job_of("peer-host", 1);
        send_jobs(self, "peer", 0, jobs, MM_BATCH_ITEMS);
    }
    (void)printf("sent %lu jobs\n", count);
}

static const struct {
    const char *name;
    void (*send)(peer_t *self);
} floods[] = {
    {"publisher.one-job-256-times", one_job_256_times},
    {"publisher.one-id-with-256-hosts", one_id_with_many_hosts},
    {"publisher.ids-at-their-ends", ids_at_their_ends},
    {"publisher.10000-names", many_publishers},
    {"publisher.10000-questions", questions},
    {"events.10000-subscriptions", subscribes_to_much},
    {"viewer.20000-questions", asks_for_everything},
    {"viewer.long-lies", tells_lies},
};

bool peer_flood(peer_t *self, size_t number, bool send, peer_item_t *ret_item)
{
    if (number >= sizeof floods / sizeof *floods)
        return false;
    ret_item->drops = 0;
    (void)snprintf(ret_item->name, sizeof ret_item->name, "%s", floods[number].name);
    if (send)
        floods[number].send(self);
    return true;
}
