// A worker's results, numbered and kept as long as they may have to be told again: until the
// consumer has confirmed them, and some longer for a consumer that starts anew (R5, R6). Pure.

#ifndef MM_UNACKNOWLEDGED_RESULTS_H
#define MM_UNACKNOWLEDGED_RESULTS_H

#include "frame.h"

typedef struct mm_results mm_results_t;

// `history` results are kept after they were confirmed.
mm_results_t *mm_results_new(size_t history);
void mm_results_destroy(mm_results_t **self_p);

// Keeps a copy, texts included, and returns its serial: 1, 2, 3 ...
uint64_t mm_results_add(mm_results_t *self, const mm_result_t *result, int64_t now_ms);
// Everything up to this serial was read; what was never given out is ignored.
void mm_results_acknowledge(mm_results_t *self, uint64_t serial);

uint64_t mm_results_first(const mm_results_t *self);                // the oldest kept
uint64_t mm_results_last(const mm_results_t *self);                 // the newest; 0: none yet
uint64_t mm_results_acknowledged_through(const mm_results_t *self); // 0: none yet
// Where to begin when at most `limit` are told to a consumer that knows nothing: as far back as
// still reaches the newest, but at least `overlap` confirmed ones before the first that is not, as
// far as they are kept. So what is told later goes on without a gap (R5).
uint64_t mm_results_history(const mm_results_t *self, size_t limit, size_t overlap);
// A kept one; valid until the next add.
const mm_result_t *mm_results_get(const mm_results_t *self, uint64_t serial);
// When the oldest that is not confirmed was added; MM_NEVER: all are.
int64_t mm_results_waiting_since(const mm_results_t *self);

#endif
