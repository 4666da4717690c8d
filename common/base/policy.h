// A policy: what holds a run back, for all its hosts and for groups of them. Plain data, made from
// options and from the sections [group NAME] of a configuration. The consumer's core enforces it.

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
    const mm_opening_t *openings; // has_window: sorted, disjoint; owned by the maker of the policy
    size_t opening_count;
    int64_t last_start_ms; // nothing begins so long before a window closes
} mm_rules_t;

typedef struct {
    mm_rules_t *groups; // [0]: the whole run, then the groups by name; NULL: there is no policy
    size_t count;
    uint32_t rate; // starts of the whole run in rate_ms; 0: no limit
    int64_t rate_ms;
    bool has_guard; // nothing begins while it has not said yes within the last ten seconds
} mm_policy_t;

// ---- what the data means

#define MM_POLICY_WHY_MAX 640

// How many hosts an amount is, of a group with so many on the list: UINT32_MAX when it is not set,
// and 0 when a share comes to nothing, as 10% of 1 does.
uint32_t mm_amount_of(mm_amount_t amount, uint32_t hosts);
// Reads "3" or "25%": from 1, and a share up to 100%. Returns NULL, or the complaint as a sentence
// without its end; *ret_amount is then untouched.
const char *mm_amount_parse(mm_str_t text, mm_amount_t *ret_amount);
// "25%", "3", "no limit". Returns buffer.
#define MM_AMOUNT_TEXT 16
char *mm_amount_print(mm_amount_t amount, char buffer[MM_AMOUNT_TEXT]);

// The rules of the group of this name; NULL: it has none. The empty one is the whole run.
const mm_rules_t *mm_policy_find(const mm_policy_t *self, mm_str_t name);

// The opening that is open at unix_ms, or the next one; NULL: there is none any more, or no window.
const mm_opening_t *mm_rules_opening(const mm_rules_t *self, int64_t unix_ms);
// From when on a restart may begin, as far as windows go: unix_ms itself, or the next instant at
// which one opens for longer than last_start_ms; MM_NEVER (duration.h): none does.
int64_t mm_rules_next_start(const mm_rules_t *self, int64_t unix_ms);

// How many hosts a group must have for none of its shares to come to nothing; 0: it has none.
uint32_t mm_rules_need(const mm_rules_t *self);
// Whether each amount can be met, with hosts[i] on the list that are in groups[i], hosts[0] in all.
// Groups without a host are passed over. False: `why` says which one cannot be and what to write
// instead, as a sentence without its end.
bool mm_policy_check_amounts(const mm_policy_t *self, const uint32_t *hosts,
                             char why[MM_POLICY_WHY_MAX]);
// Whether there is nothing in it that needs a list of hosts: a group, or a share. False: `why` as
// above.
bool mm_policy_check_endless(const mm_policy_t *self, char why[MM_POLICY_WHY_MAX]);
// The complaint about a group without a host, as a format of its name, a view.
#define MM_POLICY_NO_HOST                                                                          \
    "[group %.*s] is in the policy, and no host of the list is in that group: correct the name, "  \
    "take the section out, or use --allow-empty"
// Whether each group has a host on the list. False: `why` as above.
bool mm_policy_check_groups(const mm_policy_t *self, const uint32_t *hosts,
                            char why[MM_POLICY_WHY_MAX]);

#endif
