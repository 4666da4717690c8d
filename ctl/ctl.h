// What the commands of mayhem share: options, errors, JSON, files.

#ifndef CTL_H
#define CTL_H

#include "job.h"

#include <jansson.h>
#include <stdio.h>

// A command takes its own arguments, argv[0] being its name, and returns a sysexits code.
typedef int ctl_command_t(int argc, char **argv);
ctl_command_t ctl_top, ctl_status, ctl_tail, ctl_profile, ctl_diff, ctl_lines, ctl_explain,
    ctl_scale, ctl_audit, ctl_dead, ctl_retry, ctl_halt, ctl_resume, ctl_deny, ctl_absolve,
    ctl_handover, ctl_keys, ctl_doctor, ctl_man, ctl_completion;

// All commands, in the order of the help; the last one has no name.
typedef struct {
    const char *name;
    ctl_command_t *run;
    const char *help;
} ctl_entry_t;
extern const ctl_entry_t ctl_entries[];

// Prints "mayhem: ..." to standard error, as ctl_put_text does, and returns code.
int ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Writes a sentence about an error, cut to MM_ERROR_MAX, and returns false.
bool ctl_error(char error[MM_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// ---- options

// An option and where its value goes: exactly one of flag, text, number and word is set.
typedef struct {
    const char *name;     // "sort" of --sort
    char letter;          // 's' of -s; 0: none
    const char *argument; // "KEY", as --help shows it; NULL of a flag
    const char *help;     // behind it; of a word, the list of words follows
    bool *flag;
    const char **text;
    uint64_t *number, min, max;
    int *word;                // index into words
    const char *const *words; // ends with NULL
} ctl_option_t;

// Reads the arguments of the command argv[0] into the values of its options, which hold the
// defaults; the last option has no name. *ret_names: the names that follow the options, ended by
// NULL; a command that takes none passes NULL. --help prints `usage`, then each option, and exits.
// Returns 0, or a sysexits code, with a sentence printed.
int ctl_options(int argc, char **argv, const char *usage, const ctl_option_t *options,
                char ***ret_names);

// The index of a word in a list that ends with NULL; -1: it is not in it.
int ctl_find_word(const char *const *words, const char *word);

// Writes a text that anybody may have written, so that a terminal does not obey it: a blank stands
// for each control character, and for each byte that is no UTF-8.
void ctl_put_text(FILE *file, const char *text);

// ---- JSON

// A member that is a string; "" when there is none.
const char *ctl_text(const json_t *object, const char *key);
// Writes JSON with these flags of jansson, and a newline; takes the reference. False, with errno,
// when it cannot be written.
bool ctl_write_json(FILE *file, json_t *json, size_t flags);

// ---- files

// Flushes standard output. Returns 0, or a sysexits code, with a sentence printed, when that or a
// write before it (is_good: false) has failed.
int ctl_end_output(bool is_good);

// Reads one file. False, with one sentence in error, when it cannot be used.
typedef bool ctl_read_fn(void *arg, const char *path, char error[MM_ERROR_MAX]);

// Reads a file, or all files of a directory whose names have this ending (".json") and do not begin
// with a dot, in order of their names, until one cannot be used. False, with one sentence in error,
// when one cannot be used, or there is none; that sentence ends with `hint`. hint: NULL when there
// need not be one.
bool ctl_read_files(const char *path, const char *ending, const char *hint, ctl_read_fn *read,
                    void *arg, char error[MM_ERROR_MAX]);

#endif
