// A histogram of times: 32 buckets for each power of two, so that a quantile is at most 3.2 % above
// the true one, and never below it. Plain data; zeroed: empty.

#ifndef MM_HISTOGRAM_H
#define MM_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MM_HISTOGRAM_BUCKETS 1888 // for all int64_t from 0

// 15 KiB.
typedef struct {
    uint64_t count; // of recorded values
    int64_t max;    // the largest value; 0: none
    uint64_t buckets[MM_HISTOGRAM_BUCKETS];
} mm_histogram_t;

// Counts a value, in any unit. A negative value counts as 0.
void mm_histogram_record(mm_histogram_t *self, int64_t value);

// The value that a share p (0 to 1) of all values does not exceed; 0: the histogram is empty.
int64_t mm_histogram_quantile(const mm_histogram_t *self, double p);

// Adds the values of `other`.
void mm_histogram_merge(mm_histogram_t *self, const mm_histogram_t *other);

// Bytes of the largest possible blob. Most have a few hundred.
#define MM_HISTOGRAM_BLOB_MAX (1 + 10 + MM_HISTOGRAM_BUCKETS * 12)

// Writes the histogram as a blob that any later version can read. Returns its size in bytes.
size_t mm_histogram_encode(const mm_histogram_t *self, uint8_t blob[MM_HISTOGRAM_BLOB_MAX]);
// Reads a blob. False, and *ret_histogram untouched, when it is malformed.
bool mm_histogram_decode(const void *blob, size_t size, mm_histogram_t *ret_histogram);

#endif
