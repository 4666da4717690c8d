// See guard_command.h.

#include "guard_command.h"

#include <stdio.h>

mm_command_t *mm_guard_command_new(const char *line, char ret_complaint[MM_ERROR_MAX])
{
    mm_command_t *command = mm_command_new("--guard", line, ret_complaint);
    bool is_of_task = command && mm_command_is_of_task(command);
    if (is_of_task)
        (void)snprintf(ret_complaint, MM_ERROR_MAX,
                       "--guard: it is asked for the whole run, so there is no host to name; "
                       "outside quotes \\{ is a brace");
    if (command && (is_of_task || !mm_command_find(command, ret_complaint)))
        mm_command_destroy(&command);
    return command;
}
