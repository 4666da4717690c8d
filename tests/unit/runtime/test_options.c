// Tests of common/runtime/options: what users type and set, and what they are told.

#include "options_run.h"
#include "options_table.h"

static void without_anything_the_defaults_hold(void **state)
{
    (void)state;
    assert_int_equal(PARSE_NOTHING(CONSUMER), STARTED);
    assert_string_equal(options.dir, "run");
    assert_string_equal(options.consumer, "ipc://run/consumer");
    assert_string_equal(options.id, "consumer");
    assert_string_equal(options.trace, "");
    assert_int_equal(options.heartbeat_ms, 500);
    assert_int_equal(options.lost_after_ms, 1500);
    assert_int_equal(options.drain_timeout_ms, 25000);
    assert_int_equal(options.attempts, 5);
    assert_int_equal(options.backoff.low_ms, 100);
    assert_int_equal(options.backoff.high_ms, 10000);
    assert_int_equal(options.extend_every_ms, 1000);
    assert_int_equal(options.ack_deadline_ms, 3000);
    assert_int_equal(options.max_lease_ms, 3600000);
    assert_int_equal(options.max_in_flight, 100000);
    assert_int_equal(options.log_level, MM_LOG_INFO);
    assert_int_equal(options.log_format, MM_LOG_FORMAT_TEXT);
    assert_int_equal(options.progress, MM_PROGRESS_OFF);
    assert_int_equal(options.program, CONSUMER);
}

static void defaults_follow_the_options_they_depend_on(void **state)
{
    (void)state;
    assert_int_equal(PARSE(SAVER, "--dir", "d"), STARTED);
    assert_string_equal(options.db, "d/mayhem.db");
    assert_string_equal(options.consumer, "ipc://d/consumer");
    assert_int_equal(PARSE_NOTHING(RESTARTER), STARTED);
    assert_int_equal(options.slots, 256);
    assert_int_equal(PARSE(RESTARTER, "--exec", "ssh {host} reboot"), STARTED);
    assert_int_equal(options.slots, 16);
    assert_int_equal(PARSE(RESTARTER, "--exec=x {host}", "--slots=7"), STARTED);
    assert_int_equal(options.slots, 7);
}

static void values_of_each_type_are_read(void **state)
{
    (void)state;
    assert_int_equal(PARSE(PUBLISHER, "--rate=0.25", "--for=1.5s", "--input=-", "--leases=1000000",
                           "--progress=lines", "--on-bad-line=skip", "--id=web_1.A-z"),
                     STARTED);
    assert_true(options.rate == 0.25);
    assert_int_equal(options.run_for_ms, 1500);
    assert_string_equal(options.input, "-");
    assert_int_equal(options.leases, 1000000);
    assert_int_equal(options.progress, MM_PROGRESS_LINES);
    assert_int_equal(options.on_bad_line, MM_ON_BAD_LINE_SKIP);
    assert_string_equal(options.id, "web_1.A-z");
    assert_int_equal(PARSE(PUBLISHER, "--rate", "max", "--seed=9223372036854775807"), STARTED);
    assert_true(options.rate == MM_RATE_MAX);
    assert_true(options.seed == INT64_MAX);
    assert_int_equal(
        PARSE(RESTARTER, "--mock-fail=12.5%", "--mock-time=0..1s", "--exec=x {host}", "--dry-run"),
        STARTED);
    assert_int_equal(options.mock_fail_ppm, 125000);
    assert_int_equal(options.mock_time.low_ms, 0);
    assert_int_equal(options.mock_time.high_ms, 1000);
    assert_true(options.dry_run);
    assert_int_equal(PARSE(SAVER, "--inject-time", "20ms"), STARTED);
    assert_int_equal(options.inject_time.low_ms, 20);
    assert_int_equal(options.inject_time.high_ms, 20);
}

static void ports_are_a_range_or_any(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned first, last;
        const char *printed;
    } cases[] = {{"0", 0, 0, "0"},
                 {"7100..7199", 7100, 7199, "7100..7199"},
                 {"904..65535", 904, 65535, "904..65535"}};
    static const char *const bad[] = {"",       "x",     "7100..", "..7100",     "7100..7100x",
                                      "7100-7", "7..-9", "0..5",   "7199..7100", "7100..65536",
                                      "+7..9",  "7.. 9", "7...9",  "70000",      "7100"};
    char flag[64], printed[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(flag, sizeof flag, "--task-ports=%s", cases[i].text);
        assert_int_equal(PARSE(CONSUMER, "--listen=tcp://*:900", flag), STARTED);
        assert_int_equal(options.task_ports.first, cases[i].first);
        assert_int_equal(options.task_ports.last, cases[i].last);
        assert_int_equal(PARSE(CONSUMER, "--listen=tcp://*:900", flag, "--print-config"), 0);
        (void)snprintf(printed, sizeof printed, "\ntask-ports = %s\n", cases[i].printed);
        assert_non_null(strstr(out, printed));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(flag, sizeof flag, "--task-ports=%s", bad[i]);
        assert_int_equal(PARSE(CONSUMER, "--listen=tcp://*:9000", flag), 64);
        assert_told(flag);
    }
}

