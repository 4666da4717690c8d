// See gather.h. Reading order: gather_step and apply_job here; apply_restart_result and
// apply_store_result in gather_legs.c; gather_dispatch in gather_dispatch.c; admission.c. A job's
// two legs run in parallel. The later end asks the store to settle, and the store's answer becomes
// the verdict for the publisher.

#include "admission.h"
#include "array.h"
#include "gather_private.h"
#include "job.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define UNABLE_MS        30000   // restarters that only ask for pauses, and nothing runs: it ends
#define OTHERS_MS        10000   // pause of a job of another run, or of another driver
#define NACK_DELAY_MS    1000    // the pause before a nacked job is delivered again
#define NACK_LATE_MS     3600000 // the same behind the end of the starts
#define EXTENDS_MAX      2048    // extensions in a step; the next step is due at once
#define CLAIM_MS         1000    // between lines about claims
#define PATIENT_MS       60000   // between extensions of a job that waits by the policy,
#define PATIENT_LEASE_MS 180000  // and their length
#define ASKED_MS         10      // the least time between requested heartbeats: each goes to all

gather_t *gather_new(const gather_config_t *config, int64_t now_ms)
{
    gather_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->now_ms = self->flights.now_ms = now_ms;
    self->hold_until_ms = now_ms + config->lost_after_ms + config->heartbeat_ms;
    self->start_ms = config->is_leased ? self->hold_until_ms : now_ms;
    self->trust_ms = config->is_leased ? now_ms : MM_NEVER;
    self->is_suspended = config->is_leased;
    self->beat_ms = now_ms;
    self->beaten_ms = now_ms - ASKED_MS;
    self->drain_until_ms = self->gate_due_ms = MM_NEVER;
    if (config->starts_end_ms == 0)
        self->config.starts_end_ms = MM_NEVER;
    self->random = config->seed;
    self->workers = workers_new(config, &self->flights.hosts, &self->flights.resources);
    self->cache.settled.most = config->settled_max;
    self->cache.nacked.most = config->nacked_max;
    resources_init(&self->flights.resources, config->at_once);
    gather_set_policy(self, &(mm_policy_t){0});
    return self;
}

void gather_set_policy(gather_t *self, const mm_policy_t *policy)
{
    limits_clear(&self->limits);
    limits_init(&self->limits, policy, self->config.lost_after_ms);
    if (self->config.at_once > 0) // which counts open ones, too, as RESOURCE_AT_ONCE does not
        limits_set_cap(&self->limits, self->config.at_once);
    if (policy->count > 0)
        gather_see_driver(self, true); // with one the mock's attempts are on record, too
}

void gather_destroy(gather_t **self_p)
{
    gather_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    flights_clear(&self->flights);
    workers_destroy(&self->workers);
    hosts_clear(&self->flights.hosts);
    settled_cache_clear(&self->cache);
    name_pool_clear(&self->names);
    dead_before_clear(&self->before);
    limits_clear(&self->limits);
    gather_orders_clear(self);
    while (self->real_made > 0)
        free(self->reals[--self->real_made]);
    free(self->reals);
    free(self);
}

void gather_actions_clear(gather_actions_t *self)
{
    free(self->items);
    *self = (gather_actions_t){0};
}

// ---- actions

gather_action_t *gather_act(gather_t *self, gather_action_kind_t kind)
{
    gather_actions_t *actions = self->actions;
    gather_action_t *action = MM_ARRAY_ADD(actions->items, actions->count, actions->size);
    action->kind = kind;
    return action;
}

static gather_action_t *verdict(gather_t *self, const char *publisher, mm_str_t host,
                                mm_verdict_t what)
{
    gather_action_t *action = gather_act(self, GATHER_VERDICT);
    action->as.verdict.publisher = publisher;
    action->as.verdict.verdict = what;
    action->as.verdict.host = host;
    action->as.verdict.is_first = action->as.verdict.is_minor = false;
    return action;
}

