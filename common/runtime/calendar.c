// See calendar.h. A time of the day in a zone becomes an instant by the offsets of the zone a day
// before and a day after it: where these differ, the clock changes in between, and what is there
// once, twice or not at all is found from the change itself. Which of several answers mktime gives
// is not defined.

#include "calendar.h"
#include "array.h"
#include "duration.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#define DAY_S        INT64_C(86400)
#define LENGTH_MAX_S (31 * DAY_S) // of an opening
#define ZONEINFO     "/usr/share/zoneinfo"

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
#define DAYS 7

// Returns false.
__attribute__((format(printf, 2, 3))) static bool complain(char why[MM_CALENDAR_WHY_MAX],
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, MM_CALENDAR_WHY_MAX, format, arguments);
    va_end(arguments);
    return false;
}

// ---- zones

// The environment and the library as they were before.
typedef struct {
    char *former; // of TZ; NULL: it was not set
} zone_t;

// Makes a zone the local one; empty: it is already.
static zone_t enter(const char *name)
{
    const char *former = getenv("TZ");
    zone_t zone = {former ? strdup(former) : NULL};
    if (*name)
        (void)setenv("TZ", name, 1);
    tzset();
    return zone;
}

static void leave(zone_t *zone)
{
    if (zone->former)
        (void)setenv("TZ", zone->former, 1);
    else
        (void)unsetenv("TZ");
    tzset();
    free(zone->former);
}

static const char *zone_folder(void)
{
    const char *folder = getenv("TZDIR");
    return folder && *folder ? folder : ZONEINFO;
}

// Whether the zones are there at all.
static bool has_zones(void)
{
    struct stat status;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/UTC", zone_folder());
    return stat(path, &status) == 0;
}

// Whether the file is one of a zone: glibc would take UTC for what is none.
static bool is_zone_file(const char *path)
{
    char magic[4] = "";
    FILE *file = fopen(path, "re");
    bool is_zone = file && fread(magic, 1, sizeof magic, file) == sizeof magic &&
                   memcmp(magic, "TZif", sizeof magic) == 0;
    if (file)
        (void)fclose(file);
    return is_zone;
}

static bool is_in_folder(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", zone_folder(), name);
    return is_zone_file(path);
}

static bool check_zone(const char *name, char why[MM_CALENDAR_WHY_MAX])
{
    if (strcmp(name, "UTC") == 0 || is_in_folder(name))
        return true;
    if (!has_zones())
        return complain(why,
                        "the time zone %s is not there, as the tzdata package is not installed "
                        "(apt-get install tzdata), and %s has no zones; UTC needs none",
                        name, zone_folder());
    return complain(why,
                    "there is no time zone '%s' in %s; zones are named as in Europe/Amsterdam or "
                    "UTC, and without one it is local time",
                    name, zone_folder());
}

// Local time is UTC where TZ names nothing, or /etc/localtime leads nowhere. A TZ without a file is
// in order when it has the rules itself, as in CET-1CEST.
static bool check_local_zone(char why[MM_CALENDAR_WHY_MAX])
{
    struct stat status;
    const char *name = getenv("TZ");
    if (!name && lstat("/etc/localtime", &status) == 0 && !is_zone_file("/etc/localtime"))
        return complain(why, "local time is not known, as /etc/localtime leads to no time zone: "
                             "name a zone behind the window, or install tzdata");
    if (!name || *name == '\0')
        return true;
    name += *name == ':';
    if (strpbrk(name, "0123456789") || strcmp(name, "UTC") == 0 ||
        (*name == '/' ? is_zone_file(name) : is_in_folder(name)))
        return true;
    return complain(why,
                    "local time is not known, as there is no time zone TZ=%s in %s: name a "
                    "zone behind the window, or install tzdata",
                    name, zone_folder());
}

static bool check_any_zone(const char *name, char why[MM_CALENDAR_WHY_MAX])
{
    return *name ? check_zone(name, why) : check_local_zone(why);
}

// Seconds east of Greenwich at an instant.
static int64_t offset_at(int64_t instant)
{
    time_t time = (time_t)instant;
    struct tm local;
    return localtime_r(&time, &local) ? (int64_t)local.tm_gmtoff : 0;
}

