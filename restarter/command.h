// A command line from the options, split once into arguments by rules like a shell's, then filled
// in for each task. No shell runs, and what is filled in is never split again: a host is always one
// argument, or part of one. Pure, but command_find looks at the file system.

#ifndef COMMAND_H
#define COMMAND_H

#include "job.h"

// Bytes for a complaint, the NUL included.
#define COMMAND_COMPLAINT_MAX 512

typedef struct command command_t;

// Splits `line` at blanks, tabs and newlines. '...' stands for itself; in "..." \" and \\ stand for
// " and \; elsewhere \ quotes the next character. {host}, {job} and {attempt} are placeholders
// everywhere but in the program's name; any other {word} in lower-case letters is an error, and any
// other brace stands for itself. Returns NULL when the line cannot be split, with one sentence in
// ret_complaint that says where and how to fix it and calls the line `name` ("--exec").
command_t *command_new(const char *name, const char *line,
                       char ret_complaint[COMMAND_COMPLAINT_MAX]);
void command_destroy(command_t **self_p);

// Whether the program can be run: with '/' in its name it must be an executable file, otherwise
// PATH must have one. False: ret_complaint has one sentence.
bool command_find(const command_t *self, char ret_complaint[COMMAND_COMPLAINT_MAX]);

// The arguments for one task, NULL-terminated, owned by the command and valid until its next use;
// *ret_count says how many. The strings are writable only because exec's prototype wants it.
char **command_fill(command_t *self, mm_str_t host, const mm_id_t *job, uint32_t attempt,
                    size_t *ret_count);

// The arguments as one line that a shell would split in the same way. The caller frees it.
char *command_quote(char *const *arguments);

#endif
