// The cores under fuzz: each takes the rest of the bytes as events, most of them frames as they
// come over the wire, does what its shell would with the actions, and checks them.

#ifndef FUZZ_CORES_H
#define FUZZ_CORES_H

#include "fuzz_frame.h"

// is_real: the driver is not the mock.
void fuzz_core_gather(fuzz_bytes_t *in, bool is_real);
void fuzz_core_outbox(fuzz_bytes_t *in);
void fuzz_core_worker(fuzz_bytes_t *in);

// How far the clock goes on: mostly not or a few milliseconds, at times beyond every deadline.
int64_t fuzz_pause(fuzz_bytes_t *in);
// What the shell would send: it must be legal on the wire (asserted).
void fuzz_send(const mm_frame_t *frame);

#endif
