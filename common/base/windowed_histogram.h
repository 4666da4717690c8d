// A histogram of the last five to ten seconds: two halves, of which the older one is dropped. Plain
// data of 30 KiB; zeroed: empty.

#ifndef MM_WINDOWED_HISTOGRAM_H
#define MM_WINDOWED_HISTOGRAM_H

#include "histogram.h"

#define MM_WINDOWED_HALF_MS 5000

typedef struct {
    mm_histogram_t halves[2];
    size_t current;
    int64_t since_ms; // when the current half began
} mm_windowed_histogram_t;

// now_ms: a clock that does not step back, the same in all calls.
void mm_windowed_histogram_record(mm_windowed_histogram_t *self, int64_t now_ms, int64_t value);
// As mm_histogram_quantile; -1: no value in this window.
int64_t mm_windowed_histogram_quantile(mm_windowed_histogram_t *self, int64_t now_ms, double p);

#endif
