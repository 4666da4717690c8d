// See outbox.h. A lease is in one state, and each state has its queue: ready (to be delivered),
// again (to be delivered in the place that it has), leased (in order of deadlines, since all are
// equally long), long (of the length that the consumer has asked for: a heap) and delayed (nacked
// or unanswered: a heap, too, since those delays vary).

#include "outbox.h"
#include "array.h"
#include "frame.h"
#include "heap.h"
#include "pool.h"
#include "random.h"
#include "table.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define UNANSWERED_MAX_MS 30000   // longest pause between deliveries without an answer
#define SILENT_BEATS      3       // missed heartbeats after which the consumer counts as silent
#define ASK_FIRST_MS      2       // first pause between requests for its heartbeat; doubled
#define CLAIM_MS          1000    // between lines about claims
#define NACK_MAX_MS       3600000 // longest delay that a nack can ask for
#define LEASE_MAX_MS      3600000 // longest lease that an extend can ask for
#define STEP_MAX          4096    // leases that end, and jobs delivered again, in one step

typedef enum { LEASE_READY, LEASE_AGAIN, LEASE_LEASED, LEASE_LONG, LEASE_DELAYED } lease_state_t;

typedef struct lease {
    mm_id_t id;
    lease_state_t state;
    bool has_place;  // in the window: leased, long, or expired (R11)
    bool is_put_off; // nacked for an hour
    bool withdrawn;
    uint32_t delivery;
    uint32_t unanswered; // deliveries in a row
    int64_t deadline_ms; // leased
    int64_t run;
    uint64_t token;
    int64_t accepted_us;
    mm_heap_node_t due;        // long, or delayed
    struct lease *prev, *next; // ready, again or leased
    uint32_t host_size;
    uint32_t attributes_size;
    char host[]; // and then the attributes
} lease_t;

static_assert(sizeof(lease_t) + MM_HOST_MAX + MM_ATTRIBUTES_BYTES <= MM_POOL_MAX,
              "the pool has leases of every size");

struct outbox {
    outbox_config_t config;
    int64_t now_ms;
    uint64_t random;
    mm_table_t table; // by id
    mm_pool_t pool;   // of the leases
    lease_t *ready;
    size_t ready_count;
    lease_t *again;
    lease_t *leased;
    mm_heap_t longs;
    mm_heap_t delayed;
    size_t places;  // taken in the window
    lease_t *ended; // freed when the next step begins
    uint64_t epoch;
    bool present; // heartbeats of the consumer arrive, and it takes jobs
    bool closed;  // the starts have ended
    bool draining;
    bool left;
    int64_t heard_ms;
    int64_t claim_ms; // when a claim was told of
    int64_t ask_ms;   // when to ask next, while it is silent
    int64_t ask_pause_ms;
    int64_t drain_until_ms;
    outbox_actions_t *actions;
};

outbox_t *outbox_new(const outbox_config_t *config, int64_t now_ms)
{
    outbox_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    if (config->starts_end_ms == 0)
        self->config.starts_end_ms = MM_NEVER;
    self->now_ms = now_ms;
    self->random = config->seed;
    self->ask_ms = now_ms;
    self->ask_pause_ms = ASK_FIRST_MS;
    self->drain_until_ms = MM_NEVER;
    return self;
}

void outbox_actions_clear(outbox_actions_t *self)
{
    free(self->items);
    *self = (outbox_actions_t){0};
}

static outbox_action_t *act(outbox_t *self, outbox_action_kind_t kind, const lease_t *lease)
{
    outbox_actions_t *actions = self->actions;
    outbox_action_t *action = MM_ARRAY_ADD(actions->items, actions->count, actions->capacity);
    *action = (outbox_action_t){.kind = kind};
    if (lease) {
        action->id = lease->id;
        action->host = (mm_str_t){lease->host, lease->host_size};
        action->delivery = lease->delivery;
        action->withdrawn = lease->withdrawn;
        action->run = lease->run;
        action->token = lease->token;
        action->accepted_us = lease->accepted_us;
    }
    return action;
}

static void log_event(outbox_t *self, outbox_log_t what, const lease_t *lease)
{
    act(self, OUTBOX_LOG, lease)->log = what;
}

// ---- the queues

