// See units.h. Three digits that count, and no more; a number that rounds up to 1000 of one unit is
// 1.00 of the next.

#include "human_format.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static char *print_three(double number, const char *unit, char buffer[HUMAN_TEXT])
{
    int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    (void)snprintf(buffer, HUMAN_TEXT, "%.*f%s", decimals, number, unit);
    return buffer;
}

static char *print_scaled(double number, const char *const *units, size_t count,
                          char buffer[HUMAN_TEXT])
{
    size_t unit = 0;
    while (unit + 1 < count && number >= 999.5) {
        number /= 1000;
        unit++;
    }
    return print_three(number, units[unit], buffer);
}

char *human_us(int64_t us, char buffer[HUMAN_TEXT])
{
    static const char *const units[] = {"ms", "s"};
    if (us < 0)
        return strcpy(buffer, "-");
    if (us < 1000)
        (void)snprintf(buffer, HUMAN_TEXT, "%dus", (int)us);
    else if (us < 999500000)
        return print_scaled((double)us / 1e3, units, 2, buffer);
    else if (us < INT64_C(60000000) * 1000)
        (void)snprintf(buffer, HUMAN_TEXT, "%dm", (int)(us / 60000000));
    else
        (void)snprintf(buffer, HUMAN_TEXT, "%lldh", (long long)(us / INT64_C(3600000000)));
    return buffer;
}

char *human_count(double count, char buffer[HUMAN_TEXT])
{
    static const char *const units[] = {"M", "G", "T"};
    if (count >= 9999999.5)
        return print_scaled(count / 1e6, units, 3, buffer);
    (void)snprintf(buffer, HUMAN_TEXT, "%.0f", count);
    return buffer;
}

char *human_bytes(int64_t bytes, char buffer[HUMAN_TEXT])
{
    static const char *const units[] = {"K", "M", "G", "T"};
    return print_scaled((double)bytes / 1e3, units, 4, buffer);
}

char *human_date(int64_t wall_ms, char buffer[HUMAN_TEXT])
{
    struct tm parts;
    time_t seconds = (time_t)(wall_ms / 1000);
    if (!gmtime_r(&seconds, &parts) ||
        strftime(buffer, HUMAN_TEXT, "%Y-%m-%d %H:%M:%SZ", &parts) == 0)
        (void)strcpy(buffer, "-");
    return buffer;
}
