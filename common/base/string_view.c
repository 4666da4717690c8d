// See string_view.h.

#include "string_view.h"

#include <assert.h>
#include <stdlib.h>

int mm_str_compare(mm_str_t a, mm_str_t b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

__extension__ typedef unsigned __int128 wide_t;

static uint64_t fold(uint64_t a, uint64_t b)
{
    wide_t product = (wide_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Eight bytes at a time: multiply to 128 bits and fold (the step of wyhash). The last ones are
// filled up with zeros: the size makes the difference.
uint64_t mm_str_hash(mm_str_t text)
{
    uint64_t hash = UINT64_C(0x2d358dccaa6c78a5) ^ text.size, word = 0;
    for (; text.size >= sizeof word; text.size -= sizeof word, text.data += sizeof word) {
        memcpy(&word, text.data, sizeof word);
        hash = fold(hash ^ word, UINT64_C(0x8bb84b93962eacc9));
    }
    word = 0;
    for (size_t i = 0; i < text.size; i++)
        word = word << 8 | (unsigned char)text.data[i];
    return fold(fold(hash ^ word, UINT64_C(0x4b33a62ed433d4a3)), UINT64_C(0x4d5a2da51de1aa47));
}

void mm_str_replace(char **text_p, mm_str_t text)
{
    char *copy = text.size > 0 ? strndup(text.data, text.size) : NULL;
    assert(text.size == 0 || copy);
    free(*text_p);
    *text_p = copy;
}

size_t mm_edit_distance(const char *a, const char *b)
{
    size_t costs[64], length = strlen(b) < 63 ? strlen(b) : 63;
    for (size_t i = 0; i <= length; i++)
        costs[i] = i;
    for (size_t k = 0; a[k] != '\0'; k++) {
        size_t diagonal = costs[0];
        costs[0] = k + 1;
        for (size_t i = 0; i < length; i++) {
            size_t change = diagonal + (a[k] != b[i]);
            size_t insert = costs[i] + 1, remove = costs[i + 1] + 1;
            diagonal = costs[i + 1];
            size_t best = change < insert ? change : insert;
            costs[i + 1] = best < remove ? best : remove;
        }
    }
    return costs[length];
}
