// What the gather core shows to viewers. It changes no decision. See gather.h.

#include "admission.h"
#include "gather_private.h"
#include "job.h"
#include "uuid.h"

#include <utlist.h>

static const char *const store_names[] = {
    [STORE_READY] = "ready",     [STORE_WITHHELD] = "withheld", [STORE_OUT] = "out",
    [STORE_BACKOFF] = "backoff", [STORE_SAVED] = "saved",       [STORE_ENDED] = "ended"};
static const char *const restart_names[] = {[RESTART_HELD] = "held",
                                            [RESTART_READY] = "ready",
                                            [RESTART_BLOCKED] = "blocked",
                                            [RESTART_GATED] = "gated",
                                            [RESTART_QUARANTINED] = "quarantined",
                                            [RESTART_BEGINNING] = "beginning",
                                            [RESTART_BEGUN] = "begun",
                                            [RESTART_OUT] = "out",
                                            [RESTART_BACKOFF] = "backoff",
                                            [RESTART_OK] = "ok",
                                            [RESTART_EXHAUSTED] = "exhausted",
                                            [RESTART_ENDED] = "ended"};

// How many restarts wait for a resource.
static size_t waiting_for(const flights_t *flights, resource_kind_t kind)
{
    return kind == RESOURCE_SLOT ? flights->in_restart[RESTART_READY] : flights->in_queue[kind];
}

// How many restarts wait by a reason of the policy, or by an order.
static size_t gated_by(const gather_t *self, mm_reason_t reason)
{
    size_t count = 0;
    for (size_t i = 0; i < self->limits.listed_count; i++)
        if (self->limits.listed[i]->waiting_count > 0 &&
            gather_class_reason(self, self->limits.listed[i]) == reason)
            count += self->limits.listed[i]->waiting_count;
    return count;
}

bool gather_next_waiting(const gather_t *self, gather_waiting_t *cursor)
{
    const flights_t *flights = &self->flights;
    // In its first seconds a consumer holds what another one may have handed out; little else
    // waits.
    mm_reason_t paused_by =
        self->now_ms < self->hold_until_ms ? MM_REASON_TAKEOVER : MM_REASON_PAUSE;
    while (++cursor->next <= MM_REASON_NO_SLOT) {
        mm_reason_t reason = (mm_reason_t)cursor->next;
        cursor->count = 0;
        if (reason == MM_REASON_SUSPENDED && gather_is_suspended(self))
            cursor->count = flights->in_restart[RESTART_READY];
        else if (reason >= MM_REASON_HOST_BUSY)
            cursor->count =
                waiting_for(flights, reason - MM_REASON_HOST_BUSY) + gated_by(self, reason);
        else if (reason == MM_REASON_NOT_SAVED)
            cursor->count = flights->in_restart[RESTART_HELD];
        else if (reason == paused_by)
            cursor->count = flights->in_restart[RESTART_BACKOFF];
        else if (reason >= MM_REASON_STATE)
            cursor->count = gated_by(self, reason);
        cursor->reason = mm_reason_name(reason);
        if (cursor->count > 0)
            return true;
    }
    return false;
}

// Of the reasons behind this one.
static const char *most_frequent(const gather_t *self, mm_reason_t behind)
{
    gather_waiting_t waiting = {.next = behind};
    const char *reason = NULL;
    size_t most = 0;
    while (gather_next_waiting(self, &waiting))
        if (waiting.count > most) {
            most = waiting.count;
            reason = waiting.reason;
        }
    return reason;
}

const char *gather_reason(const gather_t *self)
{
    return most_frequent(self, 0);
}

