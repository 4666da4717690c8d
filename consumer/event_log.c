// See event_log.h.

#include "event_log.h"
#include "log_messages.h"

#include <stdio.h>

void event_log_open(event_log_t *self, int64_t lease_ms)
{
    self->lease_ms = lease_ms;
    (void)snprintf(self->extended, sizeof self->extended, MM_MESSAGE_EXTENDED " by %g seconds",
                   (double)lease_ms / 1000);
}

// Of a minor line: whether it is left out.
static bool is_left_out(event_log_t *self, const gather_action_t *action, int64_t now_ms)
{
    const char *message = NULL;
    mm_log_level_t level = MM_LOG_INFO;
    switch (action->as.verdict.verdict.kind) {
    case MM_VERDICT_EXTEND: message = self->extended; break;
    case MM_VERDICT_ACK: message = MM_MESSAGE_ACKED; break;
    case MM_VERDICT_SKIPPED: message = MM_MESSAGE_SKIPPED; break;
    case MM_VERDICT_WITHDRAWN: message = MM_MESSAGE_WITHDRAWN; break;
    case MM_VERDICT_NACK: message = MM_MESSAGE_NACKED; break;
    case MM_VERDICT_DEAD:
        message = MM_MESSAGE_DEAD;
        level = MM_LOG_ERROR;
        break;
    }
    return !mm_log_limit_pass(&self->limit, level, message, now_ms);
}

void event_log_verdict(event_log_t *self, const gather_action_t *action, int64_t now_ms)
{
    const mm_verdict_t *verdict = &action->as.verdict.verdict;
    mm_str_t host = action->as.verdict.host;
    if (action->as.verdict.is_minor && verdict->lease_ms == 0 && is_left_out(self, action, now_ms))
        return;
    switch (verdict->kind) {
    case MM_VERDICT_EXTEND:
        if (verdict->lease_ms > 0)
            break; // its class says why it waits
        if (action->as.verdict.is_first)
            mm_log(MM_LOG_INFO, MM_MESSAGE_PULLED, MM_JOB(&verdict->id), MM_STR("host", host),
                   MM_SECONDS("extended", self->lease_ms));
        else
            mm_log(MM_LOG_INFO, self->extended, MM_JOB(&verdict->id), MM_STR("host", host));
        break;
    case MM_VERDICT_ACK:
        mm_log(MM_LOG_INFO, MM_MESSAGE_ACKED, MM_JOB(&verdict->id), MM_STR("host", host),
               MM_INT("attempts", verdict->attempts));
        break;
    case MM_VERDICT_SKIPPED:
        if (verdict->error.size > 0)
            mm_log(MM_LOG_INFO, MM_MESSAGE_SKIPPED, MM_JOB(&verdict->id), MM_STR("host", host),
                   MM_STR("why", verdict->error));
        else
            mm_log(MM_LOG_INFO, MM_MESSAGE_SKIPPED, MM_JOB(&verdict->id), MM_STR("host", host));
        break;
    case MM_VERDICT_WITHDRAWN:
        mm_log(verdict->error.size > 0 ? MM_LOG_WARN : MM_LOG_INFO, MM_MESSAGE_WITHDRAWN,
               MM_JOB(&verdict->id), MM_STR("host", host), MM_STR("error", verdict->error));
        break;
    case MM_VERDICT_NACK:
        mm_log(MM_LOG_INFO, MM_MESSAGE_NACKED, MM_JOB(&verdict->id), MM_STR("host", host));
        break;
    case MM_VERDICT_DEAD:
        mm_log(MM_LOG_ERROR, MM_MESSAGE_DEAD, MM_JOB(&verdict->id), MM_STR("host", host),
               MM_INT("attempts", verdict->attempts), MM_STR("error", verdict->error));
        break;
    }
}

static void log_attempt(mm_log_level_t level, const char *message, const gather_action_t *action)
{
    const __typeof__(action->as.log) *log = &action->as.log;
    mm_log(level, message, MM_JOB(&log->id), MM_STR("host", log->host),
           MM_INT("attempt", log->attempt));
}

