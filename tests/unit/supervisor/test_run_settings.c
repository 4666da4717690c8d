// What `mayhem run` makes of its words, the environment and the file of --config: the arguments of
// each program.

#include "run_files.h"
#include "hear.h"
#include "settings_read.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- flags

static void each_flag_goes_to_the_programs_that_have_it(void **state)
{
    (void)state;
    static const struct {
        const char *word, *forwarded;
        unsigned programs;
    } cases[] = {
        {"--jobs=7", "--jobs=7", 1 << PUBLISHER},
        {"--rate=0.5", "--rate=0.5", 1 << PUBLISHER},
        {"--for=5s", "--for=5s", 1 << PUBLISHER},
        {"--leases=3", "--leases=3", 1 << PUBLISHER},
        {"--window=3", "--leases=3", 1 << PUBLISHER},
        {"--window=daily 22:00 +6h UTC", "--window=daily 22:00 +6h UTC", 1 << CONSUMER},
        {"--on-bad-line=skip", "--on-bad-line=skip", 1 << PUBLISHER},
        {"--attempts=3", "--attempts=3", 1 << CONSUMER | 1 << RESTARTER},
        {"--at-once=4", "--at-once=4", 1 << CONSUMER},
        {"--max-dead=2", "--max-dead=2", 1 << CONSUMER},
        {"--slots=5", "--slots=5", 1 << RESTARTER},
        {"--mock-time=1s..2s", "--mock-time=1s..2s", 1 << RESTARTER},
        {"--mock-fail=5%", "--mock-fail=5%", 1 << RESTARTER},
        {"--exec=true {host}", "--exec=true {host}", 1 << RESTARTER},
        {"--timeout=1m", "--timeout=1m", 1 << CONSUMER | 1 << RESTARTER},
        {"--verify-timeout=1m", "--verify-timeout=1m", 1 << CONSUMER | 1 << RESTARTER},
        {"--seed=5", "--seed=5", (1 << MM_PROGRAMS) - 1},
        {"--log-level=warn", "--log-level=warn", (1 << MM_PROGRAMS) - 1},
        {"--drain-timeout=4s", "--drain-timeout=4s", (1 << MM_PROGRAMS) - 1},
        {"--dir=there", "--dir=there", (1 << MM_PROGRAMS) - 1},
        {"--restarters=3", "--restarters=3", 0},
        {"--crash-limit=4", "--crash-limit=4", 0},
        {"--restart-pause=1s..2s", "--restart-pause=1s..2s", 0},
        {"--quiet", "--quiet=yes", 0},
        {"--json", "--json=yes", 0},
        {"--profile", "--profile=yes", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_command = strncmp(cases[i].word, "--exec", 6) == 0;
        assert_read(is_command ? READ("-i", "hosts", cases[i].word) : READ(cases[i].word));
        for (int program = 0; program < MM_PROGRAMS; program++) {
            bool is_wanted = cases[i].programs >> program & 1;
            if ((count_of(program, cases[i].forwarded) > 0) != is_wanted)
                fail_msg("%s and %s", cases[i].word, mm_program_name((mm_program_t)program));
            mm_options_t options = options_of(program); // it takes them
            mm_options_free(&options);
        }
    }
}

static void a_flag_without_a_value_is_forwarded_as_yes(void **state)
{
    (void)state;
    assert_read(READ("-i", "hosts", "--exec=true {host}", "--dry-run"));
    assert_int_equal(count_of(RESTARTER, "--dry-run=yes"), 1);
    assert_read(
        READ("-i", "hosts", "--exec=true {host}", "--verify", "true {host}", "--dry-run=no"));
    assert_int_equal(count_of(RESTARTER, "--dry-run=no"), 1);
    assert_int_equal(count_of(RESTARTER, "--verify=true {host}"), 1);
    assert_string_equal(settings.dir, "run");
}

static void letters_stand_for_flags(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    assert_read(READ("-i", "hosts", "-n", "3", "-x", "true {host}", "-q"));
    assert_int_equal(count_of(PUBLISHER, "--input=hosts"), 1);
    assert_int_equal(count_of(RESTARTER, "--exec=true {host}"), 1);
    assert_int_equal(settings.options.restarters, 3);
    assert_true(settings.options.quiet);
    assert_read(READ("-qn4", "-ihosts", "--mock"));
    assert_int_equal(count_of(PUBLISHER, "--input=hosts"), 1);
    assert_int_equal(settings.options.restarters, 4);
    assert_true(settings.options.quiet);
}

static void numbers_and_texts_keep_their_spelling(void **state)
{
    (void)state;
    assert_read(READ("-i", "hosts", "-x", "sh -c 'echo \"$1\"; #' x {host}", "--rate", "max"));
    assert_string_equal(value_of(RESTARTER, "--exec="), "sh -c 'echo \"$1\"; #' x {host}");
    assert_string_equal(value_of(PUBLISHER, "--rate="), "max");
}

static void what_it_does_not_know_is_refused_by_name(void **state)
{
    (void)state;
    assert_int_equal(READ("--frob"), 64);
    assert_heard("mayhem run: unknown option --frob");
    assert_int_equal(READ("--batch=3"), 64);
    assert_heard("it belongs to mayhem-saver");
    assert_int_equal(READ("-z"), 64);
    assert_heard("unknown option -z");
    assert_int_equal(READ("hosts"), 64);
    assert_heard("unknown argument hosts");
    assert_int_equal(READ("-n"), 64);
    assert_heard("-n needs a value");
    assert_int_equal(READ("-n0"), 64); // but with --listen
    assert_heard("from 1 to 256");
}

// The consumer sees both together; `mayhem run` does not know one of them.
static void what_does_not_fit_together_in_a_program_is_refused_before_it_starts(void **state)
{
    (void)state;
    assert_int_equal(READ("--verify-timeout=56m"), 64);
    assert_heard("mayhem-consumer: --verify-timeout=56m: max-lease (1h) must hold");
    assert_int_equal(READ("--verify=true"), 64);
    assert_heard("mayhem-restarter: --verify=true: it needs --exec or --driver");
}

static void empty_commands_and_names_are_refused(void **state)
{
    (void)state;
    assert_int_equal(READ("-i", ""), 64);
    assert_heard("--input=: it is empty: name one");
    assert_int_equal(READ("-i", "hosts", "-x", ""), 64);
    assert_heard("-x needs a command: without one the restart is a mock");
    assert_int_equal(READ("-i", "hosts", "-x", "true {host}", "--verify="), 64);
    assert_heard("--verify needs a command");
}

static void the_drain_timeout_is_the_consumers(void **state)
{
    (void)state;
    assert_read(READ_NOTHING());
    assert_int_equal(settings.drain_ms, 25000);
    write_text("a.ini", "[consumer]\ndrain-timeout = 7s\n");
    assert_read(READ("--config=a.ini"));
    assert_int_equal(settings.drain_ms, 7000);
    setenv("MAYHEM_DRAIN_TIMEOUT", "8s", 1);
    assert_read(READ("--config=a.ini"));
    assert_int_equal(settings.drain_ms, 8000);
    assert_read(READ("--config=a.ini", "--drain-timeout=9s"));
    assert_int_equal(settings.drain_ms, 9000);
}

// ---- the folder

static void a_dry_run_has_a_folder_of_its_own(void **state)
{
    (void)state;
    assert_read(READ("-i", "hosts", "-x", "true {host}"));
    assert_string_equal(settings.dir, "run");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--dry-run"));
    assert_string_equal(settings.dir, "run.dry");
    for (int program = 0; program < MM_PROGRAMS; program++)
        assert_string_equal(value_of(program, "--dir="), "run.dry");
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--dry-run", "--dir=run"));
    assert_string_equal(settings.dir, "run");
    setenv("MAYHEM_DIR", "other", 1);
    assert_read(READ("-i", "hosts", "-x", "true {host}", "--dry-run"));
    assert_string_equal(settings.dir, "other");
    for (int program = 0; program < MM_PROGRAMS; program++)
        assert_string_equal(value_of(program, "--dir="), "other");
}

static void a_folder_loses_the_slashes_at_its_end(void **state)
{
    (void)state;
    assert_read(READ("--dir=a/b//"));
    assert_string_equal(settings.dir, "a/b");
    assert_string_equal(value_of(SAVER, "--dir="), "a/b");
    assert_read(READ("--dir=/"));
    assert_string_equal(settings.dir, "/");
}

// The copy of the file of --config, as it is made in the folder before any program is started.
static void make_copy(void)
{
    assert_true(mkdir(settings.dir, 0700) == 0 || errno == EEXIST);
    assert_int_equal(run_files_prepare(&settings), 0);
}

static void a_list_that_nobody_can_read_is_refused_before_there_is_a_folder(void **state)
{
    (void)state;
    static const struct {
        const char *list, *complaint;
    } cases[] = {{"nowhere", "cannot open 'nowhere': No such file or directory; check the path"},
                 {"empty", "empty has no host to restart: it is empty; give it one, or use "},
                 {"folder", "'folder' is a folder; name a file with -i"}};
    write_text("empty", "");
    assert_int_equal(mkdir("folder", 0700), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_read(READ("--mock", "-i", cases[i].list));
        hear_begin();
        assert_int_equal(run_files_check_list(&settings), 65);
        const char *told = hear_end();
        if (!strstr(told, cases[i].complaint))
            fail_msg("%s", told);
    }
    assert_read(READ("--mock", "-i", "empty", "--allow-empty"));
    assert_int_equal(run_files_check_list(&settings), 0);
    write_text("empty", "web-1\n");
    assert_read(READ("--mock", "-i", "empty"));
    assert_int_equal(run_files_check_list(&settings), 0);
    assert_read(READ_NOTHING());
    assert_int_equal(run_files_check_list(&settings), 0);
}

// ---- the demo

static void assert_demo(int64_t mock_high_ms, int64_t mock_ppm, int64_t save_high_ms,
                        int64_t save_ppm)
{
    mm_options_t of_restarter = options_of(RESTARTER), of_saver = options_of(SAVER);
    assert_int_equal(of_restarter.mock_time.high_ms, mock_high_ms);
    assert_int_equal(of_restarter.mock_fail_ppm, mock_ppm);
    assert_int_equal(of_saver.inject_time.high_ms, save_high_ms);
    assert_int_equal(of_saver.inject_fail_ppm, save_ppm);
    mm_options_free(&of_restarter);
    mm_options_free(&of_saver);
}

static void the_demo_takes_time_and_fails_one_in_four(void **state)
{
    (void)state;
    assert_read(READ_NOTHING());
    assert_true(settings.is_demo);
    assert_demo(1000, 250000, 1000, 250000);
}

static void what_the_user_sets_beats_the_demo(void **state)
{
    (void)state;
    assert_read(READ("--mock-time=3s", "--mock-fail=5%"));
    assert_demo(3000, 50000, 1000, 250000);
    setenv("MAYHEM_MOCK_TIME", "4s", 1);
    setenv("MAYHEM_INJECT_FAIL", "0%", 1);
    assert_read(READ_NOTHING());
    assert_true(settings.is_demo);
    assert_demo(4000, 250000, 1000, 0);
    write_text("a.ini", "[restarter]\nmock-time = 5s\nmock-fail = 0%\n[saver]\ninject-time = 0s\n");
    assert_read(READ("--config", "a.ini"));
    make_copy();
    assert_demo(4000, 0, 0, 0);
}

static void with_an_input_or_a_command_it_is_no_demo(void **state)
{
    (void)state;
    write_text("hosts", "web-1\n");
    write_text("a.ini", "[publisher]\ninput = hosts\n[restarter]\nmock = yes\n");
    assert_read(READ("-i", "hosts", "--mock"));
    assert_false(settings.is_demo);
    assert_demo(0, 0, 0, 0);
    assert_read(READ("-i", "hosts", "-x", "true {host}"));
    assert_false(settings.is_demo);
    assert_demo(0, 0, 0, 0);
    assert_read(READ("--config=a.ini"));
    assert_false(settings.is_demo);
    setenv("MAYHEM_INPUT", "hosts", 1);
    assert_read(READ("--mock"));
    assert_false(settings.is_demo);
}

// ---- --profile

static void assert_profile(bool has_profile, bool has_lines, int64_t run_ms)
{
    assert_int_equal(settings.has_profile, has_profile);
    assert_int_equal(settings.has_lines, has_lines);
    assert_int_equal(settings.run_ms, run_ms);
    for (int program = 0; program < MM_PROGRAMS; program++) {
        const char *place = value_of(program, "--save-profile=");
        if (has_profile && !has_lines)
            assert_string_equal(place, "there/profile");
        else
            assert_null(place);
    }
}

static void a_profile_is_of_the_loop_or_by_line_for_a_time_or_all(void **state)
{
    (void)state;
    assert_read(READ("--dir=there"));
    assert_profile(false, false, 0);
    assert_read(READ("--dir=there", "--profile"));
    assert_profile(true, false, 0);
    assert_read(READ("--dir=there", "--profile=no"));
    assert_profile(false, false, 0);
    assert_read(READ("--dir=there", "--profile=5"));
    assert_profile(true, false, 5000);
    assert_read(READ("--dir=there", "--profile=1.5s"));
    assert_profile(true, false, 1500);
    assert_read(READ("--dir=there", "--profile", "lines"));
    assert_profile(true, true, 0);
    assert_read(READ("--dir=there", "--profile=lines"));
    assert_profile(true, true, 0);
    assert_read(READ("--dir=there", "--profile", "lines:2m"));
    assert_profile(true, true, 120000);
    assert_read(READ("--profile=lines:7", "--dir=there"));
    assert_profile(true, true, 7000);
}

static void a_time_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const words[] = {
        "--profile=0",           "--profile=0s",
        "--profile=soon",        "--profile=lines:soon",
        "--profile=-5",          "--profile=lines:0",
        "--profile=linesX",      "--profile=5:5",
        "--profile=5x",          "--profile=LINES",
        "--profile=lines:lines", "--profile=99999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(READ(words[i]), 64);
        assert_heard(words[i]);
        assert_heard("say a time, as in --profile=5s or --profile=lines:5s");
    }
    assert_int_equal(READ("--profile", "5s"), 64); // only "lines" may be a word of its own
    assert_heard("unknown argument 5s");
}

