// See snapshot.h. Writing, reading and replies use the same tables of fields.

#include "snapshot.h"
#include "ctl.h"
#include "reply_values.h"

#include <assert.h>
#include <stdlib.h>

#define VERSION       1
#define PROCESSES_MAX 4096

// LIMIT and TIME are numbers that may be -1. A TIME is in microseconds; a reply may have it in
// milliseconds, with "_ms" for "_us".
typedef enum {
    NUMBER,
    MAYBE_NUMBER,
    LIMIT,
    TIME,
    INT,
    REAL,
    BOOL,
    TEXT,
    MAYBE_TEXT,
    ROLE,
    STATE
} type_t;

typedef struct {
    const char *name;
    type_t type;
    size_t offset;
    size_t size; // of a text
} field_t;

#define NAMED(KEY, STRUCT, TYPE, NAME)                                                             \
    {                                                                                              \
        KEY, TYPE, offsetof(STRUCT, NAME), sizeof(((STRUCT *)0)->NAME)                             \
    }
#define FIELD(STRUCT, TYPE, NAME) NAMED(#NAME, STRUCT, TYPE, NAME)

static const field_t process_fields[] = {
    FIELD(snapshot_process_t, TEXT, name),     FIELD(snapshot_process_t, ROLE, role),
    FIELD(snapshot_process_t, STATE, state),   FIELD(snapshot_process_t, NUMBER, silent_ms),
    FIELD(snapshot_process_t, REAL, rate),     FIELD(snapshot_process_t, REAL, busy),
    FIELD(snapshot_process_t, REAL, cpu),      FIELD(snapshot_process_t, NUMBER, memory_bytes),
    FIELD(snapshot_process_t, NUMBER, held),   FIELD(snapshot_process_t, NUMBER, limit),
    FIELD(snapshot_process_t, TIME, p50_us),   FIELD(snapshot_process_t, TIME, p99_us),
    FIELD(snapshot_process_t, NUMBER, failed), FIELD(snapshot_process_t, NUMBER, dropped),
    FIELD(snapshot_process_t, TEXT, doing),    FIELD(snapshot_process_t, INT, pid),
};

static const field_t stage_fields[] = {
    FIELD(snapshot_stage_t, NUMBER, waiting),          FIELD(snapshot_stage_t, NUMBER, out),
    NAMED("room", snapshot_stage_t, NUMBER, capacity), FIELD(snapshot_stage_t, NUMBER, backoff),
    FIELD(snapshot_stage_t, NUMBER, blocked),          FIELD(snapshot_stage_t, TIME, wait_p50_us),
    FIELD(snapshot_stage_t, TIME, wait_p99_us),        FIELD(snapshot_stage_t, TIME, took_p50_us),
    FIELD(snapshot_stage_t, TIME, took_p99_us),        FIELD(snapshot_stage_t, MAYBE_TEXT, reason),
};

static const field_t group_fields[] = {
    NAMED("group", snapshot_group_t, TEXT, name), FIELD(snapshot_group_t, NUMBER, hosts),
    FIELD(snapshot_group_t, LIMIT, cap),          FIELD(snapshot_group_t, LIMIT, budget),
    FIELD(snapshot_group_t, NUMBER, in_progress), FIELD(snapshot_group_t, NUMBER, casualties),
    FIELD(snapshot_group_t, NUMBER, waiting),     FIELD(snapshot_group_t, TEXT, reason),
    FIELD(snapshot_group_t, NUMBER, step),        FIELD(snapshot_group_t, NUMBER, steps),
    FIELD(snapshot_group_t, LIMIT, step_hosts),   FIELD(snapshot_group_t, NUMBER, proven),
    FIELD(snapshot_group_t, NUMBER, baked_ms),    FIELD(snapshot_group_t, BOOL, tripped),
    FIELD(snapshot_group_t, TEXT, why),           FIELD(snapshot_group_t, LIMIT, opens_ms),
    FIELD(snapshot_group_t, LIMIT, closes_ms),
};

static const field_t held_fields[] = {
    FIELD(snapshot_t, BOOL, halted),
    FIELD(snapshot_t, MAYBE_NUMBER, groups_left_out),
    FIELD(snapshot_t, NUMBER, attention_left_out),
};

static const field_t fields[] = {
    FIELD(snapshot_t, NUMBER, wall_ms),
    FIELD(snapshot_t, BOOL, has_publisher),
    FIELD(snapshot_t, BOOL, has_consumer),
    FIELD(snapshot_t, REAL, rate),
    FIELD(snapshot_t, NUMBER, total),
    FIELD(snapshot_t, NUMBER, restarted),
    FIELD(snapshot_t, NUMBER, dead),
    FIELD(snapshot_t, MAYBE_NUMBER, skipped),
    FIELD(snapshot_t, MAYBE_NUMBER, withdrawn),
    FIELD(snapshot_t, NUMBER, backlog),
    FIELD(snapshot_t, NUMBER, in_flight),
    FIELD(snapshot_t, NUMBER, retried),
    NAMED("taken_back", snapshot_t, NUMBER, reclaimed),
    FIELD(snapshot_t, NUMBER, nacked),
    FIELD(snapshot_t, NUMBER, extended),
    FIELD(snapshot_t, MAYBE_NUMBER, refused_keys),
    FIELD(snapshot_t, TIME, p50_us),
    FIELD(snapshot_t, TIME, p99_us),
    FIELD(snapshot_t, BOOL, draining),
    FIELD(snapshot_t, MAYBE_TEXT, lease),
    FIELD(snapshot_t, MAYBE_NUMBER, lease_epoch),
    FIELD(snapshot_t, MAYBE_NUMBER, lease_left_ms),
    FIELD(snapshot_t, MAYBE_NUMBER, lease_age_ms),
    FIELD(snapshot_t, TEXT, limit),
    FIELD(snapshot_t, TEXT, limit_why),
};

