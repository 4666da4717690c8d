// What the programs of a run with a policy are told. The restarter is the real one.

#include "run_driver.h"
#include "settings_read.h"

static void a_run_without_a_policy_tells_nobody(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--at-once=3", "--rate=6/m"));
    assert_int_equal(settings.policy.count, 0);
    assert_int_equal(count_of(PUBLISHER, "--policy"), 0);
    assert_null(value_of(PUBLISHER, "--policy-groups="));
    assert_null(value_of(PUBLISHER, "--leases="));
    assert_null(value_of(CONSUMER, "--max-in-flight="));
    assert_null(value_of(CONSUMER, "--start-rate="));
    assert_string_equal(value_of(PUBLISHER, "--rate="), "6/m");
}

static void a_run_with_one_knows_all_hosts_and_their_groups(void **state)
{
    (void)state;
    write_text("hosts", "web-1 groups=web\n");
    write_text("a.ini", "[group web]\ncap = 1\n[group db]\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_int_equal(settings.policy.count, 3);
    assert_int_equal(count_of(PUBLISHER, "--policy"), 1);
    assert_int_equal(count_of(PUBLISHER, "--policy-groups=db"), 1);
    assert_int_equal(count_of(PUBLISHER, "--policy-groups=web"), 1);
    assert_string_equal(value_of(PUBLISHER, "--leases="), "1000000");
    assert_string_equal(value_of(CONSUMER, "--max-in-flight="), "1000000");
}

static void what_the_user_says_of_their_number_counts(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    write_text("a.ini", "[consumer]\nmax-in-flight = 77\n");
    assert_read(
        READ("-i", "hosts", "-x", "true {host}", "--ramp=1", "--leases=55", "--config=a.ini"));
    assert_string_equal(value_of(PUBLISHER, "--leases="), "55");
    assert_null(value_of(CONSUMER, "--max-in-flight="));
    assert_string_equal(value_of(CONSUMER, "--ramp="), "1");
    assert_int_equal(count_of(PUBLISHER, "--policy"), 1);
}

static void a_policy_of_any_source_is_one(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    write_text("a.ini", "[run]\nmax-unavailable = 1\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_int_equal(settings.policy.count, 1);
    write_text("a.ini", "[consumer]\nbreaker = 3/3\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_int_equal(settings.policy.count, 1);
    write_text("a.ini", "[common]\nwindow = daily 22:00 +6h UTC\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--config=a.ini"));
    assert_int_equal(settings.policy.count, 1);
    assert_true(settings.policy.groups[0].has_window);
}

static void with_a_policy_a_real_rate_is_one_of_starts(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--ramp=1", "--rate=6/m"));
    assert_string_equal(value_of(CONSUMER, "--start-rate="), "0.1");
    assert_string_equal(value_of(PUBLISHER, "--rate="), "max");
    assert_int_equal(settings.policy.rate, 6);
    assert_int_equal(settings.policy.rate_ms, 60000);
    assert_read(READ("-i", "hosts", "--mock", "--ramp=1", "--rate=6/m"));
    assert_null(value_of(CONSUMER, "--start-rate="));
    assert_string_equal(value_of(PUBLISHER, "--rate="), "6/m");
}

static void a_share_at_once_is_the_consumers(void **state)
{
    (void)state;
    write_text("hosts", "a\nb\nc\nd\n");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--at-once=50%"));
    assert_string_equal(value_of(CONSUMER, "--at-once="), "50%");
    assert_int_equal(settings.policy.count, 1);
    assert_int_equal(settings.policy.groups[0].cap.value, 50);
    char *headline = run_driver_headline(&settings, 4, 0);
    assert_string_equal(headline,
                        "4 hosts, at most 2 (50%) at once, by exec, proven by nothing but an exit "
                        "code");
    free(headline);
}

static void invented_hosts_are_in_no_group(void **state)
{
    (void)state;
    write_text("a.ini", "[group web]\n");
    assert_int_equal(READ("--config=a.ini"), 64);
    assert_heard("[group web] is in the policy, and invented hosts are in no group");
    assert_int_equal(READ("--max-unavailable=5%"), 64);
    assert_heard("a share of hosts needs their number");
    assert_read(READ("--max-unavailable=5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTINGS_TEST(a_run_without_a_policy_tells_nobody),
        SETTINGS_TEST(a_run_with_one_knows_all_hosts_and_their_groups),
        SETTINGS_TEST(what_the_user_says_of_their_number_counts),
        SETTINGS_TEST(a_policy_of_any_source_is_one),
        SETTINGS_TEST(with_a_policy_a_real_rate_is_one_of_starts),
        SETTINGS_TEST(a_share_at_once_is_the_consumers),
        SETTINGS_TEST(invented_hosts_are_in_no_group),
    };
    return cmocka_run_group_tests_name("run_policy", tests, find_programs, forget_programs);
}
