// What the user is told: each saying of the core has its sentence, on the right stream and always
// in the log of the run.

#include "run_messages.h"
#include "caller.h"
#include "temp_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

typedef enum { OUT, ERRORS, LOG_ONLY } place_t;

static run_settings_t settings;
static run_folder_t run_folder;
static run_messages_t messages;
static char dir[TEMP_PATH_MAX];
static char out_path[TEMP_PATH_MAX], errors_path[TEMP_PATH_MAX], log_path[TEMP_PATH_MAX];
static int out, errors;

static int new_messages(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(dir, "run");
    temp_path(out_path, "out");
    temp_path(errors_path, "errors");
    temp_path(log_path, "run/log/run.log");
    out = open(out_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    errors = open(errors_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    settings = (run_settings_t){.dir = dir, .drain_ms = 25000, .run_ms = 5000};
    if (out < 0 || errors < 0 || run_folder_take(&run_folder, dir, 0) != 0)
        return -1;
    messages = (run_messages_t){.settings = &settings,
                                .folder = &run_folder,
                                .screen = user_screen_new(out, errors),
                                .clear = ""};
    return 0;
}

static int end_messages(void **state)
{
    user_screen_destroy(&messages.screen);
    run_folder_release(&run_folder);
    close(out);
    close(errors);
    return remove_temp_folder(state);
}

static char *read_text(const char *path, char text[4096])
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, 4095, file);
    text[size] = '\0';
    (void)fclose(file);
    return text;
}

// All that was shown and logged since the last call, each "" when nothing was.
static void assert_shown(const char *on_out, const char *on_errors, const char *in_log)
{
    char text[4096];
    user_screen_destroy(&messages.screen); // waits until all is shown
    messages.screen = user_screen_new(out, errors);
    assert_string_equal(read_text(out_path, text), on_out);
    assert_string_equal(read_text(errors_path, text), on_errors);
    // "2026-11-30T03:20:11+0000 mayhem run[42] LINE\n"
    const char *line = strstr(read_text(log_path, text), "] ");
    assert_string_equal(line ? line + 2 : text, in_log);
    assert_int_equal(truncate(out_path, 0), 0);
    assert_int_equal(truncate(errors_path, 0), 0);
    assert_int_equal(truncate(log_path, 0), 0);
}

static void tell(supervisor_action_t action)
{
    action.kind = SUPERVISOR_SAY;
    run_messages_tell(&messages, &action);
}

static const struct {
    place_t place;
    supervisor_say_t what;
    int code, signal, error;
    uint32_t count;
    const char *line; // DIR stands for the folder
} sayings[] = {
    {ERRORS, SUPERVISOR_SAY_SIGNAL, 0, SIGTERM, 0, 0,
     "received SIGTERM: what runs is finished, the rest is kept for the next run (at most 25 s; "
     "once more ends at once)"},
    {ERRORS, SUPERVISOR_SAY_AT_ONCE, 0, 0, 0, 0, "second signal: ending at once"},
    {LOG_ONLY, SUPERVISOR_SAY_ENDED, 0, 0, 0, 0, "restarter-2 ended with 0"},
    {ERRORS, SUPERVISOR_SAY_CRASHED, 1, 0, 0, 3, "restarter-2 ended with 1: restarting (3)"},
    {ERRORS, SUPERVISOR_SAY_DEPOSED, 75, 0, 0, 0,
     "restarter-2 leads no longer: it stands by until it may lead again"},
    {ERRORS, SUPERVISOR_SAY_TOO_OFTEN, 0, SIGSEGV, 0, 10,
     "restarter-2 was killed by signal 11, after 10 restarts within a minute: stopping (see "
     "DIR/log/restarter-2.log)"},
    {ERRORS, SUPERVISOR_SAY_FAILED, 78, 0, 0, 0, "restarter-2 ended with 78: stopping"},
    {ERRORS, SUPERVISOR_SAY_LEFT_EARLY, 0, 0, 0, 0, "restarter-2 has left: stopping"},
    {OUT, SUPERVISOR_SAY_CUT_OFF, 0, 0, 0, 0, "the input is cut off, as asked for: stopping"},
    {OUT, SUPERVISOR_SAY_LEAVES, 0, 0, 0, 0, "restarter-2 finishes what it runs and leaves"},
    {OUT, SUPERVISOR_SAY_HAS_LEFT, 0, 0, 0, 0, "restarter-2 has left"},
    {ERRORS, SUPERVISOR_SAY_NONE_LEFT, 0, 0, 0, 0,
     "the last restarter has left: jobs wait until `mayhem scale 1 --dir DIR` brings one back"},
    {OUT, SUPERVISOR_SAY_TIME_IS_OVER, 0, 0, 0, 0, "profiled for 5 s: stopping"},
    {ERRORS, SUPERVISOR_SAY_KILLED, 0, 0, 0, 0, "restarter-2 does not leave: killing it"},
};

