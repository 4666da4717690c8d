// How the hosts of a run are restarted: `mayhem run` asks a restarter, which checks the commands,
// and sets what depends on it.

#ifndef RUN_DRIVER_H
#define RUN_DRIVER_H

#include "run_settings.h"

// Asks it, and tells the publisher. programs: the options of each. Returns 0, or an exit code after
// a complaint.
int run_driver_read(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS]);
// The defaults of a real driver. To be called when the input is known.
void run_driver_settle(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS]);
// The line that says how many hosts (below 0: nobody knows) are restarted how, and how many an
// unfinished run has done: "12 hosts, 4 of them done, at most 5 at once, by ssh, proven by boot
// id". The caller frees it.
char *run_driver_headline(const run_settings_t *self, int64_t hosts, uint64_t done);
void run_driver_clear(run_driver_t *self);

#endif
