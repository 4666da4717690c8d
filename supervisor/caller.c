// See caller.h.

#include "caller.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *script;             // NULL: called as `mayhem run`
static char *program = "mayhem"; // as it was called
static char *command;

extern char **environ;

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

void caller_name(char *name)
{
    program = name;
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
    for (char **variable = environ; *variable; variable++) {
        char *equals = strchr(*variable, '=');
        if (strncmp(*variable, "MAYHEM_", 7) != 0 || !equals || equals[1] == '\0')
            continue;
        (void)fprintf(file, "%.*s=", (int)(equals - *variable), *variable);
        put_word(file, equals + 1);
        (void)fputc(' ', file);
    }
    put_word(file, script ? script : program);
    if (!script)
        (void)fputs(" run", file);
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
    return script ? script : program;
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
