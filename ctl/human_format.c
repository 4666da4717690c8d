// See human_format.h. Three significant digits; a number that rounds up to 1000 of one unit is 1.00
// of the next.

#include "human_format.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// units: the smallest first, ended by NULL.
static char *print_scaled(double number, const char *const *units, char buffer[HUMAN_TEXT])
{
    for (; number >= 999.5 && *units; units++)
        number /= 1000;
    if (!*units)
        return strcpy(buffer, "inf");
    (void)snprintf(buffer, HUMAN_TEXT, "%.*f%s",
                   number < 9.995   ? 2
                   : number < 99.95 ? 1
                                    : 0,
                   number, *units);
    return buffer;
}

char *human_us(int64_t us, char buffer[HUMAN_TEXT])
{
    static const char *const units[] = {"ms", "s", NULL};
    static const int64_t minute = 60000000, hour = INT64_C(3600000000);
    if (us < 0)
        return strcpy(buffer, "-");
    if (us >= 1000 && us < 999500000)
        return print_scaled((double)us / 1e3, units, buffer);
    char unit = us < 1000 ? 'u' : us < 1000 * minute ? 'm' : us < 10000 * hour ? 'h' : 'y';
    int64_t count = us / (unit == 'u'   ? 1
                          : unit == 'm' ? minute
                          : unit == 'h' ? hour
                                        : 8766 * hour);
    (void)snprintf(buffer, HUMAN_TEXT, "%d%c%s", (int)count, unit, unit == 'u' ? "s" : "");
    return buffer;
}

char *human_count(int64_t count, char buffer[HUMAN_TEXT])
{
    return human_number((double)count, 0, buffer);
}

char *human_number(double number, int decimals, char buffer[HUMAN_TEXT])
{
    static const char *const units[] = {"M", "G", "T", "P", "E", NULL};
    if (number >= 9999999.5)
        return print_scaled(number / 1e6, units, buffer);
    if (number < 0) {
        (void)human_number(-number, decimals, buffer);
        memmove(buffer + 1, buffer, strlen(buffer) + 1);
        buffer[0] = '-';
    } else {
        (void)snprintf(buffer, HUMAN_TEXT, "%.*f", number < 99999.95 ? decimals : 0, number);
    }
    return buffer;
}

char *human_bytes(int64_t bytes, char buffer[HUMAN_TEXT])
{
    static const char *const units[] = {"K", "M", "G", "T", "P", "E", NULL};
    return bytes < 0 ? strcpy(buffer, "-") : print_scaled((double)bytes / 1e3, units, buffer);
}

char *human_duration(int64_t ms, char buffer[HUMAN_TEXT])
{
    if (ms < 0) // a clock was set back
        return strcpy(buffer, "no time");
    if (ms < 1000)
        (void)snprintf(buffer, HUMAN_TEXT, "%d ms", (int)ms);
    else if (ms < 100000)
        (void)snprintf(buffer, HUMAN_TEXT, "%d.%d s", (int)(ms / 1000), (int)(ms / 100 % 10));
    else if (ms < 6000000)
        (void)snprintf(buffer, HUMAN_TEXT, "%d min %d s", (int)(ms / 60000), (int)(ms / 1000 % 60));
    else
        (void)snprintf(buffer, HUMAN_TEXT, "%" PRId64 " h %d min", ms / 3600000,
                       (int)(ms / 60000 % 60));
    return buffer;
}

static bool split(int64_t wall_ms, struct tm *ret_parts)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    return gmtime_r(&seconds, ret_parts) != NULL;
}

char *human_date(int64_t wall_ms, char buffer[HUMAN_TEXT])
{
    struct tm parts;
    if (!split(wall_ms, &parts) || strftime(buffer, HUMAN_TEXT, "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
        (void)strcpy(buffer, "-");
    return buffer;
}

char *human_stamp(int64_t wall_ms, char buffer[HUMAN_STAMP])
{
    struct tm parts;
    size_t size = 0;
    if (split(wall_ms, &parts))
        size = strftime(buffer, HUMAN_STAMP - 16, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)sprintf(buffer + size, "%s.%03dZ", size > 0 ? "" : "?", (int)(wall_ms % 1000));
    return buffer;
}
