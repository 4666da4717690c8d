// The set of hosts: exact whatever the number and the order.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "hostset.h"

static int open_set(void **state)
{
    *state = hostset_new();
    return 0;
}

static int close_set(void **state)
{
    hostset_destroy((hostset_t **)state);
    assert_null(*state);
    hostset_destroy((hostset_t **)state);
    return 0;
}

static void a_host_is_new_once(void **state)
{
    hostset_t *set = *state;
    assert_true(hostset_add(set, mm_str("web-1")));
    assert_false(hostset_add(set, mm_str("web-1")));
    assert_true(hostset_add(set, mm_str("web-10")));
    assert_true(hostset_add(set, mm_str("web")));
    assert_true(hostset_add(set, mm_str("WEB")));
    assert_int_equal(hostset_count(set), 4);
}

static void it_copies_what_it_is_given(void **state)
{
    hostset_t *set = *state;
    char host[] = "web-1";
    assert_true(hostset_add(set, mm_str(host)));
    host[4] = '2';
    assert_true(hostset_add(set, mm_str(host)));
    assert_false(hostset_add(set, mm_str("web-1")));
}

static void the_longest_host_fits(void **state)
{
    hostset_t *set = *state;
    char host[MM_HOST_MAX];
    memset(host, 'x', sizeof host);
    assert_true(hostset_add(set, (mm_str_t){host, MM_HOST_MAX}));
    assert_true(hostset_add(set, (mm_str_t){host, MM_HOST_MAX - 1}));
    assert_false(hostset_add(set, (mm_str_t){host, MM_HOST_MAX}));
    assert_true(hostset_add(set, mm_str("x")));
}

static void it_stays_exact_while_it_grows(void **state)
{
    hostset_t *set = *state;
    char host[32];
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 200000; i++) {
            snprintf(host, sizeof host, "host-%u.example.net", i);
            assert_int_equal(hostset_add(set, mm_str(host)), round == 0);
        }
        assert_int_equal(hostset_count(set), 200000);
    }
}

static void many_at_once_are_told_apart_as_one_by_one(void **state)
{
    hostset_t *set = *state;
    char names[HOSTSET_MANY][32];
    mm_str_t hosts[HOSTSET_MANY];
    for (unsigned first = 0; first < 100000; first += HOSTSET_MANY / 2) {
        for (unsigned i = 0; i < HOSTSET_MANY; i++) { // each half once more in the next call
            snprintf(names[i], sizeof names[i], "host-%u.example.net", first + i);
            hosts[i] = mm_str(names[i]);
        }
        hosts[5] = hosts[20]; // and one twice in the same
        bool is_new[HOSTSET_MANY];
        hostset_add_many(set, hosts, HOSTSET_MANY, is_new);
        for (unsigned i = 0; i < HOSTSET_MANY; i++) {
            bool was_there = first > 0 && i < HOSTSET_MANY / 2 && i != 5;
            assert_int_equal(is_new[i], !was_there && i != 20);
        }
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_set, close_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_host_is_new_once),
        TEST(it_copies_what_it_is_given),
        TEST(the_longest_host_fits),
        TEST(it_stays_exact_while_it_grows),
        TEST(many_at_once_are_told_apart_as_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