#define ALL(FIELDS) FIELDS, sizeof(FIELDS) / sizeof *(FIELDS)

const char *const snapshot_states[] = {"up", "draining", "silent", "lost", "left", NULL};
const char *const snapshot_stages[] = {"outbox", "wire", "store", "restart"};

// ---- writing

static json_t *value_json(const field_t *field, const void *at)
{
    switch (field->type) {
    case NUMBER:
    case LIMIT:
    case TIME:
    case MAYBE_NUMBER: return json_integer(*(const int64_t *)at);
    case INT: return json_integer(*(const int *)at);
    case REAL: return json_real(*(const double *)at);
    case BOOL: return json_boolean(*(const bool *)at);
    case TEXT:
    case MAYBE_TEXT: return json_string(at);
    case ROLE: return json_string(mm_program_name(*(const mm_program_t *)at));
    case STATE: return json_string(snapshot_states[*(const snapshot_state_t *)at]);
    }
    assert(false);
    return NULL;
}

static json_t *put_fields(json_t *object, const field_t *list, size_t count, const void *from)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = value_json(&list[i], (const char *)from + list[i].offset);
        int rc = json_object_set_new(object, list[i].name, value);
        assert(rc == 0);
    }
    return object;
}

json_t *snapshot_held_json(const snapshot_t *self)
{
    json_t *object = put_fields(json_object(), ALL(held_fields), self);
    json_t *groups = json_array(), *attention = json_array();
    for (size_t i = 0; i < self->group_count; i++)
        json_array_append_new(groups,
                              put_fields(json_object(), ALL(group_fields), &self->groups[i]));
    for (size_t i = 0; i < self->attention_count; i++)
        json_array_append_new(attention, json_string(self->attention[i].text));
    json_object_set_new(object, "groups", groups);
    json_object_set_new(object, "attention", attention);
    return object;
}

json_t *snapshot_json(const snapshot_t *self)
{
    json_t *object = json_pack("{s:s, s:i}", "mayhem", "snapshot", "version", VERSION);
    json_t *processes = json_array(), *hops = json_object();
    (void)put_fields(object, ALL(fields), self);
    for (size_t i = 0; i < self->process_count; i++)
        json_array_append_new(processes,
                              put_fields(json_object(), ALL(process_fields), &self->processes[i]));
    for (snapshot_stage_kind_t stage = 0; stage < SNAPSHOT_STAGES; stage++)
        json_object_set_new(hops, snapshot_stages[stage],
                            put_fields(json_object(), ALL(stage_fields), &self->stages[stage]));
    json_object_set_new(object, "processes", processes);
    json_object_set_new(object, "hops", hops);
    json_object_set_new(object, "held", snapshot_held_json(self));
    return object;
}

// ---- reading

static bool read_value(const field_t *field, const json_t *value, void *to)
{
    const char *text = json_string_value(value);
    int place;
    switch (field->type) {
    case NUMBER:
    case LIMIT:
    case TIME:
    case MAYBE_NUMBER: // not in older recordings
        *(int64_t *)to = json_integer_value(value);
        return json_is_integer(value) || (!value && field->type == MAYBE_NUMBER);
    case INT: *(int *)to = (int)json_integer_value(value); return json_is_integer(value);
    case REAL: *(double *)to = json_number_value(value); return json_is_number(value);
    case BOOL: *(bool *)to = json_is_true(value); return json_is_boolean(value);
    case MAYBE_TEXT:
    case TEXT:
        if (!value && field->type == MAYBE_TEXT)
            return true;
        if (!text || strlen(text) >= field->size)
            return false;
        strcpy(to, text);
        return true;
    case ROLE: return text && mm_program_parse(mm_str(text), to);
    case STATE:
        place = text ? ctl_find_word(snapshot_states, text) : -1;
        *(snapshot_state_t *)to = (snapshot_state_t)place;
        return place >= 0;
    }
    assert(false);
    return false;
}

static bool read_fields(const json_t *object, const field_t *list, size_t count, void *to)
{
    bool is_good = true;
    for (size_t i = 0; i < count && is_good; i++)
        is_good = read_value(&list[i], json_object_get(object, list[i].name),
                             (char *)to + list[i].offset);
    return is_good;
}

