// The policy of a run, from its options and from the sections [group NAME] of the file of --config:
//
//     [run]
//     max-unavailable = 10%
//     [group web]
//     cap = 2
//     max-unavailable = 25%
//     ramp = 1,5,25%
//     bake = 10m
//     breaker = 3/3,10/100
//     window = Mon..Fri 22:00 +6h Europe/Amsterdam
//     window = Sat,Sun 10:00 +4h Europe/Amsterdam
//     except = 2026-12-24..2026-12-26
//     last-start = 15m

#ifndef MM_POLICY_FILE_H
#define MM_POLICY_FILE_H

#include "calendar.h"
#include "options.h"

// Whether there is a policy at all: a section [group NAME], one of --max-unavailable, --ramp,
// --bake, --window, --except, --last-start, --breaker, --guard and --start-rate, or a share as
// --at-once. Of the consumer or `mayhem run`.
bool mm_policy_is_given(const mm_options_t *options);

// Whether it can be read, but for its openings. Returns 0, or an exit code as below: the options
// are checked so when they are parsed.
int mm_policy_check(const mm_options_t *options);

// Makes the policy of a program's options; without one it has no group. now_ms: Unix time, at which
// the openings begin. While the process has one thread (calendar.h). Returns 0, or an exit code (64
// or 78) after one sentence on standard error that says where, what, and which form works; then
// *ret_policy is untouched. `rate` is that of --start-rate. The whole run has a `cap` only when
// --at-once is a share: a number is the consumer's own limit. A dry run has no guard: it runs no
// command.
int mm_policy_read(const mm_options_t *options, int64_t now_ms, mm_policy_t *ret_policy);
// The same, and the schedule of each of its groups: an array of policy.count, to be freed by
// mm_policy_clear_schedules.
int mm_policy_read_schedules(const mm_options_t *options, int64_t now_ms, mm_policy_t *ret_policy,
                             mm_schedule_t **ret_schedules);
void mm_policy_clear_schedules(mm_schedule_t **schedules_p, size_t count);
// Sets the rate of starts: so many a second; 0 or less: no limit.
void mm_policy_set_rate(mm_policy_t *self, double rate);
// Frees it. Idempotent.
void mm_policy_clear(mm_policy_t *self);

#endif
