// See run_choice.h.

#include "run_choice.h"

// Two publishers of one name, by mistake, take turns: a run that was replaced does not come back.
static bool is_former(const run_choice_t *self, uint64_t run)
{
    for (size_t i = 0; i < RUN_FORMERS; i++)
        if (self->former[i] == run)
            return true;
    return false;
}

static bool may_replace(const run_choice_t *self, mm_str_t publisher, uint64_t run, int64_t now_ms)
{
    if (self->run == 0 || now_ms >= self->heard_ms + RUN_SILENT_MS)
        return true;
    return mm_str_equal(publisher, mm_str(self->publisher.text)) && !is_former(self, run);
}

bool run_choice_hear(run_choice_t *self, mm_str_t publisher, uint64_t run, int64_t now_ms)
{
    if (run != self->run) {
        mm_name_t name = {0};
        if (!mm_name_from(publisher, &name) || !may_replace(self, publisher, run, now_ms))
            return false;
        self->former[self->former_at++ % RUN_FORMERS] = self->run;
        self->run = run;
        self->publisher = name;
    }
    self->heard_ms = now_ms;
    return true;
}

void run_choice_forgive(run_choice_t *self, int64_t now_ms)
{
    self->heard_ms = now_ms;
}