static void where_to_listen_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *listen, *ports, *told;
    } cases[] = {
        {"--listen=ipc://run/x", "--seed=1", "--listen=ipc://run/x: it is tcp://ADDRESS:PORT"},
        {"--listen=tcp://*:65533", "--seed=1", "a port from 1 to 65532: the next three are used"},
        {"--listen=tcp://*:7000", "--task-ports=7003..7100", "7000 to 7003 are the ports of"},
        {"--listen=tcp://*:7000", "--task-ports=6000..7000", "7000 to 7003 are the ports of"},
        {"--seed=1", "--task-ports=7100..7199", "say with --listen where to listen"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(PARSE(CONSUMER, cases[i].listen, cases[i].ports), 64);
        assert_told(cases[i].told);
        assert_int_equal(PARSE(RUN, cases[i].listen, cases[i].ports), 64);
        assert_told(cases[i].told);
    }
    assert_int_equal(PARSE(CONSUMER, "--listen=tcp://192.0.2.1:7000", "--task-ports=7004..7100"),
                     STARTED);
    assert_string_equal(options.listen, "tcp://192.0.2.1:7000");
    assert_string_equal(options.keys, "run/keys");
    assert_int_equal(PARSE(CONSUMER, "--dir=elsewhere"), STARTED);
    assert_string_equal(options.keys, "elsewhere/keys");
    assert_int_equal(PARSE(CONSUMER, "--dir=elsewhere", "--keys=here"), STARTED);
    assert_string_equal(options.keys, "here");
}

static void rates_have_units_and_print_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
        double rate;
    } cases[] = {{"6/m", "0.1", 0.1},
                 {"0.5/s", "0.5", 0.5},
                 {"10/h", "10/h", 10.0 / 3600},
                 {"1/d", "1/d", 1.0 / 86400},
                 {"7/m", "7/m", 7.0 / 60},
                 {"0/h", "0", 0},
                 {"0.000012", "0.000012", 0.000012},
                 {"9999999.999999/d", "9999999.999999/d", 9999999.999999 / 86400},
                 {"10000000", "10000000", 1e7},
                 {"max", "max", MM_RATE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char flag[64], printed[64];
        (void)snprintf(flag, sizeof flag, "--rate=%s", cases[i].text);
        assert_int_equal(PARSE(PUBLISHER, flag), STARTED);
        assert_true(options.rate == cases[i].rate);
        assert_int_equal(PARSE(PUBLISHER, flag, "--print-config"), 0);
        (void)snprintf(printed, sizeof printed, "\nrate = %s\n", cases[i].printed);
        assert_non_null(strstr(out, printed));
        (void)snprintf(flag, sizeof flag, "--rate=%s", cases[i].printed);
        assert_int_equal(PARSE(PUBLISHER, flag), STARTED);
        assert_true(options.rate == cases[i].rate);
    }
    assert_int_equal(PARSE(PUBLISHER, "--for=2h30m"), STARTED);
    assert_int_equal(options.run_for_ms, 9000000);
    assert_int_equal(PARSE(PUBLISHER, "--for=1d"), STARTED);
    assert_int_equal(options.run_for_ms, 86400000);
    assert_int_equal(PARSE(RESTARTER, "--mock-time=1m30s..1h"), STARTED);
    assert_int_equal(options.mock_time.low_ms, 90000);
}

static void a_flag_beats_the_environment_beats_the_file_beats_the_default(void **state)
{
    (void)state;
    assert_int_equal(PARSE_NOTHING(PUBLISHER), STARTED);
    assert_true(options.rate == 0);
    write_ini("[publisher]\nrate = 1\nleases = 11\n");
    assert_int_equal(PARSE(PUBLISHER, "--config", ini_path), STARTED);
    assert_true(options.rate == 1);
    setenv("MAYHEM_RATE", "2", 1);
    assert_int_equal(PARSE(PUBLISHER, "--config", ini_path), STARTED);
    assert_true(options.rate == 2);
    assert_int_equal(PARSE(PUBLISHER, "--rate=3", "--config", ini_path), STARTED);
    assert_true(options.rate == 3);
    assert_int_equal(options.leases, 11);
}

static void the_last_of_two_flags_counts(void **state)
{
    (void)state;
    assert_int_equal(PARSE(PUBLISHER, "--rate=3", "--rate=4"), STARTED);
    assert_true(options.rate == 4);
    assert_int_equal(PARSE(RESTARTER, "--exec=x {host}", "--dry-run", "--dry-run=no"), STARTED);
    assert_false(options.dry_run);
}

