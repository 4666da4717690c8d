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
} mm_text_t;

// A NUL-terminated string as a text; NULL gives the empty text.
mm_text_t mm_text(const char *string);
bool mm_text_equal(mm_text_t a, mm_text_t b);
uint64_t mm_text_hash(mm_text_t text);

#endif