gather_action_t *gather_log(gather_t *self, gather_log_t what, const flight_t *flight)
{
    gather_action_t *action = gather_act(self, GATHER_LOG);
    action->as.log = (__typeof__(action->as.log)){.log = what};
    if (flight) {
        action->as.log.id = flight->id;
        action->as.log.host = host_name(flight->host);
        action->as.log.error = mm_str(flight->error);
        action->as.log.attempt = flight->attempts;
    }
    return action;
}

gather_action_t *gather_news(gather_t *self, gather_news_t what)
{
    gather_action_t *action = gather_act(self, GATHER_NEWS);
    action->as.news = (__typeof__(action->as.news)){.news = what};
    return action;
}

mm_real_t *gather_real(gather_t *self)
{
    if (self->real_count == self->real_made) {
        mm_real_t *made = malloc(sizeof *made);
        assert(made);
        *MM_ARRAY_ADD(self->reals, self->real_made, self->real_capacity) = made;
    }
    return self->reals[self->real_count++];
}

// ---- how a flight ends

// The verdict that a publisher receives for a job with this outcome.
static mm_verdict_kind_t verdict_of(mm_outcome_t outcome)
{
    static const mm_verdict_kind_t kinds[] = {[MM_OUTCOME_NONE] = MM_VERDICT_ACK,
                                              [MM_OUTCOME_RESTARTED] = MM_VERDICT_ACK,
                                              [MM_OUTCOME_DEAD] = MM_VERDICT_DEAD,
                                              [MM_OUTCOME_WITHDRAWN] = MM_VERDICT_WITHDRAWN,
                                              [MM_OUTCOME_SKIPPED] = MM_VERDICT_SKIPPED};
    return kinds[outcome];
}

void gather_settled(gather_t *self, flight_t *flight, mm_outcome_t outcome)
{
    if (flight->is_admitted)
        gather_leave_place(self, flight);
    settled_item_t *item = settled_cache_put(&self->cache, &flight->id, outcome);
    item->attempts = flight->attempts;
    bool dead = outcome == MM_OUTCOME_DEAD;
    bool has_error = dead || outcome == MM_OUTCOME_WITHDRAWN;
    bool has_reason = has_error || outcome == MM_OUTCOME_SKIPPED;
    settled_cache_set_error(item, has_error ? flight->error : NULL);
    gather_action_t *told =
        verdict(self, flight->publisher, host_name(flight->host),
                (mm_verdict_t){.kind = verdict_of(outcome),
                               .id = flight->id,
                               .attempts = flight->attempts,
                               .error = mm_str(has_reason ? flight->error : NULL)});
    told->as.verdict.is_minor = outcome == MM_OUTCOME_WITHDRAWN && !flight->error;
    flights_end(&self->flights, flight);
    if (dead)
        self->statistics.dead++;
    else
        self->statistics.acked++;
}

static void nack(gather_t *self, flight_t *flight, int64_t delay_ms)
{
    if (flight->is_admitted)
        gather_leave_place(self, flight);
    bool restarted = flight->restart == RESTART_OK || flight->late_worker;
    bool is_remembered = !flight->has_attempt; // else the record does
    if (is_remembered && (flight->attempts > 0 || restarted)) {
        settled_item_t *item = settled_cache_put(&self->cache, &flight->id, MM_OUTCOME_NONE);
        // A late success of an earlier epoch was not charged.
        item->attempts = restarted && flight->attempts == 0 ? 1 : flight->attempts;
        item->losses = flight->losses;
        item->restarted = restarted;
        item->worker = flight->late_worker ? flight->late_worker : flight->worker;
        settled_cache_set_error(item, flight->error);
    }
    gather_action_t *told =
        verdict(self, flight->publisher, host_name(flight->host),
                (mm_verdict_t){.kind = MM_VERDICT_NACK, .id = flight->id, .delay_ms = delay_ms});
    told->as.verdict.is_minor = !gather_was_attempted(self, flight);
    flights_end(&self->flights, flight);
    self->statistics.nacked++;
}

void gather_nack(gather_t *self, flight_t *flight)
{
    nack(self, flight, NACK_DELAY_MS);
}

// Behind the end of the starts: whether it would begin next. What waits for the record is awaited.
static bool is_too_late(const gather_t *self, const flight_t *flight)
{
    bool was_decided =
        flight->restart == RESTART_BACKOFF && flight->restart_backoff.due_ms == MM_NEVER;
    return restart_has_place(flight->restart) || was_decided ||
           (restart_waits(flight->restart) &&
            admission_decide(self, flight).reason == MM_REASON_TOO_LATE);
}

