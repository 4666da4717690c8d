// See proof.h.

#include "proof.h"

#include <assert.h>

#define NEVER (-1)

const char *proof_outcome_name(proof_outcome_t outcome)
{
    static const char *const names[] = {
        [PROOF_OPEN] = "open",
        [PROOF_PROVEN] = "proven",
        [PROOF_VERIFIED] = "verified",
        [PROOF_SAME_BOOT] = "same-boot",
        [PROOF_WRONG_HOST] = "wrong-host",
        [PROOF_UNHEALTHY] = "unhealthy",
        [PROOF_UNREACHABLE] = "unreachable",
        [PROOF_UNVERIFIED] = "unverified",
    };
    return names[outcome];
}

void proof_begin(proof_t *self, const proof_config_t *config, int64_t now_ms)
{
    assert(config->settle_ms >= 0 && config->settle_ms <= config->verify_ms);
    *self = (proof_t){.config = *config,
                      .random = config->seed,
                      .sight = PROOF_SEES_NOBODY,
                      .looks_ms = now_ms,
                      .good_ms = NEVER,
                      .settle_ms = NEVER,
                      .next_ms = now_ms,
                      .pause_ms = PROOF_POLL_LOW_MS};
}

proof_step_t proof_next(const proof_t *self, int64_t *ret_at_ms)
{
    *ret_at_ms = self->next_ms;
    if (self->outcome != PROOF_OPEN)
        return PROOF_END;
    return self->asks_health ? PROOF_HEALTH : PROOF_READ;
}

// ---- ends

// When it has an end, whatever is seen until then: settle's own (rule H9), or the deadline. Who
// finds nobody looks for `verify` at least, since it may have come late (rule H8).
static int64_t end_of(const proof_t *self)
{
    const proof_config_t *config = &self->config;
    if (self->good_ms != NEVER)
        return self->good_ms + config->verify_ms;
    int64_t least_ms = self->looks_ms + config->verify_ms;
    if (self->sight == PROOF_SEES_NOBODY && least_ms > config->deadline_ms)
        return least_ms;
    return config->deadline_ms;
}

static void check_end(proof_t *self, int64_t now_ms)
{
    static const proof_outcome_t outcomes[] = {[PROOF_SEES_NOBODY] = PROOF_UNREACHABLE,
                                               [PROOF_SEES_OLD] = PROOF_SAME_BOOT,
                                               [PROOF_SEES_OTHER] = PROOF_WRONG_HOST,
                                               [PROOF_SEES_NEW] = PROOF_UNHEALTHY,
                                               [PROOF_SEES_SOMEBODY] = PROOF_UNVERIFIED};
    if (self->outcome == PROOF_OPEN && now_ms >= end_of(self))
        self->outcome = self->good_ms != NEVER ? PROOF_UNHEALTHY : outcomes[self->sight];
}

// Of the pause between two looks. While a host settles it is looked at some times.
static int64_t longest_pause(const proof_t *self)
{
    int64_t quarter_ms = self->config.settle_ms / 4;
    if (self->good_ms == NEVER || quarter_ms > PROOF_POLL_HIGH_MS)
        return PROOF_POLL_HIGH_MS;
    return quarter_ms > PROOF_POLL_LOW_MS ? quarter_ms : PROOF_POLL_LOW_MS;
}

// The next read: after a pause that grows, but not behind an instant at which something ends.
static void plan(proof_t *self, int64_t now_ms)
{
    int64_t longest_ms = longest_pause(self);
    if (self->pause_ms > longest_ms)
        self->pause_ms = longest_ms;
    int64_t fifth = self->pause_ms / 5;
    int64_t jitter = (int64_t)mm_random_below(&self->random, (uint64_t)(2 * fifth + 1)) - fifth;
    self->next_ms = now_ms + self->pause_ms + jitter;
    int64_t longer = 2 * self->pause_ms;
    self->pause_ms = longer < longest_ms ? longer : longest_ms;
    int64_t ends[] = {end_of(self), self->settle_ms != NEVER
                                        ? self->settle_ms + self->config.settle_ms
                                        : INT64_MAX};
    for (int i = 0; i < 2; i++)
        if (ends[i] > now_ms && ends[i] < self->next_ms)
            self->next_ms = ends[i];
}

