// See lease.h. Each verdict is of the row behind what was asked, so that any answer may tell of it;
// an older epoch than the own one is that of an old primary, or of an answer that was late.

#include "lease.h"
#include "duration.h"

#include <assert.h>

#define ASKED_AGAIN_MS 100 // at least between asks, whoever names a higher epoch

lease_config_t lease_config(uint64_t asker, int64_t lost_after_ms)
{
    int64_t ttl_ms = mm_later(LEASE_TTL_MS, 4 * lost_after_ms);
    return (lease_config_t){.asker = asker,
                            .ttl_ms = ttl_ms,
                            .renew_ms = ttl_ms / 3,
                            .margin_ms = lost_after_ms + ttl_ms / 25 + LEASE_SPARE_MS,
                            .look_ms = LEASE_LOOK_MS,
                            .lonely_ms = LEASE_LONELY_MS,
                            .yield_ms = LEASE_YIELD_MS,
                            .lost_after_ms = lost_after_ms};
}

void lease_init(lease_t *ret, const lease_config_t *config, int64_t now_ms)
{
    assert(config->asker > 0 && config->margin_ms < config->ttl_ms);
    *ret = (lease_t){.config = *config,
                     .now_ms = now_ms,
                     .asked_ms = MM_NEVER,
                     .answered_ms = -1,
                     .took_ms = -1,
                     .free_ms = -1,
                     .heard_ms = -1,
                     .stop_ms = -1,
                     .released_ms = -1,
                     .seen_ms = -1};
}

const char *lease_state_name(lease_state_t state)
{
    static const char *const names[] = {"standby", "leading", "suspended", "deposed"};
    return names[state];
}

static lease_action_t *act(lease_actions_t *actions, lease_action_kind_t kind)
{
    assert(actions->count < LEASE_ACTIONS_MAX);
    lease_action_t *action = &actions->items[actions->count++];
    action->kind = kind;
    return action;
}

static bool leads(const lease_t *self)
{
    return self->state == LEASE_LEADING || self->state == LEASE_SUSPENDED;
}

bool lease_hears_restarters(const lease_t *self)
{
    return self->heard_ms >= 0 && self->now_ms - self->heard_ms < self->config.lost_after_ms;
}

static void ask(lease_t *self, mm_lease_verb_t verb, lease_actions_t *actions)
{
    self->asked_ms = self->now_ms;
    if (verb == MM_LEASE_TAKE)
        self->took_ms = self->now_ms;
    act(actions, LEASE_ASK)->as.ask =
        (mm_lease_ask_body_t){.asker = self->config.asker,
                              .verb = verb,
                              .epoch = mm_lease_is_held(verb) ? self->epoch : 0,
                              .ttl_ms = self->config.ttl_ms,
                              .stamp_ms = self->now_ms,
                              .hears_restarters = lease_hears_restarters(self)};
}

static void leave(lease_t *self, const char *reason, lease_actions_t *actions)
{
    self->state = LEASE_DEPOSED;
    self->released_ms = -1;
    self->asked_ms = MM_NEVER;
    act(actions, LEASE_LEAVE)->as.reason = reason;
}

// Leads no longer from here on. It leaves when that is on record, or a while later: the lease ends
// by itself.
static void release(lease_t *self, lease_actions_t *actions)
{
    ask(self, MM_LEASE_RELEASE, actions);
    self->state = LEASE_DEPOSED;
    self->released_ms = self->now_ms;
}

// ---- standby

// Whoever hears no restarter leaves it for a while to those who hear some (A8).
static bool may_take(const lease_t *self)
{
    bool waits =
        !lease_hears_restarters(self) && self->now_ms < self->free_ms + self->config.yield_ms;
    bool has_asked = self->took_ms >= 0 && self->now_ms < self->took_ms + self->config.look_ms;
    return self->free_ms >= 0 && !waits && !has_asked;
}

