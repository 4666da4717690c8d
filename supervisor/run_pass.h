// One pass of admission over a list, foretold: which hosts would begin now, and why the others
// would not. It decides as the consumer does when all of the list has just come, nothing is in
// progress but what is on record, and every save is answered at once.

#ifndef RUN_PASS_H
#define RUN_PASS_H

#include "reason.h"
#include "run_held.h"
#include "run_inventory.h"

typedef struct {
    const mm_policy_t *policy;
    const run_inventory_t *inventory; // with its hosts
    const run_held_t *held;
    int64_t now_ms;  // Unix time
    int64_t at_once; // restarts in progress at most; 0: no limit
    int64_t slots;   // of all restarters
} run_pass_t;

#define RUN_PASS_NO_GROUP SIZE_MAX

typedef struct {
    mm_reason_t reason; // NONE: it would begin, or is done
    size_t group;       // of the policy, whose rule that is; RUN_PASS_NO_GROUP: of none
    int64_t until_ms;   // when that ends, Unix time; MM_NEVER: by an event
} run_verdict_t;

// One for each host of the inventory; the caller frees it.
run_verdict_t *run_pass_decide(const run_pass_t *self);

#endif