// The first instant between two at which the clock no longer has the offset of the earlier one.
static int64_t find_change(int64_t early, int64_t late)
{
    int64_t offset = offset_at(early);
    while (late - early > 1) {
        int64_t middle = early + (late - early) / 2;
        if (offset_at(middle) == offset)
            early = middle;
        else
            late = middle;
    }
    return late;
}

// The first instant at which a clock of the zone shows this or, if it is skipped, the one at which
// the clock goes on. wall: what it shows, as seconds since 1970-01-01 00:00.
static int64_t instant_of(int64_t wall)
{
    int64_t before = offset_at(wall - DAY_S), after = offset_at(wall + DAY_S);
    int64_t early = wall - before, late = wall - after;
    if (before == after || offset_at(early) == before)
        return early;
    return offset_at(late) == after ? late : find_change(wall - DAY_S, wall + DAY_S);
}

// ---- reading

// Cuts the next word off the text, which ends at a blank, or at one of the stops.
static mm_str_t next_word(mm_str_t *text, const char *stops)
{
    while (text->size > 0 && isblank((unsigned char)*text->data))
        text->data++, text->size--;
    mm_str_t word = {text->data, 0};
    while (word.size < text->size && !isblank((unsigned char)word.data[word.size]) &&
           !strchr(stops, word.data[word.size]))
        word.size++;
    text->data += word.size;
    text->size -= word.size;
    return word;
}

// Whether the text goes on with this, behind blanks, which is then cut off.
static bool skip(mm_str_t *text, char c)
{
    mm_str_t rest = *text;
    while (rest.size > 0 && isblank((unsigned char)*rest.data))
        rest.data++, rest.size--;
    if (rest.size == 0 || *rest.data != c)
        return false;
    *text = (mm_str_t){rest.data + 1, rest.size - 1};
    return true;
}

static bool is_empty(mm_str_t text)
{
    return next_word(&text, "").size == 0;
}

static int find_day(mm_str_t name)
{
    for (int day = 0; day < DAYS; day++)
        if (name.size == 3 && strncasecmp(name.data, day_names[day], 3) == 0)
            return day;
    return -1;
}

// "Mon", "Mon..Fri" (round the week), "daily"; adds its bits.
static bool read_days(mm_str_t word, uint8_t *days)
{
    if (word.size == 5 && strncasecmp(word.data, "daily", 5) == 0) {
        *days = (1U << DAYS) - 1;
        return true;
    }
    bool is_span = word.size == 8 && strncmp(word.data + 3, "..", 2) == 0;
    int first = find_day(is_span ? (mm_str_t){word.data, 3} : word);
    int last = is_span ? find_day((mm_str_t){word.data + 5, 3}) : first;
    if (first < 0 || last < 0)
        return false;
    for (int day = first;; day = (day + 1) % DAYS) {
        *days |= (uint8_t)(1U << day);
        if (day == last)
            return true;
    }
}

// "22:00".
static bool read_minute(mm_str_t word, int *ret_minute)
{
    size_t colon = word.size == 5 ? 2 : 1;
    if ((word.size != 4 && word.size != 5) || word.data[colon] != ':')
        return false;
    for (size_t i = 0; i < word.size; i++)
        if (i != colon && !mm_is_digit(word.data[i]))
            return false;
    int hour = word.data[0] - '0', minute = 10 * (word.data[colon + 1] - '0');
    if (colon == 2)
        hour = 10 * hour + word.data[1] - '0';
    minute += word.data[colon + 2] - '0';
    *ret_minute = 60 * hour + minute;
    return hour < 24 && minute < 60;
}

// "Europe/Amsterdam": no path that leads out of the folder.
static bool read_zone(mm_str_t word, char zone[MM_ZONE_MAX + 1])
{
    if (word.size > MM_ZONE_MAX || (word.size > 0 && !isalpha((unsigned char)*word.data)))
        return false;
    for (size_t i = 0; i < word.size; i++)
        if (!isalnum((unsigned char)word.data[i]) && !strchr("_+-/", word.data[i]))
            return false;
    memcpy(zone, word.data, word.size);
    zone[word.size] = '\0';
    return true;
}

