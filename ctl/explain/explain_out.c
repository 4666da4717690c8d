// See explain_out.h: the text.

#include "explain_out.h"
#include "conclusion.h"
#include "ctl.h"
#include "human_format.h"
#include "recorded.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define TIMES    " %" PRId64 " time%s"
#define S(COUNT) ((COUNT) == 1 ? "" : "s")

static const char *or_unknown(const char *text)
{
    return text ? text : "?";
}

// ---- facts of the databases

static void print_received(FILE *file, const timeline_t *timeline)
{
    const record_t *record = timeline->record;
    const attempt_t *first = timeline->attempts;
    char time[HUMAN_TEXT];
    timeline_print(file, "  received    %s later from %s; delivered" TIMES,
                   human_duration(record->received_ms - timeline->accepted_ms, time),
                   or_unknown(record->publisher), record->deliveries, S(record->deliveries));
    if (record->outcome != MM_OUTCOME_NONE)
        timeline_print(file, ", extended" TIMES, record->extended, S(record->extended));
    if (timeline->nacks > 0)
        timeline_print(file, ", nacked" TIMES, (int64_t)timeline->nacks, S(timeline->nacks));
    if (timeline->epochs > 1)
        timeline_print(file, ", by %zu consumers one after the other", timeline->epochs);
    if (timeline->attempt_count > 0 && first->took_ms >= 0) {
        // The log's clock is some milliseconds behind the record's.
        int64_t after_ms = first->ended_ms - first->took_ms - record->received_ms;
        timeline_print(file, "; the first attempt began after %s",
                       human_duration(after_ms > 0 ? after_ms : 0, time));
    }
    (void)fputc('\n', file);
}

static void print_facts(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    const record_t *record = timeline->record;
    const run_t *run = records_run(explain->records, record->run);
    char stamp[HUMAN_STAMP], time[HUMAN_TEXT];
    (void)fprintf(file, "  job         %s\n", timeline->job);
    if (run) {
        timeline_print(file, "  run         %" PRId64 " of %s (%s), begun %s", run->number,
                       or_unknown(run->input), or_unknown(run->driver),
                       human_stamp(run->started_ms, stamp));
        (void)fputc('\n', file);
    }
    (void)fprintf(file, "  accepted    %s\n", human_stamp(timeline->accepted_ms, stamp));
    if (record->is_recorded)
        print_received(file, timeline);
    if (record->outcome != MM_OUTCOME_NONE)
        (void)fprintf(file, "  settled     as %s%s%s%s, %s, %s after it was accepted%s\n",
                      mm_outcome_name(record->outcome), record->proof ? " (" : "",
                      record->proof ? record->proof : "", record->proof ? ")" : "",
                      human_stamp(record->settled_ms, stamp),
                      human_duration(record->settled_ms - timeline->accepted_ms, time),
                      record->is_pending ? "; the outbox has not deleted it yet" : "");
}

// ---- facts of the logs

static void print_attempt(FILE *file, const attempt_t *attempt, int64_t accepted_ms)
{
    static const char *const results[] = {[ATTEMPT_RESTARTED] = "restarted",
                                          [ATTEMPT_FAILED] = "failed",
                                          [ATTEMPT_LOST] = "lost with its worker, which"};
    bool is_lost = attempt->result == ATTEMPT_LOST;
    char time[HUMAN_TEXT];
    timeline_print(file, "  %2" PRId64 "  %s", attempt->number, attempt->worker);
    if (attempt->pid > 0)
        timeline_print(file, "[%" PRId64 "]", attempt->pid);
    timeline_print(file, "  %s", results[attempt->result]);
    if (is_lost)
        timeline_print(file, " %s", attempt->error ? attempt->error : "was not heard any more");
    else if (attempt->error)
        timeline_print(file, ": %s", attempt->error);
    if (attempt->took_ms >= 0)
        timeline_print(file, "; took %s", human_duration(attempt->took_ms, time));
    if (is_lost)
        timeline_print(file, "; taken back after %s",
                       human_duration(attempt->ended_ms - accepted_ms, time));
    (void)fputc('\n', file);
}

// As in a log.
static void print_value(FILE *file, const char *value)
{
    if (*value && !strpbrk(value, " \"\\=\n\t")) {
        timeline_print(file, "%s", value);
        return;
    }
    char *quoted = malloc(2 * strlen(value) + 1), *out = quoted;
    assert(quoted);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            *out++ = '\\';
        *out++ = *value;
    }
    *out = '\0';
    timeline_print(file, "\"%s\"", quoted);
    free(quoted);
}

static void print_entry(FILE *file, const timeline_entry_t *entry, int64_t accepted_ms)
{
    const logline_t *line = &entry->line;
    char stamp[HUMAN_STAMP], pid[32] = "";
    if (line->pid > 0)
        (void)snprintf(pid, sizeof pid, "[%" PRId64 "]", line->pid);
    int width = 19 - (int)strlen(line->process); // "restarter-2[123456]"
    timeline_print(file, "  %s %+9.3f s  %s%-*s %s", human_stamp(line->wall_ms, stamp),
                   (double)(line->wall_ms - accepted_ms) / 1000, line->process,
                   width > 0 ? width : 0, pid, line->message);
    for (size_t i = 0; i < line->count; i++) {
        const logline_field_t *field = &line->fields[i];
        if (strcmp(field->key, "job") == 0 || strcmp(field->key, "host") == 0)
            continue;
        timeline_print(file, " %s=", field->key);
        print_value(file, field->value);
    }
    if (entry->times > 1)
        timeline_print(file, ", %zu times until %s", entry->times,
                       human_stamp(entry->last_ms, stamp));
    (void)fputc('\n', file);
}

