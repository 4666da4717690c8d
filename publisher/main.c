// mayhem-publisher: accepts jobs into a durable outbox, delivers them to the consumer under leases,
// and deletes them when they are settled. The shell around the outbox core: sockets, clock and log.

#include "clock.h"
#include "consumers.h"
#include "crash.h"
#include "inherited.h"
#include "intake.h"
#include "log_messages.h"
#include "outbox.h"
#include "outbox_db.h"
#include "outbox_trace.h"
#include "progress.h"
#include "report.h"
#include "run.h"
#include "input_check.h"
#include "service.h"
#include "sender.h"
#include "span.h"
#include "span_names.h"
#include "stats_reply.h"
#include "string_view.h"
#include "windowed_histogram.h"
#include "wire.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WAITING_MAX  16   // unsent frames with which no more jobs are given to the core
#define PREFETCHED   32   // notices whose leases are prefetched together
#define CATCH_UP_MAX 4096 // frames read, at most, before silence is judged
#define SEEN         16   // one job in so many is timed
#define TELL_MS                                                                                    \
    5000 // between frames that name the run again, and say how many hosts its groups have

typedef struct {
    mm_options_t options;
    mm_addresses_t addresses;
    mm_loop_t *loop;
    mm_consumers_t *consumers;
    outbox_db_t *db;
    run_t run;
    outbox_t *outbox;
    outbox_actions_t actions;
    intake_t *intake;
    int watched;         // the source's descriptor, while it is to be read; else -1
    mm_encoder_t *batch; // open batch of jobs
    mm_receiver_t receiver;
    progress_t progress;
    FILE *trace;
    int64_t start_ms;
    int64_t now_ms;
    int64_t now_us;    // when the notices were received
    int64_t silent_ms; // when to recreate the sockets: nothing was heard
    int64_t spare_ms;  // when those of another consumer may be due (mm_consumers_turn)
    mm_stats_reply_t reply;
    mm_encoder_t *encoder; // for replies
    uint64_t delivered;    // for the first time; of these and of settled jobs one in SEEN is timed
    uint64_t settled;
    mm_windowed_histogram_t waits; // from accept to delivery, in microseconds
    mm_windowed_histogram_t times; // from accept to settle
    uint64_t heard_epoch;          // of the consumer that was heard last
    uint64_t dead_before;          // jobs of the run that were dead when it was heard first (R14)
    uint64_t told_epoch;           // of the consumer that was told of the run
    int64_t told_ms;               // when that was said last
    bool draining;
    bool broken;
} publisher_t;

// Frames that cannot be sent yet.
static size_t frames_waiting(const publisher_t *self)
{
    return mm_sender_waiting(mm_consumers_sender(self->consumers));
}

// ---- stats

static json_t *stats(void *arg)
{
    publisher_t *self = arg;
    intake_counts_t counts = intake_counts(self->intake);
    int64_t now_ms = mm_clock_ms();
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "total",
        (json_int_t)counts.total, "restarted", (json_int_t)counts.restarted, "dead",
        (json_int_t)counts.dead, "skipped", (json_int_t)counts.skipped, "withdrawn",
        (json_int_t)counts.withdrawn, "settled", (json_int_t)self->settled, "backlog",
        (json_int_t)counts.backlog, "leased", (json_int_t)outbox_leased(self->outbox), "window",
        (json_int_t)self->options.leases, "frames_waiting", (json_int_t)frames_waiting(self),
        "bad_frames", (json_int_t)self->receiver.drops.count, "wait_p50_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->waits, now_ms, 0.5), "wait_p99_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->waits, now_ms, 0.99), "p50_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->times, now_ms, 0.5), "p99_us",
        (json_int_t)mm_windowed_histogram_quantile(&self->times, now_ms, 0.99));
}

// A reply that cannot be sent now is dropped: viewers ask again.
static void send_reply(void *arg, const mm_frame_t *frame)
{
    publisher_t *self = arg;
    mm_encode_frame(self->encoder, frame);
    (void)mm_consumers_send_to(self->consumers, mm_consumers_followed(self->consumers),
                               mm_encoder_bytes(self->encoder));
}

static void see_delivered(publisher_t *self, const outbox_action_t *action)
{
    if (action->delivery > 1 || self->delivered++ % SEEN != 0)
        return;
    int64_t now_us = mm_clock_us();
    mm_windowed_histogram_record(&self->waits, now_us / 1000, now_us - action->accepted_us);
}

