// Orders and runs with a policy, for tests of a store: beside attempt_play.h.

#ifndef ORDER_PLAY_H
#define ORDER_PLAY_H

#include "attempt_play.h"

#define RUN 7

// An order of the whole run, with an id of its own number.
mm_order_t order_of(uint8_t number, mm_action_t action, const char *name);
// Records it; the error, "" when it is on record.
const char *give(store_t *store, mm_order_t order);

// The same task in a run with a policy, of a host in these groups ("groups=web,eu").
real_task_t in_run(real_task_t task, const char *attributes);

// Asks for a page, and waits for it.
void ask_state(store_t *store, uint64_t run, uint64_t from, store_page_t *ret_page);
// The state of a run from the first page to the last: entries end with ';', an action, the name,
// "/" and the groups, then, as far as it has them, " casualty", " until=", the outcome, " #seq" and
// why.
const char *state_of(store_t *store, uint64_t run);

#endif
