// UTF-8 (RFC 3629): the size of a character, the longest valid prefix of a text. Pure; allocates
// nothing.

#ifndef MM_UTF8_H
#define MM_UTF8_H

#include "string_view.h"

// The bytes of the character at `at`, of which `left` bytes can be read, at least one: 1 to 4, or 0
// when they are not valid UTF-8. NUL is a character of one byte.
size_t mm_utf8_character(const char *at, size_t left);

// The bytes of the longest prefix of text that is valid UTF-8 without NUL, ends at a character and
// has at most size_max bytes.
size_t mm_utf8_prefix(mm_str_t text, size_t size_max);

// Whether the byte is not the first one of its character.
static inline bool mm_utf8_is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

// Whether the valid character at `at` is a control character: U+0000 to U+001F, U+007F, or U+0080
// to U+009F, which a terminal may obey too.
static inline bool mm_utf8_is_control(const char *at)
{
    unsigned char lead = (unsigned char)at[0];
    return lead < 0x20 || lead == 0x7F || (lead == 0xC2 && (unsigned char)at[1] < 0xA0);
}

#endif
