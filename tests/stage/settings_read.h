// A stage for tests of supervisor/run_settings.h: reads words as `mayhem run` would in an empty
// folder, and shows what each program will get. The restarter that is asked about its commands is
// that of the build.

#ifndef SETTINGS_READ_H
#define SETTINGS_READ_H

#include "run_settings.h"
#include "temp_folder.h"

#define STARTED (-1) // there was no reason to exit

enum {
    PUBLISHER = MM_PROGRAM_PUBLISHER,
    CONSUMER = MM_PROGRAM_CONSUMER,
    SAVER = MM_PROGRAM_SAVER,
    RESTARTER = MM_PROGRAM_RESTARTER,
    WORDS = 16
};

extern char restarter[4096]; // "": the one of the build
extern run_settings_t settings;
extern char heard[4096]; // on standard error, by the last call

int new_folder(void **state);
int end_folder(void **state);
void write_text(const char *path, const char *text);

// Reads the words up to NULL. Returns the exit code, or STARTED.
int read_words(const char *first, ...);
#define READ(...)      read_words(__VA_ARGS__, (char *)NULL)
#define READ_NOTHING() read_words(NULL)

void assert_read(int exit_code);
// One sentence on standard error that holds `part`.
void assert_heard(const char *part);

int count_of(int program, const char *word);
// The last of the program's arguments that begins so, behind it; NULL: there is none.
const char *value_of(int program, const char *beginning);
// The options that the program will have.
mm_options_t options_of(int program);

#define SETTINGS_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_folder, end_folder)

// For a group of tests, which is linked with --wrap=child_process_sibling.
int find_programs(void **state);
int forget_programs(void **state);

#endif
