// See view.h. Which events are wanted, and how they are put together, is in watch.c.

#include "viewers.h"
#include "clock.h"
#include "socket.h"
#include "span.h"
#include "stats_reply.h"
#include "uuid.h"
#include "event_stream.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX 200 // that wait for a viewer; then it loses some
#define ASKED_MS   250 // in which ASKED questions are taken, and
#define ASKED      32
#define LOOKS      4   // of them for jobs
#define STATS_MS   400 // in which one for everybody's numbers is passed on
#define JOBS_MAX   16  // in an answer about a host
#define WORKERS    600 // told of, at most; and of lost ones for
#define LOST_MS    60000

struct view {
    view_config_t config;
    void *viewers; // PUB
    char suffix[32];
    mm_encoder_t *encoder;
    mm_tell_t tell;
    watch_t *watch;
    int64_t asked_ms;
    uint32_t asked;  // since then
    uint32_t looked; // ... for a job
    int64_t stats_ms;
};

// ---- sending

static void publish(view_t *self, void *socket, const char *topic, const mm_frame_t *frame)
{
    char buffer[MM_TOPIC_MAX];
    mm_encode_frame(self->encoder, frame);
    mm_socket_publish(socket, mm_topic(topic, NULL, buffer), mm_encoder_bytes(self->encoder));
}

static void send_tell(void *arg, const mm_frame_t *frame)
{
    view_t *self = arg;
    publish(self, self->viewers, "viewers", frame);
}

// Where to listen is told on the socket whose address everybody knows.
static void tell_where(view_t *self)
{
    publish(self, self->config.events, "viewers",
            &(mm_frame_t){.kind = MM_FRAME_TELL,
                          .as.tell = {.process = mm_text(self->config.name),
                                      .about = MM_ABOUT_VIEWERS,
                                      .text = mm_text(self->suffix)}});
}

// ---- the consumer's own numbers

static json_t *hop_json(gather_t *gather, mm_role_t role)
{
    gather_hop_t hop = gather_hop(gather, role);
    json_t *json = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)hop.waiting,
        "blocked", (json_int_t)hop.blocked, "out", (json_int_t)hop.out, "backoff",
        (json_int_t)hop.backoff, "slots", (json_int_t)hop.slots, "wait_p50_ms",
        (json_int_t)hop.wait_p50_ms, "wait_p99_ms", (json_int_t)hop.wait_p99_ms, "took_p50_ms",
        (json_int_t)hop.took_p50_ms, "took_p99_ms", (json_int_t)hop.took_p99_ms);
    assert(json);
    return json;
}

static json_t *workers_json(const gather_t *gather)
{
    json_t *list = json_array();
    gather_known_t known = {0};
    while (gather_next_known(gather, &known) && json_array_size(list) < WORKERS) {
        if (!known.joined && known.silent_ms > LOST_MS)
            continue;
        json_t *worker =
            json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I}", "name", known.name, "role",
                      known.role == MM_ROLE_SAVER ? "saver" : "restarter", "joined", known.joined,
                      "session", (json_int_t)known.session, "slots", (json_int_t)known.slots, "out",
                      (json_int_t)known.out, "silent_ms", (json_int_t)known.silent_ms);
        assert(worker);
        json_array_append_new(list, worker);
    }
    return list;
}

static void add_stats(void *arg, json_t *stats)
{
    view_t *self = arg;
    gather_t *gather = self->config.gather;
    gather_statistics_t now = gather_statistics(gather);
    json_t *own = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:o, s:o, s:o}",
        "received", (json_int_t)now.received, "acked", (json_int_t)now.acked, "dead",
        (json_int_t)now.dead, "nacked", (json_int_t)now.nacked, "extended",
        (json_int_t)now.extended, "retried", (json_int_t)now.retried, "taken_back",
        (json_int_t)now.taken_back, "in_flight", (json_int_t)now.in_flight, "max_in_flight",
        (json_int_t)self->config.max_in_flight, "draining", now.draining, "bad_frames",
        (json_int_t)self->config.drops->count, "p50_ms", (json_int_t)gather_flight_ms(gather, 0.5),
        "p99_ms", (json_int_t)gather_flight_ms(gather, 0.99), "store",
        hop_json(gather, MM_ROLE_SAVER), "restart", hop_json(gather, MM_ROLE_RESTARTER), "workers",
        workers_json(gather));
    assert(own);
    json_object_update(stats, own);
    json_decref(own);
}

