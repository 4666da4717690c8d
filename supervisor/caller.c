// See caller.h.

#include "caller.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "MAYHEM_"

static char *script;             // NULL: called as `mayhem run`
static char *program = "mayhem"; // as it was called
static char *command;
static char *const *words; // of it
static int word_count;

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

// Whether a variable or a word of the command line is this option: "MAYHEM_MAX_DEAD=", "--max-d" or
// "--max-dead=3". What is short for two options was refused.
static bool is_variable(const char *variable, const char *name)
{
    const char *at = variable + strlen(PREFIX);
    for (; *name; name++, at++)
        if (*at != (*name == '-' ? '_' : toupper((unsigned char)*name)))
            return false;
    return *at == '=';
}

static bool is_flag(const char *word, const char *name)
{
    size_t size = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
    return size > 0 && strncmp(word + 2, name, size) == 0;
}

// The command as it was; or without these two options.
static char *print_command(bool is_whole)
{
    static const char max_dead[] = "max-dead", take_over[] = "take-over";
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    assert(file);
    for (char **variable = environ; *variable; variable++) {
        char *equals = strchr(*variable, '=');
        if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0 || !equals || equals[1] == '\0' ||
            (!is_whole && (is_variable(*variable, max_dead) || is_variable(*variable, take_over))))
            continue;
        (void)fprintf(file, "%.*s=", (int)(equals - *variable), *variable);
        put_word(file, equals + 1);
        (void)fputc(' ', file);
    }
    put_word(file, script ? script : program);
    if (!script)
        (void)fputs(" run", file);
    for (int i = 1; i < word_count; i++) {
        if (!is_whole && is_flag(words[i], take_over))
            continue;
        if (!is_whole && is_flag(words[i], max_dead)) {
            i += strchr(words[i], '=') == NULL; // and its value
            continue;
        }
        (void)fputc(' ', file);
        put_word(file, words[i]);
    }
    (void)fclose(file);
    return text;
}

void caller_start(int argc, char *const argv[])
{
    const char *called = getenv("MAYHEM_CALLED");
    free(script);
    free(command);
    script = called && *called ? strdup(called) : NULL;
    (void)unsetenv("MAYHEM_CALLED");
    word_count = argc;
    words = argv;
    command = print_command(true);
}

char *caller_command_beyond(int64_t max_dead)
{
    char *rest = print_command(false), *text;
    int size = asprintf(&text, "%s --max-dead %" PRId64, rest, max_dead);
    assert(size >= 0);
    free(rest);
    return text;
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
