// One pass of admission over a list, foretold: which hosts would begin now, and why the others
// would not. The consumer's core is asked (consumer/core/group_limits.h), as it would be when all
// of the list has just come, nothing is in progress but what is on record, every save is answered
// at once, and the guard says yes.

#ifndef RUN_PASS_H
#define RUN_PASS_H

#include "frame.h"
#include "reason.h"
#include "run_inventory.h"

typedef struct run_pass run_pass_t;

typedef struct {
    const mm_policy_t *policy;
    const run_inventory_t *inventory; // with its hosts
    int64_t now_ms;                   // Unix time
    uint32_t at_once;                 // restarts in progress at most; 0: no limit
    int64_t slots;                    // of all restarters
} run_pass_config_t;

typedef struct {
    mm_reason_t reason; // NONE: it would begin, or is done
    bool is_looked_at; // an attempt has no known end: before it begins the run sees how the host is
    const char *group; // whose rule that is, the policy's; "": the whole run; NULL: of none
    int64_t until_ms;  // when that ends, Unix time; MM_NEVER: by an event
} run_verdict_t;

// What the config points to must outlive the pass.
run_pass_t *run_pass_new(const run_pass_config_t *config);
void run_pass_destroy(run_pass_t **self_p);
// An entry of the record's state, in its order (record_state.h). pass: a run_pass_t.
void run_pass_apply(void *pass, const mm_entry_t *entry);
// Once, after all entries. One verdict for each host of the inventory; the caller frees it.
run_verdict_t *run_pass_decide(run_pass_t *self);

#endif
