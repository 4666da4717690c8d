// See host_range.h.

#include "host_range.h"

#include <inttypes.h>
#include <stdio.h>

#define RANGES_MAX 4
#define HOST_BYTES 512 // of an expanded pattern; a host has fewer
#define FORM       "write a range as web-[01:20], web-[a:f] or web-[1:9:2]"

typedef struct {
    mm_str_t before; // what stands in front of it
    uint64_t low, high, step;
    size_t width; // of numbers with leading zeros; 0: they have none
    bool is_letters;
} range_t;

typedef struct {
    range_t ranges[RANGES_MAX];
    size_t count;
    mm_str_t behind; // the last one
    uint64_t hosts;
} pattern_t;

// Takes what stands in front of the next colon.
static mm_str_t take_part(mm_str_t *rest)
{
    const char *colon = rest->size > 0 ? memchr(rest->data, ':', rest->size) : NULL;
    mm_str_t part = {rest->data, colon ? (size_t)(colon - rest->data) : rest->size};
    size_t taken = part.size + (colon != NULL);
    *rest = (mm_str_t){rest->data + taken, rest->size - taken};
    return part;
}

static bool read_number(mm_str_t text, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!mm_is_digit(text.data[i]) || i == 9)
            return false;
        number = 10 * number + (uint64_t)(text.data[i] - '0');
    }
    *ret_number = number;
    return text.size > 0;
}

static bool is_letter(mm_str_t text)
{
    return text.size == 1 && (text.data[0] | 0x20) >= 'a' && (text.data[0] | 0x20) <= 'z';
}

static bool read_ends(mm_str_t low, mm_str_t high, range_t *range)
{
    if (is_letter(low) && is_letter(high) && ((low.data[0] ^ high.data[0]) & 0x20) == 0) {
        range->is_letters = true;
        range->low = (unsigned char)low.data[0];
        range->high = (unsigned char)high.data[0];
        return true;
    }
    bool has_zeros = low.size > 1 && low.data[0] == '0';
    range->width = has_zeros ? low.size : 0;
    return read_number(low.size == 0 ? mm_str("0") : low, &range->low) &&
           read_number(high, &range->high) && (!has_zeros || low.size == high.size);
}

// Reads what stands between the brackets.
static const char *read_range(mm_str_t text, range_t *range)
{
    bool has_colon = text.size > 0 && memchr(text.data, ':', text.size);
    mm_str_t low = take_part(&text), high = take_part(&text);
    bool has_step = text.size > 0;
    mm_str_t step = take_part(&text);
    range->step = 1;
    if (!has_colon || text.size > 0 || !read_ends(low, high, range) ||
        (has_step && !read_number(step, &range->step)))
        return FORM;
    if (range->low > range->high || range->step == 0)
        return "the range runs backwards, or stands still";
    return NULL;
}

static const char *read_pattern(mm_str_t text, uint64_t hosts_max, pattern_t *self)
{
    const char *open;
    self->hosts = 1;
    while (text.size > 0 && (open = memchr(text.data, '[', text.size)) != NULL) {
        size_t before = (size_t)(open - text.data);
        const char *close = memchr(open, ']', text.size - before);
        if (!close)
            return "a bracket is not closed; " FORM;
        if (self->count == RANGES_MAX)
            return "it has more than four ranges";
        range_t *range = &self->ranges[self->count++];
        *range = (range_t){.before = {text.data, before}};
        const char *wrong = read_range((mm_str_t){open + 1, (size_t)(close - open - 1)}, range);
        if (wrong)
            return wrong;
        self->hosts *= (range->high - range->low) / range->step + 1; // 10^9 at most, and see below
        if (self->hosts > hosts_max)
            return "the inventory has more hosts than are read from one: write a plain list";
        text = (mm_str_t){close + 1, (size_t)(text.data + text.size - close - 1)};
    }
    self->behind = text;
    return NULL;
}

static size_t print(const pattern_t *self, const uint64_t at[RANGES_MAX], char text[HOST_BYTES])
{
    size_t size = 0;
    for (size_t i = 0; i < self->count; i++) {
        const range_t *range = &self->ranges[i];
        size_t left = HOST_BYTES - size;
        int length = range->is_letters
                         ? snprintf(text + size, left, "%.*s%c", (int)range->before.size,
                                    range->before.data, (char)at[i])
                         : snprintf(text + size, left, "%.*s%0*" PRIu64, (int)range->before.size,
                                    range->before.data, (int)range->width, at[i]);
        size = (size_t)length < left ? size + (size_t)length : HOST_BYTES - 1;
    }
    int length =
        snprintf(text + size, HOST_BYTES - size, "%.*s", (int)self->behind.size, self->behind.data);
    return (size_t)length < HOST_BYTES - size ? size + (size_t)length : HOST_BYTES - 1;
}

// To the next host; the last range runs fastest. False: there was none.
static bool advance(const pattern_t *self, uint64_t at[RANGES_MAX])
{
    for (size_t i = self->count; i > 0; i--) {
        const range_t *range = &self->ranges[i - 1];
        if (range->high - at[i - 1] >= range->step) {
            at[i - 1] += range->step;
            return true;
        }
        at[i - 1] = range->low;
    }
    return false;
}

bool host_range_expand(mm_str_t pattern, uint64_t hosts_max, host_range_give_fn *give, void *arg,
                       char why[HOST_RANGE_ERROR_MAX])
{
    pattern_t self = {.count = 0};
    uint64_t at[RANGES_MAX] = {0};
    char text[HOST_BYTES];
    const char *wrong = read_pattern(pattern, hosts_max, &self);
    if (wrong) {
        (void)snprintf(why, HOST_RANGE_ERROR_MAX, "%s", wrong);
        return false;
    }
    for (size_t i = 0; i < self.count; i++)
        at[i] = self.ranges[i].low;
    do {
        if (!give(arg, (mm_str_t){text, print(&self, at, text)}))
            return false;
    } while (advance(&self, at));
    return true;
}
