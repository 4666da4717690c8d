// See event_log.h.

#include "event_log.h"
#include "log.h"
#include "log_messages.h"

void event_log_verdict(const gather_action_t *action, const char *extended, int64_t lease_ms)
{
    const mm_verdict_t *verdict = &action->as.verdict.verdict;
    mm_str_t host = action->as.verdict.host;
    switch (verdict->kind) {
    case MM_VERDICT_EXTEND:
        if (verdict->lease_ms > 0)
            break; // its class says why it waits
        if (action->as.verdict.is_first)
            mm_log(MM_LOG_INFO, MM_MESSAGE_PULLED, MM_JOB(&verdict->id), MM_STR("host", host),
                   MM_SECONDS("extended", lease_ms));
        else
            mm_log(MM_LOG_INFO, extended, MM_JOB(&verdict->id), MM_STR("host", host));
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

void event_log(const gather_action_t *action)
{
    const __typeof__(action->as.log) *log = &action->as.log;
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
        mm_log(MM_LOG_WARN, MM_MESSAGE_WORKER_LOST, MM_STRING("worker", log->worker.text));
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
    case GATHER_LOG_UNABLE:
        mm_log(MM_LOG_ERROR, "No restarter can start anything: handing out nothing more");
        break;
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
