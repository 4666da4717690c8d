// See windowed_histogram.h.

#include "windowed_histogram.h"

#include <string.h>

static void roll(mm_windowed_histogram_t *self, int64_t now_ms)
{
    if (now_ms - self->since_ms < MM_WINDOWED_HALF_MS)
        return;
    if (now_ms - self->since_ms >= 2 * MM_WINDOWED_HALF_MS)
        memset(&self->halves[self->current], 0, sizeof self->halves[0]);
    self->current = 1 - self->current;
    memset(&self->halves[self->current], 0, sizeof self->halves[0]);
    self->since_ms = now_ms;
}

void mm_windowed_histogram_record(mm_windowed_histogram_t *self, int64_t now_ms, int64_t value)
{
    roll(self, now_ms);
    mm_histogram_record(&self->halves[self->current], value);
}

int64_t mm_windowed_histogram_quantile(mm_windowed_histogram_t *self, int64_t now_ms, double p)
{
    roll(self, now_ms);
    mm_histogram_t both = self->halves[0];
    mm_histogram_merge(&both, &self->halves[1]);
    return both.count > 0 ? mm_histogram_quantile(&both, p) : -1;
}