static void see_settled(publisher_t *self, const outbox_action_t *action)
{
    if (self->settled++ % SEEN == 0)
        mm_windowed_histogram_record(&self->times, self->now_us / 1000,
                                     self->now_us - action->accepted_us);
}

// ---- sending

// The run's key, of one with a policy or of a driver that restarts hosts: what a former run has
// tripped ends with it. 0: of no run.
static uint64_t key_of_run(const publisher_t *self)
{
    const char *driver = self->options.driver_name;
    bool is_real = *driver != '\0' && strcmp(driver, "mock") != 0;
    return self->run.policy || is_real ? self->run.key : 0;
}

static void begin_jobs(publisher_t *self, const mm_group_t *groups, size_t group_count)
{
    mm_encode_begin(self->batch,
                    &(mm_frame_t){.kind = MM_FRAME_JOBS,
                                  .as.jobs = {.publisher = mm_str(self->options.id),
                                              .epoch = outbox_epoch(self->outbox),
                                              .driver = mm_str(self->options.driver_name),
                                              .dead = self->dead_before,
                                              .run = key_of_run(self),
                                              .groups = groups,
                                              .group_count = group_count}});
}

static void send_jobs(publisher_t *self)
{
    if (mm_encoder_count(self->batch) == 0)
        return;
    MM_SPAN(MM_SPAN_SEND_JOBS);
    mm_encode_finish(self->batch);
    MM_CRASH_POINT("publisher: before jobs are sent");
    mm_sender_send(mm_consumers_sender(self->consumers), mm_encoder_bytes(self->batch));
    MM_CRASH_POINT("publisher: jobs sent");
}

static void deliver(publisher_t *self, const outbox_action_t *action)
{
    MM_SPAN_COUNTED("encode job");
    if (mm_encoder_count(self->batch) == 0)
        begin_jobs(self, NULL, 0);
    mm_encode_job(self->batch, &(mm_job_t){.id = action->id,
                                           .host = action->host,
                                           .delivery = action->delivery,
                                           .withdrawn = action->withdrawn,
                                           .attributes = action->attributes});
    if (mm_encoder_is_full(self->batch))
        send_jobs(self);
    see_delivered(self, action);
    mm_log(MM_LOG_DEBUG, MM_MESSAGE_PUBLISHED, MM_JOB(&action->id), MM_STR("host", action->host),
           MM_INT("delivery", action->delivery));
}

// Sends frames without jobs, which name the run and say how many hosts the groups of a policy have;
// without one, a frame. is_kept: until they can be sent, as jobs are.
static void send_groups(publisher_t *self, bool is_kept)
{
    size_t count = 0, told = 0;
    const mm_group_t *groups =
        self->run.policy ? policy_groups_sizes(self->run.policy, &count) : NULL;
    send_jobs(self);
    do {
        size_t more = count - told < MM_BATCH_ITEMS ? count - told : MM_BATCH_ITEMS;
        begin_jobs(self, count > 0 ? groups + told : NULL, more);
        told += more;
        mm_encode_finish(self->batch);
        if (is_kept)
            mm_sender_send(mm_consumers_sender(self->consumers), mm_encoder_bytes(self->batch));
        else
            (void)mm_consumers_ask(self->consumers, mm_encoder_bytes(self->batch));
    } while (told < count);
}

// Asks for the consumer's heartbeat. A request that cannot be sent now is dropped: another follows.
static void ask(publisher_t *self)
{
    MM_CRASH_POINT("publisher: before it asks for the consumer");
    send_groups(self, false);
    MM_CRASH_POINT("publisher: asked for the consumer");
}

// A consumer that is heard for the first time, or may have missed it, is told of the run and its
// groups before it gets a job; and again all the time, since a connection that breaks loses frames,
// and nothing begins without them, which no verdict tells.
static void tell_groups(publisher_t *self)
{
    uint64_t epoch = outbox_epoch(self->outbox);
    bool is_new = epoch != self->told_epoch;
    if (key_of_run(self) == 0 || (!is_new && self->now_ms < self->told_ms + TELL_MS))
        return;
    self->told_epoch = epoch;
    self->told_ms = self->now_ms;
    if (is_new || frames_waiting(self) == 0)
        send_groups(self, is_new);
}

// ---- the core's actions

