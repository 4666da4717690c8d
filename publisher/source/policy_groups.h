// The groups that a policy names: which of them a host is in, as its attribute "groups" has it, and
// how many hosts of the list each of them has.

#ifndef POLICY_GROUPS_H
#define POLICY_GROUPS_H

#include "frame.h"

#define POLICY_GROUPS_WHY_MAX 256

typedef struct policy_groups policy_groups_t;

// Of valid names with commas between them, "web,eu"; empty: the policy is of the whole run alone.
policy_groups_t *policy_groups_new(const char *names);
void policy_groups_destroy(policy_groups_t **self_p); // idempotent

// Those of a host's groups, which have commas between them, that the policy names: each once, in
// the order of their bytes, so that hosts which are in the same ones have the same text. Empty: in
// none. False: they are too many for a host, and `why` says so.
bool policy_groups_select(const policy_groups_t *self, mm_str_t host, mm_str_t groups,
                          char buffer[MM_GROUPS_BYTES], mm_str_t *ret_selected,
                          char why[POLICY_GROUPS_WHY_MAX]);

// Counts a host of the list, by the attribute that was made thus; or so many of which nothing is
// known.
void policy_groups_count(policy_groups_t *self, mm_str_t attributes);
void policy_groups_count_all(policy_groups_t *self, uint64_t hosts);
// What was counted, the whole list first. It lives as long as self.
const mm_group_t *policy_groups_sizes(const policy_groups_t *self, size_t *ret_count);

// Whether each group has as many hosts as the policy needs for one to begin, by "web=4,=10", where
// the empty name is the whole list; nothing is needed of a list without hosts. allows_empty: nor of
// a group without hosts. False: `why` says which has too few.
bool policy_groups_suffice(const policy_groups_t *self, const char *needs, bool allows_empty,
                           char why[POLICY_GROUPS_WHY_MAX]);

#endif