// Whether a settle of it may be committed beside what another saver is asked (R19).
static bool is_settling(const gather_t *self, const flight_t *flight)
{
    bool is_out = flight->store == STORE_OUT && flight->settle != MM_OUTCOME_NONE;
    return flight->is_doubtful || (is_out && self->config.savers_max > 1);
}

// An attempt that runs is awaited; while draining so is the answer of the store (R8, R10).
void gather_nack_if_over(gather_t *self, flight_t *flight)
{
    bool in_store = flight->restart == RESTART_OK || flight->restart == RESTART_EXHAUSTED ||
                    (flight->has_attempt && gather_attempt_has_success(self, flight));
    bool is_late = gather_is_behind_starts(self) && is_too_late(self, flight) && !in_store;
    bool is_over = flight->overdue || is_late || (self->statistics.draining && !in_store);
    if (!is_over || flight->restart == RESTART_OUT || is_settling(self, flight))
        return;
    if (!flight->has_attempt || gather_attempt_is_settled(self, flight))
        nack(self, flight, is_late ? NACK_LATE_MS : NACK_DELAY_MS);
}

// ---- jobs

static bool is_redelivered(const gather_t *self, uint64_t epoch, const mm_job_t *job)
{
    return job->delivery > 1 || epoch != self->config.epoch ||
           mm_id_compare(&job->id, &self->cache.newest_dropped) <= 0;
}

// A nacked job continues with what the cache has of it (R7, R8).
static void recall(gather_t *self, flight_t *flight, settled_item_t *item)
{
    if (item->proof != MM_PROOF_NONE) { // of a real restart: a run of the mock has no use for it
        if (self->is_real)
            gather_attempt_recall(self, flight, item);
        settled_cache_remove(&self->cache, item);
        return;
    }
    flight->attempts = item->attempts;
    flight->losses = item->losses;
    flight->handed_out = item->attempts > 0;
    flight->worker = item->worker;
    flight_set_error(flight, mm_str(item->error));
    if (item->restarted)
        flight_set_restart(&self->flights, flight, RESTART_OK, 0);
    else if (item->attempts >= self->config.attempts)
        flight_set_restart(&self->flights, flight, RESTART_EXHAUSTED, 0);
    settled_cache_remove(&self->cache, item);
}

// item: what the cache has of it, or NULL.
static void put_off(gather_t *self, const char *publisher, const mm_job_t *job,
                    const settled_item_t *item, int64_t delay_ms)
{
    gather_action_t *told =
        verdict(self, publisher, job->host,
                (mm_verdict_t){.kind = MM_VERDICT_NACK, .id = job->id, .delay_ms = delay_ms});
    told->as.verdict.is_minor = !item || item->attempts == 0;
    self->statistics.nacked++;
}

// Nacks jobs that this consumer may not have. That is logged once in a while.
static void put_off_others(gather_t *self, const gather_event_t *event, gather_log_t why,
                           mm_str_t whose, int64_t *told_ms)
{
    const char *publisher = name_pool_intern(&self->names, event->as.job.publisher);
    if (publisher)
        put_off(self, publisher, &event->as.job.job, NULL, OTHERS_MS);
    if (*told_ms > 0 && self->now_ms < *told_ms + OTHERS_MS)
        return;
    *told_ms = mm_later(self->now_ms, 1);
    gather_log(self, why, NULL)->as.log.error = whose;
}

// The first run decides which driver the restarters must have. Jobs of another one are nacked.
static bool is_drivers(gather_t *self, const gather_event_t *event)
{
    if (workers_set_driver(self->workers, event->as.job.driver))
        return true;
    put_off_others(self, event, GATHER_LOG_OTHER_DRIVER, event->as.job.driver,
                   &self->other_driver_ms);
    return false;
}

