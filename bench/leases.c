// A consumer that starts nothing: it takes all jobs of a publisher under leases of three minutes,
// goes away, takes them again as a new one, and acks them. Prints how long each part takes, and
// what the publisher's process has used by then.
//
// leases ADDRESS PID JOBS

#include "clock.h"
#include "endpoint.h"
#include "socket.h"
#include "wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define LEASE_MS 180000
#define BEAT_MS  200

typedef struct {
    mm_socket_t *jobs;
    mm_socket_t *events;
    mm_encoder_t *encoder;
    mm_receiver_t receiver;
    const char *pid;
    uint64_t epoch;
    int64_t beat_ms;
    mm_id_t *ids; // of the jobs, in order of their first delivery
    size_t count;
    size_t wanted;
    uint64_t run;
    size_t told; // groups whose size was said
    char publisher[MM_NAME_MAX + 1];
} bench_t;

static void publish(bench_t *self, mm_str_t topic, const mm_frame_t *frame)
{
    mm_encode_frame(self->encoder, frame);
    mm_socket_publish(self->events, topic, mm_encoder_bytes(self->encoder));
}

static void beat(bench_t *self)
{
    char topic[MM_TOPIC_MAX];
    int64_t now_ms = mm_clock_ms();
    if (now_ms < self->beat_ms)
        return;
    self->beat_ms = now_ms + BEAT_MS;
    publish(self, mm_topic("consumer", NULL, topic),
            &(mm_frame_t){.kind = MM_FRAME_BEAT,
                          .as.beat = {.consumer = mm_str("bench"), .epoch = self->epoch}});
}

static void answer(bench_t *self, mm_verdict_kind_t kind, const mm_id_t *ids, size_t count)
{
    static mm_verdict_t verdicts[MM_BATCH_ITEMS];
    char topic[MM_TOPIC_MAX];
    for (size_t i = 0; i < count; i++)
        verdicts[i] = (mm_verdict_t){.kind = kind,
                                     .id = ids[i],
                                     .attempts = 1,
                                     .lease_ms = kind == MM_VERDICT_EXTEND ? LEASE_MS : 0};
    publish(self, mm_topic("job", self->publisher, topic),
            &(mm_frame_t){.kind = MM_FRAME_NOTICES,
                          .as.notices = {.consumer = mm_str("bench"),
                                         .epoch = self->epoch,
                                         .items = verdicts,
                                         .count = count}});
}

// Takes the jobs of a frame, and extends them at once.
static size_t take(bench_t *self, const mm_jobs_body_t *jobs, bool is_first)
{
    mm_id_t ids[MM_BATCH_ITEMS];
    (void)snprintf(self->publisher, sizeof self->publisher, "%.*s", (int)jobs->publisher.size,
                   jobs->publisher.data);
    self->run = jobs->run;
    self->told += is_first ? jobs->group_count : 0;
    for (size_t i = 0; i < jobs->count; i++) {
        ids[i] = jobs->items[i].id;
        if (is_first && self->count < self->wanted)
            self->ids[self->count++] = ids[i];
    }
    if (jobs->count > 0)
        answer(self, MM_VERDICT_EXTEND, ids, jobs->count);
    return jobs->count;
}

// Waits for so many jobs.
static void take_all(bench_t *self, bool is_first)
{
    zmq_pollitem_t item = {.socket = mm_socket_zmq(self->jobs), .events = ZMQ_POLLIN};
    for (size_t count = 0; count < self->wanted;) {
        mm_frame_t frame;
        beat(self);
        (void)zmq_poll(&item, 1, BEAT_MS);
        while (mm_receive(&self->receiver, self->jobs, false, "jobs", 0, &frame) ==
               MM_RECEIVED_FRAME) {
            if (frame.kind == MM_FRAME_JOBS)
                count += take(self, &frame.as.jobs, is_first);
            beat(self);
        }
    }
}

