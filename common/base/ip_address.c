// See ip_address.h.

#include "ip_address.h"

enum { GROUPS = 8 };

bool mm_ipv4_parse(mm_str_t text, uint8_t ret_bytes[4])
{
    uint8_t bytes[4];
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned number = 0;
        size_t start = at;
        for (; at < text.size && at - start < 3 && mm_is_digit(text.data[at]); at++)
            number = 10 * number + (unsigned)(text.data[at] - '0');
        bool has_zero = at - start > 1 && text.data[start] == '0';
        if (at == start || has_zero || number > UINT8_MAX)
            return false;
        bytes[i] = (uint8_t)number;
        if (i < 3 && (at == text.size || text.data[at++] != '.'))
            return false;
    }
    if (at != text.size)
        return false;
    memcpy(ret_bytes, bytes, sizeof bytes);
    return true;
}

static int hex_value(char c)
{
    return mm_hex_value(c >= 'A' && c <= 'F' ? (char)(c + ('a' - 'A')) : c);
}

// Reads the groups of a text without "::" from its start to its end; -1 when it has others.
static int read_groups(mm_str_t text, bool may_end_in_ipv4, uint16_t groups[GROUPS])
{
    int count = 0;
    for (size_t at = 0; text.size > 0; count++) {
        unsigned group = 0;
        size_t start = at;
        uint8_t bytes[4];
        mm_str_t rest = {text.data + at, text.size - at};
        if (may_end_in_ipv4 && count + 2 <= GROUPS && mm_ipv4_parse(rest, bytes)) {
            groups[count] = (uint16_t)(bytes[0] << 8 | bytes[1]);
            groups[count + 1] = (uint16_t)(bytes[2] << 8 | bytes[3]);
            return count + 2;
        }
        for (; at < text.size && at - start < 4 && hex_value(text.data[at]) >= 0; at++)
            group = group << 4 | (unsigned)hex_value(text.data[at]);
        if (at == start || count == GROUPS)
            return -1;
        groups[count] = (uint16_t)group;
        if (at == text.size)
            return count + 1;
        if (text.data[at++] != ':')
            return -1;
    }
    return count;
}

// Where the first "::" begins; the size of the text when there is none.
static size_t find_gap(mm_str_t text)
{
    for (size_t i = 0; i + 1 < text.size; i++)
        if (text.data[i] == ':' && text.data[i + 1] == ':')
            return i;
    return text.size;
}

bool mm_ipv6_parse(mm_str_t text, uint8_t ret_bytes[16])
{
    uint16_t head[GROUPS] = {0}, tail[GROUPS] = {0};
    size_t gap = find_gap(text);
    bool has_gap = gap < text.size;
    int heads = read_groups((mm_str_t){text.data, gap}, !has_gap, head), tails = 0;
    if (has_gap)
        tails = read_groups((mm_str_t){text.data + gap + 2, text.size - gap - 2}, true, tail);
    if (heads < 0 || tails < 0 || (has_gap ? heads + tails >= GROUPS : heads != GROUPS))
        return false;
    for (int i = 0; i < tails; i++)
        head[GROUPS - tails + i] = tail[i];
    for (size_t i = 0; i < GROUPS; i++) {
        ret_bytes[2 * i] = (uint8_t)(head[i] >> 8);
        ret_bytes[2 * i + 1] = (uint8_t)head[i];
    }
    return true;
}

size_t mm_ipv4_print(const uint8_t bytes[4], char text[MM_IPV4_TEXT])
{
    char *end = text;
    for (size_t i = 0; i < 4; i++) {
        if (i > 0)
            *end++ = '.';
        if (bytes[i] >= 100)
            *end++ = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            *end++ = (char)('0' + bytes[i] / 10 % 10);
        *end++ = (char)('0' + bytes[i] % 10);
    }
    return (size_t)(end - text);
}

// The first of the longest runs of zeros, of two groups at least; GROUPS when there is none.
static size_t find_zeros(const uint8_t bytes[16], size_t *ret_count)
{
    size_t best = GROUPS, best_count = 1, count = 0;
    for (size_t i = 0; i < GROUPS; i++) {
        count = bytes[2 * i] == 0 && bytes[2 * i + 1] == 0 ? count + 1 : 0;
        if (count > best_count) {
            best_count = count;
            best = i + 1 - count;
        }
    }
    *ret_count = best_count;
    return best;
}

size_t mm_ipv6_print(const uint8_t bytes[16], char text[MM_IPV6_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    char *end = text;
    size_t zeros_count, zeros = find_zeros(bytes, &zeros_count);
    for (size_t i = 0; i < GROUPS;) {
        if (i == zeros) {
            *end++ = ':';
            i += zeros_count;
            if (i == GROUPS)
                *end++ = ':';
            continue;
        }
        if (i > 0)
            *end++ = ':';
        unsigned group = (unsigned)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
        bool has_digit = false;
        for (int shift = 12; shift >= 0; shift -= 4) {
            has_digit = has_digit || (group >> shift & 15) != 0 || shift == 0;
            if (has_digit)
                *end++ = digits[group >> shift & 15];
        }
        i++;
    }
    return (size_t)(end - text);
}

bool mm_is_ip_address(mm_str_t text)
{
    uint8_t bytes[16];
    return mm_ipv4_parse(text, bytes) || mm_ipv6_parse(text, bytes);
}
