// What every main program does first and last: signals, options, folder, descriptors, log.

#ifndef MM_SERVICE_H
#define MM_SERVICE_H

#include "endpoint.h"
#include "options.h"

#include <stdio.h>

// What --check looks at beyond the options themselves: 0, or a sysexits code when it has
// complained.
typedef int(mm_service_check_fn)(const mm_options_t *options);

// False: end with *ret_exit_code, all has been said. check: NULL when there is nothing more. With
// MAYHEM_PARENT=PID in the environment, the process drains when that parent dies (and does not
// start when it already has).
bool mm_service_start(mm_program_t program, int argc, char **argv, mm_service_check_fn *check,
                      mm_options_t *ret_options, mm_endpoint_t *ret_base, int *ret_exit_code);
// Logs the service's last words, ends the log and gives the options back. Returns exit_code.
int mm_service_end(mm_options_t *options, int exit_code);
// The same without words: for a process that could not begin and has said why.
int mm_service_quit(mm_options_t *options, int exit_code);

// Whether it was started by a run.sh (MAYHEM_PARENT), which starts it again when it crashes.
bool mm_service_has_parent(void);

// Descriptors that commands started by this process should get: the soft limit as it was.
uint64_t mm_service_open_files(void);

// The file of --trace, or NULL when there is none. Returns 0, or a sysexits code when it cannot be
// written and that has been said.
int mm_service_open_trace(const mm_options_t *options, FILE **ret_trace);

// "Received exit signal SIGTERM..."
void mm_service_log_signal(int signal);

// A running seed: the option's, or a random one.
uint64_t mm_service_seed(const mm_options_t *options);

#endif
