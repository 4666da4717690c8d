// The random generator: splitmix64 (Steele, Lea, Flood 2014). Its state is a seed, and the same
// seed gives the same sequence. Not for secrets.

#ifndef MM_RANDOM_H
#define MM_RANDOM_H

#include <stdint.h>

static inline uint64_t mm_random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// 0 to limit - 1, limit > 0; the bias is below limit / 2^64.
static inline uint64_t mm_random_below(uint64_t *state, uint64_t limit)
{
    return mm_random_next(state) % limit;
}

#endif