static void add_to_queue(outbox_t *self, lease_t *lease, int64_t due_ms)
{
    switch (lease->state) {
    case LEASE_READY:
        DL_APPEND(self->ready, lease);
        self->ready_count++;
        break;
    case LEASE_AGAIN: DL_APPEND(self->again, lease); break;
    case LEASE_LEASED:
        lease->deadline_ms = due_ms;
        DL_APPEND(self->leased, lease);
        break;
    case LEASE_LONG: mm_heap_put(&self->longs, &lease->due, due_ms); break;
    case LEASE_DELAYED: mm_heap_put(&self->delayed, &lease->due, due_ms); break;
    }
}

static void remove_from_queue(outbox_t *self, lease_t *lease)
{
    switch (lease->state) {
    case LEASE_READY:
        DL_DELETE(self->ready, lease);
        self->ready_count--;
        break;
    case LEASE_AGAIN: DL_DELETE(self->again, lease); break;
    case LEASE_LEASED: DL_DELETE(self->leased, lease); break;
    case LEASE_LONG: mm_heap_remove(&self->longs, &lease->due); break;
    case LEASE_DELAYED: mm_heap_remove(&self->delayed, &lease->due); break;
    }
}

// The one function that changes the state of a lease. due_ms: the end of the lease, or of the
// delay.
static void set_state(outbox_t *self, lease_t *lease, lease_state_t state, int64_t due_ms)
{
    remove_from_queue(self, lease);
    lease->state = state;
    add_to_queue(self, lease, due_ms);
}

static void set_place(outbox_t *self, lease_t *lease, bool has_place)
{
    if (lease->has_place == has_place)
        return;
    lease->has_place = has_place;
    self->places = has_place ? self->places + 1 : self->places - 1;
}

static bool has_id(const void *lease, const void *id)
{
    return mm_id_equal(&((const lease_t *)lease)->id, id);
}

static lease_t *find(const outbox_t *self, const mm_id_t *id)
{
    return mm_table_find(&self->table, mm_id_hash(id), has_id, id);
}

// Removes a lease: its job is settled, or left in the database.
static void end_lease(outbox_t *self, lease_t *lease)
{
    remove_from_queue(self, lease);
    set_place(self, lease, false);
    mm_table_remove(&self->table, mm_id_hash(&lease->id), lease);
    LL_PREPEND(self->ended, lease);
}

static size_t size_of(size_t host_size, size_t attributes_size)
{
    return sizeof(lease_t) + host_size + attributes_size;
}

static void free_ended(outbox_t *self)
{
    for (lease_t *lease; (lease = self->ended) != NULL;) {
        LL_DELETE(self->ended, lease);
        mm_pool_put(&self->pool, lease, size_of(lease->host_size, lease->attributes_size));
    }
}

void outbox_destroy(outbox_t **self_p)
{
    outbox_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_table_clear(&self->table);
    mm_heap_clear(&self->longs);
    mm_heap_clear(&self->delayed);
    mm_pool_clear(&self->pool);
    free(self);
}

// ---- delivering

// Half to all of `milliseconds`.
static int64_t jitter(outbox_t *self, int64_t milliseconds)
{
    int64_t half = milliseconds / 2;
    return half + (int64_t)mm_random_below(&self->random, (uint64_t)half + 1);
}

static mm_str_t attributes_of(const lease_t *lease)
{
    return (mm_str_t){lease->attributes_size > 0 ? lease->host + lease->host_size : NULL,
                      lease->attributes_size};
}

static void deliver(outbox_t *self, lease_t *lease)
{
    set_place(self, lease, true);
    lease->delivery++;
    set_state(self, lease, LEASE_LEASED, self->now_ms + self->config.ack_deadline_ms);
    outbox_action_t *action = act(self, OUTBOX_DELIVER, lease);
    action->attributes = attributes_of(lease);
}

static void deliver_ready(outbox_t *self)
{
    if (!self->present || self->draining)
        return;
    for (size_t i = 0; self->again; i++) {
        if (i == STEP_MAX)
            return;
        deliver(self, self->again);
    }
    while (self->ready && self->places < self->config.window)
        deliver(self, self->ready);
}