#define FORM "a window is days, a start and a length, as in Mon..Fri 22:00 +6h Europe/Amsterdam"

// Reads one from the front of the text, up to a comma behind it.
static bool read_window(mm_str_t *text, mm_window_t *ret_window, char why[MM_CALENDAR_WHY_MAX])
{
    mm_window_t window = {0};
    mm_str_t word;
    do {
        word = next_word(text, ",");
        if (!read_days(word, &window.days))
            return complain(why,
                            "'%.*s' is no day; " FORM ", and days are Mon, Mon..Fri, Sat,Sun or "
                            "daily",
                            (int)word.size, word.data);
    } while (skip(text, ','));
    word = next_word(text, ",");
    if (!read_minute(word, &window.minute))
        return complain(why, "'%.*s' is no time of the day, as in 22:00; " FORM, (int)word.size,
                        word.data);
    word = next_word(text, ",");
    if (word.size == 0 || *word.data != '+')
        return complain(why, "'%.*s' is no length, as in +6h; " FORM ", and has no end",
                        (int)word.size, word.data);
    const char *bad =
        mm_duration_parse((mm_str_t){word.data + 1, word.size - 1}, &window.length_ms);
    if (bad)
        return complain(why, "its length: %s; " FORM, bad);
    if (window.length_ms < 1000 || window.length_ms > 1000 * LENGTH_MAX_S)
        return complain(why, "its length must be from 1s to 31d; " FORM);
    word = next_word(text, ",");
    if (!read_zone(word, window.zone))
        return complain(why, "'%.*s' is no time zone, as in Europe/Amsterdam; " FORM,
                        (int)word.size, word.data);
    if (!check_any_zone(window.zone, why))
        return false;
    *ret_window = window;
    return true;
}

bool mm_schedule_add_windows(mm_schedule_t *self, mm_str_t text, char why[MM_CALENDAR_WHY_MAX])
{
    do {
        mm_window_t window;
        if (is_empty(text))
            return complain(why, "it is empty; " FORM);
        if (!read_window(&text, &window, why))
            return false;
        if (!is_empty(text) && *text.data != ',' && !isblank((unsigned char)*text.data))
            return complain(why, FORM);
        *MM_ARRAY_ADD(self->windows, self->window_count, self->window_capacity) = window;
    } while (skip(&text, ','));
    return is_empty(text) || complain(why, "there is something behind the zone: '%.*s'; " FORM,
                                      (int)text.size, text.data);
}

// "2026-12-24", as days since 1970-01-01.
static bool read_date(mm_str_t word, int64_t *ret_day)
{
    static const char form[] = "0000-00-00";
    int numbers[3] = {0};
    if (word.size != strlen(form))
        return false;
    for (size_t i = 0, number = 0; i < word.size; i++) {
        if (form[i] == '-' ? word.data[i] != '-' : !mm_is_digit(word.data[i]))
            return false;
        if (form[i] == '-')
            number++;
        else
            numbers[number] = 10 * numbers[number] + word.data[i] - '0';
    }
    struct tm date = {
        .tm_year = numbers[0] - 1900, .tm_mon = numbers[1] - 1, .tm_mday = numbers[2]};
    struct tm same = date;
    *ret_day = timegm(&same) / DAY_S;
    return numbers[0] >= 1970 && same.tm_mday == date.tm_mday && same.tm_mon == date.tm_mon;
}

bool mm_schedule_add_except(mm_schedule_t *self, mm_str_t text, char why[MM_CALENDAR_WHY_MAX])
{
    do {
        mm_str_t word = next_word(&text, ","), first = word, last = word;
        mm_dates_t dates;
        if (word.size > 12 && strncmp(word.data + 10, "..", 2) == 0) {
            first.size = 10;
            last = (mm_str_t){word.data + 12, word.size - 12};
        }
        if (!read_date(first, &dates.first) || !read_date(last, &dates.last))
            return complain(why,
                            "'%.*s' is no date; exceptions are days, as in 2026-12-24 or "
                            "2026-12-24..2026-12-26, with commas between",
                            (int)word.size, word.data);
        if (dates.last < dates.first)
            return complain(why, "'%.*s' begins behind its end: swap the two", (int)word.size,
                            word.data);
        *MM_ARRAY_ADD(self->except, self->except_count, self->except_capacity) = dates;
    } while (skip(&text, ','));
    return is_empty(text) ||
           complain(why, "'%.*s' stands behind a date without a comma", (int)text.size, text.data);
}

