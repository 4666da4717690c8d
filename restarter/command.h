// A command line as the user wrote it, split once into arguments by shell-like rules, without a
// shell; then filled in for each task. Pure but for command_find, which looks at the file system.
// What is filled in is never split again: a host is always (part of) one argument.

#ifndef COMMAND_H
#define COMMAND_H

#include "job.h"

// Bytes for a complaint, the NUL included.
#define COMMAND_COMPLAINT_MAX 512

typedef struct command command_t;

// Splits `line`: arguments are parted by blanks, tabs and newlines; '...' is taken as it is; in
// "..."
// \" and \\ stand for " and \; elsewhere \ takes the next character as it is. {host}, {job} and
// {attempt} are placeholders wherever they stand; another {word} in lower-case letters is an error,
// any other brace is itself. The program's name holds none. NULL, and one sentence in ret_complaint
// that says where and how to mend it, when the line cannot be split; `name` is what the sentence
// calls it ("--exec").
command_t *command_new(const char *name, const char *line,
                       char ret_complaint[COMMAND_COMPLAINT_MAX]);
void command_destroy(command_t **self_p);

// Checks that the program can be run: with '/' in its name it must be an executable file, else PATH
// must have one. False, and one sentence in ret_complaint, when it cannot.
bool command_find(const command_t *self, char ret_complaint[COMMAND_COMPLAINT_MAX]);

// The arguments for one task, NULL-terminated, owned by the command and valid until its next use;
// *ret_count is how many. The strings are writable only for the sake of exec's prototype.
char **command_fill(command_t *self, mm_str_t host, const mm_id_t *job, uint32_t attempt,
                    size_t *ret_count);

// The arguments as one line that a shell would split the same way; free it.
char *command_quote(char *const *arguments);

#endif
