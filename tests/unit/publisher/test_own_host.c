// Whether a host of the list is this machine.

#include "own_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static own_host_t *own;

static int set_up(void **state)
{
    (void)state;
    own = own_host_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    own_host_destroy(&own);
    own_host_destroy(&own);
    return 0;
}

static bool is_own(const char *host)
{
    return own_host_is(own, mm_str(host), (mm_str_t){0});
}

static void its_name_is_its_own_in_any_case(void **state)
{
    (void)state;
    char name[256] = "", other[300];
    assert_int_equal(gethostname(name, sizeof name - 1), 0);
    assert_true(is_own(name));
    for (char *c = name; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    assert_true(is_own(name));
    (void)snprintf(other, sizeof other, "%s.", name);
    assert_true(is_own(other));
    (void)snprintf(other, sizeof other, "not-%s", name);
    assert_false(is_own(other));
    if (!strchr(name, '.')) {
        (void)snprintf(other, sizeof other, "%s.example.net", name);
        assert_true(is_own(other));
    }
    assert_true(is_own("localhost"));
}

static void its_addresses_are_its_own_however_they_are_written(void **state)
{
    (void)state;
    assert_true(is_own("127.0.0.1"));
    assert_false(is_own("127.0.0.2")); // where somebody else may listen
    assert_false(is_own("192.0.2.1"));
    assert_false(is_own("2001:db8::1"));
    if (is_own("::1")) // IPv6 may be off
        assert_true(is_own("0:0:0::1"));
    assert_false(is_own("1"));
    assert_false(is_own(":"));
}

static void the_address_of_the_inventory_counts(void **state)
{
    (void)state;
    assert_true(own_host_is(own, mm_str("web-7"), mm_str("address=127.0.0.1 bmc=10.0.0.1")));
    assert_false(own_host_is(own, mm_str("localhost"), mm_str("address=192.0.2.1")));
    assert_false(own_host_is(own, mm_str("web-7"), mm_str("bmc=127.0.0.1")));
}

#define OWN(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OWN(its_name_is_its_own_in_any_case),
        OWN(its_addresses_are_its_own_however_they_are_written),
        OWN(the_address_of_the_inventory_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