// What it holds by this answer, by its own clock. The row ends left_ms behind the commit, and that
// was behind the stamp.
static int64_t trust_of(const lease_t *self, const mm_lease_body_t *answer)
{
    int64_t left_ms = mm_earlier(answer->left_ms, self->config.ttl_ms);
    return answer->stamp_ms + left_ms - self->config.margin_ms;
}

static void trust(lease_t *self, const mm_lease_body_t *answer, lease_actions_t *actions)
{
    self->answered_ms = mm_later(self->answered_ms, answer->stamp_ms);
    self->trust_ms = mm_later(self->trust_ms, trust_of(self, answer));
    if (self->stop_ms >= 0 || self->now_ms >= self->trust_ms)
        return;
    self->state = LEASE_LEADING;
    act(actions, LEASE_TRUST)->as.until_ms = self->trust_ms;
}

static void lead(lease_t *self, const mm_lease_body_t *answer, lease_actions_t *actions)
{
    self->state = LEASE_LEADING;
    self->epoch = answer->epoch;
    self->lead_ms = self->now_ms;
    self->orders_seq = answer->orders_seq;
    self->is_halted = answer->is_halted;
    self->trust_ms = 0;
    act(actions, LEASE_LEAD)->as.epoch = answer->epoch;
    trust(self, answer, actions);
}

static void stand_by(lease_t *self, const mm_lease_body_t *answer, lease_actions_t *actions)
{
    bool was_taken = answer->verb == MM_LEASE_TAKE && answer->verdict == MM_LEASE_HELD;
    if (was_taken && self->now_ms < trust_of(self, answer)) {
        lead(self, answer, actions);
        return;
    }
    // One that it holds without having heard so in time is taken once more: it stays the same (A9).
    if (answer->verdict == MM_LEASE_OTHER)
        self->free_ms = -1;
    else if (self->free_ms < 0)
        self->free_ms = self->now_ms;
    if (may_take(self))
        ask(self, MM_LEASE_TAKE, actions);
}

// ---- leading

// An order was recorded beside this consumer (A7). An older answer says what was.
static void see_orders(lease_t *self, const mm_lease_body_t *answer, lease_actions_t *actions)
{
    if (answer->orders_seq <= self->orders_seq)
        return;
    self->orders_seq = answer->orders_seq;
    self->is_halted = answer->is_halted;
    act(actions, LEASE_ORDERS)->as.is_halted = answer->is_halted;
}

static bool is_lonely(const lease_t *self, const mm_lease_body_t *answer)
{
    int64_t since_ms = mm_later(self->heard_ms, self->lead_ms);
    return answer->restarters_elsewhere && self->now_ms - since_ms >= self->config.lonely_ms;
}

// An old primary, or a late answer. But a database with an asynchronous standby may have lost the
// take of this epoch with a fail-over: nothing renews it then, and clients would follow it for
// ever.
static void see_earlier(lease_t *self, lease_actions_t *actions)
{
    int64_t lost_ms = self->answered_ms + LEASE_LOST_TTLS * self->config.ttl_ms;
    if (self->state == LEASE_SUSPENDED && self->now_ms >= lost_ms)
        leave(self, "the record has lost the lease", actions);
}

static void go_on(lease_t *self, const mm_lease_body_t *answer, lease_actions_t *actions)
{
    if (answer->epoch < self->epoch) {
        see_earlier(self, actions);
        return;
    }
    if (answer->verdict != MM_LEASE_HELD || answer->epoch > self->epoch) {
        leave(self, "another consumer has the lease", actions);
        return;
    }
    if (answer->verb != MM_LEASE_LOOK)
        trust(self, answer, actions);
    see_orders(self, answer, actions);
    if (self->stop_ms < 0 && is_lonely(self, answer))
        release(self, actions);
}

// ---- events

