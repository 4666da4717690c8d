// What every main program does first and last: signals, options, folder, descriptors, log, profile.

#ifndef MM_SERVICE_H
#define MM_SERVICE_H

#include "addresses.h"
#include "key_file.h"
#include "options.h"

#include <stdio.h>

// The program's own part of --check: 0, or a sysexits code after a complaint.
typedef int(mm_service_check_fn)(const mm_options_t *options);

// Starts a program. False: exit with *ret_exit_code; messages are printed. check: NULL when there
// is nothing more to check. With MAYHEM_PARENT=PID in the environment, the process drains when that
// parent dies, and does not start when it is dead already.
bool mm_service_start(mm_program_t program, int argc, char **argv, mm_service_check_fn *check,
                      mm_options_t *ret_options, mm_addresses_t *ret_addresses, int *ret_exit_code);
// Prints one sentence on stderr, after the program's id. Returns exit_code.
__attribute__((format(printf, 3, 4))) int mm_service_fail(const mm_options_t *options,
                                                          int exit_code, const char *format, ...);
// Logs the last lines of a program, ends profile and log and frees the options. Returns exit_code.
int mm_service_end(mm_options_t *options, int exit_code);
// The same without the lines: for a program that could not begin.
int mm_service_quit(mm_options_t *options, int exit_code);

// The key of --key, read at the start, whose name is this process's; NULL: there is none.
const mm_key_t *mm_service_key(void);

// The limit of descriptors for commands of this process: its own soft limit at the start.
uint64_t mm_service_open_files(void);

// Opens the file of --trace; NULL when there is none. Returns 0, or a sysexits code after a
// complaint.
int mm_service_open_trace(const mm_options_t *options, FILE **ret_trace);

// "Received exit signal SIGTERM..."
void mm_service_log_signal(int signal);

// The seed: that of the options, or a random one; never 0.
uint64_t mm_service_seed(const mm_options_t *options);

#endif
