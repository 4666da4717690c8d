// The leash: a run whose file of --config has a policy is a dry run, until somebody says --unleash.
// So who has written down which hosts may go down together sees what that comes to before anything
// does. It is the dry run of --dry-run and nothing beside it (restarter/drivers/driver_exec.c),
// only switched on: what does not hold for the one does not hold for the other.

#ifndef RUN_LEASH_H
#define RUN_LEASH_H

#include "run_settings.h"

#define RUN_LEASH_FIRST "leashed: a dry run; --unleash to restart for real"
#define RUN_LEASH_LAST  "leashed: no host was restarted; --unleash to restart for real"

// Whether it is to be switched on. programs: the options of each.
bool run_leash_holds(const run_settings_t *self, const mm_options_t programs[MM_PROGRAMS]);

#endif
