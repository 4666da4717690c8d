// The consumer's epoch number: higher than that of any consumer before it on this folder. Task and
// session numbers count on from it, so that none repeats (R3, R4).

#ifndef EPOCH_H
#define EPOCH_H

#include "job.h"

// Draws the next one and puts it on record in `path` before it returns: the last one plus 1, but at
// least the Unix time in seconds, so that a lost file does not make numbers repeat. Returns 0, or a
// sysexits code and one sentence in error.
int epoch_next(const char *path, uint64_t *ret_life, char error[MM_ERROR_MAX]);

// The numbers of a epoch: 2^32 of them, and more while the clock goes on faster than they are used.
static inline uint64_t epoch_first_number(uint64_t epoch)
{
    return epoch << 32;
}

#endif
