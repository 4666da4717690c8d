// See caller.h.

#include "caller.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *script; // NULL: called as `mayhem run`
static char *command;

// Adds a word, in single quotes when a shell would read it otherwise.
static void put_word(FILE *file, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (*word && word[strspn(word, plain)] == '\0') {
        (void)fputs(word, file);
        return;
    }
    (void)fputc('\'', file);
    for (; *word; word++) {
        if (*word == '\'')
            (void)fputs("'\\''", file);
        else
            (void)fputc(*word, file);
    }
    (void)fputc('\'', file);
}

void caller_start(int argc, char *const argv[])
{
    const char *called = getenv("MAYHEM_CALLED");
    size_t size;
    free(script);
    free(command);
    script = called && *called ? strdup(called) : NULL;
    (void)unsetenv("MAYHEM_CALLED");
    FILE *file = open_memstream(&command, &size);
    assert(file);
    (void)fputs(script ? script : "mayhem run", file);
    for (int i = 1; i < argc; i++) {
        (void)fputc(' ', file);
        put_word(file, argv[i]);
    }
    (void)fclose(file);
}

const char *caller_title(void)
{
    const char *slash = script ? strrchr(script, '/') : NULL;
    return slash ? slash + 1 : script ? script : "mayhem run";
}

const char *caller_program(void)
{
    return script ? script : "mayhem";
}

const char *caller_command(void)
{
    return command;
}

int caller_fail(int code, const char *format, ...)
{
    va_list arguments;
    (void)fprintf(stderr, "%s: ", caller_title());
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return code;
}