// Whether a line that peers may cause as often as they like is logged; a job's is unless it is
// minor.
static bool passes(event_log_t *self, const gather_action_t *action, int64_t now_ms)
{
    mm_log_limit_t *limit = &self->limit;
    switch (action->as.log.log) {
    case GATHER_LOG_IN_FLIGHT:
        return mm_log_limit_pass(limit, MM_LOG_DEBUG, MM_MESSAGE_IN_FLIGHT, now_ms);
    case GATHER_LOG_RETRY:
        return !action->as.log.is_minor ||
               mm_log_limit_pass(limit, MM_LOG_WARN, MM_MESSAGE_RETRY_SAVE, now_ms);
    case GATHER_LOG_WORKER_LOST:
        return mm_log_limit_pass(limit, MM_LOG_WARN, MM_MESSAGE_WORKER_LOST, now_ms);
    case GATHER_LOG_WORKER_LEFT:
        return mm_log_limit_pass(limit, MM_LOG_INFO, MM_MESSAGE_WORKER_LEFT, now_ms);
    case GATHER_LOG_PAUSED: return mm_log_limit_pass(limit, MM_LOG_WARN, MM_MESSAGE_PAUSED, now_ms);
    case GATHER_LOG_RECLAIMED:
    case GATHER_LOG_BEGUN:
    case GATHER_LOG_LOOKING:
    case GATHER_LOG_INTERRUPTED:
    case GATHER_LOG_OPEN:
    case GATHER_LOG_CLAIM: // once a second already, as the next two
    case GATHER_LOG_OTHER_DRIVER:
    case GATHER_LOG_OTHER_RUN:
    case GATHER_LOG_HELD:
    case GATHER_LOG_UNABLE:
    case GATHER_LOG_STARTS_ENDED:
    case GATHER_LOG_TOO_MANY_DEAD: break;
    }
    return true;
}

void event_log_joined(event_log_t *self, const gather_action_t *action, const char *key,
                      const char *address, int64_t now_ms)
{
    const char *worker = action->as.answer.worker.text;
    uint64_t session = action->as.answer.session;
    if (!mm_log_limit_pass(&self->limit, MM_LOG_INFO, MM_MESSAGE_WORKER_JOINED, now_ms))
        return;
    if (key)
        mm_log(MM_LOG_INFO, MM_MESSAGE_WORKER_JOINED, MM_STRING("worker", worker),
               MM_INT("session", session), MM_STRING("key", key),
               MM_STRING("address", address ? address : "unknown"));
    else
        mm_log(MM_LOG_INFO, MM_MESSAGE_WORKER_JOINED, MM_STRING("worker", worker),
               MM_INT("session", session));
}

void event_log_unbound(event_log_t *self, const gather_action_t *action, const char *error,
                       int64_t now_ms)
{
    if (mm_log_limit_pass(&self->limit, MM_LOG_ERROR, MM_MESSAGE_UNBOUND, now_ms))
        mm_log(MM_LOG_ERROR, MM_MESSAGE_UNBOUND, MM_STRING("worker", action->as.answer.worker.text),
               MM_STRING("error", error));
}

void event_log_refused(event_log_t *self, const gather_action_t *action, int64_t now_ms)
{
    if (mm_log_limit_pass(&self->limit, MM_LOG_WARN, MM_MESSAGE_WORKER_REFUSED, now_ms))
        mm_log(MM_LOG_WARN, MM_MESSAGE_WORKER_REFUSED,
               MM_STRING("worker", action->as.answer.worker.text),
               MM_STRING("why", action->as.answer.reason));
}

