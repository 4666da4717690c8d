// A page of state while it is made: entries with copies of their texts, as many as fit into one
// frame. It knows no database.

#ifndef STATE_PAGE_H
#define STATE_PAGE_H

#include "store.h"

// Zeroed memory is an empty page; it owns nothing.
typedef struct {
    mm_entry_t items[MM_BATCH_ITEMS];
    size_t count;
    char bytes[MM_BATCH_BYTES]; // of the texts
    size_t byte_count;
    size_t size;   // of the entries on the wire, at most
    uint64_t last; // of the row that was added last; 0: none
    bool is_full;  // a row did not fit
} state_page_t;

// Where a page begins: behind a row of one of these, in this order.
typedef enum { STATE_HOLDS, STATE_PLACES, STATE_OUTCOMES } state_part_t;

void state_page_empty(state_page_t *self);
// Adds the entries of a row (record_state.h), whose number in its part is `row` (below 2^62).
// False, and is_full is set, when there is no room for all of them: then the page ends before that
// row.
bool state_page_add(state_page_t *self, state_part_t part, uint64_t row, const mm_entry_t *entries,
                    size_t count);
// What the page's `next` is, or 0 when it is not full.
uint64_t state_page_next(const state_page_t *self);
// The row of this part behind which a page begins that starts from `from`: 0: with the first one;
// UINT64_MAX: behind all of them.
uint64_t state_page_row(uint64_t from, state_part_t part);

#endif
