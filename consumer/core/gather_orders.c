// Orders, and what the record says that holds restarts back. An order is sent to the saver until
// that has recorded it; only then is it answered. What holds back (halt, deny) does so at once.
// What frees does by the record alone: what begins by a resume is recorded behind it, and one that
// was refused, or is repeated late, frees nobody. The record's state is asked for when a saver has
// joined, and when an operator's order is on record, page by page; nothing begins before all of it
// is known (G1). See gather.h.

#include "gather_private.h"
#include "array.h"
#include "duration.h"
#include "random.h"
#include "string_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// An order that is not on record yet. Its texts are copies.
struct pending {
    mm_order_t order;
    uint64_t viewer; // 0: the consumer itself
    char *name, *why, *actor;
};

static void free_pending(pending_t *pending)
{
    free(pending->name);
    free(pending->why);
    free(pending->actor);
}

void gather_orders_clear(gather_t *self)
{
    for (size_t i = 0; i < self->pending_count; i++)
        free_pending(&self->pending[i]);
    free(self->pending);
    free(self->sent);
}

static const worker_t *joined_saver(const gather_t *self)
{
    for (const worker_t *worker = NULL; (worker = workers_next(self->workers, worker)) != NULL;)
        if (worker->role == MM_ROLE_SAVER && worker->state == WORKER_JOINED && worker->session != 0)
            return worker;
    return NULL;
}

// Whether it is who was asked (R16).
static bool is_saver(const gather_t *self, mm_str_t worker, uint64_t instance)
{
    const worker_t *saver = joined_saver(self);
    return saver && saver->instance == instance && mm_str_equal(mm_str(saver->name.text), worker);
}

static pending_t *find_pending(const gather_t *self, const mm_id_t *id)
{
    for (size_t i = 0; i < self->pending_count; i++)
        if (mm_id_equal(&self->pending[i].order.id, id))
            return &self->pending[i];
    return NULL;
}

static mm_str_t keep(char **text, mm_str_t from)
{
    mm_str_replace(text, from);
    return mm_str(*text);
}

static void add_pending(gather_t *self, uint64_t viewer, const mm_order_t *order)
{
    pending_t *pending = MM_ARRAY_ADD(self->pending, self->pending_count, self->pending_capacity);
    *pending = (pending_t){.order = *order, .viewer = viewer};
    pending->order.name = keep(&pending->name, order->name);
    pending->order.why = keep(&pending->why, order->why);
    pending->order.actor = keep(&pending->actor, order->actor);
    self->asked_ms = 0; // now
}

// ---- their effects

// As orders have it, 0 is for good.
static int64_t deny_end(int64_t until_ms)
{
    return until_ms > 0 ? until_ms : MM_NEVER;
}

static void restart_loading(gather_t *self)
{
    limits_reset(&self->limits);
    self->state_from = 0;
    self->question++; // an answer to a former one says what was
    self->asked_ms = 0;
    self->gate_is_dirty = true;
}

// What the order holds back is held from now on, whatever becomes of it.
static void hold(gather_t *self, const mm_order_t *order)
{
    const place_t *place;
    group_t *group;
    switch (order->action) {
    case MM_ACTION_HALT:
        self->limits.is_halted = true;
        gather_beat_now(self);
        break;
    case MM_ACTION_DENY:
        place = limits_place(&self->limits, order->name);
        if (!place || deny_end(order->until_ms) > place->denied_ms) // else the record says so
            limits_deny(&self->limits, order->name, order->until_ms);
        break;
    case MM_ACTION_TRIP: // whatever is on record by now was resumed before
        group = limits_find(&self->limits, order->name);
        if (group)
            group->is_tripped = group->is_told = true;
        break;
    case MM_ACTION_RESUME:
    case MM_ACTION_ABSOLVE:
    case MM_ACTION_RUN:
    case MM_ACTION_BEGUN:
    case MM_ACTION_ENDED:
    case MM_ACTION_TAKE_OVER: break;
    }
}

static void answer(gather_t *self, uint64_t viewer, const mm_id_t *id, mm_str_t error)
{
    gather_action_t *action = gather_act(self, GATHER_ANSWER);
    action->as.reply.viewer = viewer;
    action->as.reply.id = *id;
    action->as.reply.error = error;
}

// A viewer repeats what it has heard no answer to. In between another one may have ordered the
// opposite, which stays.
static bool was_answered(const gather_t *self, const mm_id_t *id)
{
    for (size_t i = 0; i < GATHER_ANSWERED; i++)
        if (mm_id_equal(&self->answered[i], id))
            return !mm_id_is_none(id);
    return false;
}