static void of_a_list_all_flags_count(void **state)
{
    (void)state;
    assert_int_equal(PARSE(PUBLISHER, "--only=web-*", "--input=hosts", "--only", "eu,db"), STARTED);
    assert_string_equal(options.only, "web-*,eu,db");
    setenv("MAYHEM_ONLY", "mail", 1);
    assert_int_equal(PARSE(PUBLISHER, "--input=hosts"), STARTED);
    assert_string_equal(options.only, "mail");
    assert_int_equal(PARSE(PUBLISHER, "--input=hosts", "--only=a", "--only=b"), STARTED);
    assert_string_equal(options.only, "a,b");
    assert_int_equal(PARSE(PUBLISHER, "--only=a"), 64);
    assert_told("mayhem-publisher: --only=a: it takes a part of a list: name a file");
    unsetenv("MAYHEM_ONLY");
    assert_int_equal(PARSE(PUBLISHER, "--limit=5"), 64);
    assert_int_equal(PARSE(PUBLISHER, "--input=h", "--only="),
                     64); // an unset variable takes no part
    assert_int_equal(PARSE(PUBLISHER, "--input=h", "--only=,"), 64);
}

static void dashes_become_underscores_and_an_empty_variable_is_none(void **state)
{
    (void)state;
    setenv("MAYHEM_DRAIN_TIMEOUT", "4s", 1);
    setenv("MAYHEM_RATE", "", 1);
    assert_int_equal(PARSE_NOTHING(PUBLISHER), STARTED);
    assert_int_equal(options.drain_timeout_ms, 4000);
    assert_true(options.rate == 0);
}

static void a_bad_flag_is_named_with_the_mend(void **state)
{
    (void)state;
    static const struct {
        int program;
        const char *argument, *told;
    } cases[] = {
        {PUBLISHER, "--heartbeat=500", "--heartbeat=500: a duration needs a unit: ms, s"},
        {PUBLISHER, "--heartbeat=fast", "a duration is a number with a unit"},
        {PUBLISHER, "--heartbeat=1 s", "needs a unit"},
        {PUBLISHER, "--heartbeat=-1s", "a duration is a number"},
        {PUBLISHER, "--heartbeat=9ms", "from 10ms to 1m"},
        {PUBLISHER, "--heartbeat=20.5ms", "finer than a millisecond"},
        {PUBLISHER, "--drain-timeout=2s", "from 3s to 24h"},
        {PUBLISHER, "--leases=0", "--leases=0: it must be from 1 to 1000000"},
        {PUBLISHER, "--leases=1000001", "from 1 to 1000000"},
        {PUBLISHER, "--leases=10k", "whole number"},
        {PUBLISHER, "--leases=", "whole number"},
        {PUBLISHER, "--leases=-5", "whole number"},
        {PUBLISHER, "--jobs=9223372036854775808", "from 0 to 9223372036854775807"},
        {PUBLISHER, "--rate=fast", "as in 5, 0.5/s, 6/m, 10/h or 1/d; or max"},
        {PUBLISHER, "--rate=", "a rate is a number"},
        {PUBLISHER, "--rate=/m", "a rate is a number"},
        {PUBLISHER, "--rate=6/", "a rate is a number"},
        {PUBLISHER, "--rate=6m", "a rate is a number"},
        {PUBLISHER, "--rate=6/w", "a rate is a number"},
        {PUBLISHER, "--rate=6/ms", "a rate is a number"},
        {PUBLISHER, "--rate=6 /m", "a rate is a number"},
        {PUBLISHER, "--rate=6/m ", "a rate is a number"},
        {PUBLISHER, "--rate=-6/m", "a rate is a number"},
        {PUBLISHER, "--rate=max/m", "a rate is a number"},
        {PUBLISHER, "--rate=0.0000001/s", "a rate is a number"},
        {PUBLISHER, "--rate=10000001", "from 1/d to 10000000"},
        {PUBLISHER, "--rate=10000001/d", "from 1/d to 10000000"},
        {PUBLISHER, "--rate=0.00001", "from 1/d to 10000000"},
        {PUBLISHER, "--rate=0.5/d", "from 1/d to 10000000"},
        {PUBLISHER, "--progress=yes", "one of auto|bar|lines|off"},
        {PUBLISHER, "--id=a b", "a name is 1 to 63 letters"},
        {PUBLISHER, "--log-level=inf", "one of debug|info|warn|error"},
        {CONSUMER, "--backoff=10s..1s", "begins above its end"},
        {CONSUMER, "--backoff=1..10s", "needs a unit"},
        {CONSUMER, "--backoff=1s..", "a duration is a number"},
        {CONSUMER, "--backoff=1s..2h", "from 0s to 1h"},
        {RESTARTER, "--mock-fail=25", "percent sign"},
        {RESTARTER, "--mock-fail=100.1%", "from 0% to 100%"},
        {RESTARTER, "--mock-fail=0.00001%", "four decimals"},
        {RESTARTER, "--dry-run=maybe", "yes or no"},
        {RESTARTER, "--slots=4097", "from 0 to 4096"},
        {PUBLISHER, "--rtae=5", "--rtae=5: there is no such option; the nearest one is --rate"},
        {PUBLISHER, "--slots=5", "it belongs to mayhem-restarter"},
        {PUBLISHER, "--log=x", "the nearest one is --log-"},
        {PUBLISHER, "--rate", "--rate: it needs a value"},
        {PUBLISHER, "-r", "-r: options are written out"},
        {PUBLISHER, "host", "host: only options are understood"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].program, cases[i].argument, (char *)NULL), 64);
        assert_told(cases[i].told);
    }
}

