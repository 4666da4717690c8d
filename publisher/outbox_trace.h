// The events and actions of the outbox core as text: the format of --trace and of tests/scenarios/.
//
//   config window=2 ack_deadline=3000
//   [     0] job j1 host=web-7 ->
//   [     5] beat life=1 -> deliver j1 delivery=1

#ifndef OUTBOX_TRACE_H
#define OUTBOX_TRACE_H

#include "outbox.h"

#include <stdio.h>

void outbox_trace_config(FILE *file, const outbox_config_t *config);
// Writes an action, unless it is for the log only. Returns whether it did.
bool outbox_trace_action(FILE *file, const outbox_action_t *action);
// Writes a whole line of a trace; its time counts from start_ms.
void outbox_trace_step(FILE *file, int64_t start_ms, const outbox_event_t *event,
                       const outbox_actions_t *actions);

#endif
