// The consumer's epoch number: higher than that of every earlier consumer in this folder. Task and
// session numbers start from it, so that none repeats (R3, R4).

#ifndef EPOCH_H
#define EPOCH_H

#include "job.h"

// Draws the next epoch and makes it durable in `path` before it returns: the last epoch plus 1, but
// at least the Unix time in seconds, so that numbers do not repeat if the file is lost. Returns 0,
// or a sysexits code with one sentence in error; *ret_epoch is set only with 0.
int epoch_next(const char *path, uint64_t *ret_epoch, char error[MM_ERROR_MAX]);

// The first number of an epoch. It has 2^32 of them before the next second's epoch begins.
static inline uint64_t epoch_first_number(uint64_t epoch)
{
    return epoch << 32;
}

#endif