static void options_that_do_not_fit_together_are_refused(void **state)
{
    (void)state;
    static const struct {
        int program;
        const char *argument, *told;
    } cases[] = {
        {PUBLISHER, "--attributes=bmc", "hosts that are invented have none (bmc)"},
        {PUBLISHER, "--attributes=bmc, zone", "up to 8 different names"},
        {PUBLISHER, "--attributes=a,a", "up to 8 different names"},
        {PUBLISHER, "--attributes=a,b,c,d,e,f,g,h,i", "up to 8 different names"},
        {PUBLISHER, "--attributes=bmc,host", "every job has a host already"},
        {PUBLISHER, "--policy-groups=web", "add --policy"},
        {CONSUMER, "--extend-every=1500ms", "less than half of ack-deadline (3s)"},
        {CONSUMER, "--ack-deadline=2s", "--ack-deadline=2s: extend-every (1s)"},
        {CONSUMER, "--max-lease=899999ms", "make it at least 15m"},
        {CONSUMER, "--verify-timeout=56m", "make it at least 61m"},
        {SAVER, "--heartbeat=751ms", "at least twice heartbeat"},
        {SAVER, "--lost-after=999ms", "--lost-after=999ms: lost-after"},
        {SAVER, "--dir=", "it is empty"},
        {SAVER, "--consumer=run/x", "begins with ipc:// or tcp://"},
        {SAVER, "--consumer=ipc://", "the path of a file"},
        {SAVER, "--consumer=tcp://localhost", "a port from 1 to 65532"},
        {SAVER, "--consumer=tcp://localhost:0", "a port from 1 to 65532"},
        {SAVER, "--consumer=tcp://localhost:65533", "a port from 1 to 65532"},
        {SAVER, "--consumer=tcp://localhost:5x", "a port from 1 to 65532"},
        {SAVER, "--consumer=tcp://*:5000", "needs a key"},
        {RESTARTER, "--consumer=tcp://10.0.0.1:5000", "keys new NAME --role restarter"},
        {CONSUMER, "--consumer=tcp://10.0.0.1:5000", "--listen for others"},
        {SAVER, "--consumer=tcp://127.evil.org:5000", "needs a key"},
        {SAVER, "--consumer=ipc://a,ipc://b,", "an address is missing"},
        {SAVER, "--consumer=ipc://a,,ipc://b", "an address is missing"},
        {PUBLISHER, "--consumer=ipc://a,tcp://localhost:5000,ipc://a", "ipc://a is there twice"},
        {RESTARTER, "--consumer=ipc://a,tcp://10.0.0.1:5000", "needs a key"},
        {RESTARTER, "--consumer=ipc://a,run/b,tcp://localhost", "'tcp://localhost' is no address"},
        {SAVER, "--consumer=tcp://127.0.0.1:5000,b:5000", "another whole address"},
        {SAVER,
         "--consumer=ipc://1,ipc://2,ipc://3,ipc://4,ipc://5,ipc://6,ipc://7,ipc://8,ipc://9",
         "there are 9 addresses, and at most 8"},
        {CONSUMER, "--consumer=ipc://a,ipc://b", "this is the consumer, which has one address"},
        {SAVER, "--key=s.key", "takes no key"},
        {RESTARTER, "--verify=x", "needs --exec or --driver"},
        {RESTARTER, "--dry-run", "needs --exec or --driver"},
        {RESTARTER, "--exec=reboot", "it names no host"},
        {RESTARTER, "--exec=reboot {job} {attempt} {boot_id} \\{host} {Host}", "it names no host"},
        {RESTARTER, "--exec-ok=0,256", "codes from 0 to 255"},
        {RESTARTER, "--exec-ok=,", "codes from 0 to 255"},
        {RESTARTER, "--exec-ok=1 2", "codes from 0 to 255"},
        {RESTARTER, "--driver=shh", "there is no driver of that name; there are mock"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(cases[i].program, cases[i].argument, (char *)NULL), 64);
        assert_told(cases[i].told);
    }
}

// In the environment it may be there for mayhem status of another pipeline.
static void a_key_is_for_tcp(void **state)
{
    (void)state;
    assert_int_equal(PARSE(RESTARTER, "--key=r.key", "--consumer=tcp://10.0.0.1:5000"), STARTED);
    assert_string_equal(options.key, "r.key");
    assert_int_equal(setenv("MAYHEM_KEY", "r.key", 1), 0);
    assert_int_equal(PARSE(RESTARTER, "--consumer=tcp://10.0.0.1:5000"), STARTED);
    assert_int_equal(PARSE_NOTHING(RESTARTER), STARTED);
    assert_int_equal(unsetenv("MAYHEM_KEY"), 0);
}

