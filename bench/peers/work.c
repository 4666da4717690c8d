// See work.h.

#include "work.h"

#include <string.h>

static const broker_t *broker;

static size_t bytes_of_job(const char *stream)
{
    return strcmp(stream, "jobs") == 0 ? PEER_PAYLOAD : sizeof(uint64_t);
}

void work_take(work_inbox_t *self, const void *bytes, size_t size)
{
    size_t stride = bytes_of_job(self->from);
    for (size_t at = 0; at < size; at += stride) {
        if (size - at < stride || self->count == WORK_JOBS_MAX)
            roles_fail(self->from, "a message has another size than was published");
        memcpy(&self->jobs[self->count++], (const char *)bytes + at, sizeof self->jobs[0]);
    }
}

// Messages of that stream that fit into an inbox, and are answered together.
static size_t messages_of(const char *stream)
{
    return strcmp(stream, "jobs") == 0 ? PEER_BATCH_MAX / peer.per_message
                                       : WORK_JOBS_MAX / PEER_BATCH_MAX;
}

static void publish_jobs(link_t *link, uint64_t first, size_t count)
{
    static char bytes[PEER_MESSAGE_JOBS * PEER_PAYLOAD];
    for (size_t i = 0; i < count; i++) {
        uint64_t job = first + i;
        memcpy(bytes + i * PEER_PAYLOAD, &job, sizeof job);
    }
    broker->publish(link, "jobs", bytes, count * PEER_PAYLOAD);
}

static int run_producer(void *arg)
{
    (void)arg;
    link_t *link = broker->open("producer", "acks", false);
    peer_seen_t *seen = peer_seen_create();
    peer_begin();
    for (uint64_t sent = 0, acked = 0; acked < peer.jobs;) {
        uint64_t room = acked + peer.window;
        for (size_t some; sent < peer.jobs && sent < room; sent += some) {
            uint64_t most = (room < peer.jobs ? room : peer.jobs) - sent;
            some = most < peer.per_message ? (size_t)most : peer.per_message;
            publish_jobs(link, sent, some);
            broker->confirm(link, peer.window);
        }
        work_inbox_t inbox = {.from = "acks"};
        broker->receive(link, messages_of(inbox.from), &inbox);
        for (size_t i = 0; i < inbox.count; i++)
            peer_see_ack(seen, inbox.jobs[i]);
        acked += inbox.count;
        if (acked == peer.jobs)
            peer_end();
        broker->accept(link);
    }
    broker->confirm(link, 0);
    broker->close(link);
    return 0;
}

static size_t keep_gathered(peer_seen_t *seen, uint64_t *jobs, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (peer_see(seen, jobs[i]) == 2)
            jobs[kept++] = jobs[i];
    return kept;
}

static int run_stage(void *arg)
{
    const peer_stage_t *stage = arg;
    link_t *link = broker->open(stage->name, stage->from, stage->is_group);
    peer_seen_t *seen = peer_seen_create();
    peer_join();
    for (uint64_t done = 0; done < peer.jobs;) {
        work_inbox_t inbox = {.from = stage->from};
        broker->receive(link, messages_of(stage->from), &inbox);
        size_t count = stage->gathers ? keep_gathered(seen, inbox.jobs, inbox.count) : inbox.count;
        for (size_t i = 0; i < count; i += PEER_BATCH_MAX) {
            size_t some = count - i < PEER_BATCH_MAX ? count - i : PEER_BATCH_MAX;
            broker->publish(link, stage->to, inbox.jobs + i, some * sizeof inbox.jobs[0]);
        }
        broker->confirm(link, 0);
        broker->accept(link);
        done += count;
    }
    broker->close(link);
    return 0;
}

int work_run(const broker_t *which, void (*check)(void))
{
    broker = which;
    return peer_measure(run_stage, run_producer, check);
}