static void by_line_others_wait_longer_unless_the_user_says_so(void **state)
{
    (void)state;
    for (int is_set = 0; is_set < 2; is_set++) {
        if (is_set)
            setenv("MAYHEM_LOST_AFTER", "5s", 1);
        assert_read(READ("--profile=lines"));
        for (int program = 0; program < MM_PROGRAMS; program++) {
            mm_options_t options = options_of(program);
            assert_int_equal(options.lost_after_ms, is_set ? 5000 : 60000);
            assert_int_equal(options.slow_callback_ms, 0);
            if (program == PUBLISHER || program == CONSUMER)
                assert_int_equal(options.ack_deadline_ms, 60000);
            mm_options_free(&options);
        }
    }
    assert_read(READ("--profile"));
    mm_options_t options = options_of(SAVER);
    assert_int_equal(options.slow_callback_ms, 50);
    mm_options_free(&options);
}

// ---- --config

// The reading end of a pipe that has held this text; named by `name`.
static int pipe_with(const char *text, char name[32])
{
    int ends[2];
    size_t size = strlen(text);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], text, size), size);
    close(ends[1]);
    (void)snprintf(name, 32, "/dev/fd/%d", ends[0]);
    return ends[0];
}

static void a_fault_in_a_pipe_is_named_by_the_users_name(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"[run]\nrestarters = many\n", ":2: restarters = many: "},        // of `mayhem run` itself
        {"[publisher]\nrtae = 5\n", ":2: [publisher] has no key 'rtae'"}, // any of them sees it
        {"[saver]\nbatch = 0\n", ":2: batch = 0: it must be from 1"},     // only the saver does
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32], told[128];
        int end = pipe_with(cases[i].text, name);
        (void)snprintf(told, sizeof told, ": %s%s", name, cases[i].told);
        assert_int_equal(READ("--config", name), 78);
        assert_heard(told);
        close(end);
    }
}

