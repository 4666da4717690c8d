// See snapshot.h. What is written and what is read come from the same tables.

#include "snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define VERSION       1
#define PROCESSES_MAX 4096

typedef enum { NUMBER, COUNT, REAL, BOOL, TEXT, MAYBE_TEXT, ROLE, STATE } type_t;

typedef struct {
    const char *name;
    type_t type;
    size_t offset;
    size_t size; // of a text
} field_t;

#define FIELD(STRUCT, TYPE, NAME)                                                                  \
    {                                                                                              \
#NAME, TYPE, offsetof(STRUCT, NAME), sizeof(((STRUCT *)0)->NAME)                           \
    }

static const field_t process_fields[] = {
    FIELD(snapshot_process_t, TEXT, name),     FIELD(snapshot_process_t, ROLE, role),
    FIELD(snapshot_process_t, STATE, state),   FIELD(snapshot_process_t, NUMBER, silent_ms),
    FIELD(snapshot_process_t, REAL, rate),     FIELD(snapshot_process_t, REAL, busy),
    FIELD(snapshot_process_t, REAL, cpu),      FIELD(snapshot_process_t, NUMBER, memory_bytes),
    FIELD(snapshot_process_t, NUMBER, held),   FIELD(snapshot_process_t, NUMBER, limit),
    FIELD(snapshot_process_t, NUMBER, p50_us), FIELD(snapshot_process_t, NUMBER, p99_us),
    FIELD(snapshot_process_t, COUNT, failed),  FIELD(snapshot_process_t, COUNT, dropped),
    FIELD(snapshot_process_t, TEXT, doing),
};

static const field_t stage_fields[] = {
    FIELD(snapshot_stage_t, NUMBER, waiting),     FIELD(snapshot_stage_t, NUMBER, out),
    FIELD(snapshot_stage_t, NUMBER, capacity),    FIELD(snapshot_stage_t, NUMBER, backoff),
    FIELD(snapshot_stage_t, NUMBER, blocked),     FIELD(snapshot_stage_t, NUMBER, wait_p50_us),
    FIELD(snapshot_stage_t, NUMBER, wait_p99_us), FIELD(snapshot_stage_t, NUMBER, took_p50_us),
    FIELD(snapshot_stage_t, NUMBER, took_p99_us), FIELD(snapshot_stage_t, MAYBE_TEXT, reason),
};

static const field_t fields[] = {
    FIELD(snapshot_t, NUMBER, wall_ms),    FIELD(snapshot_t, BOOL, has_publisher),
    FIELD(snapshot_t, BOOL, has_consumer), FIELD(snapshot_t, REAL, rate),
    FIELD(snapshot_t, NUMBER, total),      FIELD(snapshot_t, NUMBER, restarted),
    FIELD(snapshot_t, NUMBER, dead),       FIELD(snapshot_t, NUMBER, backlog),
    FIELD(snapshot_t, NUMBER, in_flight),  FIELD(snapshot_t, NUMBER, retried),
    FIELD(snapshot_t, NUMBER, reclaimed),  FIELD(snapshot_t, NUMBER, nacked),
    FIELD(snapshot_t, NUMBER, extended),   FIELD(snapshot_t, NUMBER, p50_us),
    FIELD(snapshot_t, NUMBER, p99_us),     FIELD(snapshot_t, BOOL, draining),
    FIELD(snapshot_t, TEXT, limit),        FIELD(snapshot_t, TEXT, bottleneck_why),
};

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

static const char *const roles[] = {"publisher", "consumer", "saver", "restarter"};
static const char *const states[] = {"up", "draining", "silent", "lost", "left"};
static const char *const stages[] = {"outbox", "wire", "store", "restart"};

const char *snapshot_role_name(snapshot_role_t role)
{
    return roles[role];
}

const char *snapshot_state_name(snapshot_state_t state)
{
    return states[state];
}

const char *snapshot_stage_name(snapshot_stage_kind_t stage)
{
    return stages[stage];
}

const snapshot_process_t *snapshot_find(const snapshot_t *self, const char *name)
{
    for (size_t i = 0; i < self->process_count; i++)
        if (strcmp(self->processes[i].name, name) == 0)
            return &self->processes[i];
    return NULL;
}

// ---- writing

static json_t *value_json(const field_t *field, const void *at)
{
    switch (field->type) {
    case NUMBER: return json_integer(*(const int64_t *)at);
    case COUNT: return json_integer((json_int_t) * (const uint64_t *)at);
    case REAL: return json_real(*(const double *)at);
    case BOOL: return json_boolean(*(const bool *)at);
    case TEXT:
    case MAYBE_TEXT: return json_string(at);
    case ROLE: return json_string(snapshot_role_name(*(const snapshot_role_t *)at));
    case STATE: return json_string(snapshot_state_name(*(const snapshot_state_t *)at));
    }
    assert(false);
    return NULL;
}

