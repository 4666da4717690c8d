// What the consumer logs of what its core decides; docs/operations.md lists the lines.

#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "gather.h"

// A GATHER_VERDICT. extended: the words for an extension; a pointer that is kept by the log.
void event_log_verdict(const gather_action_t *action, const char *extended);
// A GATHER_LOG.
void event_log(const gather_action_t *action);

#endif