static void a_pipe_is_read_once_for_all_and_the_copy_in_the_folder_counts(void **state)
{
    (void)state;
    char name[32], found[128];
    const char *text = "[common]\nseed = 11\n[run]\nrestarters = 4\n[saver]\nbatch = 3\n";
    int end = pipe_with(text, name);
    assert_read(READ("--config", name, "--dir=there"));
    close(end);
    assert_int_equal(settings.options.restarters, 4);
    ssize_t size = pread(settings.config, found, sizeof found, 0);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(found, text, strlen(text));
    for (int program = 0; program < MM_PROGRAMS; program++) {
        assert_string_equal(value_of(program, "--config="), "there/config");
        assert_string_equal(value_of(program, "--config-name="), name);
    }
    make_copy();
    mm_options_t options = options_of(SAVER);
    assert_int_equal(options.batch, 3);
    assert_int_equal(options.seed, 11);
    mm_options_free(&options);
}

static void a_minus_is_the_standard_input(void **state)
{
    (void)state;
    char name[32];
    int saved = dup(STDIN_FILENO), end = pipe_with("[run]\nrestarters = 4\n", name);
    assert_int_equal(dup2(end, STDIN_FILENO), STDIN_FILENO);
    int exit_code = READ("--config=-");
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    close(end);
    assert_read(exit_code);
    assert_int_equal(settings.options.restarters, 4);
}

