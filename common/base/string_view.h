// String views: bytes with a length, which they do not own.

#ifndef MM_STRING_VIEW_H
#define MM_STRING_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Not NUL-terminated, and valid as long as the bytes that it points to.
typedef struct {
    const char *data;
    size_t size;
} mm_str_t;

// The view of a NUL-terminated string; NULL gives the empty one.
static inline mm_str_t mm_str(const char *string)
{
    if (string == NULL)
        return (mm_str_t){.data = "", .size = 0};
    return (mm_str_t){.data = string, .size = strlen(string)};
}

static inline bool mm_str_equal(mm_str_t a, mm_str_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

// By their bytes: less than 0, 0, or more than 0.
int mm_str_compare(mm_str_t a, mm_str_t b);
// For tables and for noticing changes within a process: it may differ between machines and
// releases. Not resistant to chosen keys.
uint64_t mm_str_hash(mm_str_t text);

// Frees the text that *text_p owns, and puts a copy there, or NULL for an empty one. `text` may be
// a view of the former.
void mm_str_replace(char **text_p, mm_str_t text);

// How many letters must be inserted, removed or changed to make one name of another (Levenshtein).
// Of b only the first 63 bytes count.
size_t mm_edit_distance(const char *a, const char *b);

// Copies the bytes to *end, which moves behind them, and returns their view.
static inline mm_str_t mm_str_copy(char **end, mm_str_t text)
{
    mm_str_t copy = {*end, text.size};
    if (text.size > 0)
        memcpy(*end, text.data, text.size);
    *end += text.size;
    return copy;
}

static inline bool mm_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// -1 when c is no lower-case hex digit.
static inline int mm_hex_value(char c)
{
    return mm_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