// ---- now, and before

// What a worker has of a job.
static const char *task_of(const json_t *now, const char *leg)
{
    static const char *const meanings[][2] = {{"probe", "the look at its boot before the restart"},
                                              {"look", "the look whether it was restarted"}};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(leg, "restart") == 0 && strcmp(ctl_text(now, "errand"), meanings[i][0]) == 0)
            return meanings[i][1];
    return strcmp(leg, "restart") == 0 ? "the restart" : "the save";
}

// With the group whose limit it is, which has no name when it is the whole run.
static void print_reason(FILE *file, const json_t *now)
{
    const char *group = ctl_text(now, "group");
    timeline_print(file, "  the restart waits: %s", ctl_text(now, "reason"));
    if (json_object_get(now, "group"))
        timeline_print(file, " (%s%s)", *group ? "group " : "the whole run", group);
}

static void print_leg(FILE *file, const json_t *now, const char *leg, const char *worker)
{
    static const char *const meanings[][2] = {
        {"ready", "waits for a free slot"},
        {"withheld", "is left out if its settle comes soon"},
        {"backoff", "has failed, and waits to be tried again"},
        {"beginning", "begins as soon as its attempt is on record"},
        {"begun", "begins: its attempt is on record, and the next free slot gets it"},
        {"saved", "is done"},
        {"ok", "is done"},
        {"exhausted", "has used up its attempts"}};
    const char *state = ctl_text(now, leg), *meaning = NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(state, meanings[i][0]) == 0)
            meaning = meanings[i][1];
    if (strcmp(leg, "restart") == 0 && *ctl_text(now, "reason"))
        print_reason(file, now);
    else if (meaning)
        timeline_print(file, "  %s %s", task_of(now, leg), meaning);
    else
        timeline_print(file, "  %s is at %s", task_of(now, leg),
                       *ctl_text(now, worker) ? ctl_text(now, worker) : "?");
    (void)fputc('\n', file);
}

static void print_now(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    (void)fputs("\nnow:\n", file);
    if (!explain->now) {
        (void)fputs(timeline->record->is_pending
                        ? "  in the outbox, not settled; once stopped, the same command goes on "
                          "with it\n"
                        : "  neither settled nor in the outbox\n",
                    file);
        return;
    }
    int64_t extended = json_integer_value(json_object_get(explain->now, "extended"));
    int64_t attempts = json_integer_value(json_object_get(explain->now, "attempts"));
    print_leg(file, explain->now, "store", "saver");
    print_leg(file, explain->now, "restart", "restarter");
    (void)fprintf(file, "  %" PRId64 " attempt%s; extended" TIMES "\n", attempts, S(attempts),
                  extended, S(extended));
}

static void print_others(FILE *file, const explain_t *explain)
{
    const records_t *records = explain->records;
    (void)fputs("\nother jobs of this host:\n", file);
    for (size_t i = records->count; i-- > 0;) {
        const record_t *record = &records->items[i];
        char stamp[HUMAN_STAMP];
        timeline_t timeline;
        if (record == explain->timeline->record)
            continue;
        timeline_begin(&timeline, record);
        timeline_end(&timeline);
        (void)fprintf(file, "  %s  %s", human_stamp(timeline.accepted_ms, stamp), timeline.job);
        if (record->run > 0)
            (void)fprintf(file, "  run %" PRId64, record->run);
        (void)fputs("  ", file);
        conclusion_print(&timeline, file);
        timeline_clear(&timeline);
        (void)fputc('\n', file);
    }
}

bool explain_out_text(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    timeline_print(file, "%s: ", or_unknown(timeline->host));
    conclusion_print(timeline, file);
    (void)fputs("\n\n", file);
    print_facts(file, explain);
    if (timeline->record->recorded_count > 0)
        (void)fputs("\nattempts on record:\n", file);
    for (size_t i = 0; i < timeline->record->recorded_count; i++)
        recorded_print(file, &timeline->record->recorded[i], timeline->accepted_ms);
    if (timeline->attempt_count > 0)
        (void)fputs(timeline->record->recorded_count > 0 ? "\nattempts in the logs:\n"
                                                         : "\nattempts:\n",
                    file);
    for (size_t i = 0; i < timeline->attempt_count; i++)
        print_attempt(file, &timeline->attempts[i], timeline->accepted_ms);
    (void)fputs("\nstory:\n", file);
    for (size_t i = 0; i < timeline->entries.count; i++)
        print_entry(file, &timeline->entries.items[i], timeline->accepted_ms);
    if (timeline->record->outcome == MM_OUTCOME_NONE)
        print_now(file, explain);
    if (explain->records->count > 1)
        print_others(file, explain);
    return !ferror(file);
}
