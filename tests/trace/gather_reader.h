// The gather core's events read from the text that gather_trace.h writes.

#ifndef GATHER_READER_H
#define GATHER_READER_H

#include "gather.h"

// Reading. What an event points to lives in the reader until the next call. Values that are left
// out go on from the last ones of that worker: instance 1, its session as last welcomed, next
// sequence and serial.
typedef struct gather_reader gather_reader_t;
gather_reader_t *gather_reader_new(void);
void gather_reader_destroy(gather_reader_t **self_p);
// Fills in what the line says; false with a complaint for anything it does not know.
bool gather_reader_config(gather_reader_t *self, const char *line, gather_config_t *config);
bool gather_reader_event(gather_reader_t *self, const char *line, gather_event_t *ret_event);
// A policy line: *ret_policy has it and all before, and is the reader's.
bool gather_reader_policy(gather_reader_t *self, const char *line, const mm_policy_t **ret_policy);
// The answer of a record that holds nothing back to the last question for its state; false: there
// was none.
bool gather_reader_state(gather_reader_t *self, gather_event_t *ret_event);
// The reader follows the welcomes and the questions of a step.
void gather_reader_follow(gather_reader_t *self, const gather_actions_t *actions);
const char *gather_reader_complaint(const gather_reader_t *self);

#endif
