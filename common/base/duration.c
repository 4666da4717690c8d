// See duration.h. A printed value reads back as the same value.

#include "duration.h"

#include "string_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define WHOLE_MAX INT64_C(1000000000000)
#define MILLION   INT64_C(1000000)

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

static bool is_digit_at(mm_str_t text, size_t at)
{
    return at < text.size && mm_is_digit(text.data[at]);
}

size_t mm_decimal_read(mm_str_t text, mm_decimal_t *ret_decimal)
{
    mm_decimal_t decimal = {0};
    size_t at = 0;
    for (; is_digit_at(text, at); at++) {
        decimal.whole = decimal.whole * 10 + (text.data[at] - '0');
        if (decimal.whole > WHOLE_MAX)
            return 0;
    }
    if (at == 0)
        return 0;
    if (at < text.size && text.data[at] == '.' && is_digit_at(text, at + 1)) {
        int64_t place = MILLION / 10;
        for (at++; is_digit_at(text, at) && place > 0; at++, place /= 10)
            decimal.millionth += (text.data[at] - '0') * place;
        if (is_digit_at(text, at))
            return 0;
    }
    *ret_decimal = decimal;
    return at;
}

bool mm_decimal_scale(mm_decimal_t decimal, int64_t scale, int64_t *ret_number)
{
    assert(scale >= 1 && scale <= 3600000);
    int64_t rest = decimal.millionth * scale;
    if (rest % MILLION != 0)
        return false;
    *ret_number = decimal.whole * scale + rest / MILLION;
    return true;
}

const char *mm_duration_parse(mm_str_t text, int64_t *ret_ms)
{
    mm_decimal_t decimal;
    size_t used = mm_decimal_read(text, &decimal);
    if (used == 0)
        return "a duration is a number with a unit (ms, s, m or h), as in 500ms or 1.5s";
    mm_str_t unit = {.data = text.data + used, .size = text.size - used};
    if (unit.size == 0 && decimal.whole == 0 && decimal.millionth == 0) {
        *ret_ms = 0;
        return NULL;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!mm_str_equal(unit, mm_str(units[i].name)))
            continue;
        if (!mm_decimal_scale(decimal, units[i].ms, ret_ms))
            return "it is finer than a millisecond";
        return NULL;
    }
    return "a duration needs a unit: ms, s, m or h, as in 500ms or 1.5s";
}

char *mm_duration_print(int64_t ms, char buffer[MM_DURATION_TEXT])
{
    assert(ms >= 0);
    size_t i = 0;
    while (ms % units[i].ms != 0)
        i++;
    const char *unit = ms == 0 ? "s" : units[i].name;
    (void)snprintf(buffer, MM_DURATION_TEXT, "%lld%s", (long long)(ms / units[i].ms), unit);
    return buffer;
}

char *mm_duration_show(int64_t seconds, char buffer[MM_DURATION_TEXT])
{
    int64_t minutes = seconds / 60, hours = minutes / 60;
    if (seconds < 60)
        (void)snprintf(buffer, MM_DURATION_TEXT, "%" PRId64 "s", mm_later(seconds, 0));
    else if (minutes < 60)
        (void)snprintf(buffer, MM_DURATION_TEXT, "%" PRId64 "m%02" PRId64 "s", minutes,
                       seconds % 60);
    else if (hours < 24)
        (void)snprintf(buffer, MM_DURATION_TEXT, "%" PRId64 "h%02" PRId64 "m", hours, minutes % 60);
    else
        (void)snprintf(buffer, MM_DURATION_TEXT, "%" PRId64 "d%02" PRId64 "h", hours / 24,
                       hours % 24);
    return buffer;
}