static void apply_job(outbox_t *self, const outbox_event_t *event)
{
    if (find(self, &event->as.job.id) || self->draining ||
        (self->closed && !event->as.job.maybe_sent))
        return;
    mm_str_t host = event->as.job.host;
    const mm_str_t *attributes = &event->as.job.attributes;
    lease_t *lease = mm_pool_take(&self->pool, size_of(host.size, attributes->size));
    lease->id = event->as.job.id;
    lease->run = event->as.job.run;
    lease->token = event->as.job.token;
    lease->accepted_us = event->as.job.accepted_us;
    lease->delivery = event->as.job.maybe_sent ? 1 : 0;
    lease->withdrawn = event->as.job.withdrawn;
    lease->host_size = (uint32_t)host.size;
    lease->attributes_size = (uint32_t)attributes->size;
    memcpy(lease->host, host.data, host.size);
    if (attributes->size > 0)
        memcpy(lease->host + host.size, attributes->data, attributes->size);
    mm_table_add(&self->table, mm_id_hash(&lease->id), lease);
    lease->state = LEASE_READY;
    add_to_queue(self, lease, 0);
}

// ---- verdicts and heartbeats of the consumer

static void settle(outbox_t *self, lease_t *lease, const mm_verdict_t *verdict)
{
    outbox_action_t *action = act(self, OUTBOX_SETTLED, lease);
    static const mm_outcome_t outcomes[] = {[MM_VERDICT_ACK] = MM_OUTCOME_RESTARTED,
                                            [MM_VERDICT_DEAD] = MM_OUTCOME_DEAD,
                                            [MM_VERDICT_SKIPPED] = MM_OUTCOME_SKIPPED,
                                            [MM_VERDICT_WITHDRAWN] = MM_OUTCOME_WITHDRAWN};
    action->outcome = outcomes[verdict->kind];
    action->attempts = verdict->attempts;
    action->error = verdict->error;
    if (action->outcome == MM_OUTCOME_DEAD)
        action->attributes = attributes_of(lease);
    end_lease(self, lease);
}

// lease_ms: as long as the consumer asks for; 0: like all others.
static void extend(outbox_t *self, lease_t *lease, int64_t lease_ms)
{
    lease->unanswered = 0;
    if (!lease->has_place)
        return; // nacked since
    if (lease_ms > 0)
        set_state(self, lease, LEASE_LONG, self->now_ms + mm_earlier(lease_ms, LEASE_MAX_MS));
    else
        set_state(self, lease, LEASE_LEASED, self->now_ms + self->config.ack_deadline_ms);
}

static void nack(outbox_t *self, lease_t *lease, int64_t delay_ms)
{
    log_event(self, OUTBOX_LOG_NACKED, lease);
    lease->is_put_off = delay_ms >= NACK_MAX_MS;
    if (self->draining || (self->closed && lease->is_put_off)) {
        end_lease(self, lease); // it stays in the database
        return;
    }
    delay_ms = mm_earlier(delay_ms, NACK_MAX_MS);
    lease->unanswered = 0;
    set_place(self, lease, false);
    set_state(self, lease, LEASE_DELAYED, self->now_ms + delay_ms + jitter(self, delay_ms / 4));
}

static lease_t *first_long(const outbox_t *self)
{
    mm_heap_node_t *node = mm_heap_first(&self->longs);
    return node ? MM_HEAP_OWNER(node, lease_t, due) : NULL;
}

// Nobody may be there any more to make use of a long lease: each becomes one like all others, which
// begins now.
static void cut_longs(outbox_t *self)
{
    for (lease_t *lease; (lease = first_long(self)) != NULL;)
        set_state(self, lease, LEASE_LEASED, self->now_ms + self->config.ack_deadline_ms);
}

static int compare_ids(const lease_t *a, const lease_t *b)
{
    return mm_id_compare(&a->id, &b->id);
}

// A new consumer knows none of the jobs of the former one: all are delivered again, at once, and in
// the order of ids, which is that of acceptance.
static void apply_epoch(outbox_t *self, uint64_t epoch)
{
    self->heard_ms = self->now_ms;
    if (epoch == self->epoch)
        return;
    self->epoch = epoch;
    cut_longs(self);
    while (self->leased)
        set_state(self, self->leased, LEASE_AGAIN, 0);
    DL_SORT(self->again, compare_ids);
}

// Whether no consumer has this epoch: what it says is ignored, and told of once a second at most.
static bool is_claim(outbox_t *self, uint64_t epoch)
{
    if (epoch <= MM_EPOCH_MAX)
        return false;
    if (self->claim_ms == 0 || self->now_ms >= self->claim_ms + CLAIM_MS) {
        self->claim_ms = mm_later(self->now_ms, 1);
        log_event(self, OUTBOX_LOG_CLAIM, NULL);
    }
    return true;
}

