// See gather_trace.h.

#include "gather_trace.h"
#include "job.h"
#include "trace.h"
#include "uuid.h"

#include <inttypes.h>
#include <string.h>

static const char *status_name(mm_status_t status)
{
    return status == MM_STATUS_OK ? "ok" : status == MM_STATUS_FAILED ? "failed" : "returned";
}

static void print_task(FILE *file, const mm_id_t *id, uint64_t number)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, " %s#%" PRIu64, mm_id_print(id, text), number);
}

// at_once is left out without a limit: so traces are what they were before there was one.
void gather_trace_config(FILE *file, const gather_config_t *config)
{
    (void)fputs("config", file);
#define FIELD(type, member, key, low, high)                                                        \
    if (config->member > 0 || strcmp(key, "at_once") != 0)                                         \
        (void)fprintf(file, " %s=%" PRIu64, key, (uint64_t)config->member);
#include "gather_config.def"
    (void)putc('\n', file);
}

// serial:job#number:leg:status:outcome:error, as a hello or heartbeat lists it.
static void print_listed_result(FILE *file, const mm_result_t *result)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, " result=%" PRIu64 ":%s#%" PRIu64 ":%s:%s:%s", result->serial,
                  mm_id_print(&result->id, text), result->number, mm_leg_name(result->leg),
                  status_name(result->status), mm_outcome_name(result->outcome));
    if (result->error.size > 0) {
        (void)putc(':', file);
        mm_trace_print(file, result->error);
    }
}

static void print_report(FILE *file, const mm_report_t *report)
{
    (void)fprintf(file, "%s %.*s", report->is_hello ? "hello" : "heartbeat",
                  (int)report->worker.size, report->worker.data);
    (void)fprintf(file,
                  " role=%s nonce=%" PRIu64 " session=%" PRIu64 " sequence=%" PRIu64
                  " stamp=%" PRId64 " slots=%" PRIu32 " last=%" PRIu64,
                  mm_role_name(report->role), report->instance, report->session, report->sequence,
                  report->stamp_ms, report->slots, report->last_serial);
    if (report->parts != 1)
        (void)fprintf(file, " part=%" PRIu32 " parts=%" PRIu32, report->part, report->parts);
    for (size_t i = 0; i < report->held_count; i++) {
        char text[MM_ID_TEXT];
        const mm_assignment_t *held = &report->held[i];
        (void)fprintf(file, " held=%s#%" PRIu64 ":%s:%.*s", mm_id_print(&held->id, text),
                      held->number, mm_leg_name(held->leg), (int)held->host.size,
                      held->host.size ? held->host.data : "");
    }
    for (size_t i = 0; i < report->result_count; i++)
        print_listed_result(file, &report->results[i]);
}

static void print_job(FILE *file, const gather_event_t *event)
{
    char text[MM_ID_TEXT];
    const mm_job_t *job = &event->as.job.job;
    (void)fprintf(file, "job %s", mm_id_print(&job->id, text));
    mm_trace_print_text(file, "host", job->host);
    (void)fprintf(file, " delivery=%" PRIu32, job->delivery);
    mm_trace_print_text(file, "publisher", event->as.job.publisher);
    (void)fprintf(file, " life=%" PRIu64, event->as.job.epoch);
    mm_trace_print_attributes(file, job->attributes);
}

static void print_from(FILE *file, const char *kind, const gather_event_t *event)
{
    (void)fprintf(file, "%s %.*s", kind, (int)event->as.from.worker.size,
                  event->as.from.worker.data);
}

static void print_process(FILE *file, const gather_event_t *event)
{
    (void)fprintf(file, " nonce=%" PRIu64 " session=%" PRIu64, event->as.from.instance,
                  event->as.from.session);
}

static void print_result(FILE *file, const gather_event_t *event)
{
    const mm_result_t *result = event->as.from.result;
    print_from(file, "result", event);
    print_task(file, &result->id, result->number);
    (void)fprintf(file, " %s %s", mm_leg_name(result->leg), status_name(result->status));
    if (result->outcome != MM_OUTCOME_NONE)
        (void)fprintf(file, " outcome=%s", mm_outcome_name(result->outcome));
    mm_trace_print_text(file, "error", result->error);
    (void)fprintf(file, " serial=%" PRIu64, result->serial);
    print_process(file, event);
}

