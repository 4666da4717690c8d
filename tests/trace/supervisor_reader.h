// The supervisor core's events read from the text that supervisor_trace.h writes.

#ifndef SUPERVISOR_READER_H
#define SUPERVISOR_READER_H

#include "supervisor.h"

// Fills in what the line says; false for anything unknown.
bool supervisor_reader_config(const char *line, supervisor_config_t *config);
// "[   900] ended saver signal=9"; false for anything unknown, *ret_event is then untouched.
bool supervisor_reader_event(const char *line, supervisor_event_t *ret_event);

#endif