static void log_event(const outbox_action_t *action)
{
    switch (action->log) {
    case OUTBOX_LOG_EXPIRED:
        mm_log(MM_LOG_WARN, MM_MESSAGE_EXPIRED, MM_JOB(&action->id), MM_STR("host", action->host),
               MM_INT("delivery", action->delivery));
        break;
    case OUTBOX_LOG_NACKED:
        mm_log(MM_LOG_DEBUG, MM_MESSAGE_PUT_OFF, MM_JOB(&action->id), MM_STR("host", action->host));
        break;
    case OUTBOX_LOG_CLAIM:
        mm_log(MM_LOG_WARN, MM_MESSAGE_CLAIM_IGNORED,
               MM_STRING("claim", "an epoch that no consumer has"));
        break;
    case OUTBOX_LOG_PRESENT: mm_log(MM_LOG_INFO, "The consumer takes jobs"); break;
    case OUTBOX_LOG_SILENT: mm_log(MM_LOG_WARN, "The consumer takes no jobs; waiting"); break;
    }
}

static void apply(publisher_t *self, const outbox_action_t *action)
{
    switch (action->kind) {
    case OUTBOX_DELIVER: deliver(self, action); break;
    case OUTBOX_SETTLED:
        intake_settle(self->intake, action, self->now_ms, self->now_us);
        see_settled(self, action);
        break;
    case OUTBOX_ASK: ask(self); break;
    case OUTBOX_LOG: log_event(action); break;
    case OUTBOX_LEAVE: mm_loop_stop(self->loop); break;
    }
}

static void step(publisher_t *self, outbox_event_t *event)
{
    event->now_ms = self->now_ms;
    {
        MM_SPAN_COUNTED("decide");
        outbox_step(self->outbox, event, &self->actions);
    }
    if (self->trace)
        outbox_trace_step(self->trace, self->start_ms, event, &self->actions);
    tell_groups(self);
    for (size_t i = 0; i < self->actions.count; i++)
        apply(self, &self->actions.items[i]);
}

static void give_job(void *arg, const outbox_event_t *event)
{
    outbox_event_t given = *event;
    step(arg, &given);
}

// ---- events

static void subscribe(void *arg, mm_socket_t *events)
{
    const publisher_t *self = arg;
    char topic[MM_TOPIC_MAX];
    mm_socket_subscribe(events, mm_topic("consumer", NULL, topic));
    mm_socket_subscribe(events, mm_topic("job", self->options.id, topic));
    if (self->options.progress != MM_PROGRESS_OFF)
        mm_socket_subscribe(events, mm_topic("progress", NULL, topic));
}

static void receive_notices(publisher_t *self, const mm_frame_t *frame)
{
    outbox_event_t event = {.kind = OUTBOX_VERDICT};
    event.as.verdict.epoch = frame->as.notices.epoch;
    const mm_verdict_t *notices = frame->as.notices.items;
    size_t count = frame->as.notices.count;
    self->now_us = mm_clock_us();
    for (size_t i = 0; i < count; i++) {
        if (i % PREFETCHED == 0)
            outbox_prefetch(self->outbox, notices + i,
                            count - i < PREFETCHED ? count - i : PREFETCHED);
        event.as.verdict.what = notices[i];
        step(self, &event);
    }
}

// What a consumer says of dead jobs it counts itself: it is to be told of those before.
static void hear_epoch(publisher_t *self, uint64_t epoch)
{
    if (epoch == self->heard_epoch)
        return;
    self->heard_epoch = epoch;
    self->dead_before = intake_counts(self->intake).dead;
}

static void receive_frame(publisher_t *self, const mm_frame_t *frame)
{
    outbox_event_t event = {0};
    switch ((int)frame->kind) {
    case MM_FRAME_NOTICES:
        if (frame->as.notices.epoch >= outbox_epoch(self->outbox)) // not of a former consumer
            hear_epoch(self, frame->as.notices.epoch);
        receive_notices(self, frame);
        return;
    case MM_FRAME_BEAT:
        hear_epoch(self, frame->as.beat.epoch);
        event.kind = OUTBOX_BEAT;
        event.as.beat.epoch = frame->as.beat.epoch;
        event.as.beat.draining = frame->as.beat.draining;
        step(self, &event);
        return;
    case MM_FRAME_LEAVING:
        event.kind = OUTBOX_LEAVING;
        event.as.beat.epoch = frame->as.leaving.epoch;
        step(self, &event);
        return;
    case MM_FRAME_TELL: progress_tell(&self->progress, frame->as.tell.text, self->now_ms); return;
    case MM_FRAME_QUERY: mm_stats_reply_answer(&self->reply, frame, self->now_ms); return;
    }
    mm_receiver_drop(&self->receiver, "a frame for somebody else", "events", self->now_ms);
}

