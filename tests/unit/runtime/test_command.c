// Splitting a command line, filling it in, quoting it, and what is said when it cannot be done.

#include "command.h"
#include "uuid.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT(LITERAL)                                                                              \
    {                                                                                              \
        .data = (LITERAL), .size = sizeof(LITERAL) - 1                                             \
    }

static const mm_task_t task = {.id = {{0x01, 0x93, 0x5a, 0x6b, 0x7c, 0x8d, 0x7e, 0x9f, 0xa0, 0xb1,
                                       0xc2, 0xd3, 0xe4, 0xf5, 0x06, 0x17}},
                               .host = TEXT("web-7"),
                               .attempt = 3,
                               .attributes = TEXT("bmc=10.0.0.1 rack_2=/dev/a,b=c empty=")};

// The line's arguments, filled in, are the ones given, up to a NULL.
static void assert_split(const char *line, ...)
{
    char complaint[MM_ERROR_MAX] = "";
    mm_command_t *command = mm_command_new("--exec", line, complaint);
    if (!command)
        fail_msg("%s", complaint);
    char **arguments = mm_command_fill(command, &task);
    va_list expected;
    va_start(expected, line);
    for (size_t i = 0;; i++) {
        const char *argument = va_arg(expected, const char *);
        if (!argument) {
            assert_null(arguments[i]);
            break;
        }
        assert_non_null(arguments[i]);
        assert_string_equal(arguments[i], argument);
    }
    va_end(expected);
    mm_command_destroy(&command);
    assert_null(command);
}

static void assert_complaint(const char *line, const char *expected)
{
    char complaint[MM_ERROR_MAX] = "";
    assert_null(mm_command_new("--exec", line, complaint));
    assert_string_equal(complaint, expected);
}

static void blanks_part_arguments(void **state)
{
    (void)state;
    assert_split("true", "true", NULL);
    assert_split("  ssh\t-o  BatchMode=yes\n web ", "ssh", "-o", "BatchMode=yes", "web", NULL);
}

static void quotes_keep_blanks_together(void **state)
{
    (void)state;
    assert_split("sh -c 'echo  \"a\" \\ b'", "sh", "-c", "echo  \"a\" \\ b", NULL);
    assert_split("echo \"a 'b' c\"", "echo", "a 'b' c", NULL);
    assert_split("echo a'b c'\"d e\"f", "echo", "ab cd ef", NULL);
    assert_split("echo '' \"\" x", "echo", "", "", "x", NULL);
}

static void a_backslash_takes_the_next_character_as_it_is(void **state)
{
    (void)state;
    assert_split("echo a\\ b \\'c \\\\ \\\"", "echo", "a b", "'c", "\\", "\"", NULL);
}

static void in_double_quotes_a_backslash_is_special_before_a_quote_and_itself_only(void **state)
{
    (void)state;
    assert_split("echo \"\\\" \\\\ \\n \\$x\"", "echo", "\" \\ \\n \\$x", NULL);
    assert_split("echo '\\\"'", "echo", "\\\"", NULL);
}

static void placeholders_are_filled_in_wherever_they_stand(void **state)
{
    (void)state;
    assert_split("ssh root@{host} {attempt}", "ssh", "root@web-7", "3", NULL);
    assert_split("x {host}{host}.{host}", "x", "web-7web-7.web-7", NULL);
    assert_split("x --job={job}", "x", "--job=01935a6b7c8d7e9fa0b1c2d3e4f50617", NULL);
    assert_split("sh -c 'a {host}' \"b {host}\"", "sh", "-c", "a web-7", "b web-7", NULL);
}

static void what_is_filled_in_is_not_split_again(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX];
    mm_command_t *command = mm_command_new("--exec", "echo {host}", complaint);
    assert_non_null(command);
    mm_task_t odd = {.host = mm_str("a b 'c' {job}"), .id = task.id, .attempt = 1};
    char **arguments = mm_command_fill(command, &odd);
    assert_string_equal(arguments[1], "a b 'c' {job}");
    assert_null(arguments[2]);
    odd.host = mm_str("x");
    arguments = mm_command_fill(command, &odd);
    assert_string_equal(arguments[1], "x");
    mm_command_destroy(&command);
}

static void other_braces_are_themselves(void **state)
{
    (void)state;
    assert_split("find {} { } {1} {Host} {a b} {a,b} {_a}", "find", "{}", "{", "}", "{1}", "{Host}",
                 "{a", "b}", "{a,b}", "{_a}", NULL);
    assert_split("curl -d '{\"host\": \"{host}\"}'", "curl", "-d", "{\"host\": \"web-7\"}", NULL);
    assert_split("echo \\{host}", "echo", "{host}", NULL);
    assert_split("echo {", "echo", "{", NULL);
    assert_split("echo {host", "echo", "{host", NULL);
}

