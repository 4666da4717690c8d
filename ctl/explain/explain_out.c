// See explain_out.h: the text.

#include "explain_out.h"
#include "host.h"
#include "uuid.h"
#include "uuid_source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROCESS_WIDTH 19 // "restarter-2[123456]"

static void print_stamp(FILE *file, int64_t wall_ms)
{
    struct tm parts;
    time_t second = (time_t)(wall_ms / 1000);
    char stamp[32] = "?";
    if (gmtime_r(&second, &parts))
        (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)fprintf(file, "%s.%03dZ", stamp, (int)(wall_ms % 1000));
}

// "after 4 ms" of one moment to another.
static void print_later(FILE *file, const char *before, int64_t from_ms, int64_t to_ms)
{
    (void)fputs(before, file);
    timeline_print_time(file, to_ms - from_ms);
}

// ---- what the databases say

static void print_run(FILE *file, const explain_t *explain)
{
    const run_t *run = records_run(explain->records, explain->timeline->record->run);
    if (!run)
        return;
    (void)fprintf(file, "  run         %" PRId64 " of ", run->number);
    timeline_print_text(file, run->input ? run->input : "?");
    (void)fputs(" (", file);
    timeline_print_text(file, run->driver ? run->driver : "?");
    (void)fputs("), begun ", file);
    print_stamp(file, run->started_ms);
    (void)fputc('\n', file);
}

static void print_times(FILE *file, int64_t count)
{
    (void)fprintf(file, " %" PRId64 " time%s", count, count == 1 ? "" : "s");
}

// Not before the job was received: the log's clock is some milliseconds behind.
static int64_t began_ms(const attempt_t *attempt, int64_t received_ms)
{
    int64_t ms = attempt->ended_ms - attempt->took_ms;
    return ms > received_ms ? ms : received_ms;
}

static void print_received(FILE *file, const timeline_t *timeline)
{
    const record_t *record = timeline->record;
    (void)fputs("  received    ", file);
    timeline_print_time(file, record->received_ms - timeline_accepted_ms(timeline));
    (void)fputs(" later from ", file);
    timeline_print_text(file, record->publisher ? record->publisher : "?");
    (void)fputs("; delivered", file);
    print_times(file, record->deliveries);
    if (record->outcome != MM_OUTCOME_NONE) {
        (void)fputs(", extended", file);
        print_times(file, record->extended);
    }
    if (timeline->nacks > 0) {
        (void)fputs(", nacked", file);
        print_times(file, (int64_t)timeline->nacks);
    }
    if (timeline->epochs > 1)
        (void)fprintf(file, ", by %zu consumers one after the other", timeline->epochs);
    if (timeline->attempt_count > 0 && timeline->attempts[0].took_ms >= 0)
        print_later(file, "; the first attempt began after ", record->received_ms,
                    began_ms(&timeline->attempts[0], record->received_ms));
    (void)fputc('\n', file);
}

static void print_facts(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    const record_t *record = timeline->record;
    char id[MM_ID_TEXT];
    (void)fprintf(file, "  job         %s\n", mm_id_print(&record->id, id));
    print_run(file, explain);
    (void)fputs("  accepted    ", file);
    print_stamp(file, timeline_accepted_ms(timeline));
    (void)fputc('\n', file);
    if (record->is_recorded)
        print_received(file, timeline);
    if (record->outcome != MM_OUTCOME_NONE) {
        (void)fprintf(file, "  settled     as %s, ", mm_outcome_name(record->outcome));
        print_stamp(file, record->settled_ms);
        print_later(file, ", ", timeline_accepted_ms(timeline), record->settled_ms);
        (void)fprintf(file, " after it was accepted%s\n",
                      record->is_pending ? "; the outbox has not deleted it yet" : "");
    }
}

// ---- what the logs say

static void print_after(FILE *file, const char *before, const char *text)
{
    (void)fputs(before, file);
    timeline_print_text(file, text);
}

static void print_attempts(FILE *file, const timeline_t *timeline)
{
    if (timeline->attempt_count == 0)
        return;
    (void)fputs("\nattempts:\n", file);
    for (size_t i = 0; i < timeline->attempt_count; i++) {
        const attempt_t *attempt = &timeline->attempts[i];
        (void)fprintf(file, "  %2" PRId64 "  ", attempt->number);
        timeline_print_text(file, attempt->worker);
        if (attempt->pid > 0)
            (void)fprintf(file, "[%" PRId64 "]", attempt->pid);
        switch (attempt->result) {
        case ATTEMPT_RESTARTED: (void)fputs("  restarted", file); break;
        case ATTEMPT_FAILED: (void)fputs("  failed", file); break;
        case ATTEMPT_LOST: (void)fputs("  lost with its worker, which", file); break;
        }
        if (attempt->result == ATTEMPT_LOST)
            print_after(file, " ", attempt->error ? attempt->error : "was not heard any more");
        else if (attempt->error)
            print_after(file, ": ", attempt->error);
        if (attempt->took_ms >= 0)
            print_later(file, "; took ", 0, attempt->took_ms);
        if (attempt->result == ATTEMPT_LOST)
            print_later(file, "; taken back after ", timeline_accepted_ms(timeline),
                        attempt->ended_ms);
        (void)fputc('\n', file);
    }
}

