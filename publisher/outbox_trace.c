// See outbox_trace.h.

#include "outbox_trace.h"
#include "trace.h"
#include "uuid.h"

#include <inttypes.h>

void outbox_trace_config(FILE *file, const outbox_config_t *config)
{
    (void)fprintf(file,
                  "config window=%" PRIu32 " ack_deadline=%" PRId64 " heartbeat=%" PRId64
                  " drain=%" PRId64 " seed=%" PRIu64,
                  config->window, config->ack_deadline_ms, config->heartbeat_ms, config->drain_ms,
                  config->seed);
    if (config->starts_end_ms > 0)
        (void)fprintf(file, " starts_end=%" PRId64, config->starts_end_ms);
    (void)putc('\n', file);
}

static void print_verdict(FILE *file, const outbox_event_t *event)
{
    char id[MM_ID_TEXT];
    const mm_verdict_t *what = &event->as.verdict.what;
    (void)fprintf(file, "%s %s life=%" PRIu64, mm_verdict_name(what->kind),
                  mm_id_print(&what->id, id), event->as.verdict.epoch);
    if (what->kind == MM_VERDICT_NACK)
        (void)fprintf(file, " delay=%" PRId64, what->delay_ms);
    if (what->kind == MM_VERDICT_EXTEND && what->lease_ms > 0)
        (void)fprintf(file, " lease=%" PRId64, what->lease_ms);
    if (what->attempts > 0)
        (void)fprintf(file, " attempts=%" PRIu32, what->attempts);
    mm_trace_print_text(file, "error", what->error);
}

static void trace_event(FILE *file, const outbox_event_t *event)
{
    char id[MM_ID_TEXT];
    switch (event->kind) {
    case OUTBOX_JOB:
        (void)fprintf(file, "job %s", mm_id_print(&event->as.job.id, id));
        mm_trace_print_text(file, "host", event->as.job.host);
        if (event->as.job.maybe_sent)
            (void)fputs(" sent=maybe", file);
        if (event->as.job.withdrawn)
            (void)fputs(" withdrawn=yes", file);
        mm_trace_print_attributes(file, event->as.job.attributes);
        break;
    case OUTBOX_VERDICT: print_verdict(file, event); break;
    case OUTBOX_BEAT:
        (void)fprintf(file, "beat life=%" PRIu64 "%s", event->as.beat.epoch,
                      event->as.beat.draining ? " draining=yes" : "");
        break;
    case OUTBOX_LEAVING: (void)fprintf(file, "leaving life=%" PRIu64, event->as.beat.epoch); break;
    case OUTBOX_TIME:
        (void)fputs(event->as.time.events_empty ? "time" : "time events=unread", file);
        break;
    case OUTBOX_DRAIN: (void)fputs("drain", file); break;
    }
}

bool outbox_trace_action(FILE *file, const outbox_action_t *action)
{
    char id[MM_ID_TEXT];
    switch (action->kind) {
    case OUTBOX_DELIVER:
        (void)fprintf(file, "deliver %s delivery=%" PRIu32, mm_id_print(&action->id, id),
                      action->delivery);
        if (action->withdrawn)
            (void)fputs(" withdrawn=yes", file);
        mm_trace_print_attributes(file, action->attributes);
        return true;
    case OUTBOX_SETTLED:
        (void)fprintf(file, "settled %s %s", mm_id_print(&action->id, id),
                      mm_outcome_name(action->outcome));
        mm_trace_print_text(file, "error", action->error);
        return true;
    case OUTBOX_ASK: (void)fputs("ask", file); return true;
    case OUTBOX_LOG: return false;
    case OUTBOX_LEAVE: (void)fputs("leave", file); return true;
    }
    return false;
}

void outbox_trace_step(FILE *file, int64_t start_ms, const outbox_event_t *event,
                       const outbox_actions_t *actions)
{
    (void)fprintf(file, "[%6" PRId64 "] ", event->now_ms - start_ms);
    trace_event(file, event);
    (void)fputs(" ->", file);
    const char *separator = " ";
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == OUTBOX_LOG)
            continue;
        (void)fputs(separator, file);
        (void)outbox_trace_action(file, &actions->items[i]);
        separator = "; ";
    }
    (void)putc('\n', file);
}