void mm_schedule_clear(mm_schedule_t *self)
{
    free(self->windows);
    free(self->except);
    *self = (mm_schedule_t){0};
}

// ---- openings

typedef struct {
    mm_opening_t *items;
    size_t count, capacity, limit;
} openings_t;

static void add_opening(openings_t *self, int64_t opens, int64_t closes, int64_t from_ms)
{
    if (closes > opens && 1000 * closes > from_ms && self->count < self->limit)
        *MM_ARRAY_ADD(self->items, self->count, self->capacity) =
            (mm_opening_t){1000 * opens, 1000 * closes};
}

// The last one of the excepted days in a row that begin with this day; day - 1: it is not excepted.
static int64_t end_of_except(const mm_schedule_t *self, int64_t day)
{
    int64_t last = day - 1;
    for (size_t i = 0; i < self->except_count; i++) {
        const mm_dates_t *dates = &self->except[i];
        if (dates->first > last + 1 || dates->last <= last)
            continue;
        last = dates->last;
        i = (size_t)-1; // one that was passed over may follow on
    }
    return last;
}

static int64_t day_of(int64_t instant)
{
    int64_t wall = instant + offset_at(instant);
    return wall / DAY_S - (wall % DAY_S < 0);
}

// Adds what the exceptions leave of a span of time, in seconds, as openings.
static void add_parts(const mm_schedule_t *self, int64_t opens, int64_t closes, int64_t from_ms,
                      openings_t *openings)
{
    int64_t last_day = day_of(closes);
    while (opens < closes) {
        int64_t day = day_of(opens), last = end_of_except(self, day);
        if (last >= day) { // it begins on an excepted day
            opens = instant_of((last + 1) * DAY_S);
            continue;
        }
        int64_t end = closes;
        for (size_t i = 0; i < self->except_count; i++)
            if (self->except[i].first > day && self->except[i].first <= last_day)
                end = mm_earlier(end, instant_of(self->except[i].first * DAY_S));
        add_opening(openings, opens, end, from_ms);
        opens = end;
    }
}

// Adds the openings of one window, whose zone is the local one now.
static void expand_window(const mm_schedule_t *self, const mm_window_t *window, int64_t from_ms,
                          openings_t *openings)
{
    int64_t length = window->length_ms / 1000, from = from_ms / 1000;
    int64_t end = from + MM_CALENDAR_YEARS * 366 * DAY_S, day = day_of(from - length) - 1;
    for (; day * DAY_S < end && openings->count < openings->limit; day++) {
        int weekday = (int)((day + 3) % DAYS); // 1970-01-01 was a Thursday
        if ((window->days >> weekday & 1) == 0 || end_of_except(self, day) >= day)
            continue;
        int64_t opens = instant_of(day * DAY_S + INT64_C(60) * window->minute);
        if (1000 * (opens + length) > from_ms)
            add_parts(self, opens, opens + length, from_ms, openings);
    }
}

static void expand_one(const mm_schedule_t *self, size_t window, int64_t from_ms,
                       openings_t *openings)
{
    zone_t zone = enter(self->windows[window].zone);
    expand_window(self, &self->windows[window], from_ms, openings);
    leave(&zone);
}

static int compare(const void *a, const void *b)
{
    const mm_opening_t *one = a, *other = b;
    return (one->opens_ms > other->opens_ms) - (one->opens_ms < other->opens_ms);
}

