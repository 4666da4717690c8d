// The decoder's readers of single fields, straight from the bytes. Each takes the next element of
// an array: it says true and sets its output, or says false and has left the field's name behind.
// None reads beyond the end. Allocates nothing; texts are borrowed. Private to
// common/wire/decode.c: a header only to keep both files short and the calls inlined.

#ifndef MM_WIRE_TAKE_H
#define MM_WIRE_TAKE_H

#include "wire_rules.h"

#include <string.h>

// The elements of an array, from left to right.
typedef struct {
    const uint8_t *at;
    const uint8_t *end; // of the frame
    size_t left;        // elements to come
    const char *name;   // of the field read last: the bad one when a reader says false
} fields_t;

// Whether there is a next element, and its head; it counts as taken.
static inline bool parse_head(fields_t *in, const char *name, uint8_t *ret_head)
{
    in->name = name;
    if (in->left == 0 || in->at == in->end)
        return false;
    in->left--;
    *ret_head = *in->at++;
    return true;
}

// A number of `width` bytes, most significant first.
static inline bool parse_wide(fields_t *in, size_t width, uint64_t *ret)
{
    if ((size_t)(in->end - in->at) < width)
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++)
        number = number << 8 | in->at[i];
    in->at += width;
    *ret = number;
    return true;
}

// A size that a head of one of three widths declares: `first` has the narrowest.
static inline bool parse_size(fields_t *in, uint8_t head, uint8_t first, size_t narrowest,
                              size_t *ret_size)
{
    uint64_t size;
    if (head < first || head > first + (narrowest == 1 ? 2 : 1) ||
        !parse_wide(in, narrowest << (head - first), &size))
        return false;
    *ret_size = (size_t)size;
    return true;
}

static inline bool parse_bytes(fields_t *in, size_t size, const uint8_t **ret)
{
    if ((size_t)(in->end - in->at) < size)
        return false;
    *ret = in->at;
    in->at += size;
    return true;
}

// An array's or a map's count of elements or pairs: both are written alike.
static inline bool parse_length(fields_t *in, const char *name, uint8_t fixed, uint8_t first,
                                size_t *ret_count)
{
    uint8_t head;
    if (!parse_head(in, name, &head))
        return false;
    *ret_count = head & 0x0F;
    return (head & 0xF0) == fixed || parse_size(in, head, first, 2, ret_count);
}

static inline bool parse_array(fields_t *in, const char *name, size_t *ret_count)
{
    return parse_length(in, name, 0x90, 0xDC, ret_count);
}

static inline bool parse_number(fields_t *in, const char *name, uint64_t min, uint64_t *ret)
{
    uint8_t head;
    if (!parse_head(in, name, &head))
        return false;
    if (head < 0x80) {
        *ret = head;
        return head >= min;
    }
    // Any width will do, signed ones too, if they are not negative.
    bool is_signed = head >= 0xD0;
    unsigned power = head - (is_signed ? 0xD0U : 0xCCU);
    if (head < 0xCC || power > 3 || !parse_wide(in, (size_t)1 << power, ret))
        return false;
    return *ret >= min && !(is_signed && *ret >> ((8U << power) - 1) != 0);
}

static inline bool parse_range(fields_t *in, const char *name, uint64_t min, uint64_t max,
                               uint64_t *ret)
{
    return parse_number(in, name, min, ret) && *ret <= max;
}