static void apply_verdict(outbox_t *self, const outbox_event_t *event)
{
    const mm_verdict_t *what = &event->as.verdict.what;
    if (event->as.verdict.epoch > self->epoch) {
        if (is_claim(self, event->as.verdict.epoch))
            return;
        apply_epoch(self, event->as.verdict.epoch);
    }
    lease_t *lease = find(self, &what->id);
    if (!lease)
        return;
    bool late = event->as.verdict.epoch < self->epoch; // of a former consumer
    switch (what->kind) {
    case MM_VERDICT_EXTEND:
        if (!late)
            extend(self, lease, what->lease_ms);
        break;
    case MM_VERDICT_NACK:
        if (!late && lease->has_place)
            nack(self, lease, what->delay_ms);
        break;
    case MM_VERDICT_ACK:
    case MM_VERDICT_SKIPPED:
    case MM_VERDICT_WITHDRAWN:
    case MM_VERDICT_DEAD: settle(self, lease, what); break; // recorded, in whatever epoch
    }
}

static void set_present(outbox_t *self, bool present)
{
    if (self->present == present)
        return;
    self->present = present;
    log_event(self, present ? OUTBOX_LOG_PRESENT : OUTBOX_LOG_SILENT, NULL);
    self->ask_pause_ms = ASK_FIRST_MS;
    self->ask_ms = self->now_ms + self->config.heartbeat_ms;
}

static bool is_silent(const outbox_t *self)
{
    return self->now_ms - self->heard_ms >= SILENT_BEATS * self->config.heartbeat_ms;
}

// A lower epoch is of a former consumer; but when the last one has fallen silent, that one has
// claimed its epoch, or the record of epochs was lost (R16).
static void apply_beat(outbox_t *self, const outbox_event_t *event)
{
    if (is_claim(self, event->as.beat.epoch) ||
        (event->as.beat.epoch < self->epoch && !is_silent(self)))
        return;
    apply_epoch(self, event->as.beat.epoch);
    set_present(self, !event->as.beat.draining);
}

static void apply_leaving(outbox_t *self, const outbox_event_t *event)
{
    if (event->as.beat.epoch < self->epoch || is_claim(self, event->as.beat.epoch))
        return;
    set_present(self, false);
    cut_longs(self);
}

// ---- time

static void expire(outbox_t *self, lease_t *lease)
{
    log_event(self, OUTBOX_LOG_EXPIRED, lease);
    if (self->draining) {
        end_lease(self, lease);
        return;
    }
    int64_t pause_ms = 0; // the first time at once, then growing while nothing answers
    for (uint32_t i = 0; i < lease->unanswered && pause_ms < UNANSWERED_MAX_MS; i++)
        pause_ms = pause_ms ? 2 * pause_ms : self->config.ack_deadline_ms;
    pause_ms = mm_earlier(pause_ms, UNANSWERED_MAX_MS);
    lease->unanswered++;
    set_state(self, lease, LEASE_DELAYED, self->now_ms + jitter(self, pause_ms));
}

// A lease whose deadline has come; NULL: there is none.
static lease_t *first_ended(const outbox_t *self)
{
    if (self->leased && self->leased->deadline_ms <= self->now_ms)
        return self->leased;
    return mm_heap_deadline(&self->longs) <= self->now_ms ? first_long(self) : NULL;
}

// The starts have ended. What was never delivered stays in the database. All else may have begun,
// and is delivered until it is settled, or put off by a consumer for which the starts have ended,
// too: another one may not know of it, or nack it for another reason.
static void close_starts(outbox_t *self)
{
    lease_t *lease, *next;
    self->closed = true;
    DL_FOREACH_SAFE (self->ready, lease, next)
        if (lease->delivery == 0)
            end_lease(self, lease);
    for (mm_heap_node_t *node; (node = mm_heap_first(&self->delayed)) != NULL;) {
        lease = MM_HEAP_OWNER(node, lease_t, due);
        if (lease->is_put_off)
            end_lease(self, lease);
        else
            set_state(self, lease, lease->has_place ? LEASE_AGAIN : LEASE_READY, 0);
    }
}

