// The outbox core's events and actions as text: what --trace writes and what tests/scenarios/
// holds.
//
//   config window=2 ack_deadline=3000
//   [     0] job j1 host=web-7                 ->
//   [     5] beat epoch=1                       -> deliver j1 host=web-7 delivery=1

#ifndef OUTBOX_TRACE_H
#define OUTBOX_TRACE_H

#include "outbox.h"

#include <stdio.h>

void outbox_trace_config(FILE *file, const outbox_config_t *config);
// Notes are not decisions: they are not written. Returns whether something was.
bool outbox_trace_action(FILE *file, const outbox_action_t *action);
// A whole line of a trace; times are told from start_ms.
void outbox_trace_step(FILE *file, int64_t start_ms, const outbox_event_t *event,
                       const outbox_actions_t *actions);

#endif
