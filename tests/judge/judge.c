// The lines of a trace: what each of them says.

#include "judge_private.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool judge_fail(judge_t *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size =
        snprintf(self->error, sizeof self->error, "line %llu: ", (unsigned long long)self->line);
    (void)vsnprintf(self->error + size, sizeof self->error - (size_t)size, format, arguments);
    va_end(arguments);
    return false;
}

void *judge_grow(void *items, size_t count, size_t *size, size_t item_size)
{
    if (count < *size)
        return items;
    *size = count < 8 ? count + 1 : 2 * count;
    items = realloc(items, *size * item_size);
    assert(items);
    return items;
}

uint32_t judge_find_group(const judge_t *self, const char *name)
{
    for (uint32_t i = 0; i < self->group_count; i++)
        if (strcmp(self->groups[i].name, name) == 0)
            return i;
    return NO_GROUP;
}

judge_t *judge_new(void)
{
    judge_t *self = calloc(1, sizeof *self);
    assert(self);
    self->has_state = true; // until there is a new consumer
    self->groups = judge_grow(NULL, 0, &self->group_size, sizeof *self->groups);
    self->groups[self->group_count++] = (group_t){.name = "-"};
    return self;
}

void judge_destroy(judge_t **self_p)
{
    judge_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->group_count; i++)
        free(self->groups[i].openings);
    free(self->groups);
    free(self->hosts);
    free(self->buckets);
    free(self->start_ms);
    free(self->record.items);
    free(self->heard.items);
    free(self->found);
    free(self);
}

const char *judge_error(const judge_t *self)
{
    return self->error;
}

size_t judge_count(const judge_t *self)
{
    return self->found_count;
}

const judgement_t *judge_get(const judge_t *self, size_t index)
{
    return &self->found[index];
}

uint64_t judge_lines(const judge_t *self)
{
    return self->line;
}

uint64_t judge_starts(const judge_t *self)
{
    return self->starts;
}

const char *judge_rule_name(judge_rule_t rule)
{
    static const char *const names[JUDGE_RULES] = {[JUDGE_CAP] = "cap",
                                                   [JUDGE_UNAVAILABLE] = "max-unavailable",
                                                   [JUDGE_RAMP] = "ramp",
                                                   [JUDGE_WINDOW] = "window",
                                                   [JUDGE_LAST_START] = "last-start",
                                                   [JUDGE_RATE] = "rate",
                                                   [JUDGE_HALT] = "halt",
                                                   [JUDGE_TRIP] = "trip",
                                                   [JUDGE_BREAKER] = "breaker",
                                                   [JUDGE_DENY] = "deny",
                                                   [JUDGE_GUARD] = "guard",
                                                   [JUDGE_TWO_PLACES] = "two places",
                                                   [JUDGE_NO_PLACE] = "no place",
                                                   [JUDGE_STATE] = "state",
                                                   [JUDGE_NO_CAUSE] = "trip without cause",
                                                   [JUDGE_STARVED] = "starved"};
    return names[rule];
}

// ---- lines

static bool read_host(judge_t *self, char **rest, host_t **ret_host)
{
    const char *name = strtok_r(NULL, " ", rest);
    size_t index = name ? judge_find_host(self, name) : NOBODY;
    if (index == NOBODY)
        return judge_fail(self, "there is no host %s", name ? name : "named");
    *ret_host = &self->hosts[index];
    return true;
}

static bool read_group(judge_t *self, char **rest, bool may_lack, uint32_t *ret_group)
{
    const char *name = strtok_r(NULL, " ", rest);
    uint32_t group = name ? judge_find_group(self, name) : may_lack ? WHOLE_RUN : NO_GROUP;
    if (group == NO_GROUP)
        return judge_fail(self, "there is no group %s", name ? name : "named");
    *ret_group = group;
    return true;
}

static bool read_end(judge_t *self, char **rest, fact_t *fact)
{
    static const char *const names[] = {[END_RESTARTED] = "restarted",
                                        [END_SKIPPED] = "skipped",
                                        [END_DEAD] = "dead",
                                        [END_WITHDRAWN] = "withdrawn",
                                        [END_FAILED] = "failed"};
    const char *name = strtok_r(NULL, " ", rest), *casualty = strtok_r(NULL, " ", rest);
    fact->is_absolved = casualty && strcmp(casualty, "absolved") == 0;
    fact->is_casualty = fact->is_absolved || (casualty && strcmp(casualty, "casualty") == 0);
    fact->is_up = casualty && strcmp(casualty, "up") == 0;
    if (casualty && !fact->is_casualty && !fact->is_up)
        return judge_fail(self, "%s is not `casualty`, `absolved` or `up`", casualty);
    for (end_t end = END_RESTARTED; name && end <= END_FAILED; end++)
        if (strcmp(names[end], name) == 0) {
            fact->end = end;
            return true;
        }
    return judge_fail(self, "an end is restarted, skipped, dead, withdrawn or failed");
}