// False: it has another run than this consumer, and nothing that it says counts (G13).
static bool hear_publisher(gather_t *self, const gather_event_t *event)
{
    // Before any of its jobs: their outcomes are of this run.
    if (event->as.job.run > 0 && !gather_hear_run(self, event->as.job.publisher, event->as.job.run,
                                                  event->as.job.groups, event->as.job.group_count))
        return false;
    if (self->config.max_dead > 0)
        dead_before_hear(&self->before, event->as.job.publisher,
                         event->as.job.epoch == self->config.epoch, event->as.job.dead);
    return true;
}

// Nobody waits for its save, which is withheld (R17).
static void begin_at_once(gather_t *self, flight_t *flight)
{
    if (self->config.save_after_ms > 0)
        flight_set_store(&self->flights, flight, STORE_WITHHELD,
                         self->now_ms + self->config.save_after_ms);
    flight_set_restart(&self->flights, flight, RESTART_READY, 0); // may end that (R17)
}

static void apply_job(gather_t *self, const gather_event_t *event)
{
    const mm_job_t *job = &event->as.job.job;
    if (!hear_publisher(self, event)) {
        put_off_others(self, event, GATHER_LOG_OTHER_RUN, event->as.job.publisher,
                       &self->other_run_ms);
        return;
    }
    if (event->as.job.driver.size > 0 && !is_drivers(self, event))
        return;
    const char *publisher = name_pool_intern(&self->names, event->as.job.publisher);
    if (!publisher)
        return;
    flight_t *flight = flights_find(&self->flights, &job->id);
    if (flight) { // no answer: its extensions go on
        if (job->delivery > flight->deliveries)
            flight->deliveries = job->delivery;
        if (job->withdrawn)
            gather_withdraw(self, flight);
        gather_log(self, GATHER_LOG_IN_FLIGHT, flight)->as.log.is_minor = true;
        return;
    }
    settled_item_t *item = settled_cache_find(&self->cache, &job->id);
    if (item && item->outcome != MM_OUTCOME_NONE) {
        gather_action_t *told = verdict(self, publisher, job->host,
                                        (mm_verdict_t){.kind = verdict_of(item->outcome),
                                                       .id = job->id,
                                                       .attempts = item->attempts,
                                                       .error = mm_str(item->error)});
        told->as.verdict.is_minor = true; // it was told before
        return;
    }
    bool redelivered = is_redelivered(self, event->as.job.epoch, job);
    if (item && item->is_claimed && !redelivered) { // nobody can have had it before (R18)
        settled_cache_remove(&self->cache, item);
        item = NULL;
    }
    if (gather_is_behind_starts(self) && !redelivered && !item) {
        put_off(self, publisher, job, item, NACK_LATE_MS);
        return;
    }
    if (self->statistics.draining || flights_count(&self->flights) >= self->config.max_in_flight) {
        put_off(self, publisher, job, item, NACK_DELAY_MS);
        return;
    }
    flight = flights_add(&self->flights, &job->id, job->host,
                         self->now_ms + self->config.extend_every_ms,
                         self->now_ms + self->config.max_lease_ms);
    flight->has_attributes = job->attributes.size > 0;
    if (flight->has_attributes)
        attribute_records_add(&self->flights.attributes, &job->id, job->attributes);
    flight->publisher = publisher;
    flight->received_ms = event->as.job.received_ms;
    flight->deliveries = job->delivery;
    flight->extended = 1;
    if (job->withdrawn)
        flight_set_withdrawn(&self->flights, flight);
    if (item)
        recall(self, flight, item);
    if (self->is_real && flight->restart == RESTART_HELD && !flight->has_attempt)
        gather_make_real(self, flight);
    flight->redelivered = redelivered;
    bool is_first = !flight->redelivered && !flight->withdrawn;
    if (flight->restart == RESTART_HELD && is_first && !flight->has_attempt)
        begin_at_once(self, flight);
    self->statistics.received++;
    gather_action_t *extend = verdict(self, publisher, host_name(flight->host),
                                      (mm_verdict_t){.kind = MM_VERDICT_EXTEND, .id = flight->id});
    extend->as.verdict.is_first = true;
}

// ---- workers

