// The generator: the same cattle for the same seed, and when they come. Time is data.

#include "source_read.h"

#include <string.h>

static void the_same_seed_gives_the_same_cattle(void **state)
{
    (void)state;
    source_generate_config_t config = {.seed = 42, .pace = SOURCE_PACE_UNLIMITED, .jobs = 3};
    char hosts[3][1024];
    for (size_t i = 0; i < 3; i++) {
        config.seed = i < 2 ? 42 : 43;
        source_t *source = source_generate_new(&config);
        assert_int_equal(progress_of(source).total, 3);
        source_item_t item;
        assert_int_equal(read_hosts(source, hosts[i], &item), SOURCE_END);
        assert_true(progress_of(source).done);
        assert_int_equal(progress_of(source).position, 3);
        assert_int_equal(source_descriptor(source), -1);
        source_destroy(&source);
    }
    assert_string_equal(hosts[0], hosts[1]);
    assert_string_not_equal(hosts[0], hosts[2]);
    assert_int_equal(strlen(hosts[0]), 3 * strlen("cattle-xxxx.example.net "));
    assert_memory_equal(hosts[0], "cattle-", 7);
    assert_int_equal(strspn(hosts[0] + 7, "abcdefghijklmnopqrstuvwxyz0123456789"), 4);
    assert_memory_equal(hosts[0] + 11, ".example.net ", 13);
}

static void a_resumed_generator_goes_on_with_the_same_hosts(void **state)
{
    (void)state;
    source_generate_config_t config = {.seed = 42, .pace = SOURCE_PACE_UNLIMITED, .jobs = 5};
    char all[1024];
    char rest[1024];
    source_item_t item;
    source_t *source = source_generate_new(&config);
    assert_int_equal(read_hosts(source, all, &item), SOURCE_END);
    source_destroy(&source);
    source = source_generate_new(&config);
    source_resume(source, &(source_progress_t){.position = 3});
    assert_int_equal(read_hosts(source, rest, &item), SOURCE_END);
    assert_string_equal(rest, all + 3 * strlen("cattle-xxxx.example.net "));
    source_destroy(&source);
}

static void random_gaps_are_half_a_second_on_average(void **state)
{
    (void)state;
    source_generate_config_t config = {.seed = 1};
    source_t *source = source_generate_new(&config);
    source_item_t item;
    unsigned count = 0;
    for (int64_t now_ms = 1000; now_ms < 1001000;) {
        if (source_next(source, now_ms, &item) == SOURCE_ITEM) {
            count++;
            continue;
        }
        assert_true(item.until_ms > now_ms && item.until_ms <= now_ms + 1000);
        now_ms = item.until_ms;
    }
    assert_in_range(count, 1900, 2100);
    source_destroy(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_cattle),
        cmocka_unit_test(a_resumed_generator_goes_on_with_the_same_hosts),
        cmocka_unit_test(random_gaps_are_half_a_second_on_average),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
