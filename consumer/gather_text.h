// The gather core's events and actions as text: what --trace writes and what tests/scenarios/
// holds.
//
//   config attempts=3 lost_after=1500
//   [     0] job j1 host=web-7                 -> extend j1; save j1#1 worker=s1
//   [    20] result s1 j1#1 save ok            ->
//
// #1 is the task's number. Nothing here decides anything.

#ifndef GATHER_TEXT_H
#define GATHER_TEXT_H

#include "gather.h"

#include <stdio.h>

void gather_text_config(FILE *file, const gather_config_t *config);
void gather_text_event(FILE *file, const gather_event_t *event);
// Notes are not decisions: they are not written. Returns whether something was.
bool gather_text_action(FILE *file, const gather_action_t *action);
// A whole line of a trace; times are told from start_ms.
void gather_text_step(FILE *file, int64_t start_ms, const gather_event_t *event,
                      const gather_actions_t *actions);

// Reading. What an event points to lives in the reader until the next call. Values that are left
// out go on from the last ones of that worker: nonce 1, its session as last welcomed, next sequence
// and serial.
typedef struct gather_reader gather_reader_t;
gather_reader_t *gather_reader_new(void);
void gather_reader_destroy(gather_reader_t **self_p);
// Fills in what the line says; false with a complaint for anything it does not know.
bool gather_reader_config(gather_reader_t *self, const char *line, gather_config_t *config);
bool gather_reader_event(gather_reader_t *self, const char *line, gather_event_t *ret_event);
// The reader follows the welcomes of a step.
void gather_reader_follow(gather_reader_t *self, const gather_actions_t *actions);
const char *gather_reader_complaint(const gather_reader_t *self);

#endif
