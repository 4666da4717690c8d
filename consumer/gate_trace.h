// What holds restarts back, in a trace (gather_trace.h): the policy, and the events and actions of
// gather_gate.c, gather_pass.c and gather_orders.c.
//
//   policy cap=5 rate=1/10000 guard=1
//   policy group=web cap=25% max=2 ramp=1,5,25% bake=600000 breaker=3/10,2/2 last=900000
//          window=1000..2000,5000..6000
//   [     0] clock unix=1000
//   [     1] ask run=7 hosts=:20,web:8
//   [     5] state s1 run=7 from=0 next=0 entry=begun/web-1/web/0/0/none/1/0
//   [     9] order id=o1 halt why="bad kernel" viewer=3
//
// An entry is action/name/groups/at/until/outcome/casualty/seq; `hosts` has GROUP:NUMBER.

#ifndef GATE_TRACE_H
#define GATE_TRACE_H

#include "gather.h"

#include <stdio.h>

void gate_trace_policy(FILE *file, const mm_policy_t *policy);
// What an `ask` says of it.
void gate_trace_ask(FILE *file, const gather_event_t *event);
void gate_trace_event(FILE *file, const gather_event_t *event);
void gate_trace_action(FILE *file, const gather_action_t *action);

#endif
