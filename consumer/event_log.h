// The log lines for the core's decisions; docs/operations.md lists them.

#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "gather.h"

// Logs a GATHER_VERDICT. An extension is by lease_ms; extended: the message for one, whose pointer
// the log keeps. The first one of a job is in the line that says that it was pulled.
void event_log_verdict(const gather_action_t *action, const char *extended, int64_t lease_ms);
// Logs a GATHER_LOG.
void event_log(const gather_action_t *action);
// GATHER_NEWS.
void event_log_news(const gather_action_t *action);

#endif
