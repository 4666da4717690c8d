// What the commands of mayhemctl share.

#ifndef CTL_H
#define CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

// Each takes its own arguments, argv[0] being the command's name, and returns a sysexits code.
int ctl_profile(int argc, char **argv);
int ctl_diff(int argc, char **argv);
int ctl_lines(int argc, char **argv);
int ctl_top(int argc, char **argv);
int ctl_status(int argc, char **argv);
int ctl_tail(int argc, char **argv);
int ctl_explain(int argc, char **argv);

// Prints "mayhemctl: ..." to standard error, and returns code.
int ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The place of an option's word in a list; -1: it is not in it, which is then said.
int ctl_find_word(const char *option, const char *word, const char *const *words, int count);
// Reads an option's number; false when it is none from min to max, which is then said.
bool ctl_number(const char *option, const char *text, uint64_t min, uint64_t max,
                uint64_t *ret_number);
// Prints it as one line, at once; takes the reference. False, with errno, when it cannot.
bool ctl_print_json(json_t *json);

#endif
