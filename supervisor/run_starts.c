// See run_starts.h.

#include "run_starts.h"
#include "clock.h"
#include "duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define MINUTE_MS INT64_C(60000)

void run_starts_read(run_settings_t *self, const mm_options_t *publisher)
{
    self->starts = (run_starts_t){.for_ms = publisher->run_for_ms,
                                  .until_minute = (int)self->options.until_minute,
                                  .is_list = *publisher->input != '\0'};
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
