// See permit.h.

#include "permit.h"

void mm_permit_open(mm_permit_t *self, uint64_t epoch, uint64_t session)
{
    *self = (mm_permit_t){.epoch = epoch, .session = session};
}

void mm_permit_close(mm_permit_t *self)
{
    *self = (mm_permit_t){0};
}

// A stamp from the future is not this worker's, and would permit for ever (R16).
static bool is_own_stamp(int64_t stamp_ms, int64_t now_ms)
{
    return stamp_ms > 0 && stamp_ms <= now_ms;
}

void mm_permit_hear(mm_permit_t *self, const mm_beat_body_t *beat, mm_str_t worker, int64_t now_ms,
                    int64_t lost_after_ms)
{
    if (self->session == 0 || beat->epoch != self->epoch)
        return;
    if (beat->halted)
        self->until_ms = 0;
    for (size_t i = 0; i < beat->count && !beat->halted; i++) {
        const mm_acknowledgement_t *item = &beat->items[i];
        if (item->session == self->session && mm_str_equal(item->worker, worker) &&
            is_own_stamp(item->stamp_ms, now_ms))
            self->until_ms = item->stamp_ms + lost_after_ms;
    }
}
