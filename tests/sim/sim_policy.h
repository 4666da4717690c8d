// What the simulator's parts know of a policy, its operator and its judge.

#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include "sim.h"

#include "judge.h"
#include "policy.h"

// A host, as the judge was told of it.
typedef struct {
    enum { SIM_PLACE_NONE, SIM_PLACE_IN_PROGRESS, SIM_PLACE_OPEN } place;
    int64_t expires_ms;        // open: its place may be free then
    bool was_admitted;         // in the consumer's last step
    bool has_ended;            // an attempt, since it started, as the consumer knows
    bool is_recorded;          // that end
    bool is_casualty;          // by it
    bool is_out;               // its command was handed out, or may have been
    uint64_t out;              // that task, the last one
    uint64_t heard, heard_out; // whose results were read: of the last task, of the last command
    uint64_t reclaimed;        // the last one that was taken back
    bool is_unstarted;         // what is on record as begun, as this consumer knows
    bool was_returned;         // its last command: nothing was sent
} sim_standing_t;

// An order of the operator, and its times: it was heard by this consumer, and recorded; 0: not yet.
typedef struct {
    sim_order_t order;
    int64_t heard_ms;
    int64_t recorded_ms;
    bool is_refused; // it could not be recorded
} sim_ordered_t;

typedef struct sim_policy {
    uint64_t run;
    uint64_t random;
    mm_policy_t given;
    mm_rules_t rules[1 + SIM_GROUPS];
    mm_opening_t openings[1 + SIM_GROUPS][SIM_OPENINGS];
    uint32_t hosts[1 + SIM_GROUPS];
    sim_standing_t standings[SIM_JOBS];
    // operator
    int64_t every_ms;  // between orders
    int64_t order_ms;  // the next one, or the next try
    sim_order_t order; // under way; action 0: none
    uint32_t tries;
    sim_ordered_t *ordered; // all so far
    size_t ordered_count, ordered_capacity;
    bool is_given;     // to this consumer
    int64_t guard_ms;  // when the guard answers; MM_NEVER: it is not asked
    int64_t change_ms; // when it changes its mind
    bool says_yes;
    // judge
    judge_t *judge;
    size_t found;
    uint64_t recorded;     // lines of the record
    uint64_t page_session; // of the first answer with a last page to this question
    uint64_t page_question;
    uint64_t page_recorded; // lines of the record that it knew
    uint64_t page_seq;      // the last one of the record that was read in a page
    bool has_page;
    bool has_state;
    int64_t said_ms;  // the last line
    int64_t quiet_ms; // the last `quiet`
} sim_policy_t;

#endif
