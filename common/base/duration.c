// See duration.h. A printed value reads back as the same value.

#include "duration.h"

#include "string_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define WHOLE_MAX INT64_C(1000000000000)
#define MILLION   INT64_C(1000000)
#define DAY_MS    INT64_C(86400000)

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"d", DAY_MS}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNITS (sizeof units / sizeof units[0])

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
    assert(scale >= 1 && scale <= DAY_MS);
    int64_t number, rest = decimal.millionth * scale;
    if (rest % MILLION != 0 || __builtin_mul_overflow(decimal.whole, scale, &number) ||
        __builtin_add_overflow(number, rest / MILLION, &number))
        return false;
    *ret_number = number;
    return true;
}

// The place of the unit that a text begins with; UNITS: it begins with none.
static size_t read_unit(mm_str_t text, size_t *ret_size)
{
    size_t letters = 0, i = 0;
    while (letters < text.size && !is_digit_at(text, letters))
        letters++;
    mm_str_t name = {.data = text.data, .size = letters};
    while (i < UNITS && !mm_str_equal(name, mm_str(units[i].name)))
        i++;
    *ret_size = letters;
    return i;
}

// One number with its unit, from the front of *text, which then begins behind it. *next is the
// first unit that it may have.
static const char *read_part(mm_str_t *text, size_t *next, int64_t *ret_ms)
{
    mm_decimal_t decimal;
    size_t used = mm_decimal_read(*text, &decimal), letters;
    if (used == 0)
        return "a duration is a number with a unit (ms, s, m, h or d), as in 500ms, 1.5s or 2h30m";
    mm_str_t rest = {.data = text->data + used, .size = text->size - used};
    size_t unit = read_unit(rest, &letters);
    if (unit == UNITS)
        return "a duration needs a unit: ms, s, m, h or d, as in 500ms, 1.5s or 2h30m";
    if (unit < *next)
        return "each unit stands once, the larger one first, as in 1d2h30m";
    *next = unit + 1;
    *text = (mm_str_t){.data = rest.data + letters, .size = rest.size - letters};
    if (text->size > 0 && decimal.millionth != 0)
        return "only its last number may have decimals, as in 1h2.5m";
    if (mm_decimal_scale(decimal, units[unit].ms, ret_ms))
        return NULL;
    return decimal.whole > INT64_MAX / units[unit].ms - 1 ? "it is too long"
                                                          : "it is finer than a millisecond";
}

const char *mm_duration_parse(mm_str_t text, int64_t *ret_ms)
{
    int64_t total = 0, part = 0;
    mm_decimal_t zero;
    if (mm_decimal_read(text, &zero) == text.size && text.size > 0 && zero.whole == 0 &&
        zero.millionth == 0) {
        *ret_ms = 0; // of any unit
        return NULL;
    }
    size_t next = 0;
    do {
        const char *why = read_part(&text, &next, &part);
        if (why)
            return why;
        if (__builtin_add_overflow(total, part, &total))
            return "it is too long";
    } while (text.size > 0);
    *ret_ms = total;
    return NULL;
}

char *mm_duration_print(int64_t ms, char buffer[MM_DURATION_TEXT])
{
    assert(ms >= 0);
    size_t i = 1; // hours: few read days as readily
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