static void apply_time(outbox_t *self, bool events_empty)
{
    if (!self->closed && self->now_ms >= self->config.starts_end_ms)
        close_starts(self);
    if (events_empty && self->present && is_silent(self))
        set_present(self, false);
    for (size_t i = 0; events_empty && i < STEP_MAX; i++) {
        lease_t *lease = first_ended(self);
        if (!lease)
            break;
        expire(self, lease);
    }
    for (mm_heap_node_t *node;
         (node = mm_heap_first(&self->delayed)) && node->due_ms <= self->now_ms;) {
        lease_t *lease = MM_HEAP_OWNER(node, lease_t, due);
        set_state(self, lease, lease->has_place ? LEASE_AGAIN : LEASE_READY, 0);
    }
    if (!self->present && !self->draining && self->now_ms >= self->ask_ms) {
        act(self, OUTBOX_ASK, NULL);
        self->ask_ms = self->now_ms + self->ask_pause_ms;
        self->ask_pause_ms = mm_earlier(2 * self->ask_pause_ms, self->config.heartbeat_ms);
    }
}

// Only leases are awaited: all other jobs are in the database.
static void drain(outbox_t *self)
{
    if (self->draining)
        return;
    self->draining = true;
    self->drain_until_ms = self->now_ms + self->config.drain_ms;
    cut_longs(self);
    while (self->ready)
        end_lease(self, self->ready);
    while (self->again)
        end_lease(self, self->again);
    for (mm_heap_node_t *node; (node = mm_heap_first(&self->delayed)) != NULL;)
        end_lease(self, MM_HEAP_OWNER(node, lease_t, due));
}

// No lease is left, or they are awaited no longer.
static bool is_drained(const outbox_t *self)
{
    return (!self->leased && self->longs.count == 0) || self->now_ms >= self->drain_until_ms;
}

void outbox_step(outbox_t *self, const outbox_event_t *event, outbox_actions_t *ret_actions)
{
    assert(event->now_ms >= self->now_ms);
    self->now_ms = event->now_ms;
    self->actions = ret_actions;
    ret_actions->count = 0;
    free_ended(self);
    switch (event->kind) {
    case OUTBOX_JOB: apply_job(self, event); break;
    case OUTBOX_VERDICT: apply_verdict(self, event); break;
    case OUTBOX_BEAT: apply_beat(self, event); break;
    case OUTBOX_LEAVING: apply_leaving(self, event); break;
    case OUTBOX_TIME: apply_time(self, event->as.time.events_empty); break;
    case OUTBOX_DRAIN: drain(self); break;
    }
    deliver_ready(self);
    if (self->draining && !self->left && is_drained(self)) {
        self->left = true;
        act(self, OUTBOX_LEAVE, NULL);
    }
}

// First all index slots, then the leases that they point to.
void outbox_prefetch(const outbox_t *self, const mm_verdict_t *notices, size_t count)
{
    if (self->table.count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(
            &self->table.slots[mm_table_home(&self->table, mm_id_hash(&notices[i].id))], 1);
    for (size_t i = 0; i < count; i++) {
        const char *lease =
            self->table.slots[mm_table_home(&self->table, mm_id_hash(&notices[i].id))].item;
        if (lease) {
            __builtin_prefetch(lease, 1);
            __builtin_prefetch(lease + 64, 1);
        }
    }
}

int64_t outbox_deadline(const outbox_t *self)
{
    int64_t deadline = mm_earlier(mm_heap_deadline(&self->delayed), mm_heap_deadline(&self->longs));
    int64_t silent_ms = self->heard_ms + SILENT_BEATS * self->config.heartbeat_ms;
    if (!self->draining)
        deadline = mm_earlier(deadline, self->present ? silent_ms : self->ask_ms);
    if (self->again && self->present && !self->draining)
        deadline = self->now_ms; // a step delivers only so many
    if (!self->closed)
        deadline = mm_earlier(deadline, self->config.starts_end_ms);
    if (self->leased)
        deadline = mm_earlier(deadline, self->leased->deadline_ms);
    return self->left ? deadline : mm_earlier(deadline, self->drain_until_ms);
}

size_t outbox_capacity(const outbox_t *self)
{
    size_t count = self->table.count;
    size_t window = self->config.window;
    if (self->draining || (!self->present && !self->closed) || count >= 2 * window)
        return 0;
    size_t wanted = self->places + self->ready_count; // ready jobs will need a place too
    return wanted < window ? window - wanted : 0;
}

bool outbox_is_closed(const outbox_t *self)
{
    return self->closed;
}

uint64_t outbox_epoch(const outbox_t *self)
{
    return self->epoch;
}

size_t outbox_count(const outbox_t *self)
{
    return self->table.count;
}

size_t outbox_leased(const outbox_t *self)
{
    return self->places;
}
