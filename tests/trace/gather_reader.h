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
// The reader follows the welcomes of a step.
void gather_reader_follow(gather_reader_t *self, const gather_actions_t *actions);
const char *gather_reader_complaint(const gather_reader_t *self);

#endif
