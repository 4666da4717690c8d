// See policy_file.h. Each key has one function that reads it, for a group and for the whole run;
// what is wrong is said of the line, flag or variable that it is from.

#include "policy_file.h"
#include "array.h"
#include "duration.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX      MM_CALENDAR_WHY_MAX
#define DURATION_MAX (INT64_C(720) * 3600000)

// A group, or the whole run: what is read of it.
typedef struct {
    mm_rules_t *rules;
    mm_schedule_t *schedule;
} group_t;

// ---- one key each; false: `why` says what is wrong

static bool complain(char why[WHY_MAX], const char *complaint)
{
    (void)snprintf(why, WHY_MAX, "%s", complaint);
    return false;
}

static bool read_amount(const char *text, mm_amount_t *ret_amount, char why[WHY_MAX])
{
    const char *bad = mm_amount_parse(mm_str(text), ret_amount);
    return !bad || complain(why, bad);
}

static bool read_cap(group_t group, const char *text, char why[WHY_MAX])
{
    return read_amount(text, &group.rules->cap, why);
}

static bool read_max_unavailable(group_t group, const char *text, char why[WHY_MAX])
{
    return read_amount(text, &group.rules->max_unavailable, why);
}

static bool read_duration(const char *text, int64_t *ret_ms, char why[WHY_MAX])
{
    int64_t ms = 0;
    const char *bad = mm_duration_parse(mm_str(text), &ms);
    if (bad || ms > DURATION_MAX)
        return complain(why, bad ? bad : "it must be at most 30d");
    *ret_ms = ms;
    return true;
}

static bool read_bake(group_t group, const char *text, char why[WHY_MAX])
{
    return read_duration(text, &group.rules->bake_ms, why);
}

static bool read_last_start(group_t group, const char *text, char why[WHY_MAX])
{
    return read_duration(text, &group.rules->last_start_ms, why);
}

// Cuts the next item off a list with commas, without the blanks around it.
static mm_str_t next_item(const char **text)
{
    const char *start = *text + strspn(*text, " \t");
    size_t size = strcspn(start, ",");
    *text = start[size] == ',' ? start + size + 1 : NULL;
    while (size > 0 && (start[size - 1] == ' ' || start[size - 1] == '\t'))
        size--;
    return (mm_str_t){start, size};
}

// Steps of the same kind must not become smaller; numbers and shares are compared when the hosts
// are known.
static bool read_ramp(group_t group, const char *text, char why[WHY_MAX])
{
    mm_rules_t *rules = group.rules;
    uint32_t former[2] = {0};
    do {
        mm_amount_t step;
        const char *bad = mm_amount_parse(next_item(&text), &step);
        if (bad) {
            (void)snprintf(why, WHY_MAX,
                           "a step of a ramp: %s; a ramp is a list of them, as in "
                           "1,5,25%%",
                           bad);
            return false;
        }
        if (step.value < former[step.is_percent])
            return complain(why, "its steps become smaller: they are in ascending order, as in "
                                 "1,5,25%");
        if (rules->ramp_count == MM_POLICY_RAMP_MAX)
            return complain(why, "it has more than 16 steps: take some out");
        former[step.is_percent] = step.value;
        rules->ramp[rules->ramp_count++] = step;
    } while (text);
    return true;
}

// "3/10".
static bool read_breaker_of(mm_str_t text, mm_breaker_t *ret_breaker)
{
    uint64_t numbers[2] = {0};
    size_t number = 0, digits = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '/' && number == 0 && digits > 0) {
            number = 1;
            digits = 0;
        } else if (mm_is_digit(text.data[i]) && ++digits <= 4) {
            numbers[number] = 10 * numbers[number] + (uint64_t)(text.data[i] - '0');
        } else {
            return false;
        }
    }
    *ret_breaker = (mm_breaker_t){(uint32_t)numbers[0], (uint32_t)numbers[1]};
    return number == 1 && digits > 0 && numbers[0] >= 1 && numbers[1] >= numbers[0] &&
           numbers[1] <= MM_POLICY_LAST_MAX;
}

