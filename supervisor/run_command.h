// The command of the last run in a folder, as it was given: its arguments, the folder it was given
// in, and the variables that count. In DIR/run.command, for `mayhem retry`.

#ifndef RUN_COMMAND_H
#define RUN_COMMAND_H

#include "run_settings.h"

// argv: with the name of the command. Returns 0, or a sysexits code after a complaint.
int run_command_write(const char *dir, int argc, char *const argv[]);

// Goes to the folder that the command was given in, sets the variables that it was given with, and
// removes others that count. *ret_words: its arguments, without a name before them, and without
// --config, whose file the folder has as it was read. False, with errno (ENOENT: it is not on
// record), and nothing is changed.
bool run_command_recall(const char *dir, arguments_t *ret_words, bool *ret_has_config);

#endif