static void answer(gather_t *self, gather_action_kind_t kind, const workers_change_t *change)
{
    gather_action_t *action = gather_act(self, kind);
    action->as.answer.worker = change->name;
    action->as.answer.instance = change->instance;
    action->as.answer.session = change->session;
    action->as.answer.acknowledged_through = change->acknowledged_through;
    action->as.answer.reason = change->reason;
    action->as.answer.version = 0;
}

// Once a second at most: a peer may claim as often as it likes.
static void tell_claim(gather_t *self, const workers_change_t *change)
{
    if (self->claim_ms > 0 && self->now_ms < self->claim_ms + CLAIM_MS)
        return;
    self->claim_ms = mm_later(self->now_ms, 1);
    gather_action_t *action = gather_log(self, GATHER_LOG_CLAIM, NULL);
    action->as.log.worker = change->name;
    action->as.log.error = mm_str(change->reason);
}

static void tell_loss(gather_t *self, const workers_change_t *change)
{
    gather_action_t *action = gather_log(self, GATHER_LOG_WORKER_LOST, NULL);
    action->as.log.worker = change->name;
    action->as.log.error = mm_str(change->reason);
}

static void apply_changes(gather_t *self)
{
    const workers_change_t *changes;
    size_t count = workers_changes(self->workers, &changes);
    for (size_t i = 0; i < count; i++) {
        const workers_change_t *change = &changes[i];
        switch (change->kind) {
        case WORKERS_OPEN: answer(self, GATHER_OPEN, change); break;
        case WORKERS_CLOSE: answer(self, GATHER_CLOSE, change); break;
        case WORKERS_WELCOME: answer(self, GATHER_WELCOME, change); break;
        case WORKERS_REFUSED: answer(self, GATHER_REFUSED, change); break;
        case WORKERS_REJOIN: answer(self, GATHER_REJOIN, change); break;
        case WORKERS_LAST: answer(self, GATHER_LAST, change); break;
        case WORKERS_LOSS: tell_loss(self, change); break;
        case WORKERS_LEFT:
            gather_log(self, GATHER_LOG_WORKER_LEFT, NULL)->as.log.worker = change->name;
            break;
        case WORKERS_CLAIM: tell_claim(self, change); break;
        case WORKERS_ENDED: gather_apply_ended(self, change); break;
        }
    }
}

static void apply_report(gather_t *self, const mm_report_t *report)
{
    worker_t *worker = workers_report_open(self->workers, report, self->now_ms);
    apply_changes(self); // a former instance ends before the new one's results are read
    if (!worker)
        return;
    if (worker->role == MM_ROLE_SAVER)
        self->sees_saver = self->sees_saver || report->is_hello;
    if (worker->role == MM_ROLE_RESTARTER) {
        gather_see_driver(self, worker->verbs & MM_VERB_REAL || self->limits.is_given);
        gather_withdraw_unseen(self);
        self->has_hooks = self->has_hooks || worker->verbs & MM_VERB_HOOKS;
    }
    for (size_t i = 0; i < report->result_count; i++)
        gather_apply_result(self, worker, &report->results[i], report->is_hello);
    workers_report_close(self->workers, worker, report);
}

static void apply_bye(gather_t *self, const gather_event_t *event)
{
    worker_t *worker = workers_find(self->workers, event->as.from.worker, event->as.from.instance);
    if (worker)
        workers_bye(self->workers, worker, event->as.from.session, event->as.from.last_serial);
}

// ---- time

// One that waits by the policy has a long lease from its first extension on.
static void extend(gather_t *self, flight_t *flight)
{
    bool is_denied = flight->restart == RESTART_BACKOFF && gather_is_denied(self, flight);
    bool waits = flight->restart == RESTART_GATED || is_denied;
    bool is_patient = self->limits.is_given && waits && !flight->overdue; // that one is nacked
    int64_t next_ms = self->now_ms + (is_patient ? PATIENT_MS : self->config.extend_every_ms);
    if (is_patient && !flight->is_patient)
        flight_set_patient(&self->flights, flight);
    else if (!is_patient && flight->is_patient)
        flight_set_impatient(&self->flights, flight, self->now_ms + self->config.max_lease_ms);
    flight_set_extended(&self->flights, flight, next_ms);
    self->statistics.extended++;
    gather_action_t *told = verdict(self, flight->publisher, host_name(flight->host),
                                    (mm_verdict_t){.kind = MM_VERDICT_EXTEND,
                                                   .id = flight->id,
                                                   .lease_ms = is_patient ? PATIENT_LEASE_MS : 0});
    told->as.verdict.is_minor = !gather_was_attempted(self, flight);
}

