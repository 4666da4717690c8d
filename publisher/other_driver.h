// Jobs that are left of a run with another driver are no part of this one.

#ifndef OTHER_DRIVER_H
#define OTHER_DRIVER_H

#include "options.h"
#include "outbox_db.h"

// Refuses this command for `left` jobs of the former run: a sentence in error, which names both
// drivers and the ways on. Returns EX_CONFIG.
int other_driver_refuse(const mm_options_t *options, const outbox_run_t *former, uint64_t left,
                        char error[SOURCE_ERROR_MAX]);

#endif