static void any_other_word_in_braces_is_an_attribute(void **state)
{
    (void)state;
    assert_split("ipmi -H {bmc} x{rack_2}x", "ipmi", "-H", "10.0.0.1", "x/dev/a,b=cx", NULL);
    assert_split("sh -c 'a {bmc}' \"{bmc}\" {empty}", "sh", "-c", "a 10.0.0.1", "10.0.0.1", "",
                 NULL);
    assert_complaint(
        "x {abcdefghijklmnopqrstuvwxyz_012345}",
        "--exec: character 3: {abcdefghijklmnopqrstuvwxyz_01234...} is no placeholder: "
        "a name has at most 32 characters; outside quotes \\{ is a brace");
}

static void the_attributes_that_it_names_are_known(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX];
    mm_command_t *command =
        mm_command_new("--exec", "x {host} {bmc} {zone} {bmc} \\{no} {job}", complaint);
    assert_non_null(command);
    mm_attribute_keys_t keys = {0};
    assert_true(mm_command_keys(command, &keys));
    assert_int_equal(keys.count, 2);
    assert_true(mm_str_equal(keys.keys[0], mm_str("bmc")));
    assert_true(mm_str_equal(keys.keys[1], mm_str("zone")));
    assert_true(mm_str_equal(mm_command_lacks(command, mm_str("zone=a")), mm_str("bmc")));
    assert_true(mm_str_equal(mm_command_lacks(command, mm_str("bmc=a")), mm_str("zone")));
    assert_int_equal(mm_command_lacks(command, mm_str("zone=a bmc=")).size, 0);
    mm_command_destroy(&command);
    command = mm_command_new("--exec", "x {a} {b} {c} {d} {e} {f} {g} {h} {i}", complaint);
    assert_non_null(command);
    assert_false(mm_command_keys(command, &(mm_attribute_keys_t){0}));
    mm_command_destroy(&command);
}

static void an_argument_with_an_optional_attribute_may_be_left_out(void **state)
{
    (void)state;
    assert_split("ssh -p{port?} -l {user?} -J{bmc?} -- {address}", "ssh", "-l", "-J10.0.0.1", "--",
                 "web-7", NULL);
    char complaint[MM_ERROR_MAX];
    mm_command_t *command =
        mm_command_new("--exec", "ssh -p{port?} {address} {zone} {zone?}", complaint);
    assert_non_null(command);
    mm_attribute_keys_t keys = {0};
    assert_true(mm_command_keys(command, &keys));
    assert_int_equal(keys.count, 3);
    assert_true(keys.is_optional[0]);
    assert_true(keys.is_optional[1]);
    assert_false(keys.is_optional[2]); // it is needed elsewhere
    assert_true(mm_str_equal(mm_command_lacks(command, mm_str("a=b")), mm_str("zone")));
    char **arguments = mm_command_fill(
        command, &(mm_task_t){.host = mm_str("web-7"),
                              .attributes = mm_str("zone=eu address=10.0.0.7 port=22")});
    assert_string_equal(arguments[1], "-p22");
    assert_string_equal(arguments[2], "10.0.0.7");
    assert_string_equal(arguments[3], "eu");
    assert_string_equal(arguments[4], "eu");
    assert_null(arguments[5]);
    mm_command_destroy(&command);
}

static void the_ids_on_record_are_filled_in(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX];
    mm_command_t *command = mm_command_new("--exec", "x {boot_id} {machine_id}", complaint);
    assert_non_null(command);
    assert_true(mm_command_names_ids(command));
    mm_attribute_keys_t keys = {0};
    assert_true(mm_command_keys(command, &keys));
    assert_int_equal(keys.count, 0);
    mm_real_t real = {
        .machine = {{0, 0, 0, 0, 0, 0, 0, 0, 1, [15] = 0xab}},
        .boot = {{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10, 0x32, [15] = 0xfe}}};
    char **arguments =
        mm_command_fill(command, &(mm_task_t){.host = mm_str("web-7"), .real = &real});
    assert_string_equal(arguments[1], "01234567-89ab-cdef-1032-0000000000fe");
    assert_string_equal(arguments[2], "000000000000000001000000000000ab");
    arguments = mm_command_fill(command, &(mm_task_t){.host = mm_str("web-7")});
    assert_string_equal(arguments[1], "{boot_id}");
    assert_string_equal(arguments[2], "{machine_id}");
    mm_command_destroy(&command);
    command = mm_command_new("--exec", "x {host} {boot}", complaint);
    assert_non_null(command);
    assert_false(mm_command_names_ids(command));
    mm_command_destroy(&command);
}

static void an_open_quote_is_an_error_with_its_position(void **state)
{
    (void)state;
    assert_complaint("echo it's {host}",
                     "--exec: the quote (') at character 8 is not closed; add another ', or put \\ "
                     "before it if it is meant as it is");
    assert_complaint("echo \"a\\\"", "--exec: the quote (\") at character 6 is not closed; add "
                                     "another \", or put \\ before it if it is meant as it is");
    assert_complaint("echo a\\", "--exec: nothing follows the \\ at character 7; write \\\\ for a "
                                 "backslash");
}