// ---- looks

// It has been in this boot, and well, up to this read.
static void take_good(proof_t *self, int64_t now_ms)
{
    if (!self->is_agreed)
        return;
    if (self->settle_ms == NEVER)
        self->settle_ms = now_ms;
    if (now_ms >= self->settle_ms + self->config.settle_ms)
        self->outcome =
            self->candidate.uptime_ms == IDENTITY_UPTIME_NONE ? PROOF_VERIFIED : PROOF_PROVEN;
}

// Another known answer than the one before begins settle anew.
static void take_new(proof_t *self, int64_t now_ms, const identity_t *read)
{
    bool is_repeated = self->sight == PROOF_SEES_NEW && identity_is_same(&self->candidate, read);
    if (self->good_ms == NEVER) {
        self->good_ms = now_ms;
        self->pause_ms = PROOF_POLL_LOW_MS;
    }
    if (!is_repeated)
        self->settle_ms = NEVER;
    self->is_agreed = is_repeated;
    self->candidate = *read;
    self->sight = PROOF_SEES_NEW;
    self->asks_health = self->is_agreed && self->config.has_health;
    if (!self->asks_health)
        take_good(self, now_ms);
}

// A restarter that stood still has not looked meanwhile: that time neither settles a host nor is
// charged to it.
static void forgive(proof_t *self, int64_t now_ms)
{
    int64_t late_ms = now_ms - self->next_ms;
    if (late_ms < PROOF_LATE_MS)
        return;
    if (self->good_ms != NEVER)
        self->good_ms += late_ms;
    if (self->settle_ms != NEVER)
        self->settle_ms += late_ms;
}

// A read that takes long tells a longer uptime than its boot had when it began. Whoever has seen
// once that a boot is later knows it.
static identity_change_t change_of(const proof_t *self, int64_t now_ms, const identity_t *read)
{
    bool is_known_later = self->good_ms != NEVER &&
                          self->candidate.uptime_ms != IDENTITY_UPTIME_NONE &&
                          identity_is_same(&self->candidate, read);
    return is_known_later
               ? IDENTITY_NEW
               : identity_change(&self->config.before, read, self->config.begun_ms, now_ms);
}

void proof_take_read(proof_t *self, int64_t now_ms, const identity_t *read)
{
    assert(self->outcome == PROOF_OPEN && !self->asks_health);
    forgive(self, now_ms);
    if (read) {
        static const proof_sight_t sights[] = {[IDENTITY_OLD] = PROOF_SEES_OLD,
                                               [IDENTITY_OTHER] = PROOF_SEES_OTHER,
                                               [IDENTITY_UNKNOWN] = PROOF_SEES_SOMEBODY};
        identity_change_t change = change_of(self, now_ms, read);
        if (change == IDENTITY_NEW) {
            take_new(self, now_ms, read);
        } else {
            self->sight = sights[change];
            self->is_agreed = false;
            self->settle_ms = NEVER;
        }
    } else if (self->good_ms == NEVER) {
        self->sight = PROOF_SEES_NOBODY;
    }
    if (self->asks_health) { // it is a part of this look, also of the last one
        self->next_ms = now_ms;
        return;
    }
    check_end(self, now_ms);
    plan(self, now_ms);
}

void proof_take_health(proof_t *self, int64_t now_ms, bool is_healthy)
{
    assert(self->outcome == PROOF_OPEN && self->asks_health);
    forgive(self, now_ms);
    self->asks_health = false;
    if (is_healthy)
        take_good(self, now_ms);
    else
        self->settle_ms = NEVER;
    check_end(self, now_ms);
    plan(self, now_ms);
}
