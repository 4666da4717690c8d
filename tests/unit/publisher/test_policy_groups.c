// Tests of publisher/source/policy_groups.h: whether the groups of a list are large enough.

#include "policy_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static policy_groups_t *groups;

// Of four hosts: two in web, one of them in db, too.
static int begin(void **state)
{
    (void)state;
    char attributes[MM_ATTRIBUTES_BYTES];
    static const char *const hosts[] = {"db,web", "web", "", ""};
    groups = policy_groups_new("web,db,us");
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        size_t size = 0;
        if (*hosts[i])
            assert_true(mm_attributes_add(attributes, &size, mm_str("groups"), mm_str(hosts[i])));
        policy_groups_count(groups, (mm_str_t){attributes, size});
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    policy_groups_destroy(&groups);
    return 0;
}

static const char *refusal(const char *needs, bool allows_empty)
{
    static char why[POLICY_GROUPS_WHY_MAX];
    return policy_groups_suffice(groups, needs, allows_empty, why) ? "" : why;
}

static void groups_that_are_large_enough_are_taken(void **state)
{
    (void)state;
    assert_string_equal(refusal("", false), "");
    assert_string_equal(refusal("=4,db=1,web=2", false), "");
    assert_string_equal(refusal("unknown=7", false), "");
    assert_string_equal(refusal("us=1", true), "");
}

static void one_that_is_too_small_is_named(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal("db=1,web=3", false), "group web has 2 hosts, and a share"));
    assert_non_null(strstr(refusal("db=2", true), "group db has 1 host, and a share"));
    assert_non_null(strstr(refusal("=5", false), "the list has 4 hosts, and a share"));
    assert_non_null(strstr(refusal("us=1", false), "[group us] is in the policy, and no host"));
}

static void nothing_is_needed_of_a_list_without_hosts(void **state)
{
    (void)state;
    policy_groups_destroy(&groups);
    groups = policy_groups_new("web");
    assert_string_equal(refusal("=5,web=1", false), "");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(groups_that_are_large_enough_are_taken),
        TEST(one_that_is_too_small_is_named),
        TEST(nothing_is_needed_of_a_list_without_hosts),
    };
    return cmocka_run_group_tests_name("policy_groups", tests, NULL, NULL);
}
