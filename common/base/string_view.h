// A string view: bytes with a length, owned by somebody else. Pure; allocates nothing.

#ifndef MM_STRING_VIEW_H
#define MM_STRING_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Bytes that somebody else owns: not NUL-terminated, valid as long as what they were taken from.
typedef struct {
    const char *data;
    size_t size;
} mm_str_t;

// A NUL-terminated string as a text; NULL gives the empty text.
mm_str_t mm_str(const char *string);
bool mm_str_equal(mm_str_t a, mm_str_t b);
uint64_t mm_str_hash(mm_str_t text);

// How many letters must be inserted, removed or changed to make one name of another (Levenshtein).
// Of b only the first 63 bytes count.
size_t mm_edit_distance(const char *a, const char *b);

#endif
