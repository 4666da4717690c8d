// What the encoder and the decoder share: the scan, and the checks of texts that the encoder
// asserts and the decoder makes. Private to common/wire and its tests.

#ifndef MM_WIRE_RULES_H
#define MM_WIRE_RULES_H

#include "utf8.h"
#include "wire.h"

#define MM_WIRE_DEPTH_MAX    6     // arrays and maps inside each other, the frame's own included
#define MM_WIRE_ELEMENTS_MAX 16384 // elements of a frame, its own array included

// Whether the bytes are exactly one msgpack array within the limits: at most MM_FRAME_BYTES,
// MM_WIRE_DEPTH_MAX and MM_WIRE_ELEMENTS_MAX, every declared size within the bytes that are left,
// no ext types, nothing behind the array. Allocates nothing.
bool mm_wire_scan(const void *data, size_t size);

// The end of the element that begins at `at`, with all that it holds; NULL when it is cut off or of
// a type that no frame has. Does not look at the depth.
const uint8_t *mm_wire_skip(const uint8_t *at, const uint8_t *end);

// Whether a text of each type of frames.def has `low` to `high` bytes and is valid; low may be 0 or
// 1.

static inline bool mm_wire_is_name(mm_str_t text, size_t low, size_t high)
{
    return (low == 0 && text.size == 0) || (text.size <= high && mm_is_name(text));
}

static inline bool mm_wire_is_host(mm_str_t text, size_t low, size_t high)
{
    return (low == 0 && text.size == 0) || (text.size <= high && mm_host_complaint(text) == NULL);
}

// Any UTF-8 without NUL.
static inline bool mm_wire_is_text(mm_str_t text, size_t low, size_t high)
{
    return text.size == 0 ? low == 0
                          : text.size <= high && mm_utf8_prefix(text, text.size) == text.size;
}

// "task." and 16 lower-case hex digits, or a port, 1 to 65535.
bool mm_wire_is_suffix(mm_str_t text, size_t low, size_t high);

#endif
