// A command line from the options, split once into arguments by rules like a shell's, then filled
// in for each task: what restarts hosts, and the guard. No shell runs, and what is filled in is
// never split again: a host or an attribute is always one argument, or part of one. Pure, but
// mm_command_find looks at the file system.

#ifndef MM_COMMAND_H
#define MM_COMMAND_H

#include "frame.h"

typedef struct mm_command mm_command_t;

// Splits `line` at blanks, tabs and newlines. '...' stands for itself; in "..." \" and \\ stand for
// " and \; elsewhere \ quotes the next character. {host}, {job}, {attempt}, {machine_id} and
// {boot_id} (those on record) and {KEY} for the key of any attribute (attributes.h) are
// placeholders everywhere but in the program's name; any other brace stands for itself. {address}
// is the host when there is no such attribute, and an argument with {KEY?} is left out when there
// is no such attribute. Returns NULL when the line cannot be split, with one sentence in
// ret_complaint that says where and how to fix it and calls the line `name` ("--exec").
mm_command_t *mm_command_new(const char *name, const char *line, char ret_complaint[MM_ERROR_MAX]);
void mm_command_destroy(mm_command_t **self_p);

// Finds the program: with '/' in its name it must be an executable file, otherwise PATH must have
// one. False: ret_complaint has one sentence.
bool mm_command_find(mm_command_t *self, char ret_complaint[MM_ERROR_MAX]);
// Where it was found; owned by the command. Only after mm_command_find.
const char *mm_command_path(const mm_command_t *self);

// Whether it names {machine_id} or {boot_id}, which only a driver that identifies knows.
bool mm_command_names_ids(const mm_command_t *self);
// Adds the keys of the attributes that the command names; they live as long as it does. False when
// there is no room for one.
bool mm_command_keys(const mm_command_t *self, mm_attribute_keys_t *keys);
bool mm_command_names(const mm_command_t *self, mm_str_t key);
// Whether it names anything of a task: a command that does not is the same for all.
bool mm_command_is_of_task(const mm_command_t *self);
// What it is called in messages, as it was made with.
const char *mm_command_name(const mm_command_t *self);
// A key that the command names and that the attributes lack; empty: there is none.
mm_str_t mm_command_lacks(const mm_command_t *self, mm_str_t attributes);

// The arguments for one task, in which ids that are not known stand as they are named;
// NULL-terminated, owned by the command and valid until its next use. The command lacks nothing of
// the task's attributes. The strings are writable only because exec's prototype wants it.
char **mm_command_fill(mm_command_t *self, const mm_task_t *task);

// The arguments as one line that a shell would split in the same way. The caller frees it.
char *mm_command_quote(char *const *arguments);

#endif
