// Texts of decimals and durations: "0.25", "1500ms", "1.5s", "2h30m". Exact: no floating point.

#ifndef MM_DURATION_H
#define MM_DURATION_H

#include "string_view.h"

#define MM_NEVER INT64_MAX // a deadline that does not come, in any unit of time

static inline int64_t mm_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t mm_later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

// A decimal, 0 or above.
typedef struct {
    int64_t whole;     // at most 10^12
    int64_t millionth; // 0 to 999999
} mm_decimal_t;

// Reads digits, with up to six decimals behind a point, from the front of a text. Returns how many
// bytes it read; 0, and *ret_decimal untouched, when the text begins otherwise.
size_t mm_decimal_read(mm_str_t text, mm_decimal_t *ret_decimal);

// Sets *ret_number to decimal * scale (1 to 86,400,000); false, and *ret_number untouched, when
// that is not a whole number, or beyond INT64_MAX.
bool mm_decimal_scale(mm_decimal_t decimal, int64_t scale, int64_t *ret_number);

// Reads a duration as milliseconds: numbers with a unit each (ms, s, m, h or d; 0 alone needs
// none), from larger units to smaller ones, without blanks; the last number may have decimals.
// Returns NULL, or the complaint as a sentence without its end; *ret_ms is then untouched.
const char *mm_duration_parse(mm_str_t text, int64_t *ret_ms);

// Writes a duration in the largest unit up to hours in which it is whole ("90s", "1500ms", "36h").
// ms >= 0. Returns buffer.
#define MM_DURATION_TEXT 24
char *mm_duration_print(int64_t ms, char buffer[MM_DURATION_TEXT]);
// Writes a span for people to read, in two units at most: "3s", "2m05s", "1h20m", "2d03h"; below 0
// as 0. Returns buffer.
char *mm_duration_show(int64_t seconds, char buffer[MM_DURATION_TEXT]);

#endif
