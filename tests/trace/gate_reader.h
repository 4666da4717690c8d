// Reads what gate_trace.h writes: a policy, and the events of what holds restarts back.

#ifndef GATE_READER_H
#define GATE_READER_H

#include "gather.h"
#include "tokens.h"

#define GATE_READER_OPENINGS 64

// Zeroed: empty. Owns what the policy and the last event point to.
typedef struct {
    mm_rules_t *rules;
    size_t rule_count;
    size_t rule_capacity;
    mm_policy_t policy;
    mm_group_t groups[MM_BATCH_ITEMS];
    mm_entry_t entries[MM_BATCH_ITEMS];
    mm_state_body_t state;
    mm_recorded_t recorded_items[MM_BATCH_ITEMS];
    mm_recorded_body_t recorded;
    mm_order_t order;
} gate_reader_t;

void gate_reader_clear(gate_reader_t *self);
// Adds a policy line, which was split; false: it is none.
bool gate_reader_policy(gate_reader_t *self, const tokens_t *words);
// Fills in what an `ask` says of run and hosts.
bool gate_reader_ask(gate_reader_t *self, const tokens_t *words, gather_event_t *event);
// Fills in an event of another kind; false: it is none of these.
bool gate_reader_event(gate_reader_t *self, const tokens_t *words, gather_event_t *event);

#endif
