// judge [FILE]: judges a trace, or its standard input; judge.h has the format. Prints what it
// finds. Exit: 0 nothing, 1 something was found, 64 and up: it could not judge.

#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void print(const judgement_t *found)
{
    (void)printf("line %llu, %lld ms: %s:", (unsigned long long)found->line,
                 (long long)found->at_ms, judge_rule_name(found->rule));
    if (*found->host)
        (void)printf(" host %s,", found->host);
    if (*found->group)
        (void)printf(" group %s,", found->group);
    (void)printf(" %s\n", found->words);
}

static int judge(FILE *file)
{
    judge_t *self = judge_new();
    char *line = NULL;
    size_t size = 0;
    bool is_read = true;
    while (is_read && getline(&line, &size, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        is_read = judge_take(self, line);
    }
    free(line);
    for (size_t i = 0; i < judge_count(self); i++)
        print(judge_get(self, i));
    if (is_read)
        (void)printf("%llu lines, %llu starts, %zu found\n", (unsigned long long)judge_lines(self),
                     (unsigned long long)judge_starts(self), judge_count(self));
    else
        (void)fprintf(stderr, "judge: %s\n", judge_error(self));
    int status = !is_read ? EX_DATAERR : judge_count(self) > 0;
    judge_destroy(&self);
    return status;
}

int main(int argc, char **argv)
{
    if (argc > 2 || (argc == 2 && *argv[1] == '-')) {
        (void)fprintf(stderr, "usage: judge [FILE]\n");
        return EX_USAGE;
    }
    FILE *file = argc == 2 ? fopen(argv[1], "r") : stdin;
    if (!file) {
        (void)fprintf(stderr, "judge: %s cannot be read\n", argv[1]);
        return EX_NOINPUT;
    }
    int status = judge(file);
    (void)fclose(file);
    return status;
}
