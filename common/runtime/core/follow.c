// See follow.h.

#include "follow.h"

mm_follow_t mm_follow_new(int64_t lost_after_ms)
{
    return (mm_follow_t){.lost_after_ms = lost_after_ms, .address = MM_FOLLOW_NOBODY};
}

bool mm_follow_is_alone(const mm_follow_t *self, int64_t now_ms)
{
    return self->address == MM_FOLLOW_NOBODY || self->has_left ||
           now_ms - self->heard_ms >= self->lost_after_ms;
}

bool mm_follow_hear(mm_follow_t *self, size_t address, uint64_t epoch, int64_t now_ms)
{
    bool is_first = self->address == MM_FOLLOW_NOBODY;
    if (!is_first && epoch <= self->epoch) {
        if (address != self->address)
            return false;
        if (epoch < self->epoch && !mm_follow_is_alone(self, now_ms))
            return true; // no sign of life of the one that is followed
    }
    self->address = address;
    self->epoch = epoch;
    self->heard_ms = now_ms;
    self->has_left = false;
    return true;
}

void mm_follow_leave(mm_follow_t *self)
{
    self->has_left = true;
}
