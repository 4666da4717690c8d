// See host.h. A text of eight bytes or more is checked by the register, a shorter one by the byte.

#include "host.h"

#include <string.h>

enum { IN_HOST = 1, IN_NAME = 2, BOTH = 3 };

// clang-format off
static const uint8_t char_class[256] = {
    ['-'] = BOTH, ['.'] = BOTH, ['_'] = BOTH, [':'] = IN_HOST,
    ['0'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['A'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['N'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['a'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['n'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
};
// clang-format on

// Sixteen bytes, in one register where the machine has such.
typedef unsigned char block_t __attribute__((vector_size(16)));

// A range is one comparison: what is below it wraps to above. ':' follows '9', and '.' is '-' + 1.
static inline bool is_all_in(block_t block, unsigned char last_digit)
{
    block_t good = (block_t)((block_t)((block | 0x20) - 'a') <= 'z' - 'a') |
                   (block_t)((block_t)(block - '0') <= (unsigned char)(last_digit - '0')) |
                   (block_t)((block_t)(block - '-') <= '.' - '-') | (block_t)(block == '_');
    uint64_t halves[2];
    memcpy(halves, &good, sizeof halves);
    return (halves[0] & halves[1]) == UINT64_MAX;
}

// The blocks of a text of 8 bytes or more may overlap.
static inline bool is_all_of(mm_str_t text, uint8_t wanted)
{
    const unsigned char last_digit = wanted == IN_HOST ? ':' : '9';
    block_t block = {0};
    size_t i = 0;
    if (text.size < 8) {
        uint8_t have = wanted;
        for (; i < text.size; i++)
            have &= char_class[(unsigned char)text.data[i]];
        return have == wanted;
    }
    for (; i + sizeof block < text.size; i += sizeof block) {
        memcpy(&block, text.data + i, sizeof block);
        if (!is_all_in(block, last_digit))
            return false;
    }
    memcpy(&block, text.data + (text.size < sizeof block ? 0 : text.size - sizeof block), 8);
    memcpy((char *)&block + 8, text.data + text.size - 8, 8);
    return is_all_in(block, last_digit);
}

bool mm_is_name(mm_str_t text)
{
    return text.size > 0 && text.size <= MM_NAME_MAX && text.data[0] != '-' &&
           text.data[0] != '.' && is_all_of(text, IN_NAME);
}

bool mm_name_from(mm_str_t text, mm_name_t *ret_name)
{
    if (!mm_is_name(text))
        return false;
    memcpy(ret_name->text, text.data, text.size);
    memset(ret_name->text + text.size, 0, sizeof ret_name->text - text.size);
    return true;
}

const char *mm_host_complaint(mm_str_t host)
{
    if (host.size == 0)
        return "it is empty";
    if (host.data[0] == '-')
        return "it starts with '-' and could be taken for an option";
    if (host.size > MM_HOST_MAX)
        return "it is longer than 253 bytes";
    if (!is_all_of(host, IN_HOST))
        return "it holds something else than letters, digits and . _ : -";
    return NULL;
}

// For hosts without a complaint: an address has only digits, dots and a port, or two colons.
static bool is_address(mm_str_t host)
{
    if (!mm_is_digit(host.data[0]) && host.data[0] != '.' &&
        memchr(host.data, ':', host.size) == NULL)
        return false; // a name, as nearly all are
    size_t colons = 0;
    bool numeric = true;
    for (size_t i = 0; i < host.size; i++) {
        if (host.data[i] == ':')
            colons++;
        else if (!mm_is_digit(host.data[i]) && host.data[i] != '.')
            numeric = false;
    }
    return numeric || colons >= 2;
}

mm_str_t mm_host_label(mm_str_t host)
{
    if (host.size == 0 || is_address(host))
        return host;
    const char *dot = memchr(host.data, '.', host.size);
    if (dot == NULL || dot == host.data)
        return host;
    return (mm_str_t){.data = host.data, .size = (size_t)(dot - host.data)};
}
