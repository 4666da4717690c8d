// The consumer's life number: higher than that of any consumer before it on this folder. Task and
// session numbers count on from it, so that none repeats (R3, R4).

#ifndef LIFE_H
#define LIFE_H

#include "job.h"

// Draws the next one and puts it on record in `path` before it returns: the last one plus 1, but at
// least the Unix time in seconds, so that a lost file does not make numbers repeat. Returns 0, or a
// sysexits code and one sentence in error.
int life_next(const char *path, uint64_t *ret_life, char error[MM_ERROR_MAX]);

// The numbers of a life: 2^32 of them, and more while the clock goes on faster than they are used.
static inline uint64_t life_first_number(uint64_t life)
{
    return life << 32;
}

#endif