static void without_config_there_is_no_copy(void **state)
{
    (void)state;
    assert_read(READ_NOTHING());
    assert_int_equal(settings.config, -1);
    for (int program = 0; program < MM_PROGRAMS; program++)
        assert_null(value_of(program, "--config="));
}

static void a_config_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_int_equal(READ("--config=missing.ini"), 78);
    assert_heard("--config=missing.ini: cannot read it: No such file");
    assert_int_equal(READ("--config", "."), 78);
    assert_heard("--config=.: cannot read it: Is a directory");
    write_text("a.ini", "[run]\nrestarters = 4\n");
    assert_int_equal(READ("--config=a.ini", "--config=missing.ini"), 78);
    assert_heard("--config=missing.ini: cannot read it: No such file");
}

static void a_config_that_is_too_large_is_refused_and_not_cut(void **state)
{
    (void)state;
    FILE *file = fopen("a.ini", "w");
    assert_non_null(file);
    (void)fputs("[run]\nrestarters = 4\n", file);
    for (int i = 0; i < 70000; i++)
        (void)fputs("# 16 characters\n", file);
    (void)fputs("[saver]\nbatch = 3\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(READ("--config=a.ini"), 78);
    assert_heard("--config=a.ini: cannot read it: File too large");
}

// ---- the input

static void assert_file(const char *input)
{
    assert_int_equal(settings.stream, -1);
    assert_string_equal(value_of(PUBLISHER, "--input="), input);
}

static void a_file_is_left_to_the_publisher(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    write_text("hosts", "web-1\n");
    temp_path(path, "hosts");
    assert_read(READ("-i", "hosts", "--mock"));
    assert_file("hosts");
    assert_read(READ("-i", path, "--mock"));
    assert_file(path);
}

static void what_is_missing_or_a_folder_is_for_the_publisher_to_refuse(void **state)
{
    (void)state;
    assert_read(READ("-i", "missing", "--mock"));
    assert_file("missing");
    assert_read(READ("-i", ".", "--mock"));
    assert_file(".");
    assert_read(READ("-i", "/dev/missing", "--mock"));
    assert_file("/dev/missing");
}

static void assert_stream(const char *text)
{
    char found[32] = "";
    assert_true(settings.stream > STDERR_FILENO);
    assert_string_equal(value_of(PUBLISHER, "--input="), "-");
    assert_int_equal(fcntl(settings.stream, F_GETFD), FD_CLOEXEC);
    assert_int_equal(read(settings.stream, found, sizeof found - 1), strlen(text));
    assert_string_equal(found, text);
}

static void a_fifo_is_opened_without_waiting_for_its_writer(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("hosts", 0600), 0);
    assert_read(READ("-i", "hosts", "--mock"));
    int writer = open("hosts", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(writer >= 0);
    assert_int_equal(write(writer, "web-1\n", 6), 6);
    assert_stream("web-1\n");
    close(writer);
}

static void descriptors_are_those_of_this_process(void **state)
{
    (void)state;
    char name[32];
    int end = pipe_with("web-1\n", name);
    assert_read(READ("-i", name, "--mock"));
    assert_stream("web-1\n");
    close(end);
    // Also when it is a file: another process has another one of that number.
    write_text("hosts", "web-2\n");
    end = open("hosts", O_RDONLY | O_CLOEXEC);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", end);
    assert_read(READ("-i", name, "--mock"));
    assert_stream("web-2\n");
    close(end);
}

static void a_minus_or_dev_stdin_is_the_standard_input(void **state)
{
    (void)state;
    static const char *const names[] = {"-", "/dev/stdin", "/proc/self/fd/0"};
    int saved = dup(STDIN_FILENO);
    for (size_t i = 0; i < 3; i++) {
        char name[32];
        int end = pipe_with("web-1\n", name);
        assert_int_equal(dup2(end, STDIN_FILENO), STDIN_FILENO);
        int exit_code = READ("-i", names[i], "--mock");
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
        close(end);
        assert_read(exit_code);
        assert_stream("web-1\n");
    }
    close(saved);
}

static void an_input_of_the_environment_may_be_a_stream_too(void **state)
{
    (void)state;
    char name[32];
    int end = pipe_with("web-1\n", name);
    setenv("MAYHEM_INPUT", name, 1);
    assert_read(READ("--mock"));
    assert_stream("web-1\n");
    close(end);
}

static void clearing_closes_what_was_opened(void **state)
{
    (void)state;
    char name[32];
    int end = pipe_with("web-1\n", name), config, stream;
    write_text("a.ini", "[run]\nrestarters = 4\n");
    assert_read(READ("-i", name, "--config=a.ini", "--mock"));
    close(end);
    config = settings.config;
    stream = settings.stream;
    run_settings_clear(&settings);
    assert_int_equal(fcntl(config, F_GETFD), -1);
    assert_int_equal(fcntl(stream, F_GETFD), -1);
    assert_int_equal(settings.config, -1);
    assert_int_equal(settings.stream, -1);
}

static const struct CMUnitTest tests[] = {
    SETTINGS_TEST(each_flag_goes_to_the_programs_that_have_it),
    SETTINGS_TEST(a_flag_without_a_value_is_forwarded_as_yes),
    SETTINGS_TEST(letters_stand_for_flags),
    SETTINGS_TEST(numbers_and_texts_keep_their_spelling),
    SETTINGS_TEST(what_it_does_not_know_is_refused_by_name),
    SETTINGS_TEST(what_does_not_fit_together_in_a_program_is_refused_before_it_starts),
    SETTINGS_TEST(empty_commands_and_names_are_refused),
    SETTINGS_TEST(the_drain_timeout_is_the_consumers),
    SETTINGS_TEST(a_dry_run_has_a_folder_of_its_own),
    SETTINGS_TEST(a_list_that_nobody_can_read_is_refused_before_there_is_a_folder),
    SETTINGS_TEST(a_folder_loses_the_slashes_at_its_end),
    SETTINGS_TEST(the_demo_takes_time_and_fails_one_in_four),
    SETTINGS_TEST(what_the_user_sets_beats_the_demo),
    SETTINGS_TEST(with_an_input_or_a_command_it_is_no_demo),
    SETTINGS_TEST(a_profile_is_of_the_loop_or_by_line_for_a_time_or_all),
    SETTINGS_TEST(a_time_that_is_none_is_refused),
    SETTINGS_TEST(by_line_others_wait_longer_unless_the_user_says_so),
    SETTINGS_TEST(a_fault_in_a_pipe_is_named_by_the_users_name),
    SETTINGS_TEST(a_pipe_is_read_once_for_all_and_the_copy_in_the_folder_counts),
    SETTINGS_TEST(a_minus_is_the_standard_input),
    SETTINGS_TEST(without_config_there_is_no_copy),
    SETTINGS_TEST(a_config_that_cannot_be_read_is_named),
    SETTINGS_TEST(a_config_that_is_too_large_is_refused_and_not_cut),
    SETTINGS_TEST(a_file_is_left_to_the_publisher),
    SETTINGS_TEST(what_is_missing_or_a_folder_is_for_the_publisher_to_refuse),
    SETTINGS_TEST(a_fifo_is_opened_without_waiting_for_its_writer),
    SETTINGS_TEST(descriptors_are_those_of_this_process),
    SETTINGS_TEST(a_minus_or_dev_stdin_is_the_standard_input),
    SETTINGS_TEST(an_input_of_the_environment_may_be_a_stream_too),
    SETTINGS_TEST(clearing_closes_what_was_opened),
};

int main(void)
{
    return cmocka_run_group_tests(tests, find_programs, forget_programs);
}