// Sorts them, and joins those that touch.
static void merge(openings_t *self)
{
    size_t count = 0;
    if (self->count > 0)
        qsort(self->items, self->count, sizeof *self->items, compare);
    for (size_t i = 0; i < self->count; i++) {
        mm_opening_t *former = count > 0 ? &self->items[count - 1] : NULL;
        if (former && self->items[i].opens_ms <= former->closes_ms)
            former->closes_ms = mm_later(former->closes_ms, self->items[i].closes_ms);
        else
            self->items[count++] = self->items[i];
    }
    self->count = count;
}

static bool opens_ever(const mm_schedule_t *self, const openings_t *openings,
                       char why[MM_CALENDAR_WHY_MAX])
{
    char last_start[MM_DURATION_TEXT];
    if (openings->count == 0)
        return complain(why, "it never opens: the exceptions take all of it");
    for (size_t i = 0; i < openings->count; i++)
        if (openings->items[i].closes_ms - openings->items[i].opens_ms > self->last_start_ms)
            return true;
    return complain(
        why,
        "it never opens: last-start = %s (lost-after at least) is as long as each of its "
        "openings; write longer windows, or a shorter time",
        mm_duration_print(self->last_start_ms, last_start));
}

bool mm_schedule_expand(const mm_schedule_t *self, int64_t from_ms, mm_opening_t **ret_openings,
                        size_t *ret_count, char why[MM_CALENDAR_WHY_MAX])
{
    openings_t openings = {.limit = SIZE_MAX};
    for (size_t i = 0; i < self->window_count; i++) {
        if (!check_any_zone(self->windows[i].zone, why)) {
            free(openings.items);
            return false;
        }
        expand_one(self, i, from_ms, &openings);
    }
    if (self->window_count == 0) {
        if (!check_local_zone(why))
            return false;
        tzset();
        add_parts(self, from_ms / 1000, from_ms / 1000 + MM_CALENDAR_YEARS * 366 * DAY_S, from_ms,
                  &openings);
    }
    merge(&openings);
    if (!opens_ever(self, &openings, why)) {
        free(openings.items);
        return false;
    }
    *ret_openings = openings.items;
    *ret_count = openings.count;
    return true;
}

size_t mm_schedule_next(const mm_schedule_t *self, size_t window, int64_t from_ms,
                        mm_opening_t *ret_openings, size_t capacity)
{
    openings_t openings = {.limit = capacity};
    expand_one(self, window, from_ms, &openings);
    if (openings.count > 0)
        memcpy(ret_openings, openings.items, openings.count * sizeof *ret_openings);
    free(openings.items);
    return openings.count;
}

// ---- printing

char *mm_window_print(const mm_window_t *window, char buffer[MM_WINDOW_TEXT])
{
    char length[MM_DURATION_TEXT], days[DAYS * 4 + 1] = "";
    for (int day = 0; day < DAYS; day++) {
        int last = day;
        if ((window->days >> day & 1) == 0)
            continue;
        while (last + 1 < DAYS && (window->days >> (last + 1) & 1) != 0)
            last++;
        size_t size = strlen(days);
        (void)snprintf(days + size, sizeof days - size, "%s%s%s%s", size > 0 ? "," : "",
                       day_names[day], last > day ? ".." : "", last > day ? day_names[last] : "");
        day = last;
    }
    bool is_daily = window->days == (1U << DAYS) - 1;
    (void)snprintf(buffer, MM_WINDOW_TEXT, "%s %02d:%02d +%s%s%s", is_daily ? "daily" : days,
                   window->minute / 60, window->minute % 60,
                   mm_duration_print(window->length_ms, length), *window->zone ? " " : "",
                   window->zone);
    return buffer;
}

char *mm_calendar_print(int64_t unix_ms, const char *zone, char buffer[MM_INSTANT_TEXT])
{
    zone_t former = enter(zone);
    time_t instant = (time_t)(unix_ms / 1000);
    struct tm local;
    char text[MM_INSTANT_TEXT];
    if (localtime_r(&instant, &local) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &local) > 0)
        (void)snprintf(buffer, MM_INSTANT_TEXT, "%s %.50s", day_names[(local.tm_wday + 6) % DAYS],
                       text); // the day in English, whatever the locale
    else
        (void)snprintf(buffer, MM_INSTANT_TEXT, "?");
    leave(&former);
    return buffer;
}