// Takes up to `limit` messages; false when there are none left.
static bool receive(publisher_t *self, int limit)
{
    self->now_ms = mm_clock_ms();
    for (int i = 0; i < limit; i++) {
        mm_frame_t frame;
        mm_received_t received =
            mm_consumers_receive(self->consumers, &self->receiver, self->now_ms, &frame);
        if (received == MM_RECEIVED_NONE)
            return false;
        if (received == MM_RECEIVED_OTHER)
            continue;
        self->silent_ms = self->now_ms + 3 * self->options.heartbeat_ms;
        if (received == MM_RECEIVED_FRAME)
            receive_frame(self, &frame);
    }
    return true;
}

static void on_events(void *arg)
{
    MM_SPAN(MM_SPAN_ON_EVENTS);
    publisher_t *self = arg;
    (void)receive(self, MM_DRAIN_MAX);
}

// Only wakes the loop: the turn reads the source.
static void on_source(void *arg)
{
    (void)arg;
}

// After an error a connecting socket may stay dead.
static void recreate_sockets(publisher_t *self)
{
    mm_consumers_reopen(self->consumers);
    self->told_epoch = 0;
    self->silent_ms = self->now_ms + 3 * self->options.heartbeat_ms;
}

static void begin_anew(void *arg)
{
    publisher_t *self = arg;
    self->now_ms = mm_clock_ms();
    recreate_sockets(self);
}

// Watches the source only while it is to be read: one that has ended, or waits for room, stays
// readable.
static void watch_source(publisher_t *self)
{
    int descriptor = intake_descriptor(self->intake);
    if (descriptor == self->watched)
        return;
    if (self->watched >= 0)
        mm_loop_remove_descriptor(self->loop, self->watched);
    if (descriptor >= 0)
        mm_loop_add_descriptor(self->loop, "source", descriptor, ZMQ_POLLIN, on_source, self);
    self->watched = descriptor;
}

static void fail(publisher_t *self)
{
    self->broken = true;
    mm_loop_stop(self->loop);
}

// The starts have ended, and all that may have begun by then is answered.
static bool has_finished_starts(const publisher_t *self)
{
    return outbox_is_closed(self->outbox) && outbox_count(self->outbox) == 0 &&
           !intake_is_behind(self->intake);
}

static int64_t deadline(const publisher_t *self)
{
    if (outbox_is_closed(self->outbox) && intake_is_behind(self->intake) &&
        outbox_capacity(self->outbox) > 0)
        return self->now_ms; // no event may follow
    int64_t shell_ms =
        mm_earlier(mm_earlier(self->silent_ms, self->spare_ms), progress_deadline(&self->progress));
    int64_t intake_ms = self->draining ? MM_NEVER : intake_deadline(self->intake);
    return mm_earlier(outbox_deadline(self->outbox), mm_earlier(shell_ms, intake_ms));
}

static int64_t turn(void *arg)
{
    MM_SPAN("turn");
    publisher_t *self = arg;
    self->now_ms = mm_clock_ms();
    if (self->now_ms >= outbox_deadline(self->outbox)) {
        // An extension may be waiting: it is read before silence ends a lease.
        outbox_event_t event = {.kind = OUTBOX_TIME};
        event.as.time.events_empty = !receive(self, CATCH_UP_MAX);
        step(self, &event);
    }
    if (self->now_ms >= self->silent_ms)
        recreate_sockets(self);
    self->spare_ms = mm_consumers_turn(self->consumers, self->now_ms);
    bool may_give = !self->draining && frames_waiting(self) < WAITING_MAX;
    if (!intake_step(self->intake, self->now_ms, may_give))
        fail(self);
    watch_source(self);
    send_jobs(self);
    intake_counts_t counts = intake_counts(self->intake);
    progress_show(&self->progress, self->now_ms, &counts);
    if (!self->draining && (intake_is_over(self->intake) || has_finished_starts(self)))
        mm_loop_stop(self->loop);
    if (self->trace)
        (void)fflush(self->trace);
    return deadline(self);
}

