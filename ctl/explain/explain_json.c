// See explain_out.h: the JSON.

#include "conclusion.h"
#include "ctl.h"
#include "explain_out.h"

#include <assert.h>
#include <stdlib.h>

// Errors of commands may hold any bytes.
static json_t *text(const char *string)
{
    json_t *value = string ? json_string(string) : json_null();
    return value ? value : json_string("(not UTF-8)");
}

// 0 and less: not known.
static json_t *known(int64_t number)
{
    return number > 0 ? json_integer(number) : json_null();
}

static json_t *conclusion_of(const timeline_t *timeline)
{
    char *sentence = NULL;
    size_t size;
    FILE *file = open_memstream(&sentence, &size);
    assert(file);
    conclusion_print(timeline, file);
    (void)fclose(file);
    json_t *value = text(sentence);
    free(sentence);
    return value;
}

static json_t *recorded_of(const record_t *record)
{
    json_t *array = json_array();
    for (size_t i = 0; i < record->recorded_count; i++) {
        const recorded_t *recorded = &record->recorded[i];
        json_array_append_new(
            array,
            json_pack(
                "{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                "attempt", (json_int_t)recorded->number,    //
                "state", text(recorded->state),             //
                "worker", text(recorded->worker),           //
                "began_ms", known(recorded->began_ms),      //
                "ended_ms", known(recorded->ended_ms),      //
                "machine_id", text(recorded->machine_id),   //
                "boot_before", text(recorded->boot_before), //
                "boot_after", text(recorded->boot_after),   //
                "exit", recorded->exit < 0 ? json_null() : json_integer(recorded->exit), "outcome",
                text(recorded->outcome),                    //
                "error", text(recorded->error),             //
                "proof", text(recorded->proof),             //
                "command", known(recorded->command),        //
                "command_end", text(recorded->command_end), //
                "health", text(recorded->health),           //
                "owes", json_boolean(recorded->owes)));
    }
    return array;
}

static json_t *job_of(const records_t *records, const timeline_t *timeline)
{
    const record_t *record = timeline->record;
    const run_t *run = records_run(records, record->run);
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:I, s:I, s:I, s:o, "
        "s:o}",
        "job",
        timeline->job,                                    //
        "conclusion", conclusion_of(timeline),            //
        "run", known(record->run),                        //
        "input", text(run ? run->input : NULL),           //
        "driver", text(run ? run->driver : NULL),         //
        "accepted_ms", (json_int_t)timeline->accepted_ms, //
        "received_ms", known(record->received_ms),        //
        "settled_ms", known(record->settled_ms),          //
        "outcome",
        text(record->outcome == MM_OUTCOME_NONE ? NULL : mm_outcome_name(record->outcome)), "proof",
        text(record->proof),                          //
        "recorded", recorded_of(record),              //
        "pending", record->is_pending,                //
        "publisher", text(record->publisher),         //
        "attempts", (json_int_t)record->attempts,     //
        "deliveries", (json_int_t)record->deliveries, //
        "extended", (json_int_t)record->extended,     //
        "worker", text(record->worker),               //
        "error", text(record->error));
}

static json_t *attempts_of(const timeline_t *timeline)
{
    static const char *const results[] = {
        [ATTEMPT_RESTARTED] = "restarted", [ATTEMPT_FAILED] = "failed", [ATTEMPT_LOST] = "lost"};
    json_t *array = json_array();
    for (size_t i = 0; i < timeline->attempt_count; i++) {
        const attempt_t *attempt = &timeline->attempts[i];
        json_array_append_new(
            array,
            json_pack("{s:o, s:o, s:o, s:s, s:o, s:I, s:o}", "attempt", known(attempt->number),
                      "worker", text(attempt->worker), "pid", known(attempt->pid), "result",
                      results[attempt->result], "error", text(attempt->error), "ended_ms",
                      (json_int_t)attempt->ended_ms, "took_ms",
                      attempt->took_ms < 0 ? json_null() : json_integer(attempt->took_ms)));
    }
    return array;
}

static json_t *story_of(const timeline_t *timeline)
{
    json_t *array = json_array();
    for (size_t i = 0; i < timeline->entries.count; i++) {
        const timeline_entry_t *entry = &timeline->entries.items[i];
        const logline_t *line = &entry->line;
        json_t *fields = json_object();
        for (size_t k = 0; k < line->count; k++)
            json_object_set_new(fields, line->fields[k].key, text(line->fields[k].value));
        json_array_append_new(array, json_pack("{s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
                                               "first_ms", (json_int_t)line->wall_ms, "last_ms",
                                               (json_int_t)entry->last_ms, "times",
                                               (json_int_t)entry->times, "process",
                                               text(line->process), "pid", known(line->pid),
                                               "level", text(*line->level ? line->level : NULL),
                                               "message", text(line->message), "fields", fields));
    }
    return array;
}

static json_t *others_of(const explain_t *explain)
{
    json_t *array = json_array();
    for (size_t i = explain->records->count; i-- > 0;) {
        timeline_t timeline;
        if (&explain->records->items[i] == explain->timeline->record)
            continue;
        timeline_begin(&timeline, &explain->records->items[i]);
        timeline_end(&timeline);
        json_array_append_new(array, job_of(explain->records, &timeline));
        timeline_clear(&timeline);
    }
    return array;
}

bool explain_out_json(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    json_t *job = job_of(explain->records, timeline), *now = json_deep_copy(explain->now);
    json_t *object = json_pack("{s:s, s:i, s:o}", "mayhem", "explain", "version", 1, "host",
                               text(timeline->host));
    (void)json_object_update(object, job);
    json_decref(job);
    json_object_set_new(object, "nacks", json_integer((json_int_t)timeline->nacks));
    json_object_set_new(object, "tries", attempts_of(timeline));
    json_object_set_new(object, "story", story_of(timeline));
    json_object_set_new(object, "now", now ? now : json_null());
    json_object_set_new(object, "others", others_of(explain));
    return ctl_write_json(file, object, JSON_INDENT(1));
}
