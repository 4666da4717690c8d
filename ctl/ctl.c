// See ctl.h.

#include "ctl.h"
#include "utf8.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

int ctl_fail(int code, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    assert(size >= 0);
    (void)fputs("mayhem: ", stderr);
    ctl_put_text(stderr, text);
    (void)fputc('\n', stderr);
    free(text);
    return code;
}

bool ctl_error(char error[MM_ERROR_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error, MM_ERROR_MAX, format, args);
    va_end(args);
    return false;
}

// ---- options

int ctl_find_word(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

static int set_word(const ctl_option_t *option, const char *name, const char *value)
{
    int place = ctl_find_word(option->words, value);
    if (place >= 0) {
        *option->word = place;
        return 0;
    }
    (void)fprintf(stderr, "mayhem: %s is '%s'; it must be one of:", name, value);
    for (size_t i = 0; option->words[i]; i++)
        (void)fprintf(stderr, " %s", option->words[i]);
    (void)fputc('\n', stderr);
    return EX_USAGE;
}

static int set_number(const ctl_option_t *option, const char *name, const char *value)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end != '\0' || errno != 0 || number < option->min ||
        number > option->max)
        return ctl_fail(EX_USAGE, "%s is '%s'; it must be a number from %llu to %llu", name, value,
                        (unsigned long long)option->min, (unsigned long long)option->max);
    *option->number = number;
    return 0;
}

static int set(const ctl_option_t *option, const char *value)
{
    char name[32];
    if (option->letter)
        (void)snprintf(name, sizeof name, "-%c", option->letter);
    else
        (void)snprintf(name, sizeof name, "--%s", option->name);
    if (option->word)
        return set_word(option, name, value);
    if (option->number)
        return set_number(option, name, value);
    static const char *const places[] = {"ADDR", "DIR", "FILE", "PATH", NULL};
    if (option->text && *value == '\0' && ctl_find_word(places, option->argument) >= 0)
        return ctl_fail(EX_USAGE, "%s is empty: give its %s, or leave it out", name,
                        option->argument);
    if (option->text)
        *option->text = value;
    else
        *option->flag = true;
    return 0;
}

#define HELP_COLUMN 21
#define HELP_WIDTH  80

static void print_option(const ctl_option_t *option)
{
    char letter[] = "-?, ";
    letter[1] = option->letter;
    int width = printf("  %s--%s%s%s", option->letter ? letter : "", option->name,
                       option->argument ? " " : "", option->argument ? option->argument : "");
    width += printf("%*s%s", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "", option->help);
    for (size_t i = 0; option->words && option->words[i]; i++) {
        bool is_last = !option->words[i + 1];
        if (width + (int)strlen(option->words[i]) + 3 > HELP_WIDTH)
            width = printf("\n%*s", HELP_COLUMN - 1, "") - 1;
        width += printf("%s%s%s", i == 0 ? " (" : " ", option->words[i], is_last ? ")" : ",");
    }
    (void)putchar('\n');
}

int ctl_options(int argc, char **argv, const char *usage, const ctl_option_t *options,
                char ***ret_names)
{
    enum { OPTIONS_MAX = 16, NO_LETTER = 256 };
    struct option names[OPTIONS_MAX + 2] = {{.name = NULL}};
    char letters[2 * OPTIONS_MAX + 2], *letter = letters;
    size_t count = 0;
    for (; options[count].name; count++) {
        assert(count < OPTIONS_MAX);
        int id = options[count].letter ? options[count].letter : NO_LETTER + (int)count;
        names[count] = (struct option){options[count].name, !options[count].flag, NULL, id};
        if (options[count].letter)
            letter +=
                sprintf(letter, "%c%s", options[count].letter, options[count].flag ? "" : ":");
    }
    names[count] = (struct option){"help", no_argument, NULL, 'h'};
    strcpy(letter, "h");
    opterr = 0;
    for (int id; (id = getopt_long(argc, argv, letters, names, NULL)) >= 0;) {
        if (id == 'h') {
            (void)printf("%s%s", usage, count > 0 ? "\n" : "");
            for (size_t i = 0; i < count; i++)
                print_option(&options[i]);
            exit(ctl_end_output(true));
        }
        size_t i = 0;
        while (i < count && names[i].val != id)
            i++;
        if (i == count)
            (void)ctl_fail(EX_USAGE,
                           "%s: %s is no option, or lacks its value; mayhem %s --help says more",
                           argv[0], argv[optind - 1], argv[0]);
        if (i == count || set(&options[i], optarg) != 0)
            return EX_USAGE;
    }
    if (ret_names)
        *ret_names = argv + optind;
    else if (optind < argc)
        return ctl_fail(EX_USAGE, "'%s' is no option of %s", argv[optind], argv[0]);
    return 0;
}

void ctl_put_text(FILE *file, const char *text)
{
    for (const char *at = text; *at;) {
        size_t size = mm_utf8_character(at, strlen(at));
        bool is_plain = size > 0 && !mm_utf8_is_control(at);
        (void)fprintf(file, "%.*s", is_plain ? (int)size : 1, is_plain ? at : " ");
        at += size > 0 ? size : 1;
    }
}

// ---- JSON

const char *ctl_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

bool ctl_write_json(FILE *file, json_t *json, size_t flags)
{
    bool is_good = json_dumpf(json, file, flags) == 0 && putc('\n', file) != EOF;
    json_decref(json);
    return is_good && fflush(file) == 0;
}

// ---- files

int ctl_end_output(bool is_good)
{
    is_good = is_good && fflush(stdout) == 0 && !ferror(stdout);
    return is_good ? 0 : ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
}

static bool has_ending(const char *name, const char *ending)
{
    size_t size = strlen(name), end = strlen(ending);
    return name[0] != '.' && size > end && strcmp(name + size - end, ending) == 0;
}

bool ctl_read_files(const char *path, const char *ending, const char *hint, ctl_read_fn *read,
                    void *arg, char error[MM_ERROR_MAX])
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return read(arg, path, error);
    struct dirent **entries = NULL;
    int all = scandir(path, &entries, NULL, versionsort), cause = errno, count = 0;
    bool is_good = true;
    for (int i = 0; i < all; i++) {
        if (has_ending(entries[i]->d_name, ending)) {
            char name[PATH_MAX];
            (void)snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
            is_good = is_good && read(arg, name, error);
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    if (count > 0 || !hint)
        return is_good;
    if (all < 0)
        return ctl_error(error, "cannot read %s: %s%s", path, strerror(cause), hint);
    return ctl_error(error, "cannot read %s: no *%s is in it%s", path, ending, hint);
}