static bool read_breaker(group_t group, const char *text, char why[WHY_MAX])
{
    mm_rules_t *rules = group.rules;
    do {
        mm_breaker_t breaker;
        if (!read_breaker_of(next_item(&text), &breaker))
            return complain(why,
                            "a breaker is F/W, F dead hosts of the last W, where W is at least "
                            "F and at most 1000, as in 3/3 (three in a row) or 10/100");
        if (rules->breaker_count == MM_POLICY_BREAKERS_MAX)
            return complain(why, "there are more than 4 breakers: take some out");
        rules->breakers[rules->breaker_count++] = breaker;
    } while (text);
    return true;
}

static bool read_window(group_t group, const char *text, char why[WHY_MAX])
{
    return mm_schedule_add_windows(group.schedule, mm_str(text), why);
}

static bool read_except(group_t group, const char *text, char why[WHY_MAX])
{
    return mm_schedule_add_except(group.schedule, mm_str(text), why);
}

enum { CAP, MAX_UNAVAILABLE, RAMP, BAKE, WINDOW, EXCEPT, LAST_START, BREAKER, KEYS };
static const struct {
    const char *name;
    bool (*read)(group_t group, const char *text, char why[WHY_MAX]);
    bool is_repeatable; // it may have several lines, which add up
} keys[KEYS] = {[CAP] = {"cap", read_cap, false},
                [MAX_UNAVAILABLE] = {"max-unavailable", read_max_unavailable, false},
                [RAMP] = {"ramp", read_ramp, false},
                [BAKE] = {"bake", read_bake, false},
                [WINDOW] = {"window", read_window, true},
                [EXCEPT] = {"except", read_except, true},
                [LAST_START] = {"last-start", read_last_start, false},
                [BREAKER] = {"breaker", read_breaker, true}};

// ---- all of them

typedef struct {
    const mm_options_t *options;
    size_t count;                  // of the groups; 0: there is no policy
    mm_rules_t *rules;             // of each
    mm_schedule_t *schedules;      // of each
    const mm_group_line_t **lines; // of each but the first: its section
    // Of each group, where its keys are from; NULL: not there. Of the whole run they are options.
    const mm_group_line_t *(*found)[KEYS];
} reader_t;

// Of the whole run the cap is called --at-once.
static int refuse(const reader_t *self, size_t group, int key, const char *why)
{
    return group == 0
               ? mm_options_refuse(self->options, key == CAP ? "at-once" : keys[key].name, why)
               : mm_options_refuse_line(self->options, self->found[group][key], why);
}

static int refuse_key(const reader_t *self, const mm_group_line_t *line)
{
    char why[WHY_MAX];
    size_t size = 0, nearest = 0, least = SIZE_MAX;
    for (size_t i = 0; i < KEYS; i++) {
        size_t distance = mm_edit_distance(line->key, keys[i].name);
        nearest = distance < least ? i : nearest;
        least = distance < least ? distance : least;
        size +=
            (size_t)snprintf(why + size, sizeof why - size, "%s%s",
                             i == 0 ? "there is no such key; a group has " : ", ", keys[i].name);
    }
    if (least <= 3)
        (void)snprintf(why + size, sizeof why - size, "; the nearest one is %s",
                       keys[nearest].name);
    return mm_options_refuse_line(self->options, line, why);
}

static int read_line(const reader_t *self, size_t group, const mm_group_line_t *line)
{
    char why[WHY_MAX];
    group_t target = {&self->rules[group], &self->schedules[group]};
    int key = 0;
    while (key < KEYS && strcmp(keys[key].name, line->key) != 0)
        key++;
    if (key == KEYS)
        return refuse_key(self, line);
    const mm_group_line_t *former = self->found[group][key];
    if (former && !keys[key].is_repeatable) {
        (void)snprintf(why, sizeof why, "it was given in line %d already: take one of the two out",
                       former->line);
        return mm_options_refuse_line(self->options, line, why);
    }
    if (!keys[key].read(target, line->text, why))
        return mm_options_refuse_line(self->options, line, why);
    if (!former)
        self->found[group][key] = line;
    return 0;
}