static void the_groups_of_a_policy_are_names(void **state)
{
    (void)state;
    static char *const bad[] = {"--policy-groups=,web", "--policy-groups=-web",
                                "--policy-groups=a b", "--policy-groups=web,,eu"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(PARSE(PUBLISHER, "--policy", bad[i]), 64);
        assert_told("names of groups with commas between them");
    }
    assert_int_equal(PARSE(PUBLISHER, "--policy", "--attributes=a?,b?,c?,d?,e?,f?,g?,h?"), 64);
    assert_told("up to 7 attributes beside");
}

static void what_just_fits_is_taken(void **state)
{
    (void)state;
    assert_int_equal(PARSE(CONSUMER, "--extend-every=1499ms", "--max-lease=15m"), STARTED);
    assert_int_equal(PARSE(CONSUMER, "--lost-after=15001ms"), STARTED);
    assert_int_equal(PARSE(CONSUMER, "--lost-after=15s", "--store=postgresql://h/d"), STARTED);
    assert_int_equal(PARSE(CONSUMER, "--lost-after=15001ms", "--store=postgresql://h/d"), 64);
    assert_int_equal(PARSE(SAVER, "--store=postgresql://h/d"), STARTED);
    assert_string_equal(options.db, "postgresql://h/d");
    assert_int_equal(PARSE(PUBLISHER, "--input=-", "--attributes=a,b,c,d,e,f,g,rack_2"), STARTED);
    assert_int_equal(PARSE(PUBLISHER, "--attributes=address?,port?"), STARTED);
    assert_int_equal(PARSE(PUBLISHER, "--policy"), STARTED);
    assert_int_equal(PARSE(PUBLISHER, "--policy", "--policy-groups="), STARTED);
    assert_int_equal(PARSE(PUBLISHER, "--policy", "--policy-groups=web,rack-2.b",
                           "--attributes=a?,b?,c?,d?,e?,f?,g?"),
                     STARTED);
    assert_int_equal(PARSE(RESTARTER, "--exec=reset {bmc?}"), STARTED);
    assert_int_equal(PARSE(SAVER, "--heartbeat=750ms"), STARTED);
    assert_int_equal(PARSE(SAVER, "--consumer=tcp://127.0.0.1:65532"), STARTED);
    assert_int_equal(PARSE(SAVER, "--consumer=tcp://127.9.9.9:1"), STARTED);
    assert_int_equal(PARSE(SAVER, "--consumer=tcp://[::1]:5000"), STARTED);
    assert_int_equal(PARSE(SAVER, "--consumer=tcp://localhost:5000"), STARTED);
    assert_int_equal(PARSE(SAVER, "--consumer=ipc://a,tcp://localhost:5000,ipc://b,c"), STARTED);
    assert_int_equal(PARSE(RESTARTER, "--key=k", "--consumer=ipc://a,tcp://10.0.0.1:5000"),
                     STARTED);
}

static void a_folder_too_long_for_a_socket_is_refused(void **state)
{
    (void)state;
    char dir[108];
    memset(dir, 'd', sizeof dir);
    // DIR + "/consumer" + ".task." + 16 digits are 107 bytes.
    dir[107 - 31] = '\0';
    assert_int_equal(PARSE(SAVER, "--dir", dir), STARTED);
    dir[107 - 31] = 'd';
    dir[108 - 31] = '\0';
    assert_int_equal(PARSE(SAVER, "--dir", dir), 64);
    assert_told("would have 108 bytes");
    assert_told("1 bytes shorter");
}

static void a_bad_variable_is_named_and_exits_with_78(void **state)
{
    (void)state;
    setenv("MAYHEM_LEASES", "many", 1);
    assert_int_equal(PARSE_NOTHING(PUBLISHER), 78);
    assert_told("mayhem-publisher: MAYHEM_LEASES=many: it must be a whole number");
    assert_int_equal(PARSE(PUBLISHER, "--leases=5"), 78);
}

// What no option of the kind may be; NULL: any text will do.
static const char *wrong_value(mm_kind_t kind)
{
    switch (kind) {
    case MM_KIND_TEXT:
    case MM_KIND_LIST: return NULL;
    case MM_KIND_NAME: return "a b";
    case MM_KIND_FLAG: return "maybe";
    case MM_KIND_INTEGER:
    case MM_KIND_RATE:
    case MM_KIND_DURATION:
    case MM_KIND_RANGE:
    case MM_KIND_PERCENT:
    case MM_KIND_AMOUNT:
    case MM_KIND_CODES:
    case MM_KIND_DAYTIME:
    case MM_KIND_PORTS:
    case MM_KIND_CHOICE: return "wrong";
    }
    return NULL;
}

