// The gather core's events and actions as text: the format of --trace and of tests/scenarios/.
//
//   config attempts=3 lost_after=1500
//   [     0] job j1 host=web-7                 -> extend j1; save j1#1 worker=s1
//   [    20] result s1 j1#1 save ok            ->
//
// #1 is the task's number.

#ifndef GATHER_TRACE_H
#define GATHER_TRACE_H

#include "gather.h"

#include <stdio.h>

void gather_trace_config(FILE *file, const gather_config_t *config);
void gather_trace_event(FILE *file, const gather_event_t *event);
// False when nothing is written: GATHER_LOG is no decision.
bool gather_trace_action(FILE *file, const gather_action_t *action);
// A whole line of a trace; its time counts from start_ms, CLOCK_BOOTTIME.
void gather_trace_step(FILE *file, int64_t start_ms, const gather_event_t *event,
                       const gather_actions_t *actions);

#endif
