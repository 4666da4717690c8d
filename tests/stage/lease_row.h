// The row of the lease as saver/store.h describes it, in memory: for tests of whoever asks for it.

#ifndef LEASE_ROW_H
#define LEASE_ROW_H

#include "frame.h"

// Its fields are the test's. Zeroed: nobody has it.
typedef struct {
    uint64_t epoch;
    uint64_t holder;    // 0: nobody
    int64_t expires_ms; // by the clock of now_ms below
    uint64_t orders_seq;
    bool is_halted;
} lease_row_t;

// Does what is asked, in one step, and answers it: all but the saver's own fields.
mm_lease_body_t lease_row_ask(lease_row_t *self, const mm_lease_ask_body_t *ask, int64_t now_ms);
// Whether a write of that epoch is let through.
bool lease_row_admits(const lease_row_t *self, uint64_t epoch, int64_t now_ms);

#endif
