// Tests of common/runtime/policy_file.h: what options and sections become, and what is refused.

#include "options_run.h"
#include "policy_file.h"

// 2026-10-16 12:00 UTC, a Friday.
#define FRIDAY_MS INT64_C(1792152000000)

static mm_policy_t policy;

static int free_policy(void **state)
{
    mm_policy_clear(&policy);
    return free_options(state);
}

// Of a run's consumer, with these flags and the file.
static void read_policy(const char *ini, const char *flag)
{
    write_ini(ini);
    assert_int_equal(flag ? PARSE(CONSUMER, "--config", ini_path, flag)
                          : PARSE(CONSUMER, "--config", ini_path),
                     STARTED);
    assert_int_equal(mm_policy_read(&options, FRIDAY_MS, &policy), 0);
}

static void each_key_of_a_group_is_read(void **state)
{
    (void)state;
    read_policy("[group web]\n"
                "cap = 2\n"
                "max-unavailable = 25%\n"
                "ramp = 1, 5,25%\n"
                "bake = 10m\n"
                "# a comment\n"
                "window = Mon..Fri 22:00 +6h Europe/Amsterdam\n"
                "window = Sat,Sun 10:00 +4h Europe/Amsterdam\n"
                "except = 2026-10-17\n"
                "except = 2026-12-24..2026-12-26\n"
                "last-start = 15m\n"
                "breaker = 3/3,10/100\n"
                "[group db]\ncap=1\n",
                NULL);
    assert_int_equal(policy.count, 3);
    assert_string_equal(policy.groups[0].name, "");
    assert_false(policy.groups[0].cap.is_set);
    assert_string_equal(policy.groups[1].name, "db");
    assert_int_equal(policy.groups[1].cap.value, 1);
    assert_false(policy.groups[1].has_window);
    const mm_rules_t *web = &policy.groups[2];
    assert_string_equal(web->name, "web");
    assert_int_equal(web->cap.value, 2);
    assert_true(web->max_unavailable.is_percent);
    assert_int_equal(web->ramp_count, 3);
    assert_int_equal(web->ramp[1].value, 5);
    assert_true(web->ramp[2].is_percent);
    assert_int_equal(web->bake_ms, 600000);
    assert_int_equal(web->last_start_ms, 900000);
    assert_int_equal(web->breaker_count, 2);
    assert_int_equal(web->breakers[1].failures, 10);
    assert_int_equal(web->breakers[1].of_last, 100);
    assert_true(web->has_window);
    // Friday up to midnight, as Saturday is excepted; then Sunday.
    assert_int_equal(web->openings[0].opens_ms, FRIDAY_MS + 8 * 3600000);
    assert_int_equal(web->openings[0].closes_ms, FRIDAY_MS + 10 * 3600000);
    assert_int_equal(web->openings[1].opens_ms, FRIDAY_MS + 44 * 3600000);
}

static void the_whole_run_has_the_same_keys(void **state)
{
    (void)state;
    read_policy("[run]\nmax-unavailable = 3\nramp = 1,2\nbake = 1m\nbreaker = 3/3\n"
                "window = daily 22:00 +6h UTC\nwindow = Sat 10:00 +1h UTC\nlast-start = 5m\n"
                "except = 2026-12-24\nat-once = 50%\nguard = true\n",
                NULL);
    assert_int_equal(policy.count, 1);
    assert_int_equal(policy.groups[0].max_unavailable.value, 3);
    assert_int_equal(policy.groups[0].ramp_count, 2);
    assert_int_equal(policy.groups[0].bake_ms, 60000);
    assert_int_equal(policy.groups[0].breaker_count, 1);
    assert_true(policy.groups[0].cap.is_percent);
    assert_int_equal(policy.groups[0].cap.value, 50);
    assert_int_equal(policy.groups[0].last_start_ms, 300000);
    assert_true(policy.has_guard);
    assert_int_equal(policy.groups[0].openings[0].opens_ms, FRIDAY_MS + 10 * 3600000);
    assert_int_equal(policy.groups[0].openings[1].opens_ms, FRIDAY_MS + 22 * 3600000);
    for (int program = PUBLISHER; program <= RESTARTER; program++)
        assert_int_equal(PARSE(program, "--config", ini_path), STARTED);
    assert_int_equal(PARSE(RUN, "--config", ini_path), STARTED);
    assert_true(mm_policy_is_given(&options));
}

