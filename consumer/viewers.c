// See viewers.h. Subscriptions to events are in event_stream.c.

#include "viewers.h"
#include "clock.h"
#include "event_stream.h"
#include "socket.h"
#include "span.h"
#include "stats_reply.h"
#include "uuid.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASKED_MS    250   // in this time at most
#define ASKED       32    // queries are accepted, and
#define LOOKS       4     // of them for jobs
#define STATS_MS    400   // a query for all stats, or hosts, is passed on once in this time
#define PROGRESS_MS 900   // between two tales of progress
#define JOBS_MAX    16    // in a reply about a host
#define WORKERS     600   // in a stats reply
#define GROUPS      256   // in a reply
#define LOST_MS     60000 // a lost worker is in the stats for this long

struct viewers {
    viewers_config_t config;
    broadcast_t *viewers;
    char suffix[32];
    mm_encoder_t *encoder;
    mm_stats_reply_t reply;
    event_stream_t *stream;
    int64_t asked_ms;
    uint32_t asked;  // since then
    uint32_t looked; // ... for a job
    int64_t stats_ms;
    int64_t hosts_ms;
    int64_t progress_ms;
};

// ---- sending

static void publish(viewers_t *self, broadcast_t *to, const char *topic, const mm_frame_t *frame)
{
    char buffer[MM_TOPIC_MAX];
    mm_encode_frame(self->encoder, frame);
    broadcast_send(to, mm_topic(topic, NULL, buffer), mm_encoder_bytes(self->encoder));
}

static void send_reply(void *arg, const mm_frame_t *frame)
{
    viewers_t *self = arg;
    publish(self, self->viewers, "viewers", frame);
}

// The viewers' address goes out on the events socket, whose address is known. Beyond this machine
// it is the port of the listener.
static void reply_where(viewers_t *self)
{
    char buffer[MM_TOPIC_MAX];
    mm_str_t topic = mm_topic("viewers", NULL, buffer);
    mm_frame_t frame = {.kind = MM_FRAME_TELL,
                        .as.tell = {.process = mm_str(self->config.name),
                                    .about = MM_ABOUT_VIEWERS,
                                    .text = mm_str(self->suffix)}};
    mm_encode_frame(self->encoder, &frame);
    broadcast_send_local(self->config.events, topic, mm_encoder_bytes(self->encoder));
    frame.as.tell.text = mm_str(MM_SUFFIX_VIEWERS);
    mm_encode_frame(self->encoder, &frame);
    broadcast_send_remote(self->config.events, topic, mm_encoder_bytes(self->encoder));
}

// ---- the consumer's own numbers

static json_t *stage_json(gather_t *gather, mm_role_t role)
{
    gather_stage_t stage = gather_stage(gather, role);
    json_t *json = json_pack(
        "{s:I, s:I, s:s*, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)stage.waiting,
        "blocked", (json_int_t)stage.blocked, "reason", stage.reason, "out", (json_int_t)stage.out,
        "backoff", (json_int_t)stage.backoff, "slots", (json_int_t)stage.slots, "wait_p50_ms",
        (json_int_t)stage.wait_p50_ms, "wait_p99_ms", (json_int_t)stage.wait_p99_ms, "took_p50_ms",
        (json_int_t)stage.took_p50_ms, "took_p99_ms", (json_int_t)stage.took_p99_ms);
    assert(json);
    return json;
}

static json_t *workers_json(const gather_t *gather)
{
    json_t *list = json_array();
    gather_worker_t known = {0};
    while (gather_next_worker(gather, &known) && json_array_size(list) < WORKERS) {
        if (!known.joined && known.silent_ms > LOST_MS)
            continue;
        const mm_acknowledgement_t *of = &known.acknowledgement;
        char session[24]; // an integer of JSON has 63 bits, and in many readers 53
        (void)snprintf(session, sizeof session, "%" PRIu64, of->session);
        json_t *worker =
            json_pack("{s:s%, s:s, s:b, s:s, s:I, s:I, s:I}", "name", of->worker.data,
                      of->worker.size, "role", mm_role_name(known.role), "joined", known.joined,
                      "session", session, "slots", (json_int_t)known.slots, "out",
                      (json_int_t)known.out, "silent_ms", (json_int_t)known.silent_ms);
        assert(worker);
        json_array_append_new(list, worker);
    }
    return list;
}

