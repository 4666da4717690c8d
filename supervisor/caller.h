// How the user has called this program, for messages that he can act on: run.sh passes its own name
// in MAYHEM_CALLED.

#ifndef CALLER_H
#define CALLER_H

#include <stdint.h>

// What `mayhem` was called, as typed, kept as a pointer: before caller_start.
void caller_name(char *name);
// Reads MAYHEM_CALLED, and removes it from the environment. argv: of `mayhem run`, kept as a
// pointer. What was returned before is not valid any more.
void caller_start(int argc, char *const argv[]);

// Before a message: "run.sh" or "mayhem run".
const char *caller_title(void);
// Before another subcommand: "./run.sh" or "mayhem".
const char *caller_program(void);
// The whole command, quoted for a shell, with the variables that count:
// "MAYHEM_SLOTS=4 ./run.sh -i hosts -x 'reboot {host}'".
const char *caller_command(void);
// The same with this --max-dead in place of its own, and without --take-over, which has been done.
// The caller frees it.
char *caller_command_beyond(int64_t max_dead);

// Prints one sentence on standard error, after the title. Returns code.
__attribute__((format(printf, 2, 3))) int caller_fail(int code, const char *format, ...);

#endif
