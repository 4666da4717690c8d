// See string_view.h.

#include "string_view.h"

mm_str_t mm_str(const char *string)
{
    if (string == NULL)
        return (mm_str_t){.data = "", .size = 0};
    return (mm_str_t){.data = string, .size = strlen(string)};
}

bool mm_str_equal(mm_str_t a, mm_str_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

// Eight bytes at a time. The last ones are filled up with zeros: the size makes the difference.
uint64_t mm_str_hash(mm_str_t text)
{
    uint64_t hash = text.size;
    for (size_t at = 0; at < text.size; at += sizeof hash) {
        uint64_t word = 0;
        size_t rest = text.size - at;
        memcpy(&word, text.data + at, rest < sizeof word ? rest : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}
