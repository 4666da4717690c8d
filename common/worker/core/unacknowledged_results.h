// A worker's results, numbered, and kept until the consumer has acknowledged them; some longer, for
// a consumer that starts anew (R5, R6). Pure.

#ifndef MM_UNACKNOWLEDGED_RESULTS_H
#define MM_UNACKNOWLEDGED_RESULTS_H

#include "frame.h"

typedef struct mm_results mm_results_t;

// history: how many results to keep after their acknowledgement. Never NULL.
mm_results_t *mm_results_new(size_t history);
void mm_results_destroy(mm_results_t **self_p);

// Keeps a copy, texts included, with this leg and job, and returns its serial: 1, 2, 3 ...
uint64_t mm_results_add(mm_results_t *self, const mm_result_t *result, mm_leg_t leg,
                        const mm_id_t *id, int64_t now_ms);
// Acknowledges all results up to this serial; one that was never given out is ignored.
void mm_results_acknowledge(mm_results_t *self, uint64_t serial);

uint64_t mm_results_last(const mm_results_t *self);                 // the newest; 0: none yet
uint64_t mm_results_acknowledged_through(const mm_results_t *self); // 0: none yet
// The first serial to send to a consumer that knows nothing, at most `limit` of them: as far back
// as still reaches the newest, but at least `overlap` acknowledged ones before the first that is
// not, as far as they are kept. What is sent later then follows without a gap (R5).
uint64_t mm_results_history(const mm_results_t *self, size_t limit, size_t overlap);
// A result that is kept; valid until the next add.
const mm_result_t *mm_results_get(const mm_results_t *self, uint64_t serial);
// When the oldest unacknowledged result was added; MM_NEVER: there is none.
int64_t mm_results_waiting_since(const mm_results_t *self);

#endif
