// The vocabulary of the tests of common/options*.c: write an INI file, read the options of a
// program as it would, and see what it said and with which exit code it would leave.

#ifndef OPTIONS_RUN_H
#define OPTIONS_RUN_H

#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define STARTED (-1) // there was no reason to exit

enum { ARGUMENTS = 12 };

enum {
    PUBLISHER = MM_PROGRAM_PUBLISHER,
    CONSUMER = MM_PROGRAM_CONSUMER,
    SAVER = MM_PROGRAM_SAVER,
    RESTARTER = MM_PROGRAM_RESTARTER
};

static char folder[] = "/tmp/test_options.XXXXXX";
static char ini_path[64], out_path[64], err_path[64];

// What the last call gave.
static mm_options_t options;
static char out[8192], err[4096];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(ini_path, sizeof ini_path, "%s/a.ini", folder);
    (void)snprintf(out_path, sizeof out_path, "%s/out", folder);
    (void)snprintf(err_path, sizeof err_path, "%s/err", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    const char *const paths[] = {ini_path, out_path, err_path};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        (void)unlink(paths[i]);
    return rmdir(folder);
}

static int free_options(void **state)
{
    (void)state;
    mm_options_free(&options);
    unsetenv("MAYHEM_RATE");
    unsetenv("MAYHEM_WINDOW");
    unsetenv("MAYHEM_DRAIN_TIMEOUT");
    return 0;
}

static void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void write_ini(const char *text)
{
    write_file(ini_path, text, strlen(text));
}

static void read_file(const char *path, char *buffer, size_t capacity)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(buffer, 1, capacity - 1, file);
    assert_true(size < capacity - 1);
    buffer[size] = '\0';
    fclose(file);
}

// Points a stream elsewhere; returns what it pointed to.
static int redirect(FILE *stream, const char *path)
{
    fflush(stream);
    int saved = dup(fileno(stream));
    assert_true(saved >= 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(dup2(fileno(file), fileno(stream)) >= 0);
    fclose(file);
    return saved;
}

static void restore(FILE *stream, int saved)
{
    fflush(stream);
    assert_true(dup2(saved, fileno(stream)) >= 0);
    close(saved);
}

// Reads the options; returns the exit code, or STARTED.
static int parse(int program, ...)
{
    char *argv[ARGUMENTS + 2] = {(char[]){"program"}};
    int argc = 1, code = STARTED;
    va_list arguments;
    va_start(arguments, program);
    for (char *next; (next = va_arg(arguments, char *)) != NULL;) {
        assert_true(argc < ARGUMENTS);
        argv[argc++] = next;
    }
    va_end(arguments);
    mm_options_free(&options);
    int saved_out = redirect(stdout, out_path), saved_err = redirect(stderr, err_path);
    bool is_read = mm_options_parse((mm_program_t)program, argc, argv, &options, &code);
    restore(stdout, saved_out);
    restore(stderr, saved_err);
    read_file(out_path, out, sizeof out);
    read_file(err_path, err, sizeof err);
    assert_true(is_read == (code == STARTED));
    return code;
}

#define PARSE(PROGRAM, ...)    parse(PROGRAM, __VA_ARGS__, (char *)NULL)
#define PARSE_NOTHING(PROGRAM) parse(PROGRAM, (char *)NULL)

// One sentence on stderr that holds `part`, and nothing on stdout.
static void assert_told(const char *part)
{
    if (strstr(err, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, err);
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
    assert_string_equal(out, "");
}

#endif