// The section in which a program looks for the option; NULL: the file has it for others only.
static const char *section_of(int program, const mm_row_t *row)
{
    unsigned programs = row->programs & MM_HAS_ALL;
    if (program != RUN)
        return mm_program_name((mm_program_t)program);
    if (programs == 0 || (row->programs & MM_OF_POLICY) != 0)
        return "run";
    return (programs & (programs - 1)) != 0 ? "common" : NULL;
}

static void refuse_wrong_value(int program, const mm_row_t *row, const char *wrong)
{
    char flag[128], variable[128], told[256], ini[256];
    (void)snprintf(flag, sizeof flag, "--%s=%s", row->name, wrong);
    assert_int_equal(PARSE(program, flag), 64);
    assert_told(flag);
    const char *section = section_of(program, row);
    if ((row->programs & MM_FLAG_ONLY) != 0)
        return;
    (void)snprintf(variable, sizeof variable, "MAYHEM_%s", row->name);
    for (char *c = variable; *c != '\0'; c++)
        *c = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    setenv(variable, wrong, 1);
    assert_int_equal(PARSE_NOTHING(program), 78);
    (void)snprintf(told, sizeof told, "%s=%s: ", variable, wrong);
    assert_told(told);
    unsetenv(variable);
    if (!section)
        return;
    (void)snprintf(ini, sizeof ini, "[%s]\n%s = %s\n", section, row->name, wrong);
    write_ini(ini);
    assert_int_equal(PARSE(program, "--config", ini_path), 78);
    (void)snprintf(told, sizeof told, "a.ini:2: %s = %s: ", row->name, wrong);
    assert_told(told);
}

static void a_wrong_value_of_any_option_exits_by_where_it_stands(void **state)
{
    (void)state;
    size_t tried = 0;
    for (int program = PUBLISHER; program <= RUN; program++)
        for (size_t i = 0; i < MM_ROW_COUNT; i++) {
            const char *wrong = wrong_value(mm_rows[i].kind);
            if (!wrong || (mm_rows[i].programs & MM_HAS(program)) == 0)
                continue;
            refuse_wrong_value(program, &mm_rows[i], wrong);
            tried++;
        }
    assert_true(tried > 100);
}

// They count by themselves, whatever else is wrong.
static void help_and_version_are_flags_like_all(void **state)
{
    (void)state;
    assert_int_equal(PARSE(SAVER, "--help=no", "--version=off"), STARTED);
    assert_int_equal(PARSE(SAVER, "--help=no", "--batch=x"), 64);
    assert_told("--batch=x");
    assert_int_equal(PARSE(SAVER, "--help=yes", "--batch=x"), 0);
    assert_int_equal(PARSE(SAVER, "--help=maybe", "--version"), 64);
    assert_told("--help=maybe: it must be yes or no");
}

static void a_refusal_leaves_the_output_alone(void **state)
{
    (void)state;
    mm_options_t before = {.leases = 42};
    char *argv[] = {(char[]){"program"}, (char[]){"--version"}, NULL};
    int code = STARTED, saved = redirect(stdout, out_path);
    assert_false(mm_options_parse(MM_PROGRAM_SAVER, 2, argv, &before, &code));
    restore(stdout, saved);
    assert_int_equal(code, 0);
    assert_int_equal(before.leases, 42);
    assert_null(before.origins);
}

static void help_version_and_check_print_and_exit_with_0(void **state)
{
    (void)state;
    assert_int_equal(PARSE(RESTARTER, "--help"), 0);
    assert_non_null(strstr(out, "Usage: mayhem-restarter"));
    assert_non_null(
        strstr(out, "--verify-timeout TIME       longest wait for the host behind that [10m]"));
    assert_null(strstr(out, "--input"));
    assert_int_equal(PARSE(RESTARTER, "-h"), 0);
    assert_int_equal(PARSE(PUBLISHER, "--version"), 0);
    assert_int_equal(strncmp(out, "mayhem-publisher ", 17), 0);
    assert_int_equal(PARSE(PUBLISHER, "--check", "--rate=x"), 64);
    assert_told("--rate=x");
}

// ---- `mayhem run`

static void the_defaults_of_a_run_hold(void **state)
{
    (void)state;
    assert_int_equal(PARSE_NOTHING(RUN), STARTED);
    assert_int_equal(options.restarters, 2);
    assert_int_equal(options.crash_limit, 10);
    assert_int_equal(options.restart_pause.low_ms, 100);
    assert_int_equal(options.restart_pause.high_ms, 5000);
    assert_string_equal(options.profile, "no");
    assert_false(options.json);
    assert_false(options.quiet);
    assert_string_equal(options.dir, "run");
}

