// Lists of addresses: what is one, where it is cut, and what is said of others.

#include "addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static mm_addresses_t addresses;
static char error[MM_ERROR_MAX];

// The list as it was read, with a space between two.
static const char *read_back(const char *text)
{
    static char all[4096];
    char one[MM_ENDPOINT_MAX + 16];
    *all = '\0';
    if (!mm_addresses_parse(text, &addresses, error))
        fail_msg("%s: %s", text, error);
    for (size_t i = 0; i < addresses.count; i++) {
        strcat(all, i > 0 ? " " : "");
        strcat(all, mm_addresses_print(&addresses.items[i], one));
    }
    return all;
}

static void a_list_has_up_to_eight(void **state)
{
    (void)state;
    assert_string_equal(read_back("ipc://run/consumer"), "ipc://run/consumer");
    assert_string_equal(read_back("tcp://a.example:7000,ipc://run/c,tcp://b.example:7000"),
                        "tcp://a.example:7000 ipc://run/c tcp://b.example:7000");
    assert_string_equal(read_back("tcp://[::1]:7000,tcp://[::1]:7010"),
                        "tcp://[::1]:7000 tcp://[::1]:7010");
    (void)read_back("ipc://1,ipc://2,ipc://3,ipc://4,ipc://5,ipc://6,ipc://7,ipc://8");
    assert_int_equal(addresses.count, MM_ADDRESSES_MAX);
}

static void a_comma_in_a_path_stays_there(void **state)
{
    (void)state;
    assert_string_equal(read_back("ipc://a,b/consumer"), "ipc://a,b/consumer");
    assert_int_equal(addresses.count, 1);
    assert_string_equal(read_back("ipc://a,b/c,tcp://localhost:7000"),
                        "ipc://a,b/c tcp://localhost:7000");
    assert_int_equal(addresses.count, 2);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {"", "an address is missing"},
        {",", "an address is missing"},
        {"ipc://a,", "an address is missing"},
        {",ipc://a", "an address is missing"},
        {"ipc://a,,ipc://b", "an address is missing"},
        {"ipc://a,ipc://b,ipc://a", "ipc://a is there twice"},
        {"tcp://a:7000,tcp://a:7000", "tcp://a:7000 is there twice"},
        {"ipc://1,ipc://2,ipc://3,ipc://4,ipc://5,ipc://6,ipc://7,ipc://8,ipc://9",
         "there are 9 addresses, and at most 8"},
        {"tcp://a:7000,b:7000", "'tcp://a:7000,b:7000' is no address"},
        {"tcp://a:7000,tcp://b", "'tcp://b' is no address"},
        {"tcp://a:7000,tcp://b:65533", "a port from 1 to 65532"},
        {"a,b", "'a,b' is no address"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        addresses.count = 77;
        if (mm_addresses_parse(cases[i].text, &addresses, error) ||
            !strstr(error, cases[i].complaint))
            fail_msg("'%s': %s", cases[i].text, error);
        assert_int_equal(addresses.count, 77); // untouched
    }
}

static void a_list_is_local_when_all_are(void **state)
{
    (void)state;
    (void)read_back("ipc://a,ipc://b");
    assert_true(mm_addresses_are_ipc(&addresses));
    (void)read_back("ipc://a,tcp://localhost:7000");
    assert_false(mm_addresses_are_ipc(&addresses));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_up_to_eight),
        cmocka_unit_test(a_comma_in_a_path_stays_there),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_list_is_local_when_all_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