static void give(bench_t *self, mm_verdict_kind_t kind)
{
    for (size_t i = 0; i < self->count; i += MM_BATCH_ITEMS) {
        size_t left = self->count - i;
        answer(self, kind, self->ids + i, left < MM_BATCH_ITEMS ? left : MM_BATCH_ITEMS);
        beat(self);
        if (i / MM_BATCH_ITEMS % 16 == 0)
            (void)usleep(1000); // a subscriber that is too far behind misses frames
    }
}

// What the publisher has used: kB of memory, and hundredths of a second.
static void print(const bench_t *self, const char *what, int64_t *since_ms)
{
    char path[64], line[512];
    long memory = 0, user = 0, system = 0;
    (void)snprintf(path, sizeof path, "/proc/%s/status", self->pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        (void)sscanf(line, "VmRSS: %ld", &memory);
    if (file)
        (void)fclose(file);
    (void)snprintf(path, sizeof path, "/proc/%s/stat", self->pid);
    file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file))
        (void)sscanf(strrchr(line, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
                     &user, &system);
    if (file)
        (void)fclose(file);
    int64_t now_ms = mm_clock_ms();
    (void)printf("%-28s %6.2f s   %4ld MB   %6.2f s of CPU so far\n", what,
                 (double)(now_ms - *since_ms) / 1000, memory / 1024,
                 (double)(user + system) / (double)sysconf(_SC_CLK_TCK));
    (void)fflush(stdout);
    *since_ms = now_ms;
}

static void rest(bench_t *self, int64_t ms)
{
    for (int64_t end_ms = mm_clock_ms() + ms; mm_clock_ms() < end_ms; (void)usleep(10000))
        beat(self);
}

int main(int argc, char **argv)
{
    bench_t self = {.epoch = 1, .pid = argc == 4 ? argv[2] : ""};
    mm_endpoint_t base;
    char endpoint[MM_ENDPOINT_MAX], topic[MM_TOPIC_MAX];
    self.wanted = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (self.wanted == 0 || !mm_endpoint_parse(argv[1], &base))
        return EX_USAGE;
    self.ids = calloc(self.wanted, sizeof *self.ids);
    assert(self.ids);
    self.encoder = mm_encoder_new();
    mm_receiver_open(&self.receiver);
    self.jobs = mm_socket_new(ZMQ_PULL);
    self.events = mm_socket_new(ZMQ_PUB);
    if (mm_socket_bind(self.jobs, mm_endpoint_of(&base, MM_SOCKET_JOBS, endpoint)) != 0 ||
        mm_socket_bind(self.events, mm_endpoint_of(&base, MM_SOCKET_EVENTS, endpoint)) != 0)
        return EX_UNAVAILABLE;
    int64_t since_ms = mm_clock_ms();
    take_all(&self, true);
    print(&self, "all are under a long lease", &since_ms);
    (void)printf("run %" PRIu64 ", sizes of %zu groups\n", self.run, self.told);
    give(&self, MM_VERDICT_EXTEND);
    rest(&self, 2000);
    print(&self, "all are extended", &since_ms);
    rest(&self, 10000);
    print(&self, "nothing happens for 10 s", &since_ms);
    publish(&self, mm_topic("consumer", NULL, topic),
            &(mm_frame_t){.kind = MM_FRAME_LEAVING,
                          .as.leaving = {.consumer = mm_str("bench"), .epoch = self.epoch}});
    self.epoch++;
    self.beat_ms = 0;
    take_all(&self, false);
    print(&self, "a new consumer has all", &since_ms);
    give(&self, MM_VERDICT_ACK);
    for (char path[64]; snprintf(path, sizeof path, "/proc/%s", self.pid) > 0 &&
                        access(path, F_OK) == 0 && mm_clock_ms() < since_ms + 120000;)
        rest(&self, 100);
    print(&self, "all are settled", &since_ms);
    mm_socket_destroy(&self.jobs);
    mm_socket_destroy(&self.events);
    return 0;
}