static json_t *group_json(const gather_group_t *group)
{
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s*, s:I, s:I, s:I, s:I, s:I, s:b, s:s, s:I, s:I}",
        "group", group->name, "hosts", (json_int_t)group->hosts, "cap", (json_int_t)group->cap,
        "budget", (json_int_t)group->budget, "in_progress", (json_int_t)group->in_progress,
        "casualties", (json_int_t)group->casualties, "waiting", (json_int_t)group->waiting,
        "reason", group->reason, "step", (json_int_t)group->step, "steps", (json_int_t)group->steps,
        "step_hosts", (json_int_t)group->step_hosts, "proven", (json_int_t)group->proven,
        "baked_ms", (json_int_t)group->baked_ms, "tripped", group->is_tripped, "why", group->why,
        "opens_ms", (json_int_t)group->opens_ms, "closes_ms", (json_int_t)group->closes_ms);
    assert(json);
    return json;
}

static json_t *held_json(const gather_t *gather)
{
    gather_held_t held = gather_held(gather);
    gather_group_t group = {0};
    json_t *list = json_array();
    // None that has tripped is left out for one that has not; the whole run is there in any case.
    size_t others = held.tripped < GROUPS ? GROUPS - held.tripped : 1;
    while (json_array_size(list) < GROUPS && gather_next_group(gather, &group)) {
        json_array_append_new(list, group_json(&group));
        others -= !group.is_tripped;
        group.only_tripped = others == 0;
    }
    return json_pack("{s:b, s:b, s:b, s:o, s:I}", "policy", held.has_policy, "halted",
                     held.is_halted, "known", held.is_known, "groups", list, "groups_left_out",
                     (json_int_t)(held.groups - json_array_size(list)));
}

static uint64_t refused_keys(const viewers_t *self)
{
    return self->config.listener ? listener_refused(self->config.listener) : 0;
}

// A standby has nothing but its place in the line.
static json_t *standby_json(const viewers_t *self)
{
    return json_pack("{s:I, s:I, s:o}", "bad_frames", (json_int_t)self->config.drops->count,
                     "refused_keys", (json_int_t)refused_keys(self), "lease",
                     leadership_json(self->config.leadership));
}

static json_t *stats(void *arg)
{
    viewers_t *self = arg;
    gather_t *gather = self->config.gather;
    if (!gather)
        return standby_json(self);
    gather_statistics_t now = gather_statistics(gather);
    json_t *lease = self->config.leadership ? leadership_json(self->config.leadership) : NULL;
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:o, s:o, s:o, "
        "s:o, s:o*}",
        "received", (json_int_t)now.received, "acked", (json_int_t)now.acked, "dead",
        (json_int_t)now.dead, "nacked", (json_int_t)now.nacked, "extended",
        (json_int_t)now.extended, "retried", (json_int_t)now.retried, "taken_back",
        (json_int_t)now.reclaimed, "in_flight", (json_int_t)now.in_flight, "max_in_flight",
        (json_int_t)self->config.max_in_flight, "draining", now.draining, "bad_frames",
        (json_int_t)self->config.drops->count, "refused_keys", (json_int_t)refused_keys(self),
        "p50_ms", (json_int_t)gather_flight_ms(gather, 0.5), "p99_ms",
        (json_int_t)gather_flight_ms(gather, 0.99), "store", stage_json(gather, MM_ROLE_SAVER),
        "restart", stage_json(gather, MM_ROLE_RESTARTER), "workers", workers_json(gather), "held",
        held_json(gather), "lease", lease);
}

// Who has restarts out, and why others wait.
static json_t *hosts(void *arg)
{
    const viewers_t *self = arg;
    json_t *restarters = json_object(), *waiting = json_object();
    gather_worker_t known = {0};
    gather_waiting_t reason = {0};
    while (self->config.gather && gather_next_worker(self->config.gather, &known))
        if (known.joined && known.role == MM_ROLE_RESTARTER && known.out > 0)
            json_object_setn_new(restarters, known.acknowledgement.worker.data,
                                 known.acknowledgement.worker.size, json_integer(known.out));
    while (self->config.gather && gather_next_waiting(self->config.gather, &reason))
        json_object_set_new(waiting, reason.reason, json_integer((json_int_t)reason.count));
    return json_pack("{s:o, s:o}", "restarters", restarters, "waiting", waiting);
}

