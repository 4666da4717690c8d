// The supervisor core's events and actions as text: what --trace writes and what tests/scenarios/
// holds.
//
// clang-format off
//   config restarters=1 drain=25000
//   [     0] start                  -> spawn consumer; spawn saver; spawn restarter-1; spawn publisher
//   [   900] ended saver signal=9   -> say crashed saver count=1 delay=100
//   [  1000] time                   -> spawn saver
// clang-format on

#ifndef SUPERVISOR_TRACE_H
#define SUPERVISOR_TRACE_H

#include "supervisor.h"

#include <stdio.h>

// "consumer", "restarter-2". Returns buffer.
#define SUPERVISOR_NAME_MAX 32
char *supervisor_name(supervisor_child_t child, char buffer[SUPERVISOR_NAME_MAX]);

void supervisor_trace_config(FILE *file, const supervisor_config_t *config);
void supervisor_trace_event(FILE *file, const supervisor_event_t *event);
void supervisor_trace_action(FILE *file, const supervisor_action_t *action);
// A whole line of a trace; times count from start_ms.
void supervisor_trace_step(FILE *file, int64_t start_ms, const supervisor_event_t *event,
                           const supervisor_actions_t *actions);

// The word of a say and of a reason: "crashed", "signal".
const char *supervisor_say_name(supervisor_say_t what);
const char *supervisor_why_name(supervisor_why_t why);

#endif
