// See gather_trace.h.

#include "gather_trace.h"
#include "gate_trace.h"
#include "job.h"
#include "trace.h"
#include "uuid.h"

#include <inttypes.h>
#include <string.h>

static const char *status_name(mm_status_t status)
{
    static const char *const names[] = {[MM_STATUS_OK] = "ok",
                                        [MM_STATUS_FAILED] = "failed",
                                        [MM_STATUS_RETURNED] = "returned",
                                        [MM_STATUS_OPEN] = "open"};
    return names[status];
}

static void print_task(FILE *file, const mm_id_t *id, uint64_t number)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, " %s#%" PRIu64, mm_id_print(id, text), number);
}

// What is 0 has its default in the reader, too. These are left out then, so that traces are what
// they were before there was a limit at once, or a real restart.
static bool is_left_out(const char *key)
{
    static const char *const keys[] = {"at_once",   "attempt",   "control_1",
                                       "control_2", "control_3", "starts_end"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

void gather_trace_config(FILE *file, const gather_config_t *config)
{
    (void)fputs("config", file);
#define FIELD(type, member, key, low, high)                                                        \
    if (config->member > 0 || !is_left_out(key))                                                   \
        (void)fprintf(file, " %s=%" PRIu64, key, (uint64_t)config->member);
#include "gather_config.def"
    (void)putc('\n', file);
}

// The words that real restarts add; each is left out when it has no value.

static void print_number(FILE *file, const char *key, uint64_t value)
{
    if (value > 0)
        (void)fprintf(file, " %s=%" PRIu64, key, value);
}

static void print_id(FILE *file, const char *key, const mm_id_t *id)
{
    char text[MM_ID_TEXT];
    if (!mm_id_is_none(id))
        (void)fprintf(file, " %s=%s", key, mm_id_print(id, text));
}

static void print_end(FILE *file, mm_end_t end, uint32_t exit)
{
    if (end != MM_END_NONE)
        (void)fprintf(file, " end=%s", mm_end_name(end));
    if (exit != MM_EXIT_NONE)
        (void)fprintf(file, " exit=%" PRIu32, exit);
}

static void print_proof(FILE *file, mm_proof_t proof)
{
    if (proof != MM_PROOF_NONE)
        (void)fprintf(file, " proof=%s", mm_proof_name(proof));
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
    mm_trace_print_text(file, "driver", report->driver);
    print_number(file, "verbs", report->verbs);
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
    if (job->withdrawn)
        (void)fputs(" withdrawn=yes", file);
    mm_trace_print_text(file, "publisher", event->as.job.publisher);
    (void)fprintf(file, " life=%" PRIu64, event->as.job.epoch);
    mm_trace_print_text(file, "driver", event->as.job.driver);
    print_number(file, "dead", event->as.job.dead);
    print_number(file, "run", event->as.job.run);
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

// What a restarter found, or what the record has.
static void print_found(FILE *file, const mm_real_t *real)
{
    print_number(file, "pause", (uint64_t)real->pause_ms);
    print_number(file, "held", real->is_held);
    if (real->row != MM_ROW_NONE)
        (void)fprintf(file, " row=%s attempt=%" PRIu32, mm_row_name(real->row), real->attempt);
    if (real->row != MM_ROW_NONE || real->end != MM_END_NONE)
        print_end(file, real->end, real->exit);
    print_proof(file, real->proof);
    print_number(file, "command", real->command);
    print_id(file, "machine", &real->machine);
    print_id(file, "boot", &real->boot);
    print_id(file, "after", &real->boot_after);
    print_id(file, "control", &real->control);
    print_number(file, "first", (uint64_t)real->first_ms);
    print_number(file, "deadline", (uint64_t)real->deadline_ms);
    print_number(file, "age", (uint64_t)real->age_ms);
    print_number(file, "ended", real->ended);
    print_number(file, "interrupted", real->interrupted);
    print_number(file, "sent", real->sent);
    print_number(file, "more", real->more);
    print_number(file, "seq", real->seq);
    print_number(file, "owes", real->owes);
    mm_trace_print_text(file, "by", real->worker);
    mm_trace_print_text(file, "words", real->words);
    mm_trace_print_text(file, "health", real->health);
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
    if (result->real)
        print_found(file, result->real);
    (void)fprintf(file, " serial=%" PRIu64, result->serial);
    print_process(file, event);
}

void gather_trace_event(FILE *file, const gather_event_t *event)
{
    switch (event->kind) {
    case GATHER_JOB: print_job(file, event); break;
    case GATHER_ASK:
        (void)fputs("ask", file);
        mm_trace_print_text(file, "publisher", event->as.job.publisher);
        print_number(file, "life", event->as.job.epoch);
        print_number(file, "dead", event->as.job.dead);
        gate_trace_ask(file, event);
        break;
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
    case GATHER_REVOKED:
        (void)fprintf(file, "revoked %.*s role=%s", (int)event->as.revoked.worker.size,
                      event->as.revoked.worker.data, mm_role_name(event->as.revoked.role));
        break;
    case GATHER_CUT: (void)fprintf(file, "cut session=%" PRIu64, event->as.cut.session); break;
    case GATHER_REBOUND: (void)fputs("rebound", file); break;
    case GATHER_TIME:
        (void)fputs(event->as.time.inbox_empty ? "time" : "time inbox=unread", file);
        break;
    case GATHER_DRAIN: (void)fputs("drain", file); break;
    case GATHER_STATE:
    case GATHER_RECORDED:
    case GATHER_ORDER:
    case GATHER_GUARD:
    case GATHER_TRUST:
    case GATHER_BESIDE:
    case GATHER_CLOCK: gate_trace_event(file, event); break;
    }
}

static void print_verdict(FILE *file, const mm_verdict_t *verdict)
{
    char text[MM_ID_TEXT];
    (void)fprintf(file, "%s %s", mm_verdict_name(verdict->kind), mm_id_print(&verdict->id, text));
    if (verdict->kind == MM_VERDICT_NACK)
        (void)fprintf(file, " delay=%" PRId64, verdict->delay_ms);
    if (verdict->kind == MM_VERDICT_EXTEND)
        print_number(file, "lease", (uint64_t)verdict->lease_ms);
    mm_trace_print_text(file, "error", verdict->error);
}

// A real restart.
static void print_command(FILE *file, mm_leg_t leg, const mm_real_t *real)
{
    if (leg == MM_LEG_RESTART)
        (void)fprintf(file, " command=%" PRIu32, real->command);
    print_id(file, "boot", &real->boot);
    (void)fprintf(file, " left=%" PRId64, real->left_ms);
    print_number(file, "age", (uint64_t)real->age_ms);
    print_number(file, "start", (uint64_t)real->start_ms);
    print_number(file, "owes", real->owes);
    print_number(file, "owed", real->owed);
    mm_trace_print_text(file, "health", real->health);
}

static void print_row(FILE *file, const mm_real_t *real)
{
    if (real->row != MM_ROW_NONE)
        (void)fprintf(file, " row=%s attempt=%" PRIu32, mm_row_name(real->row), real->attempt);
    print_number(file, "run", real->run);
    print_number(file, "casualty", real->is_casualty);
    print_number(file, "command", real->command);
    print_id(file, "boot", &real->boot);
    print_id(file, "after", &real->boot_after);
    print_end(file, real->end, real->exit);
    print_proof(file, real->proof);
    print_number(file, "first", (uint64_t)real->first_ms);
    print_number(file, "deadline", (uint64_t)real->deadline_ms);
    print_number(file, "owes", real->owes);
    mm_trace_print_text(file, "debt", real->attributes);
    mm_trace_print_text(file, "by", real->worker);
    mm_trace_print_text(file, "words", real->words);
    mm_trace_print_text(file, "health", real->health);
}

static void print_task_action(FILE *file, const gather_action_t *action)
{
    const mm_task_t *task = &action->as.task.task;
    (void)fputs(mm_leg_name(task->leg), file);
    print_task(file, &task->id, task->number);
    if (mm_leg_is_restarters(task->leg))
        (void)fprintf(file, " attempt=%" PRIu32, task->attempt);
    if (task->real && mm_leg_is_restarters(task->leg))
        print_command(file, task->leg, task->real);
    mm_trace_print_attributes(file, task->attributes);
    if (task->leg == MM_LEG_SETTLE)
        (void)fprintf(file, " %s attempts=%" PRIu32, mm_outcome_name(task->outcome),
                      task->attempts);
    mm_trace_print_text(file, "error", task->error);
    if (task->real && !mm_leg_is_restarters(task->leg))
        print_row(file, task->real);
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
    case GATHER_NEWS:
    case GATHER_LOG: return false;
    case GATHER_LEAVE: (void)fputs("leave", file); return true;
    case GATHER_ORDERS:
    case GATHER_ANSWER:
    case GATHER_ASK_GUARD: gate_trace_action(file, action); return true;
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
        if (actions->items[i].kind == GATHER_LOG || actions->items[i].kind == GATHER_NEWS)
            continue;
        (void)fputs(separator, file);
        (void)gather_trace_action(file, &actions->items[i]);
        separator = "; ";
    }
    (void)putc('\n', file);
}