// As a log would write it.
static void print_value(FILE *file, const char *value)
{
    bool is_plain = *value && !strpbrk(value, " \"\\=\n\t");
    if (!is_plain)
        (void)fputc('"', file);
    while (*value) {
        size_t size = strcspn(value, "\"\\");
        char *part = strndup(value, size);
        assert(part);
        timeline_print_text(file, part);
        free(part);
        value += size;
        if (*value)
            (void)fprintf(file, "\\%c", *value++);
    }
    if (!is_plain)
        (void)fputc('"', file);
}

static void print_entry(FILE *file, const timeline_entry_t *entry, int64_t accepted_ms)
{
    const logline_t *line = &entry->line;
    char process[MM_NAME_MAX + 16];
    (void)snprintf(process, sizeof process, line->pid > 0 ? "%s[%" PRId64 "]" : "%s", line->process,
                   line->pid);
    int64_t since_ms = line->wall_ms - accepted_ms;
    (void)fputs("  ", file);
    print_stamp(file, line->wall_ms);
    (void)fprintf(file, " %+9.3f s", (double)since_ms / 1000);
    print_after(file, "  ", process);
    for (size_t i = strlen(process); i < PROCESS_WIDTH; i++)
        (void)fputc(' ', file);
    print_after(file, " ", line->message);
    for (size_t i = 0; i < line->count; i++) {
        if (strcmp(line->fields[i].key, "job") == 0 || strcmp(line->fields[i].key, "host") == 0)
            continue;
        print_after(file, " ", line->fields[i].key);
        (void)fputc('=', file);
        print_value(file, line->fields[i].value);
    }
    if (entry->times > 1) {
        (void)fprintf(file, ", %zu times until ", entry->times);
        print_stamp(file, entry->last_ms);
    }
    (void)fputc('\n', file);
}

static void print_entries(FILE *file, const timeline_t *timeline)
{
    (void)fputs("\nstory:\n", file);
    for (size_t i = 0; i < timeline->count; i++)
        print_entry(file, &timeline->entries[i], timeline_accepted_ms(timeline));
}

// ---- now, and before

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "?";
}

// What a state of a leg means; NULL: it is at a worker.
static const char *meaning_of(const char *state)
{
    static const struct {
        const char *state, *meaning;
    } meanings[] = {{"ready", "waits for a free slot"},
                    {"backoff", "has failed, and waits to be tried again"},
                    {"saved", "is done"},
                    {"ok", "is done"},
                    {"used up", "has used up its attempts"}};
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(state, meanings[i].state) == 0)
            return meanings[i].meaning;
    return NULL;
}

static void print_leg(FILE *file, const json_t *now, const char *name, const char *leg,
                      const char *worker)
{
    const char *meaning = meaning_of(text_in(now, leg));
    bool is_waiting = strcmp(leg, "restart") == 0 && json_object_get(now, "reason");
    (void)fprintf(file, "  the %s ", name);
    if (is_waiting)
        print_after(file, "waits: ", text_in(now, "reason"));
    else if (meaning)
        (void)fputs(meaning, file);
    else
        print_after(file, "is at ", text_in(now, worker));
    (void)fputc('\n', file);
}

// Of a job that is under way: where it is at this moment.
static void print_now(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    if (timeline->record->outcome != MM_OUTCOME_NONE)
        return;
    (void)fputs("\nnow:\n", file);
    if (explain->now) {
        print_leg(file, explain->now, "save", "store", "saver");
        print_leg(file, explain->now, "restart", "restart", "restarter");
        (void)fprintf(file, "  %" JSON_INTEGER_FORMAT " attempts; extended",
                      json_integer_value(json_object_get(explain->now, "attempts")));
        print_times(file, json_integer_value(json_object_get(explain->now, "extended")));
        (void)fputc('\n', file);
        return;
    }
    (void)fprintf(file, "  %s\n",
                  timeline->record->is_pending
                      ? "in the outbox, not settled; once stopped, the same command goes on with it"
                      : "neither settled nor in the outbox");
}

static void print_others(FILE *file, const explain_t *explain)
{
    const records_t *records = explain->records;
    if (records->count < 2)
        return;
    (void)fputs("\nother jobs of this host:\n", file);
    for (size_t i = records->count; i-- > 0;) {
        const record_t *record = &records->items[i];
        char id[MM_ID_TEXT];
        if (record == explain->timeline->record)
            continue;
        (void)fputs("  ", file);
        print_stamp(file, mm_id_wall_ms(&record->id));
        (void)fprintf(file, "  %s", mm_id_print(&record->id, id));
        if (record->run > 0)
            (void)fprintf(file, "  run %" PRId64, record->run);
        (void)fputs("  ", file);
        timeline_t timeline;
        timeline_begin(&timeline, record);
        timeline_end(&timeline);
        timeline_conclude(&timeline, file);
        timeline_clear(&timeline);
        (void)fputc('\n', file);
    }
}

void explain_out_text(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    timeline_print_text(file, timeline->host ? timeline->host : "?");
    (void)fputs(": ", file);
    timeline_conclude(timeline, file);
    (void)fputs("\n\n", file);
    print_facts(file, explain);
    print_attempts(file, timeline);
    print_entries(file, timeline);
    print_now(file, explain);
    print_others(file, explain);
}
