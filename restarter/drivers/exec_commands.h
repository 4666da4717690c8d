// The commands of the exec driver, as the options have them: those that restart a host, in the
// order in which they are tried, those that ask it, and the hooks. What they need of a host, and
// how their ends are judged. Looks at the file system when it opens, and never again.

#ifndef EXEC_COMMANDS_H
#define EXEC_COMMANDS_H

#include "command.h"
#include "options.h"
#include "restart.h"

typedef struct {
    mm_command_t *restarts[MM_COMMANDS_MAX];
    mm_command_t *identify, *health, *verify; // NULL: none
    mm_command_t *skip_if, *before, *after;
    restart_config_t config;
    mm_name_t name; // "ssh-0123456789abcdef": of the driver, and a digest of what restarts a host
} exec_commands_t;

// False, with one sentence in ret_complaint: they cannot be run, or contradict each other. Close it
// in any case.
bool exec_commands_open(exec_commands_t *self, const mm_options_t *options,
                        char ret_complaint[MM_ERROR_MAX]);
void exec_commands_close(exec_commands_t *self);

// Adds the keys of the attributes that they name; false when there is no room for one.
bool exec_commands_keys(const exec_commands_t *self, mm_attribute_keys_t *keys);
// Where a key that they name is named, as messages call it (mm_options_origin).
const char *exec_commands_naming(const exec_commands_t *self, mm_str_t key);
// A key that one of them names and that the attributes lack; empty: there is none.
mm_str_t exec_commands_lack(const exec_commands_t *self, mm_str_t attributes);
// The one for a step; number: of what restarts a host, from 1.
mm_command_t *exec_commands_get(const exec_commands_t *self, restart_what_t what, uint32_t number);

// The driver's name, "ssh" or "exec", with what restarts a host: what is recorded of a run.
void exec_commands_describe(const mm_options_t *options);

#endif
