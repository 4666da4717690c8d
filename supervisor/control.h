// DIR/control, the socket on which the supervisor of DIR takes requests: one message is a request,
// one message its answer. Only the owner of the folder can reach it.
//
// Request: a line of text, as "scale 6". Answer: an exit code and a blank, then lines for the user.

#ifndef CONTROL_H
#define CONTROL_H

#include "loop.h"

#define CONTROL_REQUEST_MAX 256
#define CONTROL_ANSWER_MAX  16384 // 256 restarters have lines of at most 40 bytes

typedef struct control control_t;

// Answers a request: returns the exit code, and writes lines that end with a newline.
typedef int(control_fn)(void *arg, const char *request, char ret_lines[CONTROL_ANSWER_MAX]);

// NULL, with errno: the socket cannot be made.
control_t *control_new(mm_loop_t *loop, const char *dir, control_fn *fn, void *arg);
void control_destroy(control_t **self_p);

// Asks the supervisor of a folder. False, with errno: nobody takes the request, or answers it,
// within five seconds.
bool control_ask(const char *dir, const char *request, int *ret_exit_code,
                 char ret_lines[CONTROL_ANSWER_MAX]);

#endif