static void on_signal(void *arg, int number)
{
    MM_SPAN("on_signal");
    publisher_t *self = arg;
    mm_service_log_signal(number);
    mm_log(MM_LOG_INFO, "Waiting for the leases to end",
           MM_INT("leased", outbox_leased(self->outbox)));
    self->draining = true;
    self->now_ms = mm_clock_ms();
    intake_stop(self->intake);
    send_jobs(self);
    step(self, &(outbox_event_t){.kind = OUTBOX_DRAIN});
}

// ---- start and end

static int open_outbox(publisher_t *self, uint64_t seed)
{
    char path[4096], error[MM_ERROR_MAX], source_error[SOURCE_ERROR_MAX];
    (void)snprintf(path, sizeof path, "%s/outbox.db", self->options.dir);
    int exit_code = outbox_db_open(path, false, &self->db, error);
    if (exit_code != 0)
        return mm_service_fail(&self->options, exit_code, "%s", error);
    int64_t begun = mm_inherited_has_parent() ? run_marked(self->options.dir) : 0;
    exit_code = run_open(&self->options, seed, begun, self->db, &self->run, source_error);
    if (exit_code != 0)
        return mm_service_fail(&self->options, exit_code, "%s", source_error);
    mm_log(MM_LOG_INFO, self->run.resumed ? "Resuming a run" : "Beginning a run",
           MM_INT("run", self->run.number), MM_INT("backlog", outbox_db_backlog(self->db)));
    run_mark(&self->run, self->options.dir);
    if (self->run.left_over > 0)
        mm_log(MM_LOG_WARN, "Finishing jobs left over from other runs, too",
               MM_INT("jobs", self->run.left_over));
    return 0;
}

static int open_core(publisher_t *self, uint64_t seed)
{
    const mm_options_t *options = &self->options;
    outbox_config_t config = {.window = (uint32_t)options->leases,
                              .ack_deadline_ms = options->ack_deadline_ms,
                              .heartbeat_ms = options->heartbeat_ms,
                              .drain_ms = options->drain_timeout_ms,
                              .starts_end_ms = self->run.starts_end_ms,
                              .seed = seed};
    self->start_ms = self->now_ms = mm_clock_ms();
    self->outbox = outbox_new(&config, self->now_ms);
    if (config.starts_end_ms > 0) // as the times of a trace
        config.starts_end_ms = mm_later(config.starts_end_ms - self->start_ms, 1);
    if (self->trace)
        outbox_trace_config(self->trace, &config);
    bool is_bounded = self->run.is_file || (self->run.is_endless && options->rate == MM_RATE_MAX);
    intake_config_t intake = {.db = self->db,
                              .outbox = self->outbox,
                              .run = self->run,
                              .window = (size_t)options->leases,
                              .is_bounded = is_bounded};
    self->intake = intake_new(&intake, give_job, self);
    if (!self->intake)
        return mm_service_fail(options, EX_IOERR, "%s", outbox_db_error(self->db));
    intake_counts_t counts = intake_counts(self->intake);
    self->dead_before = counts.dead;
    self->progress = progress_new(options->progress, options->dir, self->now_ms, &counts);
    self->batch = mm_encoder_new();
    mm_receiver_open(&self->receiver);
    self->encoder = mm_encoder_new();
    self->reply = mm_stats_reply_new(&(mm_stats_reply_config_t){.process = options->id,
                                                                .program = MM_PROGRAM_PUBLISHER,
                                                                .stats = stats,
                                                                .send = send_reply,
                                                                .arg = self});
    return 0;
}

// Returns the exit code: that of the source, if it has one; 75 when work is left.
static int close_run(publisher_t *self)
{
    intake_counts_t counts = intake_counts(self->intake);
    bool closed = intake_close(self->intake);
    progress_end(&self->progress, mm_clock_ms(), &counts);
    if (!closed)
        return EX_IOERR;
    outbox_run_t run = {0};
    bool found = false;
    if (outbox_db_run(self->db, self->run.number, &run, &found) != OUTBOX_DB_OK || !found)
        return EX_IOERR;
    bool left = run.finished_ms == 0 || outbox_db_backlog(self->db) > 0;
    outbox_run_clear(&run);
    int exit_code = intake_exit_code(self->intake);
    if (exit_code != 0) {
        (void)mm_service_fail(&self->options, exit_code, "%s", intake_error(self->intake));
        run_mark_bad_input(&self->run, self->options.dir, intake_error(self->intake));
    }
    if (report_may_write_dead(self->options.dir, self->options.input, left) &&
        !report_write_dead(self->db, self->run.number, self->options.dir)) {
        mm_log(MM_LOG_WARN, "Cannot write dead.txt", MM_STRING("error", strerror(errno)));
        if (!mm_inherited_has_parent()) // which tries it again, and says so
            exit_code = EX_IOERR;
    }
    if (outbox_db_vacuum(self->db) == OUTBOX_DB_FATAL) {
        mm_log(MM_LOG_ERROR, "The outbox is broken", MM_STRING("error", outbox_db_error(self->db)));
        return EX_IOERR;
    }
    return exit_code != 0 ? exit_code : left ? EX_TEMPFAIL : 0;
}