static void extend_due(gather_t *self)
{
    flight_t *flight;
    int count = 0;
    for (; count < EXTENDS_MAX && (flight = flights_first_extend(&self->flights)) != NULL &&
           flight->extend_ms <= self->now_ms;
         count++)
        extend(self, flight);
    for (; count < EXTENDS_MAX && (flight = flights_first_patient(&self->flights)) != NULL &&
           flight->extend_ms <= self->now_ms;
         count++)
        extend(self, flight);
}

static void retry_due(gather_t *self)
{
    mm_heap_node_t *node;
    while ((node = mm_heap_first(&self->flights.store_backoffs)) && node->due_ms <= self->now_ms)
        flight_set_store(&self->flights, MM_HEAP_OWNER(node, flight_t, store_backoff), STORE_READY,
                         0);
    while ((node = mm_heap_first(&self->flights.restart_backoffs)) && node->due_ms <= self->now_ms)
        gather_unblock(self, MM_HEAP_OWNER(node, flight_t, restart_backoff));
}

static void save_due(gather_t *self)
{
    for (flight_t *flight;
         (flight = flights_first_withheld(&self->flights)) && flight->save_ms <= self->now_ms;)
        flight_set_store(&self->flights, flight, STORE_READY, 0);
}

static void lease_due(gather_t *self)
{
    for (mm_heap_node_t *node;
         (node = mm_heap_first(&self->flights.leases)) && node->due_ms <= self->now_ms;) {
        flight_t *flight = MM_HEAP_OWNER(node, flight_t, lease);
        flight_set_overdue(&self->flights, flight);
        gather_nack_if_over(self, flight);
    }
}

static void nack_all(gather_t *self)
{
    flight_t *flight, *next;
    FLIGHTS_EACH (&self->flights, flight, next)
        gather_nack(self, flight);
}

static void drain(gather_t *self)
{
    if (self->statistics.draining)
        return;
    self->statistics.draining = true;
    self->drain_until_ms = self->now_ms + self->config.drain_ms;
    self->beat_ms = self->now_ms;
    flight_t *flight, *next;
    FLIGHTS_EACH (&self->flights, flight, next)
        gather_nack_if_over(self, flight);
}

void gather_beat_now(gather_t *self)
{
    self->beat_ms = self->now_ms;
}

bool gather_is_suspended(const gather_t *self)
{
    return self->now_ms >= self->trust_ms;
}

bool gather_has_session(const gather_t *self, const mm_report_t *report)
{
    const worker_t *worker = workers_find(self->workers, report->worker, report->instance);
    return worker && worker->session > report->session;
}

bool gather_is_halted(const gather_t *self)
{
    return self->limits.is_halted || (self->is_real && !self->limits.is_complete) ||
           gather_is_suspended(self);
}

bool gather_is_recorded(const gather_t *self)
{
    return self->flights.in_store[STORE_OUT] == 0 && self->flights.in_store[STORE_READY] == 0 &&
           self->pending_count == 0;
}

static void apply_trust(gather_t *self, int64_t until_ms)
{
    bool was_suspended = self->is_suspended;
    self->trust_ms = until_ms;
    self->is_suspended = gather_is_suspended(self);
    if (self->is_suspended != was_suspended)
        gather_beat_now(self);
}

static void beat(gather_t *self)
{
    gather_act(self, GATHER_BEAT);
    self->beat_ms = self->now_ms + self->config.heartbeat_ms;
    self->beaten_ms = self->now_ms;
}

static void apply_question(gather_t *self, const gather_event_t *event)
{
    (void)hear_publisher(self, event);
    if (self->now_ms >= self->beaten_ms + ASKED_MS)
        beat(self);
    else if (self->beat_ms > self->beaten_ms + ASKED_MS)
        self->beat_ms = self->beaten_ms + ASKED_MS;
}