static int read_run(const reader_t *self)
{
    const mm_options_t *options = self->options;
    const char *const texts[KEYS] = {[RAMP] = options->ramp,
                                     [WINDOW] = options->window,
                                     [EXCEPT] = options->except,
                                     [BREAKER] = options->breaker};
    group_t run = {&self->rules[0], &self->schedules[0]};
    char why[WHY_MAX];
    for (int key = 0; key < KEYS; key++)
        if (texts[key] && *texts[key] && !keys[key].read(run, texts[key], why))
            return refuse(self, 0, key, why);
    if (options->at_once.is_percent)
        run.rules->cap = options->at_once;
    run.rules->max_unavailable = options->max_unavailable;
    run.rules->bake_ms = options->bake_ms;
    run.rules->last_start_ms = options->last_start_ms;
    return 0;
}

static int compare_lines(const void *a, const void *b)
{
    const mm_group_line_t *const *one = a, *const *other = b;
    return strcmp((*one)->group, (*other)->group);
}

// The sections in the order of their names. Returns 0, or an exit code.
static int find_groups(reader_t *self)
{
    size_t line_count;
    const mm_group_line_t *lines = mm_options_group_lines(self->options, &line_count);
    self->count = 1;
    for (size_t i = 0; i < line_count; i++)
        self->count += !lines[i].key;
    self->rules = calloc(self->count, sizeof *self->rules);
    self->schedules = calloc(self->count, sizeof *self->schedules);
    self->found = calloc(self->count, sizeof *self->found);
    self->lines = calloc(self->count, sizeof *self->lines);
    assert(self->rules && self->schedules && self->found && self->lines);
    for (size_t i = 0, group = 0; i < line_count; i++)
        if (!lines[i].key)
            self->lines[++group] = &lines[i];
    if (self->count > MM_POLICY_GROUPS_MAX)
        return mm_options_refuse_line(self->options, self->lines[MM_POLICY_GROUPS_MAX],
                                      "there are more than 1023 groups: take some out");
    qsort(self->lines + 1, self->count - 1, sizeof *self->lines, compare_lines);
    return 0;
}

static int read_group(const reader_t *self, size_t group)
{
    size_t line_count;
    const mm_group_line_t *first = mm_options_group_lines(self->options, &line_count);
    const mm_group_line_t *line = self->lines[group], *end = first + line_count;
    int exit_code = 0;
    (void)snprintf(self->rules[group].name, sizeof self->rules[group].name, "%s", line->group);
    while (exit_code == 0 && ++line < end && line->key)
        exit_code = read_line(self, group, line);
    return exit_code;
}

// What means nothing without another key.
static int check_group(const reader_t *self, size_t group)
{
    const mm_rules_t *rules = &self->rules[group];
    const mm_schedule_t *schedule = &self->schedules[group];
    if (rules->bake_ms > 0 && rules->ramp_count == 0)
        return refuse(self, group, BAKE,
                      "it is the pause between the steps of a ramp: give one, as "
                      "in ramp = 1,5,25%");
    if (rules->last_start_ms > 0 && schedule->window_count + schedule->except_count == 0)
        return refuse(self, group, LAST_START,
                      "it counts from the end of a window: give one, as in window = Mon..Fri 22:00 "
                      "+6h Europe/Amsterdam");
    return 0;
}

// Everything but the openings. Returns 0, or an exit code.
static int read_all(reader_t *self)
{
    int exit_code = find_groups(self);
    if (exit_code == 0)
        exit_code = read_run(self);
    for (size_t i = 1; i < self->count && exit_code == 0; i++)
        exit_code = read_group(self, i);
    for (size_t i = 0; i < self->count && exit_code == 0; i++)
        exit_code = check_group(self, i);
    return exit_code;
}

