// See explain_out.h: the JSON.

#include "explain_out.h"
#include "uuid.h"
#include "uuid_source.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

static void set(json_t *object, const char *key, json_t *value)
{
    int rc = json_object_set_new(object, key, value);
    assert(rc == 0);
}

static void add(json_t *array, json_t *value)
{
    int rc = json_array_append_new(array, value);
    assert(rc == 0);
}

// Errors of commands may be any bytes.
static json_t *text(const char *string)
{
    if (!string)
        return json_null();
    json_t *value = json_string(string);
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
    timeline_conclude(timeline, file);
    (void)fclose(file);
    json_t *value = text(sentence);
    free(sentence);
    return value;
}

static json_t *job_of(const records_t *records, const timeline_t *timeline)
{
    const record_t *record = timeline->record;
    const run_t *run = records_run(records, record->run);
    char id[MM_ID_TEXT];
    json_t *job = json_object();
    set(job, "job", json_string(mm_id_print(&record->id, id)));
    set(job, "conclusion", conclusion_of(timeline));
    set(job, "run", known(record->run));
    set(job, "input", text(run ? run->input : NULL));
    set(job, "driver", text(run ? run->driver : NULL));
    set(job, "accepted_ms", json_integer(timeline_accepted_ms(timeline)));
    set(job, "received_ms", known(record->received_ms));
    set(job, "settled_ms", known(record->settled_ms));
    set(job, "outcome",
        text(record->outcome == MM_OUTCOME_NONE ? NULL : mm_outcome_name(record->outcome)));
    set(job, "pending", json_boolean(record->is_pending));
    set(job, "publisher", text(record->publisher));
    set(job, "attempts", json_integer(record->attempts));
    set(job, "deliveries", json_integer(record->deliveries));
    set(job, "extended", json_integer(record->extended));
    set(job, "worker", text(record->worker));
    set(job, "error", text(record->error));
    return job;
}

static json_t *attempts_of(const timeline_t *timeline)
{
    static const char *const results[] = {
        [ATTEMPT_RESTARTED] = "restarted", [ATTEMPT_FAILED] = "failed", [ATTEMPT_LOST] = "lost"};
    json_t *array = json_array();
    for (size_t i = 0; i < timeline->attempt_count; i++) {
        const attempt_t *attempt = &timeline->attempts[i];
        json_t *object = json_object();
        set(object, "attempt", known(attempt->number));
        set(object, "worker", text(attempt->worker));
        set(object, "pid", known(attempt->pid));
        set(object, "result", text(results[attempt->result]));
        set(object, "error", text(attempt->error));
        set(object, "ended_ms", json_integer(attempt->ended_ms));
        set(object, "took_ms", attempt->took_ms < 0 ? json_null() : json_integer(attempt->took_ms));
        add(array, object);
    }
    return array;
}

static json_t *story_of(const timeline_t *timeline)
{
    json_t *array = json_array();
    for (size_t i = 0; i < timeline->count; i++) {
        const timeline_entry_t *entry = &timeline->entries[i];
        const logline_t *line = &entry->line;
        json_t *object = json_object(), *fields = json_object();
        set(object, "first_ms", json_integer(line->wall_ms));
        set(object, "last_ms", json_integer(entry->last_ms));
        set(object, "times", json_integer((json_int_t)entry->times));
        set(object, "process", text(line->process));
        set(object, "pid", known(line->pid));
        set(object, "level", text(*line->level ? line->level : NULL));
        set(object, "message", text(line->message));
        for (size_t k = 0; k < line->count; k++)
            set(fields, line->fields[k].key, text(line->fields[k].value));
        set(object, "fields", fields);
        add(array, object);
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
        add(array, job_of(explain->records, &timeline));
        timeline_clear(&timeline);
    }
    return array;
}

void explain_out_json(FILE *file, const explain_t *explain)
{
    const timeline_t *timeline = explain->timeline;
    json_t *object = json_object(), *job = job_of(explain->records, timeline);
    set(object, "mayhem", json_string("explain"));
    set(object, "version", json_integer(1));
    set(object, "host", text(timeline->host));
    (void)json_object_update(object, job);
    json_decref(job);
    set(object, "nacks", json_integer((json_int_t)timeline->nacks));
    set(object, "tries", attempts_of(timeline));
    set(object, "story", story_of(timeline));
    set(object, "now", explain->now ? json_deep_copy(explain->now) : json_null());
    set(object, "others", others_of(explain));
    (void)json_dumpf(object, file, JSON_INDENT(1));
    (void)fputc('\n', file);
    json_decref(object);
}