static int run_loop(publisher_t *self)
{
    self->consumers =
        mm_consumers_new(&(mm_consumers_config_t){.loop = self->loop,
                                                  .addresses = &self->addresses,
                                                  .key = mm_service_key(),
                                                  .logs = true,
                                                  .role = MM_SOCKET_JOBS,
                                                  .name = "jobs",
                                                  .heartbeat_ms = self->options.heartbeat_ms,
                                                  .lost_after_ms = self->options.lost_after_ms,
                                                  .subscribe = subscribe,
                                                  .on_events = on_events,
                                                  .cut = begin_anew,
                                                  .arg = self});
    mm_loop_on_signal(self->loop, on_signal, self);
    self->watched = -1;
    self->silent_ms = self->now_ms + 3 * self->options.heartbeat_ms;
    mm_log(MM_LOG_INFO, "Ready; waiting for a consumer",
           MM_STRING("address", self->options.consumer));
    mm_loop_run(self->loop);
    mm_log(MM_LOG_INFO, "Cancelling outstanding tasks",
           MM_INT("leased", outbox_leased(self->outbox)));
    mm_consumers_destroy(&self->consumers);
    mm_log(MM_LOG_INFO, "Closing database connections");
    return self->broken ? EX_IOERR : close_run(self);
}

static void close_all(publisher_t *self)
{
    mm_encoder_destroy(&self->encoder);
    intake_destroy(&self->intake);
    run_close(&self->run);
    outbox_destroy(&self->outbox);
    outbox_actions_clear(&self->actions);
    outbox_db_close(&self->db);
    mm_encoder_destroy(&self->batch);
    mm_receiver_close(&self->receiver);
    mm_loop_destroy(&self->loop);
    if (self->trace)
        (void)fclose(self->trace);
}

// --check: reads the input, too, and tells `mayhem run` how many hosts it has.
static int check_input(const mm_options_t *options)
{
    char error[SOURCE_ERROR_MAX];
    run_facts_t facts;
    int exit_code = run_check(options, &facts, error);
    if (exit_code != 0)
        return mm_service_fail(options, exit_code, "%s", error);
    if (facts.is_list)
        (void)printf("hosts: %" PRIu64 "\ngroups: %" PRIu64 "\nrepeated: %" PRIu64
                     "\nbad lines: %" PRIu64 "\nhosts done: %" PRIu64 "\n",
                     facts.source.total, facts.groups, facts.source.repeated, facts.source.skipped,
                     facts.done);
    if (facts.key > 0)
        (void)printf("run: %" PRIu64 "\n", facts.key);
    size_t count = 0;
    const mm_group_t *groups = facts.policy ? policy_groups_sizes(facts.policy, &count) : NULL;
    for (size_t i = 1; i < count && facts.is_list; i++)
        (void)printf("group: %.*s %" PRIu32 "\n", (int)groups[i].name.size, groups[i].name.data,
                     groups[i].hosts);
    policy_groups_destroy(&facts.policy);
    return 0;
}

int main(int argc, char **argv)
{
    publisher_t self = {0};
    int exit_code;
    if (!mm_service_start(MM_PROGRAM_PUBLISHER, argc, argv, check_input, &self.options,
                          &self.addresses, &exit_code))
        return exit_code;
    if (self.options.report != MM_REPORT_OFF)
        return mm_service_quit(&self.options, report_print(&self.options));
    uint64_t seed = mm_service_seed(&self.options);
    self.loop = mm_loop_new(turn, &self);
    exit_code = open_outbox(&self, seed);
    if (exit_code == 0)
        exit_code = mm_service_open_trace(&self.options, &self.trace);
    if (exit_code == 0)
        exit_code = open_core(&self, seed);
    bool begun = exit_code == 0;
    if (begun)
        exit_code = run_loop(&self);
    close_all(&self);
    return begun ? mm_service_end(&self.options, exit_code)
                 : mm_service_quit(&self.options, exit_code);
}