void gather_trace_event(FILE *file, const gather_event_t *event)
{
    switch (event->kind) {
    case GATHER_JOB: print_job(file, event); break;
    case GATHER_ASK: (void)fputs("ask", file); break;
    case GATHER_REPORT: print_report(file, event->as.report); break;
    case GATHER_STARTED:
        print_from(file, "started", event);
        (void)fprintf(file, " %" PRIu64, event->as.from.number); // a # would begin a comment
        print_process(file, event);
        break;
    case GATHER_RESULT: print_result(file, event); break;
    case GATHER_BYE:
        print_from(file, "bye", event);
        print_process(file, event);
        (void)fprintf(file, " last=%" PRIu64, event->as.from.last_serial);
        break;
    case GATHER_TIME:
        (void)fputs(event->as.time.inbox_empty ? "time" : "time inbox=unread", file);
        break;
    case GATHER_DRAIN: (void)fputs("drain", file); break;
    }
}

static void print_verdict(FILE *file, const mm_verdict_t *verdict)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, "%s %s", mm_verdict_name(verdict->kind), mm_id_print(&verdict->id, text));
    if (verdict->kind == MM_VERDICT_NACK)
        (void)fprintf(file, " delay=%" PRId64, verdict->delay_ms);
    mm_trace_print_text(file, "error", verdict->error);
}

static void print_task_action(FILE *file, const gather_action_t *action)
{
    const mm_task_t *task = &action->as.task.task;
    (void)fputs(mm_leg_name(task->leg), file);
    print_task(file, &task->id, task->number);
    if (task->leg == MM_LEG_RESTART)
        (void)fprintf(file, " attempt=%" PRIu32, task->attempt);
    mm_trace_print_attributes(file, task->attributes);
    if (task->leg == MM_LEG_SETTLE)
        (void)fprintf(file, " %s attempts=%" PRIu32, mm_outcome_name(task->outcome),
                      task->attempts);
    mm_trace_print_text(file, "error", task->error);
    (void)fprintf(file, " worker=%s", action->as.task.worker);
}

static void print_answer(FILE *file, const char *kind, const gather_action_t *action)
{
    (void)fprintf(file, "%s %s", kind, action->as.answer.worker.text);
    if (action->as.answer.session != 0)
        (void)fprintf(file, " session=%" PRIu64, action->as.answer.session);
}

bool gather_trace_action(FILE *file, const gather_action_t *action)
{
    switch (action->kind) {
    case GATHER_VERDICT: print_verdict(file, &action->as.verdict.verdict); return true;
    case GATHER_TASK: print_task_action(file, action); return true;
    case GATHER_OPEN: print_answer(file, "open", action); return true;
    case GATHER_CLOSE: print_answer(file, "close", action); return true;
    case GATHER_WELCOME: print_answer(file, "welcome", action); return true;
    case GATHER_REFUSED: print_answer(file, "refused", action); return true;
    case GATHER_REJOIN: print_answer(file, "rejoin", action); return true;
    case GATHER_LAST: print_answer(file, "last", action); return true;
    case GATHER_BEAT: (void)fputs("beat", file); return true;
    case GATHER_LOG: return false;
    case GATHER_LEAVE: (void)fputs("leave", file); return true;
    }
    return false;
}

void gather_trace_step(FILE *file, int64_t start_ms, const gather_event_t *event,
                       const gather_actions_t *actions)
{
    (void)fprintf(file, "[%6" PRId64 "] ", event->now_ms - start_ms);
    gather_trace_event(file, event);
    (void)fputs(" ->", file);
    const char *separator = " ";
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].kind == GATHER_LOG)
            continue;
        (void)fputs(separator, file);
        (void)gather_trace_action(file, &actions->items[i]);
        separator = "; ";
    }
    (void)putc('\n', file);
}
