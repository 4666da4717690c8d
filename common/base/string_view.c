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
