// How messages name the program and the command that the user has typed.

#include "caller.h"
#include "hear.h"
#include "temp_folder.h"

static void call(const char *called, int argc, char *const argv[])
{
    if (called)
        setenv("MAYHEM_CALLED", called, 1);
    else
        unsetenv("MAYHEM_CALLED");
    caller_start(argc, argv);
}

#define CALL(CALLED, ...)                                                                          \
    call(CALLED, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)),                          \
         (char *[]){__VA_ARGS__, NULL})

static void without_a_script_it_is_mayhem(void **state)
{
    (void)state;
    CALL(NULL, "run", "-i", "hosts");
    assert_string_equal(caller_title(), "mayhem run");
    assert_string_equal(caller_program(), "mayhem");
    assert_string_equal(caller_command(), "mayhem run -i hosts");
    CALL("", "run");
    assert_string_equal(caller_title(), "mayhem run");
    assert_string_equal(caller_command(), "mayhem run");
}

static void a_script_passes_its_own_name_and_no_child_sees_it(void **state)
{
    (void)state;
    CALL("./run.sh", "run", "-n4");
    assert_string_equal(caller_title(), "run.sh");
    assert_string_equal(caller_program(), "./run.sh");
    assert_string_equal(caller_command(), "./run.sh -n4");
    assert_null(getenv("MAYHEM_CALLED"));
    CALL("restart", "run");
    assert_string_equal(caller_title(), "restart");
    assert_string_equal(caller_program(), "restart");
}

static void words_are_quoted_where_a_shell_would_read_them_otherwise(void **state)
{
    (void)state;
    CALL(NULL, "run", "--rate=0.5", "-x", "reboot {host}", "", "it's", "a\"b", "$HOME", "~", "*",
         "a\\b", "a;b", "a\nb", "\xc3\xa4", "--input=/a_b/c-1,2@x:y+z%");
    assert_string_equal(caller_command(),
                        "mayhem run --rate=0.5 -x 'reboot {host}' '' 'it'\\''s' 'a\"b' '$HOME' '~' "
                        "'*' 'a\\b' 'a;b' 'a\nb' '\xc3\xa4' --input=/a_b/c-1,2@x:y+z%");
}

// What they were given before would be in the way.
static void a_command_goes_on_beyond_its_limit_of_dead_hosts(void **state)
{
    (void)state;
    char *const beyond[][6] = {
        {"run", "-i", "hosts", "--max-dead", "3", "--take-over"},
        {"run", "--take-over=yes", "--max-dead=3", "-i", "hosts", "--max-d=4"},
        {"run", "--take", "-i", "hosts", "--max-dea", "3"},
    };
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        call(NULL, 6, beyond[i]);
        char *command = caller_command_beyond(7);
        assert_string_equal(command, "mayhem run -i hosts --max-dead 7");
        free(command);
    }
    setenv("MAYHEM_MAX_DEAD", "3", 1);
    setenv("MAYHEM_TAKE_OVER", "yes", 1);
    setenv("MAYHEM_SLOTS", "4", 1);
    CALL("./run.sh", "run", "--max-lease", "1h", "-x", "reboot {host}");
    char *command = caller_command_beyond(12);
    assert_string_equal(command,
                        "MAYHEM_SLOTS=4 ./run.sh --max-lease 1h -x 'reboot {host}' --max-dead 12");
    free(command);
    unsetenv("MAYHEM_MAX_DEAD");
    unsetenv("MAYHEM_TAKE_OVER");
    unsetenv("MAYHEM_SLOTS");
}

// What is printed is what a shell makes of it again.
static void a_shell_reads_the_command_as_it_was(void **state)
{
    (void)state;
    char line[256], found[256];
    CALL("printf", "run", "[%s]", "a'b' \"c\" $d `e` \\f !g #h", "", "''", "&|;<>(){}*?~\t");
    (void)snprintf(line, sizeof line, "%s", caller_command());
    FILE *shell = popen(line, "r");
    assert_non_null(shell);
    found[fread(found, 1, sizeof found - 1, shell)] = '\0';
    assert_int_equal(pclose(shell), 0);
    assert_string_equal(found, "[a'b' \"c\" $d `e` \\f !g #h][][''][&|;<>(){}*?~\t]");
}

static void a_complaint_is_one_sentence_after_the_title(void **state)
{
    (void)state;
    CALL("/opt/mayhem/run.sh", "run");
    hear_begin();
    int code = caller_fail(69, "cannot start %s: %d", "it", 7);
    assert_string_equal(hear_end(), "run.sh: cannot start it: 7\n");
    assert_int_equal(code, 69);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_script_it_is_mayhem),
        cmocka_unit_test(a_script_passes_its_own_name_and_no_child_sees_it),
        cmocka_unit_test(words_are_quoted_where_a_shell_would_read_them_otherwise),
        cmocka_unit_test(a_command_goes_on_beyond_its_limit_of_dead_hosts),
        cmocka_unit_test(a_shell_reads_the_command_as_it_was),
        cmocka_unit_test(a_complaint_is_one_sentence_after_the_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
