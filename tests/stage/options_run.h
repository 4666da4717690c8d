// The vocabulary of the tests of common/options*.c: write an INI file, read the options of a
// program as it would, and see what it said and with which exit code it would leave.

#ifndef OPTIONS_RUN_H
#define OPTIONS_RUN_H

#include "options.h"
#include "temp_folder.h"

#include <unistd.h>

#define STARTED (-1) // there was no reason to exit

enum { ARGUMENTS = 12 };

enum {
    PUBLISHER = MM_PROGRAM_PUBLISHER,
    CONSUMER = MM_PROGRAM_CONSUMER,
    SAVER = MM_PROGRAM_SAVER,
    RESTARTER = MM_PROGRAM_RESTARTER,
    RUN = MM_PROGRAM_RUN
};

extern char ini_path[TEMP_PATH_MAX], out_path[TEMP_PATH_MAX];

// Of the last call: the options, and standard output.
extern mm_options_t options;
extern char out[8192];

// For all tests: the folder of these files. remove_temp_folder is its end.
int make_options_folder(void **state);

// For the end of a test.
int free_options(void **state);
void write_file(const char *path, const char *text, size_t size);
void write_ini(const char *text);

// Points a stream elsewhere; returns what it pointed to.
int redirect(FILE *stream, const char *path);
void restore(FILE *stream, int saved);

// Reads the options; returns the exit code, or STARTED.
int parse(int program, ...);

#define PARSE(PROGRAM, ...)    parse(PROGRAM, __VA_ARGS__, (char *)NULL)
#define PARSE_NOTHING(PROGRAM) parse(PROGRAM, (char *)NULL)

// One sentence on stderr that holds `part`, and nothing on stdout.
void assert_told(const char *part);

#endif