void event_log(event_log_t *self, const gather_action_t *action, int64_t now_ms)
{
    const __typeof__(action->as.log) *log = &action->as.log;
    if (!passes(self, action, now_ms))
        return;
    switch (log->log) {
    case GATHER_LOG_IN_FLIGHT:
        mm_log(MM_LOG_DEBUG, MM_MESSAGE_IN_FLIGHT, MM_JOB(&log->id), MM_STR("host", log->host));
        break;
    case GATHER_LOG_RETRY:
        mm_log(MM_LOG_WARN,
               log->leg == MM_LEG_RESTART ? MM_MESSAGE_RETRY_RESTART : MM_MESSAGE_RETRY_SAVE,
               MM_JOB(&log->id), MM_STR("host", log->host), MM_INT("attempt", log->attempt),
               MM_SECONDS("in", log->delay_ms), MM_STR("error", log->error));
        break;
    case GATHER_LOG_WORKER_LOST:
        mm_log(MM_LOG_WARN, MM_MESSAGE_WORKER_LOST, MM_STRING("worker", log->worker.text),
               MM_STR("why", log->error));
        break;
    case GATHER_LOG_WORKER_LEFT:
        mm_log(MM_LOG_INFO, MM_MESSAGE_WORKER_LEFT, MM_STRING("worker", log->worker.text));
        break;
    case GATHER_LOG_RECLAIMED:
        mm_log(MM_LOG_WARN, MM_MESSAGE_RECLAIMED, MM_JOB(&log->id), MM_STR("host", log->host),
               MM_INT("attempt", log->attempt), MM_STRING("worker", log->worker.text),
               MM_STRING("why", log->is_lost ? "lost" : "missing"));
        break;
    case GATHER_LOG_BEGUN: log_attempt(MM_LOG_INFO, MM_MESSAGE_BEGUN, action); break;
    case GATHER_LOG_LOOKING: log_attempt(MM_LOG_INFO, MM_MESSAGE_LOOKING, action); break;
    case GATHER_LOG_INTERRUPTED: log_attempt(MM_LOG_WARN, MM_MESSAGE_INTERRUPTED, action); break;
    case GATHER_LOG_OPEN: log_attempt(MM_LOG_WARN, MM_MESSAGE_OPEN, action); break;
    case GATHER_LOG_CLAIM:
        mm_log(MM_LOG_WARN, MM_MESSAGE_CLAIM_IGNORED, MM_STRING("worker", log->worker.text),
               MM_STR("claim", log->error));
        break;
    case GATHER_LOG_PAUSED:
        mm_log(MM_LOG_WARN, MM_MESSAGE_PAUSED, MM_STRING("worker", log->worker.text),
               MM_SECONDS("pause", log->delay_ms), MM_STR("why", log->error));
        break;
    case GATHER_LOG_HELD:
        mm_log(MM_LOG_WARN, MM_MESSAGE_HELD, MM_JOB(&log->id), MM_STR("host", log->host),
               MM_STR("why", log->error), MM_SECONDS("again", log->delay_ms));
        break;
    case GATHER_LOG_OTHER_DRIVER:
        mm_log(MM_LOG_WARN, MM_MESSAGE_OTHER_DRIVER, MM_STR("driver", log->error));
        break;
    case GATHER_LOG_OTHER_RUN:
        mm_log(MM_LOG_WARN, MM_MESSAGE_OTHER_RUN, MM_STR("publisher", log->error));
        break;
    case GATHER_LOG_UNABLE: mm_log(MM_LOG_ERROR, MM_MESSAGE_UNABLE); break;
    case GATHER_LOG_STARTS_ENDED: mm_log(MM_LOG_INFO, MM_MESSAGE_STARTS_ENDED); break;
    case GATHER_LOG_TOO_MANY_DEAD: mm_log(MM_LOG_ERROR, MM_MESSAGE_TOO_MANY_DEAD); break;
    }
}

void event_log_news(const gather_action_t *action)
{
    const __typeof__(action->as.news) *news = &action->as.news;
    switch (news->news) {
    case GATHER_NEWS_STATE: mm_log(MM_LOG_INFO, "What the record holds back is known"); break;
    case GATHER_NEWS_ORDERED:
        if (*news->name == '\0') // the whole run
            mm_log(MM_LOG_WARN, MM_MESSAGE_ORDERED, MM_STRING("what", mm_action_name(news->action)),
                   MM_STRING("why", news->reason), MM_STRING("by", news->actor));
        else
            mm_log(MM_LOG_WARN, MM_MESSAGE_ORDERED, MM_STRING("what", mm_action_name(news->action)),
                   MM_STRING("name", news->name), MM_STRING("why", news->reason),
                   MM_STRING("by", news->actor));
        break;
    case GATHER_NEWS_TRIPPED:
        mm_log(MM_LOG_ERROR, MM_MESSAGE_TRIPPED, MM_STRING("group", news->name),
               MM_STRING("why", news->reason));
        break;
    case GATHER_NEWS_STEP:
        mm_log(MM_LOG_INFO, MM_MESSAGE_STEP, MM_STRING("group", news->name));
        break;
    case GATHER_NEWS_WAITS:
        mm_log(MM_LOG_INFO, "Hosts wait", MM_STRING("groups", news->name),
               MM_STRING("why", news->reason ? news->reason : "for nothing any more"),
               MM_INT("hosts", news->count));
        break;
    }
}