static void drop_names(gather_t *self)
{
    flight_t *flight, *next;
    FLIGHTS_EACH (&self->flights, flight, next) {
        name_pool_mark(&self->names, flight->publisher);
        name_pool_mark(&self->names, flight->worker);
        name_pool_mark(&self->names, flight->late_worker);
        if (flight->has_attempt)
            gather_attempt_mark(self, flight);
    }
    const settled_item_t *item;
    for (size_t at = 0; (item = mm_table_next(&self->cache.table, &at)) != NULL;)
        name_pool_mark(&self->names, item->worker);
    name_pool_drop_unmarked(&self->names);
}

static void apply_time(gather_t *self, bool inbox_empty)
{
    // While no action points to a name.
    if (self->now_ms >= self->beat_ms && name_pool_is_crowded(&self->names))
        drop_names(self);
    if (inbox_empty)
        workers_check(self->workers, self->now_ms);
    apply_changes(self);
    extend_due(self);
    retry_due(self);
    save_due(self);
    lease_due(self);
    if (self->now_ms >= self->drain_until_ms)
        nack_all(self);
    if (!self->is_suspended)
        apply_trust(self, self->trust_ms); // its end is said at once
    if (self->now_ms >= self->beat_ms)
        beat(self);
}

// Each dead job once: those before this consumer, those that it has found or made dead, and those
// that it is about to (R14).
static void check_dead(gather_t *self)
{
    uint64_t dead = self->before.sum + self->statistics.dead;
    uint64_t most = self->config.max_dead;
    if (most == 0 || self->statistics.draining || dead + flights_doomed(&self->flights) < most)
        return;
    gather_log(self, GATHER_LOG_TOO_MANY_DEAD, NULL);
    self->statistics.too_many_dead = true;
    gather_trip_run(self, dead + flights_doomed(&self->flights));
    drain(self);
}

// What waits is nacked, once; from then on whatever would begin is (R15).
static void check_starts(gather_t *self)
{
    if (self->starts_ended || !gather_is_behind_starts(self))
        return;
    self->starts_ended = true;
    gather_log(self, GATHER_LOG_STARTS_ENDED, NULL);
    flight_t *flight, *next;
    FLIGHTS_EACH (&self->flights, flight, next)
        gather_nack_if_over(self, flight);
}

// What no restarter here can start is not tried for ever.
static int64_t unable_deadline(const gather_t *self)
{
    bool is_stuck = self->unable_ms > 0 && self->flights.resources.at_once.busy == 0 &&
                    !self->statistics.draining && flights_count(&self->flights) > 0;
    return is_stuck ? self->unable_ms + UNABLE_MS : MM_NEVER;
}

static void check_unable(gather_t *self)
{
    if (self->now_ms < unable_deadline(self))
        return;
    gather_log(self, GATHER_LOG_UNABLE, NULL);
    self->statistics.unable = true;
    drain(self);
}

