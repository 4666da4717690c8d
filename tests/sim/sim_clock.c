// The simulator's clocks: each is ahead of the world's by something, and on a shared record it also
// runs faster or slower.

#include "sim.h"

#define PARTS  1000000
#define FAR_MS (INT64_C(1) << 40) // beyond it nobody asks how much a clock has drifted

int64_t sim_clock_at(const sim_clock_t *clock, int64_t at_ms)
{
    return at_ms + clock->ahead_ms + at_ms * clock->ppm / PARTS;
}

int64_t sim_clock(const sim_t *self, const sim_process_t *process)
{
    return sim_clock_at(&process->clock, self->now_ms);
}

int64_t sim_drift(const sim_t *self, int64_t span_ms)
{
    return self->shape.shared ? span_ms / 12 : 0;
}

// The first instant at which it says so, or more.
int64_t sim_clock_reaches(const sim_clock_t *clock, int64_t clock_ms)
{
    if (clock_ms == MM_NEVER)
        return MM_NEVER;
    int64_t span_ms = clock_ms - clock->ahead_ms;
    if (clock->ppm == 0 || span_ms <= 0 || span_ms > FAR_MS)
        return span_ms;
    int64_t at_ms = span_ms * PARTS / (PARTS + clock->ppm);
    while (sim_clock_at(clock, at_ms) < clock_ms)
        at_ms++;
    while (sim_clock_at(clock, at_ms - 1) >= clock_ms)
        at_ms--;
    return at_ms;
}