static void an_option_of_each_kind_is_read_by_a_run(void **state)
{
    (void)state;
    assert_int_equal(PARSE(RUN, "--exec=ssh {host}", "--dry-run", "--jobs=7", "--rate=0.25",
                           "--timeout=90s", "--mock-time=1s..2s", "--mock-fail=12.5%",
                           "--on-bad-line=skip", "--restart-pause=1ms..1h"),
                     STARTED);
    assert_string_equal(options.exec, "ssh {host}");
    assert_true(options.dry_run);
    assert_int_equal(options.jobs, 7);
    assert_true(options.rate == 0.25);
    assert_int_equal(options.timeout_ms, 90000);
    assert_int_equal(options.mock_time.high_ms, 2000);
    assert_int_equal(options.mock_fail_ppm, 125000);
    assert_int_equal(options.on_bad_line, MM_ON_BAD_LINE_SKIP);
    assert_int_equal(options.restart_pause.low_ms, 1);
    assert_int_equal(options.restart_pause.high_ms, 3600000);
}

static void a_time_of_the_day_is_one(void **state)
{
    (void)state;
    static const char *const bad[] = {"24:00", "6",     "06:60", "6:5",   "-1:00",  "06:00 ",
                                      " 6:00", "06.00", "06:0a", "6:000", "006:00", ":30",
                                      "06:",   "6h",    "0x:00", "6:-1"};
    char flag[32];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        (void)snprintf(flag, sizeof flag, "--until=%s", bad[i]);
        assert_int_equal(PARSE(RUN, flag), 64);
        assert_told("it must be a time of the day, as in 06:00");
    }
    assert_int_equal(PARSE_NOTHING(RUN), STARTED);
    assert_int_equal(options.until_minute, -1);
    assert_int_equal(PARSE(RUN, "--until=23:59"), STARTED);
    assert_int_equal(options.until_minute, 1439);
    assert_int_equal(PARSE(RUN, "--until", "6:05"), STARTED);
    assert_int_equal(options.until_minute, 365);
    assert_int_equal(PARSE(RUN, "--until=00:00"), STARTED);
    assert_int_equal(options.until_minute, 0);
}

static void only_a_run_has_letters(void **state)
{
    (void)state;
    assert_int_equal(PARSE(RUN, "-i", "hosts", "-n3", "-x", "ssh {host}", "-q"), STARTED);
    assert_string_equal(options.input, "hosts");
    assert_int_equal(options.restarters, 3);
    assert_string_equal(options.exec, "ssh {host}");
    assert_true(options.quiet);
    assert_int_equal(PARSE(PUBLISHER, "-i", "hosts"), 64);
    assert_told("options are written out");
}

static void a_profile_may_do_without_a_time(void **state)
{
    (void)state;
    assert_int_equal(PARSE(RUN, "--profile"), STARTED);
    assert_string_equal(options.profile, "yes");
    assert_int_equal(PARSE(RUN, "--profile=lines:5s"), STARTED);
    assert_string_equal(options.profile, "lines:5s");
    assert_int_equal(PARSE(RUN, "--profile", "5s"), 64);
    assert_told("unknown argument 5s");
}

static void a_run_names_what_is_wrong_with_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *argument, *told;
    } cases[] = {
        {"--restarters=257", "mayhem run: --restarters=257: it must be from 0 to 256 (number of"},
        {"--crash-limit=65", "from 0 to 64"},
        {"--restart-pause=0s..1s", "from 1ms to 1h"},
        {"--restart-pause=2s..1s", "begins above its end"},
        {"--json=maybe", "yes or no"},
        {"--restartres=3", "unknown option --restartres=3; the nearest one is --restarters"},
        {"--batch=5", "unknown option --batch=5 here; it belongs to mayhem-saver"},
        {"--print-config", "it belongs to mayhem-publisher"},
        {"-p", "unknown option -p; see --help"},
        {"-n", "-n needs a value"},
        {"hosts", "unknown argument hosts: hosts are given as a file with -i FILE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(PARSE(RUN, cases[i].argument), 64);
        assert_told(cases[i].told);
    }
    assert_int_equal(PARSE(SAVER, "--restarters=3"), 64);
    assert_told("--restarters=3: there is no such option");
}