static void a_number_as_the_limit_at_once_is_no_policy(void **state)
{
    (void)state;
    assert_int_equal(PARSE(CONSUMER, "--at-once=5", "--max-dead=3"), STARTED);
    assert_false(mm_policy_is_given(&options));
    assert_int_equal(options.at_once.value, 5);
    assert_int_equal(mm_policy_read(&options, FRIDAY_MS, &policy), 0);
    assert_int_equal(policy.count, 0);
    assert_null(policy.groups);
    read_policy("[consumer]\nat-once = 5\n[group web]\n", NULL);
    assert_int_equal(policy.count, 2);
    assert_false(policy.groups[0].cap.is_set);
}

static void each_of_its_options_makes_a_policy(void **state)
{
    (void)state;
    static const char *const flags[] = {
        "--max-unavailable=1", "--ramp=1",      "--window=daily 1:00 +1h UTC",
        "--except=2026-12-24", "--breaker=1/1", "--guard=true",
        "--at-once=5%",        "--start-rate=1"};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        assert_int_equal(PARSE(CONSUMER, flags[i]), STARTED);
        assert_true(mm_policy_is_given(&options));
        assert_int_equal(mm_policy_read(&options, FRIDAY_MS, &policy), 0);
        assert_int_equal(policy.count, 1);
        mm_policy_clear(&policy);
    }
}

static void a_flag_counts_more_than_the_file_and_windows_add_up(void **state)
{
    (void)state;
    read_policy("[run]\nmax-unavailable = 3\n", "--max-unavailable=4");
    assert_int_equal(policy.groups[0].max_unavailable.value, 4);
    mm_policy_clear(&policy);
    assert_int_equal(
        PARSE(CONSUMER, "--window=Sat,Sun 10:00 +1h UTC", "--window=Fri 20:00 +1h UTC"), STARTED);
    assert_int_equal(mm_policy_read(&options, FRIDAY_MS, &policy), 0);
    assert_int_equal(policy.groups[0].openings[0].opens_ms, FRIDAY_MS + 8 * 3600000);
    assert_int_equal(policy.groups[0].openings[1].opens_ms, FRIDAY_MS + 22 * 3600000);
    assert_int_equal(policy.groups[0].openings[2].opens_ms, FRIDAY_MS + 46 * 3600000);
}

