// The policy of a run: read at the start, by the options of its consumer, and shown by --check and
// `mayhem plan`.

#ifndef RUN_POLICY_H
#define RUN_POLICY_H

#include "run_inventory.h"

#include <jansson.h>
#include <stdio.h>

// Reads it, and tells the programs that there is one, when there is. programs: the options of each.
// Returns 0, or an exit code after a complaint. run_policy_settle: the same when the driver is
// known.
int run_policy_read(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS]);
void run_policy_settle(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS]);
void run_policy_clear(run_settings_t *self);

// Before a run begins: whether a group that has tripped in the run that goes on would no longer be
// held back. Returns 0, or 78 after a complaint.
int run_policy_check_trips(const run_settings_t *settings);

// The rules of each group, in hosts where they are shares, and the next openings of each window;
// nothing without a policy. now_ms: Unix time.
void run_policy_print(const run_settings_t *settings, const run_inventory_t *inventory,
                      int64_t now_ms, FILE *file);
// The same as an array; NULL without a policy.
json_t *run_policy_json(const run_settings_t *settings, const run_inventory_t *inventory,
                        int64_t now_ms);

#endif