static bool read_processes(const json_t *list, snapshot_t *snapshot)
{
    if (!json_is_array(list) || json_array_size(list) > PROCESSES_MAX)
        return false;
    bool is_good = true;
    snapshot->process_count = json_array_size(list);
    snapshot->processes = calloc(snapshot->process_count + 1, sizeof *snapshot->processes);
    assert(snapshot->processes);
    for (size_t i = 0; i < snapshot->process_count && is_good; i++)
        is_good =
            read_fields(json_array_get(list, i), ALL(process_fields), &snapshot->processes[i]);
    return is_good;
}

static bool read_attention(const json_t *list, snapshot_t *snapshot)
{
    bool is_good = json_is_array(list) && json_array_size(list) <= SNAPSHOT_ATTENTION_MAX;
    snapshot->attention_count = is_good ? json_array_size(list) : 0;
    for (size_t i = 0; i < snapshot->attention_count && is_good; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        is_good = text && strlen(text) < sizeof snapshot->attention[i].text;
        if (is_good)
            strcpy(snapshot->attention[i].text, text);
    }
    return is_good;
}

// Older recordings do not have it.
static bool read_held(const json_t *held, snapshot_t *snapshot)
{
    const json_t *groups = json_object_get(held, "groups");
    if (!held)
        return true;
    bool is_good = json_is_array(groups) && json_array_size(groups) <= SNAPSHOT_GROUPS_MAX &&
                   read_fields(held, ALL(held_fields), snapshot) &&
                   read_attention(json_object_get(held, "attention"), snapshot);
    if (!is_good)
        return false;
    snapshot->group_count = json_array_size(groups);
    snapshot->groups = calloc(snapshot->group_count + 1, sizeof *snapshot->groups);
    assert(snapshot->groups);
    for (size_t i = 0; i < snapshot->group_count && is_good; i++)
        is_good = read_fields(json_array_get(groups, i), ALL(group_fields), &snapshot->groups[i]);
    return is_good;
}

bool snapshot_read(const json_t *json, snapshot_t *ret_snapshot)
{
    snapshot_t snapshot = {0};
    const json_t *hops = json_object_get(json, "hops");
    bool is_good = strcmp(ctl_text(json, "mayhem"), "snapshot") == 0 &&
                   json_integer_value(json_object_get(json, "version")) == VERSION &&
                   read_fields(json, ALL(fields), &snapshot);
    for (snapshot_stage_kind_t stage = 0; is_good && stage < SNAPSHOT_STAGES; stage++)
        is_good = read_fields(json_object_get(hops, snapshot_stages[stage]), ALL(stage_fields),
                              &snapshot.stages[stage]);
    is_good = is_good && read_processes(json_object_get(json, "processes"), &snapshot) &&
              read_held(json_object_get(json, "held"), &snapshot);
    if (is_good)
        *ret_snapshot = snapshot;
    else
        snapshot_clear(&snapshot);
    return is_good;
}

// ---- replies

static void parse_value(const field_t *field, const json_t *reply, void *to)
{
    switch (field->type) {
    case NUMBER:
    case MAYBE_NUMBER: *(int64_t *)to = reply_number(reply, field->name); return;
    case LIMIT: *(int64_t *)to = reply_limit(reply, field->name); return;
    case TIME:
        *(int64_t *)to = reply_time(reply, field->name, strlen(field->name) - strlen("_us"));
        return;
    case BOOL: *(bool *)to = json_is_true(json_object_get(reply, field->name)); return;
    case MAYBE_TEXT:
    case TEXT: reply_text(reply, field->name, to, field->size); return;
    case INT:
    case REAL:
    case ROLE:
    case STATE: break; // of processes alone
    }
    assert(false);
}

static void parse_fields(const json_t *reply, const field_t *list, size_t count, void *to)
{
    for (size_t i = 0; i < count; i++)
        parse_value(&list[i], reply, (char *)to + list[i].offset);
}

void snapshot_parse_stage(const json_t *reply, snapshot_stage_t *ret_stage)
{
    parse_fields(reply, ALL(stage_fields), ret_stage);
    ret_stage->capacity = reply_number(reply, "slots"); // a snapshot calls it "room"
}

void snapshot_parse_group(const json_t *reply, snapshot_group_t *ret_group)
{
    parse_fields(reply, ALL(group_fields), ret_group);
}

void snapshot_copy(snapshot_t *self, const snapshot_t *from)
{
    snapshot_t copy = *from;
    copy.processes = calloc(from->process_count + 1, sizeof *copy.processes);
    copy.groups = calloc(from->group_count + 1, sizeof *copy.groups);
    assert(copy.processes && copy.groups);
    if (from->process_count > 0)
        memcpy(copy.processes, from->processes, from->process_count * sizeof *copy.processes);
    if (from->group_count > 0)
        memcpy(copy.groups, from->groups, from->group_count * sizeof *copy.groups);
    snapshot_clear(self);
    *self = copy;
}

void snapshot_clear(snapshot_t *self)
{
    free(self->processes);
    free(self->groups);
    *self = (snapshot_t){0};
}