static void each_saying_has_its_sentence(void **state)
{
    (void)state;
    for (supervisor_say_t what = 0; what < SUPERVISOR_SAYINGS; what++) {
        char line[512], shown[600], logged[600];
        size_t i = 0;
        while (i < sizeof sayings / sizeof *sayings && sayings[i].what != what)
            i++;
        assert_true(i < sizeof sayings / sizeof *sayings); // else a row is missing here
        tell((supervisor_action_t){.child = {SUPERVISOR_RESTARTER, 2},
                                   .as.say = {.what = what,
                                              .code = sayings[i].code,
                                              .signal = sayings[i].signal,
                                              .error = sayings[i].error,
                                              .count = sayings[i].count}});
        const char *place = strstr(sayings[i].line, "DIR");
        (void)snprintf(line, sizeof line, "%.*s%s%s",
                       (int)(place ? place - sayings[i].line : (long)strlen(sayings[i].line)),
                       sayings[i].line, place ? dir : "", place ? place + 3 : "");
        (void)snprintf(shown, sizeof shown, "%s%s\n",
                       sayings[i].place == ERRORS ? "mayhem run: " : "", line);
        (void)snprintf(logged, sizeof logged, "%s\n", line);
        assert_shown(sayings[i].place == OUT ? shown : "", sayings[i].place == ERRORS ? shown : "",
                     logged);
    }
}

static void a_process_that_could_not_be_started_says_why(void **state)
{
    (void)state;
    tell((supervisor_action_t){
        .child = {SUPERVISOR_SAVER, 0},
        .as.say = {.what = SUPERVISOR_SAY_FAILED, .code = 69, .error = ENOENT}});
    assert_shown("",
                 "mayhem run: saver could not be started: No such file or directory: stopping\n",
                 "saver could not be started: No such file or directory: stopping\n");
}

static void quiet_leaves_only_warnings_and_the_log(void **state)
{
    (void)state;
    settings.options.quiet = true;
    run_messages_say(&messages, "%s pid %d", "saver", 7);
    assert_shown("", "", "saver pid 7\n");
    run_messages_warn(&messages, "careful");
    assert_shown("", "mayhem run: careful\n", "careful\n");
}

static void the_progress_bar_is_cleared_first_but_not_in_the_log(void **state)
{
    (void)state;
    messages.clear = "\r\x1b[K";
    run_messages_say(&messages, "hello");
    assert_shown("\r\x1b[Khello\n", "", "hello\n");
    run_messages_warn(&messages, "careful");
    assert_shown("", "\r\x1b[Kmayhem run: careful\n", "careful\n");
}

// ---- who did not end in order

static bool is_unclean; // what the core says of the next ends

static void end_with(supervisor_role_t role, int code, int signal, int error)
{
    uint32_t number = role == SUPERVISOR_RESTARTER ? 1 : 0;
    tell((supervisor_action_t){.child = {role, number},
                               .as.say = {.what = SUPERVISOR_SAY_ENDED,
                                          .code = code,
                                          .signal = signal,
                                          .error = error,
                                          .is_unclean = is_unclean}});
}

static void ends_in_order_are_not_unclean(void **state)
{
    (void)state;
    is_unclean = false;
    end_with(SUPERVISOR_SAVER, 0, 0, 0);
    end_with(SUPERVISOR_PUBLISHER, 75, 0, 0); // with work left
    end_with(SUPERVISOR_RESTARTER, 0, SIGTERM, 0);
    assert_string_equal(messages.unclean, "");
}

static void other_ends_are_listed_with_how(void **state)
{
    (void)state;
    is_unclean = true;
    end_with(SUPERVISOR_SAVER, 75, 0, 0);
    end_with(SUPERVISOR_RESTARTER, 0, SIGKILL, 0);
    end_with(SUPERVISOR_CONSUMER, 0, 0, EAGAIN);
    end_with(SUPERVISOR_PUBLISHER, 70, 0, 0);
    assert_string_equal(messages.unclean,
                        "saver ended with 75; restarter-1 was killed by signal 9; consumer could "
                        "not be started: Resource temporarily unavailable; publisher ended with "
                        "70");
}

static void more_of_them_than_there_is_room_for_are_cut(void **state)
{
    (void)state;
    is_unclean = true;
    for (int i = 0; i < 512; i++)
        end_with(SUPERVISOR_RESTARTER, 0, SIGKILL, 0);
    assert_int_equal(strlen(messages.unclean), RUN_UNCLEAN_MAX - 1);
}

static void a_long_line_is_cut_and_ends(void **state)
{
    (void)state;
    static char words[9000], text[4096];
    memset(words, 'w', sizeof words - 1);
    run_messages_warn(&messages, "%s", words);
    user_screen_destroy(&messages.screen);
    messages.screen = user_screen_new(out, errors);
    const char *shown = read_text(errors_path, text);
    assert_in_range(strlen(shown), 1000, 3000);
    assert_ptr_equal(strchr(shown, '\n'), shown + strlen(shown) - 1);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_messages, end_messages)

int main(void)
{
    char *argv[] = {(char[]){"run"}, NULL};
    unsetenv("MAYHEM_CALLED");
    caller_start(1, argv);
    const struct CMUnitTest tests[] = {
        TEST(each_saying_has_its_sentence),
        TEST(a_process_that_could_not_be_started_says_why),
        TEST(quiet_leaves_only_warnings_and_the_log),
        TEST(the_progress_bar_is_cleared_first_but_not_in_the_log),
        TEST(ends_in_order_are_not_unclean),
        TEST(other_ends_are_listed_with_how),
        TEST(more_of_them_than_there_is_room_for_are_cut),
        TEST(a_long_line_is_cut_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
