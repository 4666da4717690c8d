// See options_run.h.

#include "options_run.h"

char ini_path[TEMP_PATH_MAX], out_path[TEMP_PATH_MAX];
mm_options_t options;
char out[8192];
static char err_path[TEMP_PATH_MAX], err[4096];

int make_options_folder(void **state)
{
    (void)state;
    make_temp_folder();
    temp_path(ini_path, "a.ini");
    temp_path(out_path, "out");
    temp_path(err_path, "err");
    return 0;
}

int free_options(void **state)
{
    (void)state;
    mm_options_free(&options);
    unsetenv("MAYHEM_RATE");
    unsetenv("MAYHEM_LEASES");
    unsetenv("MAYHEM_DRAIN_TIMEOUT");
    unsetenv("MAYHEM_RESTARTERS");
    return 0;
}

void write_file(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void write_ini(const char *text)
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

int redirect(FILE *stream, const char *path)
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

void restore(FILE *stream, int saved)
{
    fflush(stream);
    assert_true(dup2(saved, fileno(stream)) >= 0);
    close(saved);
}

int parse(int program, ...)
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

void assert_told(const char *part)
{
    if (strstr(err, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, err);
    assert_ptr_equal(strchr(err, '\n'), err + strlen(err) - 1);
    assert_string_equal(out, "");
}
