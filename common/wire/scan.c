// The bounded scan: whether bytes are one msgpack array within the limits, whatever its elements
// mean. It reads each byte at most once, never reads beyond the end and never allocates: its only
// memory is one counter per level (I6).

#include "big_endian.h"
#include "wire_rules.h"

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} bytes_t;

// An element is a leaf, an array or map with a count of elements, or not allowed.
#define LEAF    (-1)
#define REFUSED (-2)

// Steps over `size` bytes.
static int64_t skip(bytes_t *in, size_t size)
{
    if ((size_t)(in->end - in->at) < size)
        return REFUSED;
    in->at += size;
    return LEAF;
}

// Reads a declared size; REFUSED when the bytes end before it does.
static int64_t parse_size(bytes_t *in, size_t width)
{
    if ((size_t)(in->end - in->at) < width)
        return REFUSED;
    in->at += width;
    return (int64_t)mm_big_endian_get(in->at - width, width);
}

static int64_t skip_declared(bytes_t *in, size_t width)
{
    int64_t size = parse_size(in, width);
    return size < 0 ? REFUSED : skip(in, (size_t)size);
}

static int64_t parse_pairs(bytes_t *in, size_t width)
{
    int64_t pairs = parse_size(in, width);
    return pairs < 0 ? REFUSED : 2 * pairs;
}

// Reads the head of an element, and its bytes when it is a leaf. Returns LEAF, REFUSED, or how many
// elements the array or map holds.
static int64_t parse_element(bytes_t *in)
{
    if (in->at == in->end)
        return REFUSED;
    uint8_t head = *in->at++;
    if (head < 0x80 || head >= 0xE0) // fixint
        return LEAF;
    if (head >= 0xA0 && head < 0xC0) // fixstr
        return skip(in, head & 0x1F);
    if (head >= 0x90 && head < 0xA0) // fixarray
        return head & 0x0F;
    if (head < 0x90) // fixmap
        return 2 * (head & 0x0F);
    switch (head) {
    case 0xC0: // nil
    case 0xC2: // false
    case 0xC3: return LEAF;
    case 0xC4: // bin 8
    case 0xD9: return skip_declared(in, 1);
    case 0xC5: // bin 16
    case 0xDA: return skip_declared(in, 2);
    case 0xC6: // bin 32
    case 0xDB: return skip_declared(in, 4);
    case 0xCC: // uint 8
    case 0xD0: return skip(in, 1);
    case 0xCD: // uint 16
    case 0xD1: return skip(in, 2);
    case 0xCA: // float 32
    case 0xCE: // uint 32
    case 0xD2: return skip(in, 4);
    case 0xCB: // float 64
    case 0xCF: // uint 64
    case 0xD3: return skip(in, 8);
    case 0xDC: return parse_size(in, 2);
    case 0xDD: return parse_size(in, 4);
    case 0xDE: return parse_pairs(in, 2);
    case 0xDF: return parse_pairs(in, 4);
    }
    return REFUSED; // ext types, and the byte that msgpack never uses
}

const uint8_t *mm_wire_skip(const uint8_t *at, const uint8_t *end)
{
    bytes_t in = {.at = at, .end = end};
    for (int64_t missing = 1; missing > 0; missing--) {
        int64_t count = parse_element(&in);
        if (count == REFUSED || count > end - at)
            return NULL;
        missing += count == LEAF ? 0 : count;
    }
    return in.at;
}

static bool is_array(uint8_t head)
{
    return (head >= 0x90 && head < 0xA0) || head == 0xDC || head == 0xDD;
}

bool mm_wire_scan(const void *data, size_t size)
{
    if (size == 0 || size > MM_FRAME_BYTES || !is_array(*(const uint8_t *)data))
        return false;
    bytes_t in = {.at = data, .end = (const uint8_t *)data + size};
    int64_t missing[MM_WIRE_DEPTH_MAX + 1] = {1}; // elements to come, by level
    int64_t allowed = MM_WIRE_ELEMENTS_MAX - 1;
    size_t level = 0;
    do {
        int64_t count = parse_element(&in);
        missing[level]--;
        if (count != LEAF) {
            // Each element takes at least a byte, so that no count can exceed the bytes left.
            if (count == REFUSED || level == MM_WIRE_DEPTH_MAX || count > allowed ||
                count > in.end - in.at)
                return false;
            allowed -= count;
            missing[++level] = count;
        }
        while (level > 0 && missing[level] == 0)
            level--;
    } while (missing[level] > 0);
    return in.at == in.end;
}
