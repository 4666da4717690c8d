// See loop_play.h.

#include "loop_play.h"
#include "clock.h"

mm_loop_t *loop;
static step_fn *const *next;
static int64_t end_ms;
static bool is_late;

static int64_t turn(void *arg)
{
    (void)arg;
    while (*next && (*next)())
        next++;
    is_late = mm_clock_ms() >= end_ms;
    if (!*next || is_late)
        mm_loop_stop(loop);
    return end_ms;
}

int make_loop(void **state)
{
    (void)state;
    make_temp_folder();
    loop = mm_loop_new(turn, NULL);
    return 0;
}

int end_loop(void **state)
{
    mm_loop_destroy(&loop);
    return remove_temp_folder(state);
}

void play(step_fn *const steps[])
{
    next = steps;
    end_ms = mm_clock_ms() + PATIENCE_MS;
    mm_loop_run(loop);
    if (is_late)
        fail_msg("step %d did not come true within %d ms", (int)(next - steps) + 1, PATIENCE_MS);
}
