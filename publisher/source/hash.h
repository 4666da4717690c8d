// A hash of bytes, eight at a time: multiply to 128 bits and fold (the step of wyhash). For tables
// and for noticing changes within a process; it may differ between machines and releases. Not
// resistant to chosen keys: do not use it where an attack matters.

#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide_t;

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
    hash_wide_t product = (hash_wide_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_of(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    uint64_t hash = UINT64_C(0x2d358dccaa6c78a5) ^ size, word = 0;
    for (; size >= sizeof word; size -= sizeof word, bytes += sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = hash_fold(hash ^ word, UINT64_C(0x8bb84b93962eacc9));
    }
    word = 0;
    for (size_t i = 0; i < size; i++)
        word = word << 8 | bytes[i];
    hash = hash_fold(hash ^ word, UINT64_C(0x4b33a62ed433d4a3));
    return hash_fold(hash, UINT64_C(0x4d5a2da51de1aa47));
}

#endif