void gather_apply_order(gather_t *self, uint64_t viewer, const mm_order_t *order)
{
    if (was_answered(self, &order->id)) {
        answer(self, viewer, &order->id, mm_str(""));
        return;
    }
    if (find_pending(self, &order->id))
        return; // repeated: it is answered when it is on record
    if (order->action > MM_ACTION_ABSOLVE) {
        answer(self, viewer, &order->id, mm_str("no operator orders that"));
        return;
    }
    if (order->action == MM_ACTION_RESUME && !limits_find(&self->limits, order->name)) {
        answer(self, viewer, &order->id, mm_str("the policy has no such group"));
        return;
    }
    hold(self, order);
    mm_order_t ours = *order;
    ours.run = self->run;
    add_pending(self, viewer, &ours);
    const pending_t *pending = &self->pending[self->pending_count - 1];
    gather_action_t *ordered = gather_news(self, GATHER_NEWS_ORDERED);
    ordered->as.news.action = order->action;
    ordered->as.news.name = pending->name ? pending->name : "";
    ordered->as.news.reason = pending->why ? pending->why : "";
    ordered->as.news.actor = pending->actor ? pending->actor : "";
}

static void say_trip(gather_t *self, const char *group, const char *why)
{
    mm_order_t order = {.action = MM_ACTION_TRIP,
                        .name = mm_str(group),
                        .run = self->run,
                        .why = mm_str(why),
                        .actor = mm_str("consumer")};
    for (size_t i = 0; i < sizeof order.id.bytes; i++)
        order.id.bytes[i] = (uint8_t)mm_random_below(&self->random, 256);
    add_pending(self, 0, &order);
    gather_action_t *tripped = gather_news(self, GATHER_NEWS_TRIPPED);
    tripped->as.news.name = group;
    tripped->as.news.reason = self->pending[self->pending_count - 1].why;
}

void gather_say_trips(gather_t *self)
{
    for (group_t *group; (group = limits_tripped(&self->limits)) != NULL;) {
        self->gate_is_dirty = true;
        say_trip(self, group->rules.name, group->why);
    }
}

void gather_trip_run(gather_t *self, uint64_t dead)
{
    char why[96];
    if (self->run == 0 || self->limits.groups[0].is_tripped)
        return; // of no record; or stopped already, by what a higher limit does not end
    (void)snprintf(why, sizeof why, "%s %" PRIu32 ": %" PRIu64 " host%s dead", MM_WHY_MAX_DEAD,
                   self->config.max_dead, dead, dead == 1 ? " is" : "s are");
    say_trip(self, "", why);
}

bool gather_owes_trip(const gather_t *self)
{
    for (size_t i = 0; i < self->pending_count; i++)
        if (self->pending[i].viewer == 0 && self->pending[i].order.action == MM_ACTION_TRIP)
            return self->now_ms < self->drain_until_ms;
    return false;
}

// A run that is new here is one that may be new to the record; told twice, it is recorded once.
static void begin_run(gather_t *self, uint64_t run)
{
    mm_order_t order = {.action = MM_ACTION_RUN, .run = run, .actor = mm_str("consumer")};
    for (size_t i = 0; i < sizeof run; i++)
        order.id.bytes[i] = (uint8_t)(run >> 8 * i);
    self->run = run;
    add_pending(self, 0, &order);
    restart_loading(self);
}

bool gather_hear_run(gather_t *self, mm_str_t publisher, uint64_t run, const mm_group_t *groups,
                     size_t count)
{
    if (!run_choice_hear(&self->choice, publisher, run, self->now_ms))
        return false;
    if (run != self->run)
        begin_run(self, run);
    bool is_new = false;
    for (size_t i = 0; i < count; i++)
        is_new = limits_set_hosts(&self->limits, groups[i].name, groups[i].hosts) || is_new;
    if (is_new && self->limits.is_complete)
        restart_loading(self); // steps of a ramp may be shares of them
    self->gate_is_dirty = self->gate_is_dirty || is_new;
    return true;
}

static void remove_pending(gather_t *self, pending_t *pending)
{
    size_t behind = (size_t)(self->pending + self->pending_count - pending) - 1;
    free_pending(pending);
    memmove(pending, pending + 1, behind * sizeof *pending); // a resume stays behind its halt
    self->pending_count--;
}

// What an operator has ordered is in force as the record says: one that was refused is not, and one
// that was recorded long ago, and is repeated, changes nothing. A refused halt stays until then.
static void ask_record(gather_t *self, const mm_order_t *order, bool is_refused)
{
    if (order->action == MM_ACTION_RESUME && order->name.size == 0 && !is_refused) {
        self->limits.is_halted = false; // of the mock no state is read
        gather_beat_now(self);
    }
    if (self->is_real && (order->action != MM_ACTION_HALT || !is_refused))
        restart_loading(self);
}

void gather_apply_recorded(gather_t *self, const mm_recorded_body_t *recorded)
{
    if (!is_saver(self, recorded->worker, recorded->instance))
        return;
    for (size_t i = 0; i < recorded->count; i++) {
        pending_t *pending = find_pending(self, &recorded->items[i].id);
        bool is_refused = recorded->items[i].error.size > 0;
        if (!pending || (is_refused && pending->viewer == 0))
            continue; // the consumer's own are tried again
        bool is_trip = pending->order.action == MM_ACTION_TRIP;
        if (pending->viewer != 0)
            answer(self, pending->viewer, &recorded->items[i].id, recorded->items[i].error);
        if (pending->viewer != 0 || (is_trip && !self->limits.is_complete)) // read before, maybe
            ask_record(self, &pending->order, is_refused);
        if (pending->viewer != 0 && !is_refused)
            self->answered[self->answered_at++ % GATHER_ANSWERED] = pending->order.id;
        remove_pending(self, pending);
    }
}

