// See lease_row.h.

#include "lease_row.h"
#include "duration.h"

static bool is_free(const lease_row_t *self, int64_t now_ms)
{
    return self->holder == 0 || self->expires_ms <= now_ms;
}

static bool may_extend(const lease_row_t *self, const mm_lease_ask_body_t *ask, int64_t now_ms)
{
    if (self->holder != ask->asker)
        return false;
    if (ask->verb == MM_LEASE_TAKE)
        return !is_free(self, now_ms) && self->epoch > ask->epoch;
    return ask->verb == MM_LEASE_RENEW && self->epoch == ask->epoch;
}

mm_lease_body_t lease_row_ask(lease_row_t *self, const mm_lease_ask_body_t *ask, int64_t now_ms)
{
    if (may_extend(self, ask, now_ms)) {
        self->expires_ms = now_ms + ask->ttl_ms;
    } else if (ask->verb == MM_LEASE_TAKE && is_free(self, now_ms)) {
        self->epoch++;
        self->holder = ask->asker;
        self->expires_ms = now_ms + ask->ttl_ms;
    } else if (ask->verb == MM_LEASE_RELEASE && self->holder == ask->asker &&
               self->epoch == ask->epoch) {
        self->holder = 0;
        self->expires_ms = now_ms;
    }
    return (mm_lease_body_t){.asker = ask->asker,
                             .verb = ask->verb,
                             .stamp_ms = ask->stamp_ms,
                             .verdict = is_free(self, now_ms)        ? MM_LEASE_FREE
                                        : self->holder == ask->asker ? MM_LEASE_HELD
                                                                     : MM_LEASE_OTHER,
                             .epoch = self->epoch,
                             .left_ms = mm_later(self->expires_ms - now_ms, 0),
                             .is_halted = self->is_halted,
                             .orders_seq = self->orders_seq};
}

bool lease_row_admits(const lease_row_t *self, uint64_t epoch, int64_t now_ms)
{
    return self->epoch == epoch && self->expires_ms > now_ms;
}
