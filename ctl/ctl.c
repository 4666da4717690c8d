// See ctl.h.

#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

int ctl_fail(int code, const char *format, ...)
{
    va_list args;
    (void)fputs("mayhemctl: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return code;
}

int ctl_find_word(const char *option, const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    (void)fprintf(stderr, "mayhemctl: %s is '%s'; it must be one of:", option, word);
    for (int i = 0; i < count; i++)
        (void)fprintf(stderr, " %s", words[i]);
    (void)fputc('\n', stderr);
    return -1;
}

bool ctl_number(const char *option, const char *text, uint64_t min, uint64_t max,
                uint64_t *ret_number)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || number < min || number > max) {
        (void)ctl_fail(EX_USAGE, "%s is '%s'; it must be a number from %llu to %llu", option, text,
                       (unsigned long long)min, (unsigned long long)max);
        return false;
    }
    *ret_number = number;
    return true;
}

bool ctl_print_json(json_t *json)
{
    bool is_good =
        json_dumpf(json, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(json);
    return is_good;
}