static int expand(const reader_t *self, size_t group, int64_t now_ms)
{
    mm_rules_t *rules = &self->rules[group];
    mm_schedule_t *schedule = &self->schedules[group];
    mm_opening_t *openings;
    char why[WHY_MAX];
    if (schedule->window_count + schedule->except_count == 0)
        return 0;
    // A command starts within lost-after of its hand-out, which is in the window, too.
    rules->last_start_ms = mm_later(rules->last_start_ms, self->options->lost_after_ms);
    schedule->last_start_ms = rules->last_start_ms;
    if (!mm_schedule_expand(schedule, now_ms, &openings, &rules->opening_count, why))
        return refuse(self, group, schedule->window_count > 0 ? WINDOW : EXCEPT, why);
    rules->has_window = true;
    rules->openings = openings;
    return 0;
}

// Keeps what it hands on.
static void end_reading(reader_t *self)
{
    for (size_t i = 0; self->rules && i < self->count; i++)
        free((void *)(uintptr_t)self->rules[i].openings);
    free(self->rules);
    mm_policy_clear_schedules(&self->schedules, self->count);
    free(self->found);
    free(self->lines);
}

// ---- what others call

bool mm_policy_is_given(const mm_options_t *options)
{
    size_t lines;
    (void)mm_options_group_lines(options, &lines);
    return lines > 0 || options->at_once.is_percent || options->max_unavailable.is_set ||
           *options->ramp || options->bake_ms > 0 || *options->window || *options->except ||
           options->last_start_ms > 0 || *options->breaker || *options->guard ||
           options->start_rate > 0;
}

// A rate as so many starts of so many milliseconds, in the shortest unit in which it is whole.
void mm_policy_set_rate(mm_policy_t *self, double rate)
{
    static const int64_t units_ms[] = {1000, 60000, 3600000, 86400000};
    if (rate <= 0)
        return;
    self->rate = 1;
    self->rate_ms = (int64_t)(1000 / rate + 0.5);
    for (size_t i = 0; i < sizeof units_ms / sizeof *units_ms; i++) {
        double starts = rate * (double)units_ms[i] / 1000;
        if (starts < 0.5 || starts > UINT32_MAX - 1)
            continue;
        uint32_t whole = (uint32_t)(starts + 0.5);
        if (starts - whole > 1e-6 || whole - starts > 1e-6)
            continue;
        self->rate = whole;
        self->rate_ms = units_ms[i];
        return;
    }
}

int mm_policy_check(const mm_options_t *options)
{
    reader_t reader = {.options = options};
    int exit_code = mm_policy_is_given(options) ? read_all(&reader) : 0;
    end_reading(&reader);
    return exit_code;
}

int mm_policy_read_schedules(const mm_options_t *options, int64_t now_ms, mm_policy_t *ret_policy,
                             mm_schedule_t **ret_schedules)
{
    reader_t reader = {.options = options};
    int exit_code = mm_policy_is_given(options) ? read_all(&reader) : 0;
    for (size_t i = 0; i < reader.count && exit_code == 0; i++)
        exit_code = expand(&reader, i, now_ms);
    if (exit_code == 0) {
        *ret_policy = (mm_policy_t){.groups = reader.rules,
                                    .count = reader.count,
                                    .has_guard = *options->guard != '\0' && !options->dry_run};
        mm_policy_set_rate(ret_policy, options->start_rate);
        *ret_schedules = reader.schedules;
        reader.rules = NULL;
        reader.schedules = NULL;
    }
    end_reading(&reader);
    return exit_code;
}

int mm_policy_read(const mm_options_t *options, int64_t now_ms, mm_policy_t *ret_policy)
{
    mm_schedule_t *schedules = NULL;
    int exit_code = mm_policy_read_schedules(options, now_ms, ret_policy, &schedules);
    if (exit_code == 0)
        mm_policy_clear_schedules(&schedules, ret_policy->count);
    return exit_code;
}

void mm_policy_clear_schedules(mm_schedule_t **schedules_p, size_t count)
{
    for (size_t i = 0; *schedules_p && i < count; i++)
        mm_schedule_clear(&(*schedules_p)[i]);
    free(*schedules_p);
    *schedules_p = NULL;
}

void mm_policy_clear(mm_policy_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free((void *)(uintptr_t)self->groups[i].openings);
    free(self->groups);
    *self = (mm_policy_t){0};
}