static bool read_fact(judge_t *self, const char *event, char **rest, fact_t *ret_fact)
{
    static const struct {
        const char *name;
        fact_kind_t kind;
    } kinds[] = {{"end", FACT_END},        {"halt", FACT_HALT}, {"resume", FACT_RESUME},
                 {"trip", FACT_TRIP},      {"deny", FACT_DENY}, {"absolve", FACT_ABSOLVE},
                 {"new-run", FACT_NEW_RUN}};
    host_t *host = NULL;
    size_t kind = 0, count = sizeof kinds / sizeof *kinds;
    while (kind < count && strcmp(kinds[kind].name, event) != 0)
        kind++;
    if (kind == count)
        return judge_fail(self, "there is no event %s", event);
    *ret_fact = (fact_t){.kind = kinds[kind].kind, .at_ms = self->now_ms, .host = NOBODY};
    if (ret_fact->kind == FACT_RESUME || ret_fact->kind == FACT_TRIP)
        return read_group(self, rest, ret_fact->kind == FACT_RESUME, &ret_fact->group);
    if (ret_fact->kind == FACT_HALT || ret_fact->kind == FACT_NEW_RUN)
        return true;
    if (!read_host(self, rest, &host))
        return false;
    ret_fact->host = (size_t)(host - self->hosts);
    if (ret_fact->kind == FACT_END)
        return read_end(self, rest, ret_fact);
    const char *until = ret_fact->kind == FACT_DENY ? strtok_r(NULL, " ", rest) : "0";
    return (until && judge_read_number(until, &ret_fact->until_ms)) ||
           judge_fail(self, "deny needs a time, or 0");
}

// A fact, and what becomes of it.
static bool take_fact(judge_t *self, const char *event, char **rest,
                      void (*take)(judge_t *, const fact_t *))
{
    fact_t fact;
    if (!event)
        return judge_fail(self, "which event?");
    if (!read_fact(self, event, rest, &fact))
        return false;
    take(self, &fact);
    return true;
}

static bool take_guard(judge_t *self, char **rest)
{
    const char *answer = strtok_r(NULL, " ", rest);
    bool is_yes = answer && strcmp(answer, "yes") == 0;
    if (!is_yes && (!answer || strcmp(answer, "no") != 0))
        return judge_fail(self, "the guard says yes or no");
    if (is_yes || self->has_yes) // else it is closed since before
        self->guard_ms = self->now_ms;
    self->has_yes = is_yes;
    return true;
}

static bool take_state(judge_t *self, char **rest)
{
    const char *known = strtok_r(NULL, " ", rest);
    int64_t count = INT64_MAX;
    if (known && !judge_read_number(known, &count))
        return judge_fail(self, "a state has so many facts of the record");
    judge_take_state(self, (size_t)count);
    return true;
}

// Events of the whole run. False: it is none of them.
static bool take_run_event(judge_t *self, const char *event)
{
    if (strcmp(event, "epoch") == 0)
        judge_begin_epoch(self);
    else if (strcmp(event, "quiet") == 0)
        judge_waiting(self);
    else
        return false;
    return true;
}

static void hand_out(judge_t *self, host_t *host)
{
    judge_command(self, host, 0);
}

static void command(judge_t *self, host_t *host)
{
    judge_command(self, host, self->permit_ms);
}

// Events of one host. NULL: it is none of them.
static void (*host_event(const char *event))(judge_t *, host_t *)
{
    static const struct {
        const char *name;
        void (*take)(judge_t *, host_t *);
    } events[] = {{"start", judge_start},      {"hand-out", hand_out}, {"command", command},
                  {"return", judge_give_back}, {"leave", judge_leave}, {"open", judge_open},
                  {"expire", judge_expire}};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (strcmp(events[i].name, event) == 0)
            return events[i].take;
    return NULL;
}

static bool take_event(judge_t *self, const char *event, char **rest)
{
    void (*take)(judge_t *, host_t *) = host_event(event);
    host_t *host = NULL;
    self->is_late = false;
    if (take) {
        if (!read_host(self, rest, &host))
            return false;
        const char *word = strtok_r(NULL, " ", rest);
        self->is_late = word && strcmp(word, "late") == 0;
        take(self, host);
        return true;
    }
    if (strcmp(event, "limit") == 0)
        return judge_read_limit(self, rest);
    if (strcmp(event, "host") == 0)
        return judge_read_host(self, rest);
    if (strcmp(event, "guard") == 0)
        return take_guard(self, rest);
    if (strcmp(event, "state") == 0)
        return take_state(self, rest);
    if (take_run_event(self, event))
        return true;
    if (strcmp(event, "record") == 0)
        return take_fact(self, strtok_r(NULL, " ", rest), rest, judge_record_fact);
    if (strcmp(event, "known") == 0)
        return take_fact(self, strtok_r(NULL, " ", rest), rest, judge_take_known);
    if (strcmp(event, "lapse") == 0)
        return take_fact(self, strtok_r(NULL, " ", rest), rest, judge_lapse_fact);
    return take_fact(self, event, rest, judge_take_fact);
}

bool judge_take(judge_t *self, const char *line)
{
    self->line++;
    if (*line == '#' || *line == '\0')
        return true;
    char *text = strdup(line), *rest;
    assert(text);
    const char *time = strtok_r(text, " ", &rest), *event = strtok_r(NULL, " ", &rest);
    int64_t now_ms;
    bool is_read = time && event && judge_read_number(time, &now_ms) && now_ms >= self->now_ms;
    if (is_read) {
        self->now_ms = now_ms;
        is_read = take_event(self, event, &rest);
    } else {
        (void)judge_fail(self, "a line begins with a time, not before the last one, and an event");
    }
    free(text);
    return is_read;
}