static void a_rate_is_so_many_starts_of_so_long(void **state)
{
    (void)state;
    static const struct {
        const char *flag;
        uint32_t rate;
        int64_t rate_ms;
    } cases[] = {{"--start-rate=5", 5, 1000},       {"--start-rate=6/m", 6, 60000},
                 {"--start-rate=0.5/s", 30, 60000}, {"--start-rate=10/h", 10, 3600000},
                 {"--start-rate=1/d", 1, 86400000}, {"--start-rate=0.3/s", 18, 60000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(PARSE(CONSUMER, cases[i].flag), STARTED);
        assert_int_equal(mm_policy_read(&options, FRIDAY_MS, &policy), 0);
        assert_int_equal(policy.rate, cases[i].rate);
        assert_int_equal(policy.rate_ms, cases[i].rate_ms);
        mm_policy_clear(&policy);
    }
    assert_int_equal(PARSE(CONSUMER, "--start-rate=max", "--ramp=1"), STARTED);
    assert_int_equal(mm_policy_read(&options, FRIDAY_MS, &policy), 0);
    assert_int_equal(policy.rate, 0);
}

static void what_is_wrong_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *ini, *told;
    } cases[] = {
        {"[group web]\ncap = 0\n", ":2: [group web] cap = 0: "},
        {"[group web]\ncap = 0%\n", "from 1% to 100%"},
        {"[group web]\nmax-unavailable = 101%\n",
         ":2: [group web] max-unavailable = 101%: a share"},
        {"[group web]\ncap = many\n", "as in 5, or a share of them, as in 25%"},
        {"[group web]\nramp = 5,1\n", "[group web] ramp = 5,1: its steps become smaller"},
        {"[group web]\nramp = 50%,25%\n", "become smaller"},
        {"[group web]\nramp = 1,,5\n", "a step of a ramp"},
        {"[group web]\nramp =\n", "a step of a ramp"},
        {"[group web]\nramp = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n", "more than 16 steps"},
        {"[group web]\nramp = 1\nbake = 10\n", ":3: [group web] bake = 10: a duration needs"},
        {"[group web]\nbake = 10m\n", ":2: [group web] bake = 10m: it is the pause between"},
        {"[group web]\nlast-start = 10m\n", "it counts from the end of a window"},
        {"[group web]\nbreaker = 3\n", "a breaker is F/W"},
        {"[group web]\nbreaker = 4/3\n", "a breaker is F/W"},
        {"[group web]\nbreaker = 0/3\n", "a breaker is F/W"},
        {"[group web]\nbreaker = 3/1001\n", "at most 1000"},
        {"[group web]\nbreaker = 1/1,2/2,3/3,4/4,5/5\n", "more than 4 breakers"},
        {"[group web]\nwindow = Mon 22:00\n",
         ":2: [group web] window = Mon 22:00: '' is no length"},
        {"[group web]\nwindow = Mon 22:00 +1h Europe/Paris2\n", "no time zone 'Europe/Paris2'"},
        {"[group web]\nexcept = tomorrow\n", "'tomorrow' is no date"},
        {"[group web]\nmax-unavailble = 1\n", "the nearest one is max-unavailable"},
        {"[group web]\nrate = 1\n", "there is no such key; a group has cap, max-unavailable, ramp"},
        {"[group web]\ncap = 1\ncap = 2\n", ":3: [group web] cap = 2: it was given in line 2"},
        {"[group web]\ncap = 1\n[group db]\n[group web]\n", ":4: [group web] began in line 1"},
        {"[group ]\ncap = 1\n", ":1: a group is called by a name"},
        {"[group a b]\ncap = 1\n", ":1: a group is called by a name"},
        {"[group]\ncap = 1\n", ":1: a group is called by a name"},
        {"[groups]\ncap = 1\n", "there is no section [groups]"},
        {"[run]\nramp = 5,1\n", ":2: ramp = 5,1: its steps become smaller"},
        {"[run]\nbake = 5m\n", ":2: bake = 5m: it is the pause between"},
        {"[run]\nmax-unavailable = 0.5\n", ":2: max-unavailable = 0.5: it is a number of hosts"},
        {"[publisher]\nwindow = 500\n", "jobs under lease are 'leases'"},
        {"[saver]\nramp = 1\n", "'ramp' does not belong in [saver] but in [run]"},
        {"[run]\nramp = 1\nramp = 2\n", "'ramp' was given in line 2 already"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_ini(cases[i].ini);
        assert_int_equal(PARSE(CONSUMER, "--config", ini_path), 78);
        assert_told(cases[i].told);
    }
}

static void a_bad_flag_of_the_policy_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *flag, *told;
    } cases[] = {
        {"--max-unavailable=0%", "--max-unavailable=0%: a share must be"},
        {"--ramp=1,x", "--ramp=1,x: a step of a ramp"},
        {"--window=Mon 22:00-04:00", "--window=Mon 22:00-04:00: '22:00-04:00' is no time"},
        {"--window=500", "--window=500: '500' is no day"},
        {"--except=x", "--except=x: 'x' is no date"},
        {"--breaker=x", "--breaker=x: a breaker is F/W"},
        {"--last-start=5m", "--last-start=5m: it counts from the end of a window"},
        {"--at-once=200%", "--at-once=200%: a share must be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(PARSE(CONSUMER, cases[i].flag), 64);
        assert_told(cases[i].told);
    }
}

