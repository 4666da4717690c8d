// Numbers as bytes, the most significant byte first. Pure.

#ifndef MM_BIG_ENDIAN_H
#define MM_BIG_ENDIAN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The number in `width` bytes, 1 to 8. Cheap when the width is a constant.
static inline uint64_t mm_big_endian_get(const uint8_t *bytes, size_t width)
{
    uint64_t number = 0;
    memcpy((uint8_t *)&number + sizeof number - width, bytes, width);
    return be64toh(number);
}

// Writes the low `width` bytes of a number, 1 to 8.
static inline void mm_big_endian_put(uint64_t number, size_t width, uint8_t *ret_bytes)
{
    number = htobe64(number);
    memcpy(ret_bytes, (const uint8_t *)&number + sizeof number - width, width);
}

#endif