void gather_step(gather_t *self, const gather_event_t *event, gather_actions_t *ret_actions)
{
    assert(event->now_ms >= self->now_ms);
    // Whoever stood still does not know who else was silent: what was said meanwhile is unread. So
    // it is when their connections were ended here.
    if (event->kind == GATHER_REBOUND ||
        event->now_ms - self->now_ms >= self->config.lost_after_ms) {
        workers_forgive(self->workers, event->now_ms);
        run_choice_forgive(&self->choice, event->now_ms);
    }
    self->now_ms = self->flights.now_ms = event->now_ms;
    self->actions = ret_actions;
    ret_actions->count = 0;
    self->real_count = 0;
    flights_free_ended(&self->flights);
    worker_t *worker;
    switch (event->kind) {
    case GATHER_JOB: apply_job(self, event); break;
    case GATHER_ASK: apply_question(self, event); break;
    case GATHER_REPORT: apply_report(self, event->as.report); break;
    case GATHER_STARTED: return; // only for traces: reports list what runs
    case GATHER_RESULT:
        worker = workers_find(self->workers, event->as.from.worker, event->as.from.instance);
        if (worker)
            gather_apply_result(self, worker, event->as.from.result, false);
        break;
    case GATHER_BYE: apply_bye(self, event); break;
    case GATHER_REVOKED:
        workers_revoke(self->workers, event->as.revoked.worker, event->as.revoked.role);
        break;
    case GATHER_CUT: workers_cut(self->workers, event->as.cut.session); break;
    case GATHER_REBOUND: break; // forgiven above
    case GATHER_TIME: apply_time(self, event->as.time.inbox_empty); break;
    case GATHER_DRAIN: drain(self); break;
    case GATHER_STATE: gather_apply_state(self, event->as.state); break;
    case GATHER_RECORDED: gather_apply_recorded(self, event->as.recorded); break;
    case GATHER_ORDER:
        gather_apply_order(self, event->as.order.viewer, event->as.order.order);
        break;
    case GATHER_GUARD: gather_apply_guard(self, event->as.guard.says_yes); break;
    case GATHER_TRUST: apply_trust(self, event->as.trust.until_ms); break;
    case GATHER_BESIDE: gather_apply_beside(self, event->as.beside.is_halted); break;
    case GATHER_CLOCK: gather_apply_clock(self, event->as.clock.unix_ms); break;
    }
    apply_changes(self);
    check_dead(self);
    check_starts(self);
    check_unable(self);
    gather_dispatch(self);
    if (self->is_real || self->pending_count > 0)
        gather_talk_to_saver(self);
    if (self->statistics.draining && flights_count(&self->flights) == 0 && !self->left &&
        !gather_owes_trip(self)) {
        self->left = true;
        gather_act(self, GATHER_LEAVE);
    }
}

int64_t gather_deadline(const gather_t *self)
{
    int64_t deadline = mm_earlier(self->beat_ms, workers_deadline(self->workers));
    if (flights_count(&self->flights) > 0 || gather_owes_trip(self))
        deadline = mm_earlier(deadline, self->drain_until_ms);
    if (!self->is_suspended)
        deadline = mm_earlier(deadline, self->trust_ms);
    if (self->now_ms < self->start_ms)
        deadline = mm_earlier(deadline, self->start_ms);
    const flight_t *flight;
    if ((flight = flights_first_extend(&self->flights)) != NULL)
        deadline = mm_earlier(deadline, flight->extend_ms);
    if ((flight = flights_first_patient(&self->flights)) != NULL)
        deadline = mm_earlier(deadline, flight->extend_ms);
    if (self->is_real || self->pending_count > 0)
        deadline = mm_earlier(deadline, gather_orders_deadline(self));
    if (self->is_real && gather_may_hand_out(self)) // else nothing is done at the gate
        deadline = mm_earlier(deadline, gather_gate_deadline(self));
    deadline = mm_earlier(deadline, unable_deadline(self));
    if (!self->starts_ended)
        deadline = mm_earlier(deadline, self->config.starts_end_ms);
    if ((flight = flights_first_withheld(&self->flights)) != NULL)
        deadline = mm_earlier(deadline, flight->save_ms);
    deadline = mm_earlier(deadline, mm_heap_deadline(&self->flights.leases));
    deadline = mm_earlier(deadline, mm_heap_deadline(&self->flights.store_backoffs));
    return mm_earlier(deadline, mm_heap_deadline(&self->flights.restart_backoffs));
}

bool gather_next_worker(const gather_t *self, gather_worker_t *cursor)
{
    const worker_t *worker = workers_next(self->workers, cursor->cursor);
    cursor->cursor = worker;
    if (!worker)
        return false;
    cursor->acknowledgement =
        (mm_acknowledgement_t){.worker = mm_str(worker->name.text),
                               .session = worker->session,
                               .acknowledged_through = worker->acknowledged_through,
                               .stamp_ms = worker->stamp_ms};
    cursor->role = worker->role;
    cursor->joined = worker->state == WORKER_JOINED && worker->session != 0;
    cursor->slots = worker->slots;
    cursor->out = worker->out;
    cursor->silent_ms = self->now_ms - worker->heard_ms;
    return true;
}

gather_statistics_t gather_statistics(const gather_t *self)
{
    gather_statistics_t statistics = self->statistics;
    statistics.in_flight = flights_count(&self->flights);
    return statistics;
}
