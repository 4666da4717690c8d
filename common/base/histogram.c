// See histogram.h. Values below 64 have a bucket each; above, each power of two has 32 buckets of
// equal width. The blob: a version byte, the maximum, and for each bucket in use the gap before it
// and its count; numbers are LEB128 (7 bits a byte, the low ones first).

#include "histogram.h"

#include <assert.h>
#include <string.h>

#define SUB_BITS     5
#define SUBS         (1 << SUB_BITS) // buckets to a power of two
#define BLOB_VERSION 1

static size_t bucket_of(int64_t value)
{
    uint64_t number = value < 0 ? 0 : (uint64_t)value;
    if (number < SUBS)
        return (size_t)number;
    int shift = 63 - __builtin_clzll(number) - SUB_BITS;
    return (size_t)shift * SUBS + (size_t)(number >> shift);
}

// The largest value that falls into the bucket.
static int64_t top_of(size_t bucket)
{
    if (bucket < 2 * SUBS)
        return (int64_t)bucket;
    size_t shift = bucket / SUBS - 1;
    uint64_t sub = bucket % SUBS + SUBS;
    return (int64_t)(((sub + 1) << shift) - 1);
}

void mm_histogram_record(mm_histogram_t *self, int64_t value)
{
    self->buckets[bucket_of(value)]++;
    self->count++;
    if (value > self->max)
        self->max = value;
}

int64_t mm_histogram_quantile(const mm_histogram_t *self, double p)
{
    assert(p >= 0 && p <= 1);
    // The number of values at or below the answer: p of them, rounded up, at least one.
    double share = p * (double)self->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < MM_HISTOGRAM_BUCKETS && seen < self->count; i++) {
        seen += self->buckets[i];
        if (seen > 0 && (double)seen >= share) {
            int64_t top = top_of(i);
            return top < self->max ? top : self->max;
        }
    }
    return self->max;
}

void mm_histogram_merge(mm_histogram_t *self, const mm_histogram_t *other)
{
    for (size_t i = 0; i < MM_HISTOGRAM_BUCKETS; i++)
        self->buckets[i] += other->buckets[i];
    self->count += other->count;
    if (other->max > self->max)
        self->max = other->max;
}

static size_t put_number(uint64_t number, uint8_t *ret_bytes)
{
    size_t size = 0;
    while (number >= 0x80) {
        ret_bytes[size++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    ret_bytes[size++] = (uint8_t)number;
    return size;
}

// Reads a number from the front of the bytes between *bytes_p and end.
static bool read_number(const uint8_t **bytes_p, const uint8_t *end, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (unsigned shift = 0; *bytes_p < end && shift < 64; shift += 7) {
        uint8_t byte = *(*bytes_p)++;
        if (shift == 63 && byte > 1)
            return false;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

size_t mm_histogram_encode(const mm_histogram_t *self, uint8_t blob[MM_HISTOGRAM_BLOB_MAX])
{
    size_t size = 0, next = 0;
    blob[size++] = BLOB_VERSION;
    size += put_number((uint64_t)self->max, blob + size);
    for (size_t i = 0; i < MM_HISTOGRAM_BUCKETS; i++) {
        if (self->buckets[i] == 0)
            continue;
        size += put_number(i - next, blob + size);
        size += put_number(self->buckets[i], blob + size);
        next = i + 1;
    }
    return size;
}

bool mm_histogram_decode(const void *blob, size_t size, mm_histogram_t *ret_histogram)
{
    const uint8_t *bytes = blob, *end = bytes + size;
    mm_histogram_t read;
    memset(&read, 0, sizeof read);
    uint64_t max;
    if (size == 0 || *bytes++ != BLOB_VERSION)
        return false;
    if (!read_number(&bytes, end, &max) || max > INT64_MAX)
        return false;
    read.max = (int64_t)max;
    size_t next = 0;
    while (bytes < end) {
        uint64_t gap, count;
        if (!read_number(&bytes, end, &gap) || gap >= MM_HISTOGRAM_BUCKETS - next)
            return false;
        if (!read_number(&bytes, end, &count) || count == 0 || count > UINT64_MAX - read.count)
            return false;
        read.buckets[next + gap] = count;
        read.count += count;
        next += gap + 1;
    }
    // The maximum lies in the last bucket in use.
    if (next == 0 ? max != 0 : bucket_of(read.max) != next - 1)
        return false;
    *ret_histogram = read;
    return true;
}