static json_t *job_json(const gather_job_t *job)
{
    char id[MM_ID_TEXT];
    json_t *json = json_pack(
        "{s:s, s:s%, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:I, s:I, s:I, s:I, s:I, "
        "s:I}",
        "job", mm_id_print(&job->id, id), "host", job->host.data, job->host.size, "publisher",
        job->publisher, "store", job->store, "restart", job->restart, "reason", job->reason,
        "group", job->group, "saver", job->store_worker, "restarter", job->restart_worker, "errand",
        job->errand, "error", job->error, "attempts", (json_int_t)job->attempts, "deliveries",
        (json_int_t)job->deliveries, "extended", (json_int_t)job->extended, "losses",
        (json_int_t)job->losses, "received_ms", (json_int_t)job->received_ms, "lease_ms",
        (json_int_t)job->lease_ms);
    assert(json);
    return json;
}

static void reply_job(viewers_t *self, const mm_frame_t *query)
{
    gather_job_t jobs[JOBS_MAX];
    mm_str_t asked = query->as.query.text;
    size_t count =
        self->config.gather ? gather_find_jobs(self->config.gather, asked, jobs, JOBS_MAX) : 0;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, job_json(&jobs[i]));
    json_t *json = json_pack("{s:s%, s:o}", "asked", asked.data, asked.size, "jobs", list);
    assert(json);
    mm_stats_reply_send(&self->reply, MM_ABOUT_JOB, query->as.query.viewer, json);
}

// ---- questions and answers

static bool may_ask(viewers_t *self, int64_t now_ms)
{
    if (now_ms - self->asked_ms >= ASKED_MS) {
        self->asked_ms = now_ms;
        self->asked = self->looked = 0;
    }
    return self->asked++ < ASKED;
}

// Whether all processes are asked. Several viewers with the same query get one reply.
static bool may_pass_on(viewers_t *self, const mm_frame_t *query, int64_t now_ms)
{
    mm_about_t about = query->as.query.about;
    if (about != MM_ABOUT_STATS && about != MM_ABOUT_HOSTS)
        return about == MM_ABOUT_PROFILE;
    if (query->as.query.process.size > 0)
        return true; // its reply is none to a query for all
    int64_t *last_ms = about == MM_ABOUT_STATS ? &self->stats_ms : &self->hosts_ms;
    if (now_ms - *last_ms < STATS_MS)
        return false;
    *last_ms = now_ms;
    return true;
}

void viewers_query(viewers_t *self, const mm_frame_t *frame, int64_t now_ms)
{
    MM_SPAN("view");
    if (!may_ask(self, now_ms))
        return;
    if (may_pass_on(self, frame, now_ms)) {
        publish(self, self->config.events, "consumer", frame);
        mm_stats_reply_answer(&self->reply, frame, now_ms);
    }
    switch (frame->as.query.about) {
    case MM_ABOUT_EVENTS:
        event_stream_add(self->stream, frame->as.query.viewer, frame->as.query.text, now_ms);
        break;
    case MM_ABOUT_JOB:
        // The search for a host visits each job in flight. An empty text is a viewer's hello.
        if (frame->as.query.text.size == 0 || self->looked++ < LOOKS)
            reply_job(self, frame);
        break;
    case MM_ABOUT_VIEWERS: reply_where(self); break;
    case MM_ABOUT_STATS:
    case MM_ABOUT_PROFILE:
    case MM_ABOUT_HOSTS:
    case MM_ABOUT_ORDERS: break;
    }
}

void viewers_reply(viewers_t *self, const mm_frame_t *frame)
{
    MM_SPAN("view");
    publish(self, self->viewers, "viewers", frame);
}

bool viewers_want_events(viewers_t *self, int64_t now_ms)
{
    return event_stream_is_on(self->stream, now_ms);
}

void viewers_see(viewers_t *self, const gather_action_t *action, int64_t now_ms)
{
    event_stream_see(self->stream, action, now_ms);
}

// The halt and the breakers that hold back, unless the record's state is not known.
static json_t *progress_json(const gather_t *gather, json_int_t restarting, const char *reason)
{
    gather_held_t held = gather_held(gather);
    gather_group_t group = {.only_tripped = true};
    json_t *json = json_pack("{s:I, s:s*}", "restarting", restarting, "reason", reason);
    assert(json);
    if (!held.is_known)
        return json;
    json_t *tripped = json_array();
    while (held.tripped > 0 && json_array_size(tripped) < GROUPS &&
           gather_next_group(gather, &group))
        json_array_append_new(tripped, json_string(group.name));
    json_object_set_new(json, "halted", json_boolean(held.is_halted && !held.is_rehearsal));
    json_object_set_new(json, "tripped", tripped);
    return json;
}

