// The log lines for the core's decisions; docs/operations.md lists them.

#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "gather.h"

// Logs a GATHER_VERDICT. extended: the message for an extension; the log keeps the pointer.
void event_log_verdict(const gather_action_t *action, const char *extended);
// Logs a GATHER_LOG.
void event_log(const gather_action_t *action);
// GATHER_NEWS.
void event_log_news(const gather_action_t *action);

#endif
