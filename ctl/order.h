// An order of an operator on its way onto record: through the consumer where one runs, else by the
// saver's program, with the lock of the folder held so that no run begins meanwhile.

#ifndef ORDER_H
#define ORDER_H

#include "frame.h"
#include "target.h"

typedef struct {
    const target_t *target;
    const char *record; // the path; NULL: the pipeline is known by its address alone
    int64_t timeout_ms; // for the answer
} order_way_t;

typedef enum {
    ORDER_RECORDED, // by the saver's program: nothing runs
    ORDER_TAKEN,    // by a consumer
    ORDER_REHEARSAL // likewise, which holds nothing back: it is the mock's, without a policy
} order_taken_t;

// Returns 0 when the order is on record, so that it is in force and stays so; or a sysexits code
// with a sentence printed: 1 it was refused, 66 there is no record, 74 it cannot be written, 75
// nobody has answered in time: it may be in force or not, 69 nobody was reached: it is not.
int order_give(const order_way_t *way, const mm_order_t *order, order_taken_t *ret_taken);

#endif
