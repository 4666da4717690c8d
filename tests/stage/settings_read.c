// See settings_read.h.

#include "settings_read.h"
#include "caller.h"
#include "child_process.h"
#include "hear.h"

#include <unistd.h>

static char *programs_folder; // build/
char restarter[4096];
run_settings_t settings = {.config = -1, .stream = -1};
char heard[4096];

char *__wrap_child_process_sibling(const char *name);
char *__wrap_child_process_sibling(const char *name)
{
    char *path;
    if (*restarter)
        return strdup(restarter);
    assert_true(asprintf(&path, "%s/%s", programs_folder, name) > 0);
    return path;
}

int new_folder(void **state)
{
    (void)state;
    make_temp_folder();
    (void)setenv("MAYHEM_LOCKS", "locks", 1); // in the folder
    *restarter = '\0';
    return chdir(folder);
}

int end_folder(void **state)
{
    static const char *const variables[] = {
        "MAYHEM_DIR",         "MAYHEM_MOCK_TIME",     "MAYHEM_MOCK_FAIL",
        "MAYHEM_INJECT_FAIL", "MAYHEM_INPUT",         "MAYHEM_LOST_AFTER",
        "MAYHEM_EXEC",        "MAYHEM_DRAIN_TIMEOUT", "MAYHEM_LOCKS"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    run_settings_clear(&settings);
    run_settings_clear(&settings); // a second time: nothing happens
    return chdir("/") != 0 ? -1 : remove_temp_folder(state);
}

void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

int read_words(const char *first, ...)
{
    char *argv[WORDS + 1] = {(char[]){"run"}};
    int argc = 1, exit_code = STARTED;
    va_list words;
    va_start(words, first);
    for (const char *word = first; word; word = va_arg(words, const char *)) {
        assert_true(argc < WORDS);
        argv[argc++] = (char *)(uintptr_t)word;
    }
    va_end(words);
    run_settings_clear(&settings);
    hear_begin();
    bool is_read = run_settings_read(argc, argv, &settings, &exit_code);
    (void)snprintf(heard, sizeof heard, "%s", hear_end());
    assert_true(is_read == (exit_code == 0 || exit_code == STARTED));
    return is_read ? STARTED : exit_code;
}

void assert_read(int exit_code)
{
    if (exit_code != STARTED || *heard)
        fail_msg("%d: %s", exit_code, heard);
}

void assert_heard(const char *part)
{
    if (!strstr(heard, part))
        fail_msg("\"%s\" is not in: %s", part, heard);
    assert_ptr_equal(strchr(heard, '\n'), heard + strlen(heard) - 1);
}

int count_of(int program, const char *word)
{
    int count = 0;
    for (size_t i = 0; i < settings.arguments[program].count; i++)
        count += strcmp(settings.arguments[program].items[i], word) == 0;
    assert_null(settings.arguments[program].items[settings.arguments[program].count]);
    return count;
}

const char *value_of(int program, const char *beginning)
{
    const arguments_t *arguments = &settings.arguments[program];
    for (size_t i = arguments->count; i > 0; i--)
        if (strncmp(arguments->items[i - 1], beginning, strlen(beginning)) == 0)
            return arguments->items[i - 1] + strlen(beginning);
    return NULL;
}

mm_options_t options_of(int program)
{
    const arguments_t *arguments = &settings.arguments[program];
    char *argv[WORDS * 4] = {(char[]){"program"}};
    int exit_code;
    mm_options_t options;
    assert_true(arguments->count < WORDS * 4 - 1);
    for (size_t i = 0; i < arguments->count; i++)
        argv[i + 1] = arguments->items[i];
    assert_true(mm_options_parse((mm_program_t)program, (int)arguments->count + 1, argv, &options,
                                 &exit_code));
    return options;
}

int find_programs(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"run"}, NULL}, *own = realpath("/proc/self/exe", NULL);
    assert_non_null(own);
    *strrchr(own, '/') = '\0'; // build/tests
    *strrchr(own, '/') = '\0';
    programs_folder = own;
    unsetenv("MAYHEM_CALLED");
    caller_start(1, argv);
    return 0;
}

int forget_programs(void **state)
{
    (void)state;
    free(programs_folder);
    return 0;
}
