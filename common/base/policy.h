// A policy: what holds a run back, for all its hosts and for groups of them. Plain data, which the
// options and the sections [group NAME] of a configuration become; the consumer's core keeps it,
// `plan` foretells it.

#ifndef MM_POLICY_H
#define MM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

#define MM_POLICY_GROUPS_MAX   1024
#define MM_POLICY_RAMP_MAX     16
#define MM_POLICY_BREAKERS_MAX 4
#define MM_POLICY_LAST_MAX     1000 // outcomes that a breaker looks back at

// A number of hosts: as such, or as a share of the group's hosts on the list, rounded down.
typedef struct {
    uint32_t value; // is_percent: 1 to 100
    bool is_set;    // else there is no limit
    bool is_percent;
} mm_amount_t;

// Trips at so many dead hosts of the last ones that ended. `failures` of as many: so many in a row.
typedef struct {
    uint32_t failures; // 1 or more
    uint32_t of_last;  // failures to MM_POLICY_LAST_MAX
} mm_breaker_t;

// A window is open from one instant up to, not with, another; Unix time in ms.
typedef struct {
    int64_t opens_ms;
    int64_t closes_ms;
} mm_opening_t;

typedef struct {
    char name[MM_NAME_MAX + 1];           // of the group; empty: the whole run
    mm_amount_t cap;                      // restarts in progress
    mm_amount_t max_unavailable;          // those and casualties
    mm_amount_t ramp[MM_POLICY_RAMP_MAX]; // hosts of each step; then no limit
    size_t ramp_count;
    int64_t bake_ms; // from the last host of a step to the first of the next
    mm_breaker_t breakers[MM_POLICY_BREAKERS_MAX];
    size_t breaker_count;
    bool has_window;              // else it is always open
    const mm_opening_t *openings; // has_window: in order, apart from each other; owned by whoever
    size_t opening_count;         // made the policy
    int64_t last_start_ms;        // nothing begins so long before a window closes
} mm_rules_t;

typedef struct {
    mm_rules_t *groups; // [0]: the whole run, then the groups by name; NULL: there is no policy
    size_t count;
    uint32_t rate; // starts of the whole run in rate_ms; 0: no limit
    int64_t rate_ms;
    bool has_guard; // nothing begins while it has not said yes within the last ten seconds
} mm_policy_t;

#endif
