// What the parts of the wire codec share: the limits of docs/protocol.md that no struct shows, and
// the checks that the encoder asserts and the decoder makes. What one refuses the other does too.
// Private to common/wire*.c and their tests.

#ifndef MM_WIRE_RULES_H
#define MM_WIRE_RULES_H

#include "wire.h"

#define MM_WIRE_DEPTH_MAX    6     // arrays and maps inside each other, the frame's own included
#define MM_WIRE_ELEMENTS_MAX 16384 // elements of a frame: both lists of a report, twice over

// Whether the bytes are exactly one msgpack array within the limits: at most MM_FRAME_BYTES,
// MM_WIRE_DEPTH_MAX and MM_WIRE_ELEMENTS_MAX, every declared size within the bytes that are left,
// no ext types, nothing behind the array. Allocates nothing.
bool mm_wire_scan(const void *data, size_t size);

// Behind the element that begins at `at`, with all that it holds; NULL when it is cut off or of a
// type that no frame has. How deep it nests is not looked at.
const uint8_t *mm_wire_skip(const uint8_t *at, const uint8_t *end);

bool mm_wire_is_name(mm_str_t text);
bool mm_wire_is_host(mm_str_t text);
// Valid UTF-8 without NUL, at most size_max bytes.
bool mm_wire_is_utf8(mm_str_t text, size_t size_max);
// What a welcome may carry: "task." and 16 lower-case hex digits, or a port, 1 to 65535.
bool mm_wire_is_suffix(mm_str_t text);

#endif
