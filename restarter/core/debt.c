// See debt.h.

#include "debt.h"

debt_t debt_begin(bool has_after, const mm_real_t *real)
{
    return (debt_t){.has_after = has_after,
                    .is_on_record = !real || real->owes,
                    .was_owed = real && real->owed,
                    .pause_ms = DEBT_PAUSE_LOW_MS};
}

bool debt_is_to_be_paid(const debt_t *self, bool is_restarted, bool sent)
{
    bool was_for_nothing = self->has_prepared && !sent && !self->was_owed;
    return self->has_after && self->is_on_record && !self->is_paid &&
           (is_restarted || was_for_nothing);
}

bool debt_tried(debt_t *self, bool is_good, uint32_t tries_max, int64_t *ret_pause_ms)
{
    self->tries++;
    self->is_paid = is_good;
    *ret_pause_ms = self->pause_ms;
    self->pause_ms =
        2 * self->pause_ms < DEBT_PAUSE_HIGH_MS ? 2 * self->pause_ms : DEBT_PAUSE_HIGH_MS;
    return !is_good && self->tries < tries_max;
}

bool debt_is_owed(const debt_t *self, bool is_restarted, bool sent)
{
    if (self->is_paid || !self->is_on_record)
        return false;
    return self->was_owed || (self->has_after && (is_restarted || sent || self->has_prepared));
}
