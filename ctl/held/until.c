// See until.h.

#include "until.h"
#include "duration.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FORMS "it is a date as in 2026-12-24 or '2026-12-24 06:00', a span as in +2h, or now"

static const char *parse_span(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    int64_t span_ms;
    if (mm_duration_parse(mm_str(text), &span_ms) || span_ms > INT64_MAX - now_ms)
        return FORMS;
    if (span_ms == 0)
        return "it is over at once; `now` ends what was denied before";
    *ret_ms = now_ms + span_ms;
    return NULL;
}

// Whether the text has this form, in which 0 stands for any digit.
static bool has_form(const char *text, const char *form)
{
    for (; *form; form++, text++)
        if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    return *text == '\0';
}

static const char *parse_date(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    int year, month, day, hour = 0, minute = 0;
    bool has_time = has_form(text, "0000-00-00 00:00") || has_form(text, "0000-00-00T00:00");
    if (!has_time && !has_form(text, "0000-00-00"))
        return FORMS;
    (void)sscanf(text, "%d-%d-%d%*1[ T]%d:%d", &year, &month, &day, &hour, &minute);
    if (hour > 23 || minute > 59)
        return "the day has no such time";
    struct tm parts = {.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute,
                       .tm_isdst = -1};
    time_t seconds = mktime(&parts);
    if (parts.tm_year != year - 1900 || parts.tm_mon != month - 1 || parts.tm_mday != day)
        return "there is no such day";
    if ((int64_t)seconds * 1000 <= now_ms)
        return "that is over; `now` ends what was denied before";
    *ret_ms = (int64_t)seconds * 1000;
    return NULL;
}

const char *until_parse(const char *text, int64_t now_ms, int64_t *ret_ms)
{
    if (strcmp(text, "now") == 0) {
        *ret_ms = UNTIL_NOW;
        return NULL;
    }
    return *text == '+' ? parse_span(text + 1, now_ms, ret_ms) : parse_date(text, now_ms, ret_ms);
}

char *until_print(int64_t unix_ms, char buffer[UNTIL_TEXT])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    if (!localtime_r(&seconds, &parts) || strftime(buffer, UNTIL_TEXT, "%F %T %z", &parts) == 0)
        (void)strcpy(buffer, "-");
    return buffer;
}
