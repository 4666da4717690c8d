// What libFuzzer calls, and fuzz_replay.c without it.

#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

// Runs one input; aborts when a property does not hold. Always 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