// ---- the record's state

// What this consumer knows, and no saver has recorded yet.
static void add_casualties(gather_t *self)
{
    flight_t *flight, *next;
    FLIGHTS_EACH (&self->flights, flight, next) {
        const attempt_t *attempt =
            flight->has_attempt ? attempts_get(&self->flights.attempts, &flight->id) : NULL;
        if (attempt && !attempt_is_saved(attempt) && gather_is_casualty(attempt))
            limits_set_casualty(&self->limits, host_name(flight->host), attempt->class, true);
        const place_t *place = limits_place(&self->limits, host_name(flight->host));
        if (flight->restart == RESTART_GATED && place && place->is_casualty) {
            flight_set_restart(&self->flights, flight, RESTART_READY, 0);
            gather_gate(self, flight); // it goes before others
        }
    }
}

static void complete(gather_t *self)
{
    limits_t *limits = &self->limits;
    limits_complete(limits, self->now_ms);
    add_casualties(self);
    for (size_t i = 0; i < self->pending_count; i++)
        hold(self, &self->pending[i].order);
    gather_say_trips(self);
    (void)gather_news(self, GATHER_NEWS_STATE);
    gather_beat_now(self);
    self->gate_is_dirty = true;
}

void gather_apply_state(gather_t *self, const mm_state_body_t *state)
{
    if (!is_saver(self, state->worker, state->instance) || self->limits.is_complete ||
        state->session != self->state_session || state->question != self->question ||
        state->from != self->state_from || state->run != self->run)
        return; // of another question
    int64_t open_until_ms = self->now_ms + self->config.lost_after_ms + self->config.attempt_ms;
    for (size_t i = 0; i < state->count; i++)
        limits_apply_entry(&self->limits, &state->items[i], open_until_ms);
    self->state_from = state->next;
    bool is_old = self->limits.seq < self->seq_asked && self->seq_again < self->seq_asked;
    if (state->next > 0) {
        self->asked_ms = 0;
    } else if (is_old) { // it was read before that outcome was told
        self->seq_again = self->seq_asked;
        restart_loading(self);
    } else {
        complete(self);
    }
}

// What holds back does so at once, what frees when all of the record is read.
void gather_apply_beside(gather_t *self, bool is_halted)
{
    if (is_halted && !self->limits.is_halted) {
        self->limits.is_halted = true;
        gather_beat_now(self);
    }
    if (self->is_real)
        restart_loading(self);
    else if (!is_halted)
        self->limits.is_halted = false;
}

// An outcome that was counted with its flight is not the last one any more. Another one was: its
// job had been nacked, say.
void gather_see_outcome(gather_t *self, const mm_result_t *result)
{
    bool has_seq = result->real && result->outcome != MM_OUTCOME_NONE &&
                   result->real->seq < INT64_MAX; // no table has that (R16)
    if (!has_seq || !self->limits.is_given || result->real->seq <= self->limits.seq ||
        result->real->seq <= self->seq_asked)
        return;
    self->seq_asked = result->real->seq; // once: it may be of another run
    restart_loading(self);
}

// ---- the saver

static bool wants_state(const gather_t *self)
{
    return self->is_real && !self->limits.is_complete && self->limits.is_sized &&
           (self->run > 0 || !self->limits.is_given);
}

void gather_talk_to_saver(gather_t *self)
{
    size_t count = 0;
    if (self->pending_count == 0 &&
        (!self->is_real || (self->limits.is_complete && !self->sees_saver)))
        return;
    const worker_t *saver = joined_saver(self);
    if (!saver)
        return;
    self->sees_saver = false;
    if (self->is_real && saver->session != self->state_session) {
        self->state_session = saver->session;
        restart_loading(self); // the former one may have recorded what it did not say
    }
    bool asks = wants_state(self);
    if ((!asks && self->pending_count == 0) ||
        (self->asked_ms > 0 && self->now_ms < self->asked_ms + self->config.heartbeat_ms))
        return;
    self->asked_ms = mm_later(self->now_ms, 1);
    self->sent =
        mm_array_reserve(self->sent, &self->sent_capacity, self->pending_count, sizeof *self->sent);
    for (; count < self->pending_count && count < MM_BATCH_ITEMS; count++)
        self->sent[count] = self->pending[count].order;
    gather_action_t *action = gather_act(self, GATHER_ORDERS);
    action->as.orders.worker = saver->name.text;
    action->as.orders.session = saver->session;
    action->as.orders.question = asks ? self->question : 0;
    action->as.orders.run = self->run;
    action->as.orders.from = self->state_from;
    action->as.orders.orders = self->sent;
    action->as.orders.count = count;
}

int64_t gather_orders_deadline(const gather_t *self)
{
    bool waits = self->pending_count > 0 || wants_state(self);
    return waits && self->asked_ms > 0 && joined_saver(self)
               ? self->asked_ms + self->config.heartbeat_ms
               : MM_NEVER;
}