static void a_command_needs_a_program(void **state)
{
    (void)state;
    const char *empty = "--exec: the command is empty; name a program and its arguments";
    assert_complaint("", empty);
    assert_complaint(" \t ", empty);
    assert_complaint("'' x",
                     "--exec: the program's name is empty; name a program and its arguments");
    assert_complaint("./restart-{host}",
                     "--exec: the program's name has a placeholder, so it cannot be checked before "
                     "the start; give the placeholder as an argument");
}

static void a_complaint_is_cut_to_its_buffer(void **state)
{
    (void)state;
    char line[2000] = "x {";
    memset(line + 3, 'a', sizeof line - 5);
    line[sizeof line - 2] = '}';
    char complaint[MM_ERROR_MAX];
    assert_null(mm_command_new("--exec", line, complaint));
    assert_true(strlen(complaint) < 200);
}

static bool find(const char *line, char complaint[MM_ERROR_MAX])
{
    mm_command_t *command = mm_command_new("--exec", line, complaint);
    assert_non_null(command);
    bool found = mm_command_find(command, complaint);
    mm_command_destroy(&command);
    return found;
}

static void programs_are_looked_for_in_path(void **state)
{
    (void)state;
    char complaint[MM_ERROR_MAX];
    assert_true(find("true", complaint));
    assert_true(find("/bin/sh -c x", complaint));
    assert_int_equal(setenv("PATH", "/nowhere:/usr/nothing", 1), 0);
    assert_false(find("frobnicate {host}", complaint));
    assert_string_equal(complaint, "--exec: frobnicate is in no folder of PATH "
                                   "(/nowhere:/usr/nothing); install it or give its path");
    assert_false(find("/bin/frobnicate", complaint));
    assert_string_equal(complaint, "--exec: cannot run /bin/frobnicate: No such file or directory; "
                                   "correct its path");
    assert_false(find("/etc/", complaint));
    assert_string_equal(complaint, "--exec: cannot run /etc/: Is a directory; correct its path");
}

static void a_file_that_is_not_executable_is_told_from_one_that_is_not_there(void **state)
{
    (void)state;
    char folder[] = "/tmp/mm-command-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof path, "%s/restart", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);

    char complaint[MM_ERROR_MAX];
    char expected[MM_ERROR_MAX];
    assert_false(find(path, complaint));
    (void)snprintf(expected, sizeof expected,
                   "--exec: cannot run %s: Permission denied; make it executable (chmod +x)", path);
    assert_string_equal(complaint, expected);

    char *path_before = strdup(getenv("PATH") ? getenv("PATH") : "");
    assert_int_equal(setenv("PATH", folder, 1), 0);
    assert_false(find("restart", complaint));
    (void)snprintf(expected, sizeof expected,
                   "--exec: %s may not be executed; make it executable (chmod +x)", path);
    assert_string_equal(complaint, expected);
    assert_int_equal(chmod(path, 0700), 0);
    assert_true(find("restart", complaint));
    assert_true(find(path, complaint));

    assert_int_equal(setenv("PATH", path_before, 1), 0);
    free(path_before);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void assert_quoted(const char *argument, const char *expected)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s", argument);
    char echo[] = "echo";
    char *arguments[] = {echo, text, NULL};
    char *line = mm_command_quote(arguments);
    assert_string_equal(line + strlen("echo "), expected);
    free(line);
}

static void quoting_gives_a_line_for_a_shell(void **state)
{
    (void)state;
    assert_quoted("web-7.example.net", "web-7.example.net");
    assert_quoted("", "''");
    assert_quoted("a b", "'a b'");
    assert_quoted("it's $x", "'it'\\''s $x'");
    assert_quoted("a\nb\\'", "$'a\\012b\\\\\\''");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_part_arguments),
        cmocka_unit_test(quotes_keep_blanks_together),
        cmocka_unit_test(a_backslash_takes_the_next_character_as_it_is),
        cmocka_unit_test(in_double_quotes_a_backslash_is_special_before_a_quote_and_itself_only),
        cmocka_unit_test(placeholders_are_filled_in_wherever_they_stand),
        cmocka_unit_test(what_is_filled_in_is_not_split_again),
        cmocka_unit_test(other_braces_are_themselves),
        cmocka_unit_test(any_other_word_in_braces_is_an_attribute),
        cmocka_unit_test(the_attributes_that_it_names_are_known),
        cmocka_unit_test(an_argument_with_an_optional_attribute_may_be_left_out),
        cmocka_unit_test(the_ids_on_record_are_filled_in),
        cmocka_unit_test(an_open_quote_is_an_error_with_its_position),
        cmocka_unit_test(a_command_needs_a_program),
        cmocka_unit_test(a_complaint_is_cut_to_its_buffer),
        cmocka_unit_test(a_file_that_is_not_executable_is_told_from_one_that_is_not_there),
        cmocka_unit_test(programs_are_looked_for_in_path),
        cmocka_unit_test(quoting_gives_a_line_for_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