static void apply_answer(lease_t *self, const mm_lease_body_t *answer, lease_actions_t *actions)
{
    bool is_ours = answer->asker == self->config.asker && answer->stamp_ms <= self->now_ms &&
                   answer->epoch <= UINT32_MAX; // no epoch is higher (R16)
    if (!is_ours || answer->verdict == MM_LEASE_UNKNOWN)
        return;
    if (answer->epoch >= self->seen_epoch) {
        bool is_free = answer->verdict == MM_LEASE_FREE;
        self->seen_epoch = answer->epoch;
        self->seen_ms = is_free ? -1 : self->now_ms + mm_earlier(answer->left_ms, MM_LEASE_TTL_MAX);
    }
    if (self->state == LEASE_STANDBY)
        stand_by(self, answer, actions);
    else if (leads(self))
        go_on(self, answer, actions);
    else if (self->released_ms >= 0 && answer->verb == MM_LEASE_RELEASE)
        leave(self,
              self->stop_ms >= 0 ? "the lease was handed over"
                                 : "other consumers hear restarters, and this one hears none",
              actions);
}

// One that does not hear this consumer, or follows another one, joins no session of it, and it
// could not hand it anything.
static void hear_restarter(lease_t *self, uint64_t session)
{
    if (!leads(self) || session == self->epoch)
        self->heard_ms = self->now_ms;
}

static int64_t ask_deadline(const lease_t *self)
{
    if (self->state == LEASE_DEPOSED)
        return MM_NEVER;
    if (self->asked_ms == MM_NEVER)
        return self->now_ms;
    bool is_answered = leads(self) && self->answered_ms >= self->asked_ms;
    return self->asked_ms + (is_answered ? self->config.renew_ms : self->config.look_ms);
}

static int64_t release_deadline(const lease_t *self)
{
    if (self->released_ms >= 0)
        return self->released_ms + LEASE_GONE_MS;
    return leads(self) && self->stop_ms >= 0 ? self->stop_ms + LEASE_FINISH_MS : MM_NEVER;
}

static void apply_time(lease_t *self, lease_actions_t *actions)
{
    if (self->now_ms >= release_deadline(self)) {
        if (self->released_ms < 0)
            release(self, actions);
        else
            leave(self, "the lease was released", actions);
        return;
    }
    if (self->state == LEASE_LEADING && self->now_ms >= self->trust_ms) {
        self->state = LEASE_SUSPENDED;
        act(actions, LEASE_SUSPEND);
    }
    if (self->now_ms < ask_deadline(self))
        return;
    if (leads(self))
        ask(self, MM_LEASE_RENEW, actions);
    else
        ask(self, may_take(self) ? MM_LEASE_TAKE : MM_LEASE_LOOK, actions);
}

static void hand_over(lease_t *self, lease_actions_t *actions)
{
    if (!leads(self) || self->stop_ms >= 0)
        return;
    self->stop_ms = self->now_ms;
    act(actions, LEASE_STOP);
}

void lease_step(lease_t *self, const lease_event_t *event, lease_actions_t *ret_actions)
{
    assert(event->now_ms >= self->now_ms);
    self->now_ms = event->now_ms;
    ret_actions->count = 0;
    switch (event->kind) {
    case LEASE_TIME: apply_time(self, ret_actions); break;
    case LEASE_ANSWER: apply_answer(self, event->as.answer, ret_actions); break;
    case LEASE_RESTARTER: hear_restarter(self, event->as.session); break;
    case LEASE_RIVAL:
        if (leads(self) && event->as.rival > self->epoch &&
            self->now_ms >= self->asked_ms + ASKED_AGAIN_MS)
            ask(self, MM_LEASE_RENEW, ret_actions);
        break;
    case LEASE_HAND_OVER: hand_over(self, ret_actions); break;
    case LEASE_FINISHED:
        if (leads(self) && self->stop_ms >= 0)
            release(self, ret_actions);
        break;
    case LEASE_LEFT:
        if (leads(self))
            release(self, ret_actions);
        break;
    }
}

int64_t lease_deadline(const lease_t *self)
{
    int64_t deadline = mm_earlier(ask_deadline(self), release_deadline(self));
    return self->state == LEASE_LEADING ? mm_earlier(deadline, self->trust_ms) : deadline;
}

bool lease_is_trusted(const lease_t *self, int64_t now_ms)
{
    return self->state == LEASE_LEADING && self->stop_ms < 0 && now_ms < self->trust_ms;
}
