// See run_starts.h.

#include "run_starts.h"
#include "caller.h"
#include "clock.h"
#include "duration.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define MINUTE_MS INT64_C(60000)

// -1: it is no time of the day.
static int read_minute(const char *text)
{
    unsigned hour, minute;
    int used = 0;
    size_t digits = strspn(text, "0123456789");
    bool has_form = digits >= 1 && digits <= 2 && text[digits] == ':' &&
                    strspn(text + digits + 1, "0123456789") == 2 && strlen(text) == digits + 3;
    if (!has_form || sscanf(text, "%u:%u%n", &hour, &minute, &used) != 2 || hour > 23 ||
        minute > 59)
        return -1;
    return (int)(60 * hour + minute);
}

int run_starts_read(run_settings_t *self, const mm_options_t *publisher)
{
    const char *until = self->options.until;
    run_starts_t *starts = &self->starts;
    *starts = (run_starts_t){.for_ms = publisher->run_for_ms, .until_minute = -1};
    starts->is_list = *publisher->input != '\0';
    if (*until == '\0')
        return 0;
    starts->until_minute = read_minute(until);
    return starts->until_minute >= 0
               ? 0
               : caller_fail(EX_USAGE, "--until=%s: say a time of the day, as in --until 06:00",
                             until);
}

int64_t run_starts_next(int64_t unix_ms, int minute)
{
    time_t now = (time_t)(unix_ms / 1000);
    int64_t next_ms = 0;
    for (int days = 0; days <= 2 && next_ms <= unix_ms; days++) {
        struct tm day;
        if (!localtime_r(&now, &day))
            return unix_ms; // no such time: nothing starts
        day.tm_mday += days;
        day.tm_hour = minute / 60;
        day.tm_min = minute % 60;
        day.tm_sec = 0;
        day.tm_isdst = -1; // of that day
        next_ms = 1000 * (int64_t)mktime(&day);
    }
    return next_ms;
}

void run_starts_begin(run_settings_t *self)
{
    run_starts_t *starts = &self->starts;
    int64_t now_ms = mm_clock_ms(), unix_ms = mm_clock_wall_ms(), end_ms = MM_NEVER;
    if (starts->for_ms > 0)
        end_ms = now_ms + starts->for_ms;
    starts->is_until = false;
    if (starts->until_minute >= 0) {
        int64_t until_ms = now_ms + run_starts_next(unix_ms, starts->until_minute) - unix_ms;
        starts->is_until = until_ms < end_ms;
        end_ms = mm_earlier(end_ms, until_ms);
    }
    if (end_ms == MM_NEVER)
        return;
    starts->left_ms = end_ms - now_ms;
    starts->end_ms = starts->is_list ? end_ms : 0;
    arguments_add(&self->arguments[MM_PROGRAM_PUBLISHER], "--starts-end=%" PRId64, end_ms);
    if (starts->is_list)
        arguments_add(&self->arguments[MM_PROGRAM_CONSUMER], "--starts-end=%" PRId64, end_ms);
}

char *run_starts_name(const run_settings_t *self, char text[RUN_STARTS_MAX])
{
    char time[MM_DURATION_TEXT];
    if (self->starts.is_until)
        (void)snprintf(text, RUN_STARTS_MAX, "--until %02d:%02d", self->starts.until_minute / 60,
                       self->starts.until_minute % 60);
    else
        (void)snprintf(text, RUN_STARTS_MAX, "--for %s",
                       mm_duration_print(self->starts.for_ms, time));
    return text;
}

char *run_starts_words(const run_settings_t *self, char text[RUN_STARTS_MAX])
{
    const run_starts_t *starts = &self->starts;
    int64_t minutes = (starts->left_ms + MINUTE_MS / 2) / MINUTE_MS;
    char time[MM_DURATION_TEXT];
    *text = '\0';
    if (starts->end_ms > 0 && starts->is_until)
        (void)snprintf(
            text, RUN_STARTS_MAX, "no start after %02d:%02d (in %" PRId64 "h%02" PRId64 "m)",
            starts->until_minute / 60, starts->until_minute % 60, minutes / 60, minutes % 60);
    else if (starts->end_ms > 0)
        (void)snprintf(text, RUN_STARTS_MAX, "no start after %s",
                       mm_duration_print(starts->for_ms, time));
    return text;
}

bool run_starts_are_over(const run_settings_t *self)
{
    return self->starts.end_ms > 0 && mm_clock_ms() >= self->starts.end_ms;
}
