// See attention.h.

#include "attention.h"
#include "human_format.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define WHY_MAX     160 // bytes of a reason
#define OPTIONS_MAX 80  // bytes of options; longer ones are left to the reader
#define HOSTS_SHOWN 3

__attribute__((format(printf, 2, 3))) static void add(snapshot_t *self, const char *format, ...)
{
    va_list args;
    if (self->attention_count == SNAPSHOT_ATTENTION_MAX) {
        self->attention_left_out++;
        return;
    }
    char *text = self->attention[self->attention_count++].text;
    size_t size = sizeof self->attention[0].text;
    va_start(args, format);
    (void)vsnprintf(text, size, format, args);
    va_end(args);
    text[mm_utf8_prefix(mm_str(text), size)] = '\0'; // it was cut somewhere
    for (char *at = text; *at; at++)
        if (mm_utf8_is_control(at))
            *at = ' ';
}

static int cut(const char *why)
{
    return (int)mm_utf8_prefix(mm_str(why), WHY_MAX);
}

static const char *options_of(const char *options)
{
    return strlen(options) <= OPTIONS_MAX ? options : " --dir DIR";
}

// ---- who has ordered it

static void add_halt(snapshot_t *self, const mm_hold_t *halt, const char *options)
{
    char since[HUMAN_TEXT];
    if (halt)
        add(self, "halted since %s by %s: %.*s; to go on: mayhem resume%s --why TEXT",
            human_date(halt->since_ms, since), halt->actor, cut(halt->why), halt->why, options);
    else
        add(self, "halted by an operator; to go on: mayhem resume%s --why TEXT", options);
}

static void add_trip(snapshot_t *self, const char *group, const char *why, const char *options)
{
    bool is_run = *group == '\0';
    add(self, "the breaker of %s has tripped%s%.*s; to go on: mayhem resume%s%s%s --why TEXT",
        is_run ? "the whole run" : group, *why ? ": " : "", cut(why), why, is_run ? "" : " ", group,
        options);
}

static void add_recorded(snapshot_t *self, const mm_held_record_t *record, const char *options)
{
    for (size_t i = 0; i < record->hold_count; i++)
        if (record->holds[i].kind == MM_ACTION_TRIP)
            add_trip(self, record->holds[i].name, record->holds[i].why, options);
}

// ---- groups

// Whether a list with commas between has the name; the whole run has all.
static bool is_among(const char *groups, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = groups; size > 0 && at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, size) == 0 && (at[size] == ',' || at[size] == '\0'))
            return true;
    return size == 0;
}

// " (web-1, web-2, ...)" of those on record.
static void name_casualties(const mm_held_record_t *record, const char *group, char *names,
                            size_t size)
{
    size_t count = 0, used = 0;
    *names = '\0';
    for (size_t i = 0; record && i < record->place_count && count <= HOSTS_SHOWN; i++) {
        const mm_held_place_t *place = &record->places[i];
        if (!place->is_casualty || !is_among(place->groups, group) || used >= size)
            continue;
        used += (size_t)snprintf(names + used, size - used, "%s%.48s", count == 0 ? " (" : ", ",
                                 count == HOSTS_SHOWN ? "..." : place->host);
        count++;
    }
    if (count > 0 && used < size)
        (void)snprintf(names + used, size - used, ")");
}

static void add_casualties(snapshot_t *self, const snapshot_group_t *group,
                           const mm_held_record_t *record, const char *options)
{
    char names[HOSTS_SHOWN * 50 + 16];
    name_casualties(record, group->name, names, sizeof names);
    add(self,
        "%" PRId64 " casualt%s%s use%s up max-unavailable of %s; when a host is well again: mayhem "
        "absolve HOST%s --why TEXT",
        group->casualties, group->casualties == 1 ? "y" : "ies", names,
        group->casualties == 1 ? "s" : "", *group->name ? group->name : "the whole run", options);
}

void attention_find(snapshot_t *self, const mm_held_record_t *record, const char *options)
{
    bool is_halted = self->halted;
    const mm_hold_t *halt = record ? mm_held_record_find(record, MM_ACTION_HALT, NULL) : NULL;
    options = options_of(options);
    self->attention_count = 0;
    self->attention_left_out = 0;
    if (is_halted || (halt && !self->has_consumer))
        add_halt(self, halt, options);
    if (record && !self->has_consumer)
        add_recorded(self, record, options);
    for (size_t i = 0; i < self->group_count; i++)
        if (self->groups[i].tripped)
            add_trip(self, self->groups[i].name, self->groups[i].why, options);
    for (size_t i = 0; i < self->group_count; i++)
        if (self->groups[i].opens_ms < 0 && self->groups[i].waiting > 0)
            add(self,
                "the window of %s never opens again: %" PRId64 " hosts wait; start it anew "
                "with another window",
                *self->groups[i].name ? self->groups[i].name : "the whole run",
                self->groups[i].waiting);
    for (size_t i = 0; i < self->group_count; i++)
        if (self->groups[i].budget >= 0 && self->groups[i].casualties > 0 &&
            self->groups[i].casualties >= self->groups[i].budget)
            add_casualties(self, &self->groups[i], record, options);
}
