// The command of --guard, checked: `mayhem run` does so before it starts anything, and the consumer
// that runs it.

#ifndef MM_GUARD_COMMAND_H
#define MM_GUARD_COMMAND_H

#include "command.h"

// The command, with its program found. NULL, with one sentence in ret_complaint: the line is no
// command, names a host, or there is no such program to run.
mm_command_t *mm_guard_command_new(const char *line, char ret_complaint[MM_ERROR_MAX]);

#endif
