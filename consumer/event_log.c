// See notes.h.

#include "event_log.h"
#include "log.h"

void notes_log_notice(const gather_action_t *action, const char *extended)
{
    const mm_notice_t *notice = &action->as.notice.notice;
    mm_text_t host = action->as.notice.host;
    switch (notice->verdict) {
    case MM_VERDICT_EXTEND:
        mm_log(MM_LOG_INFO, extended, MM_JOB(&notice->id), MM_TEXT("host", host));
        break;
    case MM_VERDICT_ACK:
        mm_log(MM_LOG_INFO, "Done. Acked", MM_JOB(&notice->id), MM_TEXT("host", host),
               MM_INT("attempts", notice->attempts));
        break;
    case MM_VERDICT_NACK:
        mm_log(MM_LOG_INFO, "Nacked", MM_JOB(&notice->id), MM_TEXT("host", host));
        break;
    case MM_VERDICT_DEAD:
        mm_log(MM_LOG_ERROR, "Dead", MM_JOB(&notice->id), MM_TEXT("host", host),
               MM_INT("attempts", notice->attempts), MM_TEXT("error", notice->error));
        break;
    }
}

void notes_log(const gather_action_t *action)
{
    const __typeof__(action->as.note) *note = &action->as.note;
    switch (note->note) {
    case GATHER_NOTE_PULLED:
        mm_log(MM_LOG_INFO, "Pulled", MM_JOB(&note->id), MM_TEXT("host", note->host));
        break;
    case GATHER_NOTE_IN_FLIGHT:
        mm_log(MM_LOG_DEBUG, "Redelivered while in flight", MM_JOB(&note->id),
               MM_TEXT("host", note->host));
        break;
    case GATHER_NOTE_RETRY:
        mm_log(MM_LOG_WARN,
               note->leg == MM_LEG_RESTART ? "Retrying for failure to restart"
                                           : "Retrying for failure to save",
               MM_JOB(&note->id), MM_TEXT("host", note->host), MM_INT("attempt", note->attempt),
               MM_SECONDS("in", note->delay_ms), MM_TEXT("error", note->error));
        break;
    case GATHER_NOTE_WORKER_LOST:
        mm_log(MM_LOG_WARN, "Lost a worker: no heartbeat", MM_STRING("worker", note->worker.text));
        break;
    case GATHER_NOTE_WORKER_LEFT:
        mm_log(MM_LOG_INFO, "A worker has left", MM_STRING("worker", note->worker.text));
        break;
    case GATHER_NOTE_TAKEN_BACK:
        mm_log(MM_LOG_WARN, "Taking back a restart", MM_JOB(&note->id), MM_TEXT("host", note->host),
               MM_INT("attempt", note->attempt), MM_STRING("worker", note->worker.text),
               MM_STRING("why", note->is_lost ? "lost" : "missing"));
        break;
    case GATHER_NOTE_TOO_MANY_DEAD:
        mm_log(MM_LOG_ERROR, "Too many dead hosts (--max-dead): handing out nothing more");
        break;
    }
}
