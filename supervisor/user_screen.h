// What the user sees while the pipeline runs. A process of its own writes it, so that a terminal
// that takes nothing (Ctrl-S, a full pipe) never holds the supervisor up. It also shows the log
// lines of the demo as they are appended.

#ifndef USER_SCREEN_H
#define USER_SCREEN_H

#include <stdbool.h>

typedef struct user_screen user_screen_t;

// out, errors: the user's streams. Forks: call it while there are no other threads.
user_screen_t *user_screen_new(int out, int errors);
// Waits until all is shown, at most two seconds.
void user_screen_destroy(user_screen_t **self_p);

// Shows a line; one that the terminal does not take in time is left out.
void user_screen_out(user_screen_t *self, const char *line);
void user_screen_error(user_screen_t *self, const char *line);
// Shows on the stream of errors what is appended to a log file from now on.
void user_screen_follow(user_screen_t *self, const char *path);

#endif