static void a_long_name_of_a_group_is_kept_whole(void **state)
{
    (void)state;
    char ini[256], name[MM_NAME_MAX + 1];
    memset(name, 'g', MM_NAME_MAX);
    name[MM_NAME_MAX] = '\0';
    (void)snprintf(ini, sizeof ini, "[ group x ]\n"); // no such section: blanks count
    (void)snprintf(ini, sizeof ini,
                   "[group  %s ] # known by that\ncap = 7\n[consumer]\nattempts=3\n", name);
    read_policy(ini, NULL);
    assert_string_equal(policy.groups[1].name, name);
    assert_int_equal(policy.groups[1].cap.value, 7);
    assert_int_equal(options.attempts, 3);
}

// What the options cannot know: the openings from now on.
static void what_never_opens_is_refused_when_the_policy_is_made(void **state)
{
    (void)state;
    static const struct {
        const char *ini, *told;
        int code;
    } cases[] = {
        {"[group web]\nwindow = daily 22:00 +1h UTC\nlast-start = 1h\n",
         ":2: [group web] window = daily 22:00 +1h UTC: it never opens: last-start = 1h", 78},
        {"[common]\nlost-after = 1m\n[group web]\nwindow = daily 22:00 +1m UTC\n",
         "+1m UTC: it never opens: last-start = 1m (lost-after at least)", 78},
        {"[run]\nwindow = daily 22:00 +1h UTC\nexcept = 2026-01-01..2036-01-01\n",
         ":2: window = daily 22:00 +1h UTC: it never opens: the exceptions", 78},
        {"[group web]\nexcept = 2026-01-01..2036-01-01\n", ":2: [group web] except", 78},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_ini(cases[i].ini);
        assert_int_equal(PARSE(CONSUMER, "--config", ini_path), STARTED);
        int saved = redirect(stderr, out_path);
        int code = mm_policy_read(&options, FRIDAY_MS, &policy);
        restore(stderr, saved);
        assert_int_equal(code, cases[i].code);
        char told[1024] = "";
        FILE *file = fopen(out_path, "r");
        assert_non_null(file);
        assert_non_null(fgets(told, sizeof told, file));
        (void)fclose(file);
        if (!strstr(told, cases[i].told))
            fail_msg("%s", told);
    }
}

static void a_thousand_groups_are_enough(void **state)
{
    (void)state;
    char *ini = NULL;
    size_t size;
    FILE *file = open_memstream(&ini, &size);
    for (int i = 0; i < MM_POLICY_GROUPS_MAX; i++)
        (void)fprintf(file, "[group g%d]\ncap = %d\n", i, i + 1);
    (void)fclose(file);
    write_ini(ini);
    assert_int_equal(PARSE(CONSUMER, "--config", ini_path), 78);
    assert_told("there are more than 1023 groups");
    *strstr(ini, "[group g1023]") = '\0';
    read_policy(ini, NULL);
    assert_int_equal(policy.count, MM_POLICY_GROUPS_MAX);
    assert_int_equal(mm_policy_find(&policy, mm_str("g77"))->cap.value, 78);
    free(ini);
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, free_policy)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_key_of_a_group_is_read),
        TEST(the_whole_run_has_the_same_keys),
        TEST(a_number_as_the_limit_at_once_is_no_policy),
        TEST(each_of_its_options_makes_a_policy),
        TEST(a_flag_counts_more_than_the_file_and_windows_add_up),
        TEST(a_rate_is_so_many_starts_of_so_long),
        TEST(what_is_wrong_is_named_with_its_place),
        TEST(a_bad_flag_of_the_policy_is_named),
        TEST(a_long_name_of_a_group_is_kept_whole),
        TEST(what_never_opens_is_refused_when_the_policy_is_made),
        TEST(a_thousand_groups_are_enough),
    };
    return cmocka_run_group_tests_name("policy_file", tests, make_options_folder,
                                       remove_temp_folder);
}
