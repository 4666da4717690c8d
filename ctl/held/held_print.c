// See held_print.h.

#include "held_print.h"
#include "ctl.h"
#include "human_format.h"
#include "until.h"

#include <inttypes.h>

#define SHOWN 20 // lines of each

static void print_hold(const mm_hold_t *hold, const char *options, FILE *file)
{
    char since[HUMAN_TEXT], until[UNTIL_TEXT];
    bool is_run = *hold->name == '\0';
    (void)fprintf(file, "%-10s ",
                  hold->kind == MM_ACTION_HALT   ? "halted"
                  : hold->kind == MM_ACTION_TRIP ? "tripped"
                                                 : "denied");
    if (hold->kind == MM_ACTION_TRIP)
        (void)fprintf(file, "%s%s ", is_run ? "the whole run" : "group ", hold->name);
    if (hold->kind == MM_ACTION_DENY)
        (void)fprintf(file, "%s %s%s ", hold->name, hold->until_ms > 0 ? "until " : "for good",
                      hold->until_ms > 0 ? until_print(hold->until_ms, until) : "");
    (void)fprintf(file, "since %s by ", human_date(hold->since_ms, since));
    ctl_put_text(file, hold->actor);
    (void)fputs(": ", file);
    ctl_put_text(file, hold->why);
    if (hold->kind == MM_ACTION_DENY)
        (void)fprintf(file, "; ends by: mayhem deny %s%s --until now --why TEXT\n", hold->name,
                      options);
    else
        (void)fprintf(file, "; ends by: mayhem resume%s%s%s --why TEXT\n", is_run ? "" : " ",
                      hold->name, options);
}

static void print_place(const mm_held_place_t *place, const char *options, FILE *file)
{
    char since[HUMAN_TEXT];
    (void)fprintf(file, "%-10s %s%s%s since %s", place->is_casualty ? "casualty" : "open",
                  place->host, *place->groups ? " of " : "", place->groups,
                  human_date(place->since_ms, since));
    if (place->is_casualty)
        (void)fprintf(file, "; ends by: mayhem absolve %s%s --why TEXT\n", place->host, options);
    else
        (void)fputs(": a restart in progress or without a known end\n", file);
}

static void print_rest(int64_t count, const char *what, FILE *file)
{
    if (count > 0)
        (void)fprintf(file, "%-10s and %" PRId64 " more\n", what, count);
}

void held_print(const mm_held_record_t *self, bool with_stops, const char *options, FILE *file)
{
    size_t places = self->place_count < SHOWN ? self->place_count : SHOWN, shown = 0;
    int64_t more = self->holds_left_out;
    for (size_t i = 0; i < self->hold_count; i++) {
        if (!with_stops && self->holds[i].kind != MM_ACTION_DENY)
            continue;
        if (shown == SHOWN) {
            more++;
            continue;
        }
        print_hold(&self->holds[i], options, file);
        shown++;
    }
    print_rest(more, "held back", file);
    for (size_t i = 0; i < places; i++)
        print_place(&self->places[i], options, file);
    print_rest((int64_t)(self->place_count - places) + self->places_left_out, "places", file);
}

json_t *held_json(const mm_held_record_t *self)
{
    json_t *holds = json_array(), *places = json_array();
    for (size_t i = 0; i < self->hold_count; i++) {
        const mm_hold_t *hold = &self->holds[i];
        json_array_append_new(
            holds, json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "kind", mm_action_name(hold->kind),
                             "name", hold->name, "since_ms", (json_int_t)hold->since_ms, "until_ms",
                             (json_int_t)hold->until_ms, "why", hold->why, "actor", hold->actor));
    }
    for (size_t i = 0; i < self->place_count; i++) {
        const mm_held_place_t *place = &self->places[i];
        json_array_append_new(places, json_pack("{s:s, s:s, s:b, s:b, s:I}", "host", place->host,
                                                "groups", place->groups, "open", place->is_open,
                                                "casualty", place->is_casualty, "since_ms",
                                                (json_int_t)place->since_ms));
    }
    return json_pack("{s:o, s:o, s:I}", "holds", holds, "places", places, "left_out",
                     (json_int_t)(self->holds_left_out + self->places_left_out));
}