static inline bool parse_count(fields_t *in, const char *name, uint32_t min, uint32_t max,
                               uint32_t *ret)
{
    uint64_t number;
    if (!parse_range(in, name, min, max, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

static inline bool parse_time(fields_t *in, const char *name, int64_t *ret)
{
    uint64_t number;
    if (!parse_range(in, name, 0, INT64_MAX, &number))
        return false;
    *ret = (int64_t)number;
    return true;
}

static inline bool parse_bool(fields_t *in, const char *name, bool *ret)
{
    uint8_t head;
    if (!parse_head(in, name, &head) || (head != 0xC2 && head != 0xC3))
        return false;
    *ret = head == 0xC3;
    return true;
}

static inline bool parse_string(fields_t *in, const char *name, mm_str_t *ret)
{
    uint8_t head;
    const uint8_t *bytes;
    if (!parse_head(in, name, &head))
        return false;
    size_t size = head & 0x1F;
    if (((head & 0xE0) != 0xA0 && !parse_size(in, head, 0xD9, 1, &size)) ||
        !parse_bytes(in, size, &bytes))
        return false;
    *ret = (mm_str_t){.data = (const char *)bytes, .size = size};
    return true;
}

static inline bool parse_utf8(fields_t *in, const char *name, size_t size_max, mm_str_t *ret)
{
    return parse_string(in, name, ret) && (ret->size == 0 || mm_wire_is_utf8(*ret, size_max));
}

static inline bool parse_name(fields_t *in, const char *name, mm_str_t *ret)
{
    return parse_string(in, name, ret) && mm_wire_is_name(*ret);
}

static inline bool parse_name_or_none(fields_t *in, const char *name, mm_str_t *ret)
{
    return parse_string(in, name, ret) && (ret->size == 0 || mm_wire_is_name(*ret));
}

static inline bool parse_host(fields_t *in, mm_str_t *ret)
{
    return parse_string(in, "host", ret) && mm_wire_is_host(*ret);
}

static inline bool parse_host_or_none(fields_t *in, mm_str_t *ret)
{
    return parse_string(in, "host", ret) && (ret->size == 0 || mm_wire_is_host(*ret));
}

static inline bool parse_suffix(fields_t *in, mm_str_t *ret)
{
    return parse_string(in, "suffix", ret) && mm_wire_is_suffix(*ret);
}

static inline bool parse_id(fields_t *in, mm_id_t *ret)
{
    uint8_t head;
    size_t size;
    const uint8_t *bytes;
    if (!parse_head(in, "id", &head) || !parse_size(in, head, 0xC4, 1, &size) ||
        size != sizeof ret->bytes || !parse_bytes(in, size, &bytes))
        return false;
    memcpy(ret->bytes, bytes, sizeof ret->bytes);
    return true;
}

static inline bool parse_leg(fields_t *in, mm_leg_t *ret)
{
    uint64_t number;
    if (!parse_range(in, "leg", MM_LEG_SAVE, MM_LEG_SETTLE, &number))
        return false;
    *ret = (mm_leg_t)number;
    return true;
}

static inline bool parse_outcome(fields_t *in, mm_outcome_t min, mm_outcome_t *ret)
{
    uint64_t number;
    if (!parse_range(in, "outcome", min, MM_OUTCOME_DEAD, &number))
        return false;
    *ret = (mm_outcome_t)number;
    return true;
}

static inline bool parse_status(fields_t *in, mm_status_t *ret)
{
    uint64_t number;
    if (!parse_range(in, "status", MM_STATUS_OK, MM_STATUS_RETURNED, &number))
        return false;
    *ret = (mm_status_t)number;
    return true;
}

static inline bool parse_role(fields_t *in, mm_role_t *ret)
{
    uint64_t number;
    if (!parse_range(in, "role", MM_ROLE_SAVER, MM_ROLE_RESTARTER, &number))
        return false;
    *ret = (mm_role_t)number;
    return true;
}

static inline bool parse_verdict_kind(fields_t *in, mm_verdict_kind_t *ret)
{
    uint64_t number;
    if (!parse_range(in, "verdict", MM_VERDICT_EXTEND, MM_VERDICT_DEAD, &number))
        return false;
    *ret = (mm_verdict_kind_t)number;
    return true;
}

static inline bool parse_about(fields_t *in, mm_about_t *ret)
{
    uint64_t number;
    if (!parse_range(in, "about", MM_ABOUT_STATS, MM_ABOUT_VIEWERS, &number))
        return false;
    *ret = (mm_about_t)number;
    return true;
}

// Into *pairs, which moves on behind them.
static inline bool parse_evidence(fields_t *in, mm_evidence_t **pairs, const mm_evidence_t **ret,
                                  uint32_t *ret_count)
{
    size_t count;
    if (!parse_length(in, "evidence", 0x80, 0xDE, &count) || count > MM_EVIDENCE_MAX)
        return false;
    *ret = count > 0 ? *pairs : NULL;
    *ret_count = (uint32_t)count;
    fields_t pair = {.at = in->at, .end = in->end, .left = 2 * count};
    for (; pair.left > 0; (*pairs)++)
        if (!parse_utf8(&pair, "key", MM_EVIDENCE_KEY_MAX, &(*pairs)->key) ||
            (*pairs)->key.size == 0 ||
            !parse_utf8(&pair, "value", MM_EVIDENCE_VALUE_MAX, &(*pairs)->value))
            return false;
    in->at = pair.at;
    return true;
}

#endif
