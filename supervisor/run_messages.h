// What `mayhem run` tells the user while the pipeline runs: on the screen, and always in
// DIR/log/run.log.

#ifndef RUN_MESSAGES_H
#define RUN_MESSAGES_H

#include "run_folder.h"
#include "run_settings.h"
#include "supervisor.h"
#include "user_screen.h"

#define RUN_UNCLEAN_MAX 2048

typedef struct {
    const run_settings_t *settings;
    const run_folder_t *folder;
    user_screen_t *screen;
    const char *clear;             // before a line: ends the progress bar; "" without one
    char unclean[RUN_UNCLEAN_MAX]; // the processes that did not end in order, and how
} run_messages_t;

// A line on standard output; with --quiet only in the log.
__attribute__((format(printf, 2, 3))) void run_messages_say(run_messages_t *self,
                                                            const char *format, ...);
// A line on standard error, after the name of the program.
__attribute__((format(printf, 2, 3))) void run_messages_warn(run_messages_t *self,
                                                             const char *format, ...);
// What the core wants to be said.
void run_messages_tell(run_messages_t *self, const supervisor_action_t *action);

#endif
