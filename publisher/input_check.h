// What a run would have, without one.

#ifndef INPUT_CHECK_H
#define INPUT_CHECK_H

#include "options.h"
#include "source.h"

// The whole input is read, the outbox is only looked at, and nothing is begun. With --show-hosts
// each host is printed, with the groups of the policy that it is in, and whether it is done.
// Returns what run_open would, with its error.
typedef struct {
    bool is_list;
    uint64_t hosts;
    policy_groups_t *policy;  // has counted the hosts of each group; NULL: none; the caller's
    uint64_t groups;          // of its hosts
    uint64_t key;             // of the unfinished run that a list goes on with; 0: there is none
    uint64_t done;            // hosts of the list that it has done
    source_progress_t source; // of a list, read to its end; total: distinct hosts
} run_facts_t;
int run_check(const mm_options_t *options, run_facts_t *ret_facts, char error[SOURCE_ERROR_MAX]);

#endif