gather_stage_t gather_stage(gather_t *self, mm_role_t role)
{
    flights_t *flights = &self->flights;
    gather_stage_t stage = {0};
    latency_kind_t wait = role == MM_ROLE_SAVER ? LATENCY_STORE_WAIT : LATENCY_RESTART_WAIT;
    if (role == MM_ROLE_SAVER) {
        stage.waiting = flights->in_store[STORE_READY];
        stage.backoff = flights->in_store[STORE_BACKOFF];
    } else {
        stage.blocked = flights->in_restart[RESTART_BLOCKED] +
                        flights->in_restart[RESTART_QUARANTINED] +
                        flights->in_restart[RESTART_GATED];
        stage.waiting = stage.blocked + flights->in_restart[RESTART_READY];
        stage.backoff = flights->in_restart[RESTART_BACKOFF];
        stage.reason = most_frequent(self, MM_REASON_PAUSE); // of those that are blocked or ready
    }
    for (const worker_t *worker = NULL; (worker = workers_next(self->workers, worker)) != NULL;)
        if (worker->role == role && worker->session != 0) {
            stage.slots += worker->slots;
            stage.out += worker->out;
        }
    stage.wait_p50_ms = latency_quantile(&flights->latency, wait, 0.5, self->now_ms);
    stage.wait_p99_ms = latency_quantile(&flights->latency, wait, 0.99, self->now_ms);
    stage.took_p50_ms = latency_quantile(&flights->latency, wait + 1, 0.5, self->now_ms);
    stage.took_p99_ms = latency_quantile(&flights->latency, wait + 1, 0.99, self->now_ms);
    return stage;
}

int64_t gather_flight_ms(gather_t *self, double p)
{
    return latency_quantile(&self->flights.latency, LATENCY_FLIGHT, p, self->now_ms);
}

static const char *holder(const gather_t *self, bool is_out, uint64_t number)
{
    const worker_t *worker = is_out ? workers_holder(self->workers, number) : NULL;
    return worker ? worker->name.text : NULL;
}

static mm_reason_t reason_of(const gather_t *self, const flight_t *flight)
{
    bool waits = flight->restart != RESTART_OUT && !restart_has_place(flight->restart) &&
                 flight->restart != RESTART_OK && flight->restart != RESTART_EXHAUSTED;
    return waits ? admission_decide(self, flight).reason : MM_REASON_NONE;
}

// What a real restarter has.
static const char *errand_of(const gather_t *self, const flight_t *flight)
{
    if (flight->restart != RESTART_OUT || !flight->has_attempt)
        return NULL;
    const attempt_t *attempt = attempts_get(&self->flights.attempts, &flight->id);
    return attempt->is_looking ? "look" : attempt->row == MM_ROW_BEGUN ? "restart" : "probe";
}

static gather_job_t job_of(const gather_t *self, const flight_t *flight)
{
    mm_reason_t reason = reason_of(self, flight);
    return (gather_job_t){
        .id = flight->id,
        .host = host_name(flight->host),
        .publisher = flight->publisher,
        .store = store_names[flight->store],
        .restart = restart_names[flight->restart],
        .reason = mm_reason_name(reason),
        .group = gather_holder(self, flight, reason),
        .store_worker = holder(self, flight->store == STORE_OUT, flight->store_task),
        .restart_worker = holder(self, flight->restart == RESTART_OUT, flight->restart_task),
        .errand = errand_of(self, flight),
        .error = flight->error,
        .attempts = flight->has_attempt ? attempts_get(&self->flights.attempts, &flight->id)->number
                                        : flight->attempts,
        .deliveries = flight->deliveries,
        .extended = flight->extended,
        .losses = flight->losses,
        .received_ms = flight->received_ms,
        .lease_ms = flight->overdue ? 0 : flight->lease.due_ms - self->now_ms};
}

size_t gather_find_jobs(const gather_t *self, mm_str_t host_or_id, gather_job_t *ret_jobs,
                        size_t most)
{
    mm_id_t id;
    size_t count = 0;
    const flight_t *flight =
        mm_id_parse(host_or_id, &id) ? flights_find(&self->flights, &id) : NULL;
    if (flight && most > 0)
        ret_jobs[count++] = job_of(self, flight);
    if (flight)
        return count;
    for (flight = host_or_id.size > 0 ? flights_first(&self->flights) : NULL;
         flight && count < most; flight = flights_next(&self->flights, flight))
        if (mm_str_equal(host_name(flight->host), host_or_id))
            ret_jobs[count++] = job_of(self, flight);
    return count;
}
