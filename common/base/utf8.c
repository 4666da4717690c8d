// See utf8.h.

#include "utf8.h"

size_t mm_utf8_character(const char *at, size_t left)
{
    const uint8_t *bytes = (const uint8_t *)at;
    uint8_t lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < size)
        return 0;
    // No overlong forms, no surrogates, nothing beyond U+10FFFF: Unicode, table 3-7.
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!mm_utf8_is_continuation(at[i]))
            return 0;
    return size;
}

// Whether eight bytes are all ASCII and none is NUL, as in almost all texts.
static bool is_plain(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    uint64_t has_nul = (word - 0x0101010101010101) & ~word;
    return ((word | has_nul) & 0x8080808080808080) == 0;
}

size_t mm_utf8_prefix(mm_str_t text, size_t size_max)
{
    size_t size = 0;
    while (text.size - size >= 8 && size + 8 <= size_max && is_plain(text.data + size))
        size += 8;
    while (size < text.size) {
        size_t step = mm_utf8_character(text.data + size, text.size - size);
        if (step == 0 || size + step > size_max || text.data[size] == '\0')
            break;
        size += step;
    }
    return size;
}
