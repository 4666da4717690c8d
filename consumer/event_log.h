// The log lines for the core's decisions; docs/operations.md lists them. Those that tell nothing of
// an attempt, and those of workers, are limited: peers may cause as many of them as they like.

#ifndef EVENT_LOG_H
#define EVENT_LOG_H

#include "gather.h"
#include "log_limit.h"

typedef struct {
    char extended[64]; // the message of an extension
    int64_t lease_ms;  // an extension is by so much
    mm_log_limit_t limit;
} event_log_t;

void event_log_open(event_log_t *self, int64_t lease_ms);

// Logs a GATHER_VERDICT. The first extension of a job is in the line that says that it was pulled.
// now_ms, here and below: CLOCK_BOOTTIME.
void event_log_verdict(event_log_t *self, const gather_action_t *action, int64_t now_ms);
// Logs a GATHER_LOG.
void event_log(event_log_t *self, const gather_action_t *action, int64_t now_ms);
// GATHER_NEWS.
void event_log_news(const gather_action_t *action);
// A worker gets a session, GATHER_OPEN, or one without an endpoint; or GATHER_REFUSED. key,
// address: of one on another machine; key NULL: it is on this one.
void event_log_joined(event_log_t *self, const gather_action_t *action, const char *key,
                      const char *address, int64_t now_ms);
void event_log_unbound(event_log_t *self, const gather_action_t *action, const char *error,
                       int64_t now_ms);
void event_log_refused(event_log_t *self, const gather_action_t *action, int64_t now_ms);

#endif