static void an_order_is_checked_before_it_is_recorded(void **state)
{
    (void)state;
    char why[MM_ERROR_MAX + 20] = "--order-why=";
    memset(why + strlen(why), 'w', MM_ERROR_MAX + 1);
    static const struct {
        const char *order, *part, *told;
    } cases[] = {
        {"--order=stop", "--order-why=x",
         "no such order: it is halt, resume, deny, absolve or take-over"},
        {"--order=run", "--order-why=x", "no such order"},
        {"--order=ended", "--order-why=x", "no such order"},
        {"--order=deny", "--order-why=x", "--order=deny: it needs a host, and '' is none"},
        {"--order=absolve", "--order-name=a b", "it needs a host, and 'a b' is none"},
        {"--batch=1", "--order-name=web-1", "--order-name=web-1: it belongs to an order"},
        {"--batch=1", "--order-actor=root", "--order-actor=root: it belongs to an order"},
        {"--order=halt", "--order-why=\xff", "it is no UTF-8"},
        {"--batch=1", "--order-id=00", "--order-id=00: it belongs to an order"},
        {"--order=halt", "--order-id=00", "--order-id=00: an id has 32 hex digits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(PARSE(SAVER, cases[i].order, cases[i].part), 64);
        assert_told(cases[i].told);
    }
    assert_int_equal(PARSE(SAVER, "--order=halt", why), 64);
    assert_told("it has 513 bytes, and may have 512");
    assert_int_equal(PARSE(SAVER, "--order=deny", "--order-name=web-1", "--order-until=5"),
                     STARTED);
    assert_int_equal(options.order_until_ms, 5);
    assert_int_equal(PARSE(SAVER, "--order=resume", "--order-name=web servers"), STARTED);
}

static void help_of_a_run_has_its_letters(void **state)
{
    (void)state;
    assert_int_equal(PARSE(RUN, "--help"), 0);
    assert_non_null(strstr(out, "Usage: mayhem run"));
    assert_non_null(
        strstr(out, "  -n, --restarters N          number of restarters to start; 0: "));
    assert_non_null(strstr(out, "  --profile[=[lines:]TIME]    show where the time goes"));
    assert_null(strstr(out, "--batch"));
}

// ---- flags for others

static void only_flags_are_passed_on_and_only_to_those_that_have_them(void **state)
{
    (void)state;
    static const struct {
        int program;
        const char *flags[4]; // in the order of options.def
    } cases[] = {
        {PUBLISHER, {"--rate=max", "--seed=5"}},
        {CONSUMER, {"--listen=tcp://*:9", "--dry-run=yes", "--timeout=1m", "--seed=5"}},
        {SAVER, {"--seed=5"}},
        {RESTARTER, {"--exec=a 'b' c", "--dry-run=yes", "--timeout=1m", "--seed=5"}},
    };
    write_ini("[common]\nlog-level = warn\n[run]\ncrash-limit = 3\n");
    setenv("MAYHEM_LEASES", "9", 1);
    assert_int_equal(PARSE(RUN, "--rate=3", "--seed=5", "--timeout=1m", "-x", "a 'b' c",
                           "--dry-run", "-n3", "--rate=max", "--listen=tcp://*:9"),
                     STARTED);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mm_program_t program = (mm_program_t)cases[i].program;
        size_t place = 0, count = 0;
        for (const char *flag; (flag = mm_options_flag_for(&options, program, &place)) != NULL;
             count++) {
            assert_true(count < 4 && cases[i].flags[count]);
            assert_string_equal(flag, cases[i].flags[count]);
        }
        assert_true(count == 4 || !cases[i].flags[count]);
        assert_null(mm_options_flag_for(&options, program, &place)); // and again
    }
}

static void whether_anybody_has_set_an_option_is_known(void **state)
{
    (void)state;
    write_ini("[common]\nseed = 5\n");
    setenv("MAYHEM_LEASES", "10000", 1); // its default, but set
    assert_int_equal(PARSE(RUN, "--config", ini_path, "--jobs=0"), STARTED);
    assert_false(mm_options_is_default(&options, "seed"));
    assert_false(mm_options_is_default(&options, "leases"));
    assert_false(mm_options_is_default(&options, "jobs"));
    assert_true(mm_options_is_default(&options, "rate"));
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, free_options)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_anything_the_defaults_hold),
        TEST(defaults_follow_the_options_they_depend_on),
        TEST(values_of_each_type_are_read),
        TEST(ports_are_a_range_or_any),
        TEST(where_to_listen_is_checked),
        TEST(rates_have_units_and_print_as_they_are_read),
        TEST(a_flag_beats_the_environment_beats_the_file_beats_the_default),
        TEST(the_last_of_two_flags_counts),
        TEST(of_a_list_all_flags_count),
        TEST(dashes_become_underscores_and_an_empty_variable_is_none),
        TEST(a_bad_flag_is_named_with_the_mend),
        TEST(options_that_do_not_fit_together_are_refused),
        TEST(the_groups_of_a_policy_are_names),
        TEST(a_key_is_for_tcp),
        TEST(what_just_fits_is_taken),
        TEST(a_folder_too_long_for_a_socket_is_refused),
        TEST(a_bad_variable_is_named_and_exits_with_78),
        TEST(a_wrong_value_of_any_option_exits_by_where_it_stands),
        TEST(help_and_version_are_flags_like_all),
        TEST(a_refusal_leaves_the_output_alone),
        TEST(help_version_and_check_print_and_exit_with_0),
        TEST(the_defaults_of_a_run_hold),
        TEST(an_option_of_each_kind_is_read_by_a_run),
        TEST(a_time_of_the_day_is_one),
        TEST(only_a_run_has_letters),
        TEST(a_profile_may_do_without_a_time),
        TEST(a_run_names_what_is_wrong_with_its_words),
        TEST(an_order_is_checked_before_it_is_recorded),
        TEST(help_of_a_run_has_its_letters),
        TEST(only_flags_are_passed_on_and_only_to_those_that_have_them),
        TEST(whether_anybody_has_set_an_option_is_known),
    };
    return cmocka_run_group_tests(tests, make_options_folder, remove_temp_folder);
}
