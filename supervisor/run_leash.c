// See run_leash.h.

#include "run_leash.h"

bool run_leash_holds(const run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const mm_options_t *consumer = &programs[MM_PROGRAM_CONSUMER];
    const mm_options_t *restarter = &programs[MM_PROGRAM_RESTARTER];
    bool is_real = *restarter->exec != '\0' && !restarter->mock;
    return is_real && mm_policy_is_given(consumer) && mm_options_has_policy_lines(consumer) &&
           !self->options.unleash && !restarter->dry_run;
}