void viewers_progress(viewers_t *self, int64_t now_ms)
{
    gather_worker_t known = {0};
    json_int_t restarting = 0, slots = 0;
    if (now_ms - self->progress_ms < PROGRESS_MS ||
        gather_statistics(self->config.gather).in_flight == 0)
        return;
    MM_SPAN("view");
    self->progress_ms = now_ms;
    while (gather_next_worker(self->config.gather, &known))
        if (known.joined && known.role == MM_ROLE_RESTARTER) {
            restarting += known.out;
            slots += known.slots;
        }
    const char *reason = gather_reason(self->config.gather);
    json_t *json = progress_json(self->config.gather, restarting,
                                 reason && slots == 0 ? "no restarter" : reason);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    assert(text);
    publish(self, self->config.events, "progress",
            &(mm_frame_t){.kind = MM_FRAME_TELL,
                          .as.tell = {.process = mm_str(self->config.name),
                                      .about = MM_ABOUT_HOSTS,
                                      .text = mm_str(text)}});
    free(text);
}

void viewers_answer_order(viewers_t *self, uint64_t viewer, const mm_id_t *id, mm_str_t error)
{
    char text[MM_ID_TEXT];
    bool is_rehearsal = self->config.gather && gather_held(self->config.gather).is_rehearsal;
    json_t *json =
        json_pack("{s:s, s:s%, s:b}", "order", mm_id_print(id, text), "error",
                  error.size > 0 ? error.data : "", error.size, "rehearsal", is_rehearsal);
    assert(json);
    mm_stats_reply_send(&self->reply, MM_ABOUT_ORDERS, viewer, json);
}

void viewers_answer(viewers_t *self, const gather_action_t *action)
{
    viewers_answer_order(self, action->as.reply.viewer, &action->as.reply.id,
                         action->as.reply.error);
}

void viewers_lead(viewers_t *self, gather_t *gather)
{
    self->config.gather = gather;
}

int64_t viewers_turn(viewers_t *self, int64_t now_ms)
{
    if (now_ms < event_stream_deadline(self->stream))
        return event_stream_deadline(self->stream);
    MM_SPAN("view");
    mm_stats_reply_send(&self->reply, MM_ABOUT_EVENTS, 0, event_stream_take(self->stream));
    return MM_NEVER;
}

// ---- start and end

viewers_t *viewers_new(const viewers_config_t *config)
{
    char endpoint[MM_ENDPOINT_MAX];
    mm_socket_t *viewers = mm_socket_new(ZMQ_PUB);
    mm_socket_limit(viewers, VIEWERS_FRAMES);
    int error = mm_socket_bind(viewers, mm_endpoint_viewers(&config->base, endpoint));
    if (error != 0) {
        mm_socket_destroy(&viewers);
        errno = error;
        return NULL;
    }
    viewers_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->viewers = broadcast_new(viewers);
    mm_socket_endpoint(viewers, endpoint, sizeof endpoint);
    const char *suffix = config->base.is_ipc ? MM_SUFFIX_VIEWERS : strrchr(endpoint, ':') + 1;
    assert(strlen(suffix) < sizeof self->suffix);
    strcpy(self->suffix, suffix);
    self->encoder = mm_encoder_new();
    self->stream = event_stream_new();
    self->asked_ms = self->stats_ms = self->hosts_ms = self->progress_ms = INT64_MIN / 2;
    self->reply = mm_stats_reply_new(&(mm_stats_reply_config_t){.process = config->name,
                                                                .program = MM_PROGRAM_CONSUMER,
                                                                .stats = stats,
                                                                .hosts = hosts,
                                                                .send = send_reply,
                                                                .arg = self});
    return self;
}

broadcast_t *viewers_broadcast(viewers_t *self)
{
    return self->viewers;
}

void viewers_destroy(viewers_t **self_p)
{
    viewers_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    broadcast_destroy(&self->viewers);
    mm_encoder_destroy(&self->encoder);
    event_stream_destroy(&self->stream);
    free(self);
}
