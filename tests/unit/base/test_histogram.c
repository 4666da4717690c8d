// Tests of common/base/histogram.c: its quantiles against sorted samples, and its blobs.

#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SAMPLES = 5000 };

static const double shares[] = {0, 0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1};

// splitmix64: a failure comes back with the same numbers.
static uint64_t draw(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// Spreads over all magnitudes up to 2^bits.
static int64_t draw_value(uint64_t *seed, unsigned bits)
{
    uint64_t magnitude = draw(seed) % bits;
    return (int64_t)(draw(seed) >> 1 >> (62 - magnitude));
}

static int by_value(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool is_same(const mm_histogram_t *a, const mm_histogram_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

// The definition: the smallest sample that at least a share p of the samples does not exceed.
static int64_t true_quantile(const int64_t *sorted, size_t count, double p)
{
    size_t rank = 1;
    while ((double)rank < p * (double)count)
        rank++;
    return sorted[rank - 1];
}

static void an_empty_histogram_answers_zero(void **state)
{
    (void)state;
    mm_histogram_t histogram = {0};
    assert_int_equal(mm_histogram_quantile(&histogram, 0.5), 0);
    assert_int_equal(mm_histogram_quantile(&histogram, 1), 0);
}

static void quantiles_are_never_below_and_at_most_3_2_percent_above(void **state)
{
    (void)state;
    static int64_t samples[SAMPLES];
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed;
        unsigned bits = seed % 2 == 0 ? 63 : 24;
        size_t count = 1 + (size_t)(draw(&random) % SAMPLES);
        mm_histogram_t histogram = {0};
        for (size_t i = 0; i < count; i++) {
            samples[i] = draw_value(&random, bits);
            mm_histogram_record(&histogram, samples[i]);
        }
        qsort(samples, count, sizeof samples[0], by_value);
        assert_int_equal(histogram.count, count);
        assert_int_equal(histogram.max, samples[count - 1]);
        for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
            int64_t truth = true_quantile(samples, count, shares[i]);
            int64_t answer = mm_histogram_quantile(&histogram, shares[i]);
            assert_true(answer >= truth);
            assert_true((double)(answer - truth) <= 0.032 * (double)truth);
        }
        assert_int_equal(mm_histogram_quantile(&histogram, 1), samples[count - 1]);
    }
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (int64_t value = 0; value < 64; value++) {
        mm_histogram_t histogram = {0};
        mm_histogram_record(&histogram, value);
        mm_histogram_record(&histogram, 1000);
        assert_int_equal(mm_histogram_quantile(&histogram, 0.5), value);
    }
}

static void the_ends_of_the_range_are_kept(void **state)
{
    (void)state;
    mm_histogram_t histogram = {0};
    mm_histogram_record(&histogram, INT64_MIN);
    assert_int_equal(histogram.buckets[0], 1);
    assert_int_equal(histogram.max, 0);
    mm_histogram_record(&histogram, INT64_MAX);
    assert_int_equal(histogram.buckets[MM_HISTOGRAM_BUCKETS - 1], 1);
    assert_int_equal(mm_histogram_quantile(&histogram, 0.5), 0);
    assert_true(mm_histogram_quantile(&histogram, 1) == INT64_MAX);
}

static void merging_equals_recording_all_in_one(void **state)
{
    (void)state;
    uint64_t random = 7;
    mm_histogram_t one = {0}, other = {0}, all = {0};
    for (int i = 0; i < SAMPLES; i++) {
        int64_t value = draw_value(&random, 40);
        mm_histogram_record(i % 3 == 0 ? &one : &other, value);
        mm_histogram_record(&all, value);
    }
    mm_histogram_merge(&one, &other);
    assert_true(is_same(&one, &all));
}

static void a_blob_reads_back_the_same(void **state)
{
    (void)state;
    static uint8_t blob[MM_HISTOGRAM_BLOB_MAX];
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed;
        size_t count = (size_t)(draw(&random) % 500);
        mm_histogram_t histogram = {0}, back;
        for (size_t i = 0; i < count; i++)
            mm_histogram_record(&histogram, draw_value(&random, 63));
        size_t size = mm_histogram_encode(&histogram, blob);
        assert_true(size <= 11 + 4 * count);
        assert_true(mm_histogram_decode(blob, size, &back));
        assert_true(is_same(&back, &histogram));
    }
}

static void the_largest_blob_fits(void **state)
{
    (void)state;
    static uint8_t blob[MM_HISTOGRAM_BLOB_MAX];
    mm_histogram_t histogram = {.max = INT64_MAX}, back;
    for (size_t i = 0; i < MM_HISTOGRAM_BUCKETS; i++) {
        histogram.buckets[i] = UINT64_MAX / MM_HISTOGRAM_BUCKETS;
        histogram.count += histogram.buckets[i];
    }
    size_t size = mm_histogram_encode(&histogram, blob);
    assert_true(size <= MM_HISTOGRAM_BLOB_MAX);
    assert_true(mm_histogram_decode(blob, size, &back));
    assert_true(is_same(&back, &histogram));
}

static void what_is_no_blob_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint8_t bytes[16];
    } bad[] = {
        {0, {0}},
        {1, {1}},                                                        // no maximum
        {2, {2, 0}},                                                     // another version
        {2, {1, 5}},                                                     // a maximum of nothing
        {3, {1, 5, 5}},                                                  // a bucket without count
        {4, {1, 5, 5, 0}},                                               // a count of nothing
        {4, {1, 6, 5, 1}},                                               // maximum elsewhere
        {4, {1, 5, 5, 0x81}},                                            // cut off
        {6, {1, 5, 0xe0, 0x0e, 1, 1}},                                   // bucket 1888
        {11, {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, // endless number
    };
    mm_histogram_t histogram = {.count = 42};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(mm_histogram_decode(bad[i].bytes, bad[i].size, &histogram));
    assert_int_equal(histogram.count, 42);
    assert_true(mm_histogram_decode((const uint8_t[]){1, 5, 5, 1}, 4, &histogram));
    assert_int_equal(histogram.count, 1);
}

static void random_bytes_never_make_a_broken_histogram(void **state)
{
    (void)state;
    uint64_t random = 99;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[24] = {1};
        for (size_t k = 1; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)draw(&random);
        mm_histogram_t histogram;
        size_t size = 1 + (size_t)(draw(&random) % sizeof bytes);
        if (!mm_histogram_decode(bytes, size, &histogram))
            continue;
        uint64_t total = 0;
        for (size_t k = 0; k < MM_HISTOGRAM_BUCKETS; k++)
            total += histogram.buckets[k];
        assert_true(total == histogram.count);
        assert_true(mm_histogram_quantile(&histogram, 1) == histogram.max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_histogram_answers_zero),
        cmocka_unit_test(quantiles_are_never_below_and_at_most_3_2_percent_above),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(the_ends_of_the_range_are_kept),
        cmocka_unit_test(merging_equals_recording_all_in_one),
        cmocka_unit_test(a_blob_reads_back_the_same),
        cmocka_unit_test(the_largest_blob_fits),
        cmocka_unit_test(what_is_no_blob_is_refused_and_changes_nothing),
        cmocka_unit_test(random_bytes_never_make_a_broken_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
