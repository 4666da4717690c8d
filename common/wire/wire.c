// The rules of the wire that are neither encoding nor decoding: names of the statuses, checks of
// texts. Pure: it owns nothing and allocates nothing.

#include "wire_rules.h"

#include "host.h"

#include <assert.h>
#include <string.h>

#define SUFFIX_PREFIX "task."
#define SUFFIX_DIGITS 16
#define PORT_DIGITS   5
#define PORT_MAX      65535

const char *mm_wire_status_name(mm_wire_status_t status)
{
    switch (status) {
    case MM_WIRE_OK: return "ok";
    case MM_WIRE_MALFORMED: return "malformed";
    case MM_WIRE_VERSION_BAD: return "another version";
    case MM_WIRE_KIND_BAD: return "unknown kind";
    case MM_WIRE_FIELD_BAD: return "bad field";
    case MM_WIRE_STATUS_COUNT: break;
    }
    assert(false);
    return "";
}

// How many bytes the character at `at` takes; 0 when it is no UTF-8, or NUL.
static size_t character_size(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    if (lead < 0x80)
        return lead != 0;
    size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < size)
        return 0;
    // No overlong forms, no surrogates, nothing beyond U+10FFFF: Unicode, table 3-7.
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

// Whether eight bytes are all ASCII and none is NUL: almost all texts are.
static bool is_plain(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t has_nul = (word - 0x0101010101010101) & ~word;
    return ((word | has_nul) & 0x8080808080808080) == 0;
}

size_t mm_wire_utf8_prefix(mm_str_t text, size_t size_max)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    size_t size = 0;
    while (text.size - size >= 8 && size + 8 <= size_max && is_plain(bytes + size))
        size += 8;
    while (size < text.size) {
        size_t step = character_size(bytes + size, text.size - size);
        if (step == 0 || size + step > size_max)
            break;
        size += step;
    }
    return size;
}

bool mm_wire_is_utf8(mm_str_t text, size_t size_max)
{
    return text.size <= size_max && mm_wire_utf8_prefix(text, size_max) == text.size;
}

bool mm_wire_is_name(mm_str_t text)
{
    return mm_is_name(text);
}

bool mm_wire_is_host(mm_str_t text)
{
    return mm_host_complaint(text) == NULL;
}

static bool is_port(mm_str_t text)
{
    if (text.size < 1 || text.size > PORT_DIGITS || text.data[0] == '0')
        return false;
    uint32_t port = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    return port <= PORT_MAX;
}

bool mm_wire_is_suffix(mm_str_t text)
{
    size_t prefix = strlen(SUFFIX_PREFIX);
    if (text.size != prefix + SUFFIX_DIGITS || memcmp(text.data, SUFFIX_PREFIX, prefix) != 0)
        return is_port(text);
    for (size_t i = prefix; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