static json_t *job_json(const gather_job_t *job)
{
    char id[MM_ID_TEXT];
    json_t *json = json_pack(
        "{s:s, s:s%, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:I, s:I, s:I, s:I, s:I, s:I}", "job",
        mm_id_print(&job->id, id), "host", job->host.data, job->host.size, "publisher",
        job->publisher, "store", job->store, "restart", job->restart, "saver", job->store_worker,
        "restarter", job->restart_worker, "error", job->error, "attempts",
        (json_int_t)job->attempts, "deliveries", (json_int_t)job->deliveries, "extended",
        (json_int_t)job->extended, "losses", (json_int_t)job->losses, "received_ms",
        (json_int_t)job->received_ms, "lease_ms", (json_int_t)job->lease_ms);
    assert(json);
    return json;
}

static void tell_job(view_t *self, const mm_frame_t *query)
{
    gather_job_t jobs[JOBS_MAX];
    mm_text_t asked = query->as.query.text;
    size_t count = gather_find_jobs(self->config.gather, asked, jobs, JOBS_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, job_json(&jobs[i]));
    json_t *json = json_pack("{s:s%, s:o}", "asked", asked.data, asked.size, "jobs", list);
    assert(json);
    mm_tell_send(&self->tell, MM_ABOUT_JOB, query->as.query.viewer, json);
}

// ---- questions and answers

static bool may_ask(view_t *self, int64_t now_ms)
{
    if (now_ms - self->asked_ms >= ASKED_MS) {
        self->asked_ms = now_ms;
        self->asked = self->looked = 0;
    }
    return self->asked++ < ASKED;
}

// Several viewers that ask for the same get one answer.
static bool may_pass_on(view_t *self, const mm_frame_t *query, int64_t now_ms)
{
    if (query->as.query.about != MM_ABOUT_STATS)
        return query->as.query.about == MM_ABOUT_PROFILE;
    if (query->as.query.process.size > 0)
        return true; // of one process: that is no answer to whoever asks all
    if (now_ms - self->stats_ms < STATS_MS)
        return false;
    self->stats_ms = now_ms;
    return true;
}

void view_query(view_t *self, const mm_frame_t *frame, int64_t now_ms)
{
    MM_SPAN("view");
    if (!may_ask(self, now_ms))
        return;
    if (may_pass_on(self, frame, now_ms)) {
        publish(self, self->config.events, "consumer", frame);
        mm_tell_answer(&self->tell, frame, now_ms);
    }
    switch (frame->as.query.about) {
    case MM_ABOUT_EVENTS:
        watch_add(self->watch, frame->as.query.viewer, frame->as.query.text, now_ms);
        break;
    case MM_ABOUT_JOB:
        // To look for a host is to look at each job in flight; the empty text is only a hello.
        if (frame->as.query.text.size == 0 || self->looked++ < LOOKS)
            tell_job(self, frame);
        break;
    case MM_ABOUT_VIEWERS: tell_where(self); break;
    case MM_ABOUT_STATS:
    case MM_ABOUT_PROFILE: break;
    }
}

void view_tell(view_t *self, const mm_frame_t *frame)
{
    MM_SPAN("view");
    publish(self, self->viewers, "viewers", frame);
}

bool view_is_watched(view_t *self, int64_t now_ms)
{
    return watch_is_on(self->watch, now_ms);
}

void view_see(view_t *self, const gather_action_t *action, int64_t now_ms)
{
    watch_see(self->watch, action, now_ms);
}

int64_t view_turn(view_t *self, int64_t now_ms)
{
    if (now_ms < watch_deadline(self->watch))
        return watch_deadline(self->watch);
    MM_SPAN("view");
    mm_tell_send(&self->tell, MM_ABOUT_EVENTS, 0, watch_take(self->watch));
    return MM_NEVER;
}

// ---- start and end

view_t *view_new(const view_config_t *config)
{
    char endpoint[MM_ENDPOINT_MAX];
    void *viewers = mm_socket_new(ZMQ_PUB);
    mm_socket_limit(viewers, FRAMES_MAX);
    int error = mm_socket_bind(viewers, mm_endpoint_viewers(&config->base, endpoint));
    if (error != 0) {
        mm_socket_destroy(&viewers);
        errno = error;
        return NULL;
    }
    view_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->viewers = viewers;
    mm_socket_endpoint(viewers, endpoint, sizeof endpoint);
    const char *suffix = config->base.is_ipc ? "viewers" : strrchr(endpoint, ':') + 1;
    assert(strlen(suffix) < sizeof self->suffix);
    strcpy(self->suffix, suffix);
    self->encoder = mm_encoder_new();
    self->watch = watch_new();
    self->asked_ms = self->stats_ms = INT64_MIN / 2;
    self->tell = mm_tell_new(&(mm_tell_config_t){.process = config->name,
                                                 .role = "consumer",
                                                 .add = add_stats,
                                                 .send = send_tell,
                                                 .arg = self});
    return self;
}

void view_destroy(view_t **self_p)
{
    view_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_socket_destroy(&self->viewers);
    mm_encoder_destroy(&self->encoder);
    watch_destroy(&self->watch);
    free(self);
}