static void put_fields(json_t *object, const field_t *list, size_t count, const void *from)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = value_json(&list[i], (const char *)from + list[i].offset);
        int rc = json_object_set_new(object, list[i].name, value);
        assert(rc == 0);
    }
}

json_t *snapshot_json(const snapshot_t *self)
{
    json_t *object = json_pack("{s:s, s:i}", "mayhem", "snapshot", "version", VERSION);
    put_fields(object, fields, LENGTH(fields), self);
    json_t *list = json_array();
    for (size_t i = 0; i < self->process_count; i++) {
        json_t *process = json_object();
        const snapshot_process_t *from = &self->processes[i];
        put_fields(process, process_fields, LENGTH(process_fields), from);
        json_object_set_new(process, "pid", json_integer(from->pid));
        json_array_append_new(list, process);
    }
    json_object_set_new(object, "processes", list);
    json_t *between = json_object();
    for (snapshot_stage_kind_t stage = 0; stage < SNAPSHOT_STAGES; stage++) {
        json_t *one = json_object();
        put_fields(one, stage_fields, LENGTH(stage_fields), &self->stages[stage]);
        json_object_set_new(between, snapshot_stage_name(stage), one);
    }
    json_object_set_new(object, "hops", between);
    return object;
}

// ---- reading

// The place of a word in a list; -1: it is none of it.
static int find_word(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; word && i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

static bool read_value(const field_t *field, const json_t *value, void *to)
{
    int place;
    const char *text = json_string_value(value);
    switch (field->type) {
    case NUMBER:
    case COUNT:
        if (!json_is_integer(value))
            return false;
        *(int64_t *)to = json_integer_value(value);
        return true;
    case REAL:
        if (!json_is_number(value))
            return false;
        *(double *)to = json_number_value(value);
        return true;
    case BOOL:
        if (!json_is_boolean(value))
            return false;
        *(bool *)to = json_is_true(value);
        return true;
    case MAYBE_TEXT: // absent in older recordings
        if (!value)
            return true;
        // fall through
    case TEXT:
        if (!text || strlen(text) >= field->size)
            return false;
        strcpy(to, text);
        return true;
    case ROLE:
        place = find_word(roles, LENGTH(roles), text);
        *(snapshot_role_t *)to = (snapshot_role_t)place;
        return place >= 0;
    case STATE:
        place = find_word(states, LENGTH(states), text);
        *(snapshot_state_t *)to = (snapshot_state_t)place;
        return place >= 0;
    }
    assert(false);
    return false;
}

static bool read_fields(const json_t *object, const field_t *list, size_t count, void *to)
{
    for (size_t i = 0; i < count; i++)
        if (!read_value(&list[i], json_object_get(object, list[i].name),
                        (char *)to + list[i].offset))
            return false;
    return true;
}

static bool read_processes(const json_t *list, snapshot_t *snapshot)
{
    if (!json_is_array(list) || json_array_size(list) > PROCESSES_MAX)
        return false;
    snapshot->process_count = json_array_size(list);
    snapshot->processes = calloc(snapshot->process_count + 1, sizeof *snapshot->processes);
    assert(snapshot->processes);
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const json_t *object = json_array_get(list, i);
        snapshot_process_t *process = &snapshot->processes[i];
        const json_t *pid = json_object_get(object, "pid");
        if (!json_is_integer(pid) ||
            !read_fields(object, process_fields, LENGTH(process_fields), process))
            return false;
        process->pid = (int)json_integer_value(pid);
    }
    return true;
}

bool snapshot_read(json_t *json, snapshot_t *ret_snapshot)
{
    snapshot_t snapshot = {0};
    const char *what = json_string_value(json_object_get(json, "mayhem"));
    const json_t *between = json_object_get(json, "hops");
    bool is_good = what && strcmp(what, "snapshot") == 0 &&
                   json_integer_value(json_object_get(json, "version")) == VERSION &&
                   read_fields(json, fields, LENGTH(fields), &snapshot);
    for (snapshot_stage_kind_t stage = 0; is_good && stage < SNAPSHOT_STAGES; stage++)
        is_good = read_fields(json_object_get(between, snapshot_stage_name(stage)), stage_fields,
                              LENGTH(stage_fields), &snapshot.stages[stage]);
    is_good = is_good && read_processes(json_object_get(json, "processes"), &snapshot);
    if (is_good)
        *ret_snapshot = snapshot;
    else
        snapshot_clear(&snapshot);
    return is_good;
}

void snapshot_clear(snapshot_t *self)
{
    free(self->processes);
    *self = (snapshot_t){0};
}
