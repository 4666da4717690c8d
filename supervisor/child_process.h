// A process that the supervisor has started: in a process group of its own, with no signal blocked
// or ignored but an ignored HUP, and with no descriptor of the supervisor but its three.

#ifndef CHILD_PROCESS_H
#define CHILD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct {
    pid_t pid;
    int descriptor; // a pidfd: readable when the process has ended
} child_process_t;

// How a process has ended.
typedef struct {
    int code;   // of its exit, when signal is 0
    int signal; // that has killed it; 0: none
} child_end_t;

// Starts argv[0], looked up in PATH when it has no slash, with these standard streams. Returns 0,
// or an errno: then there is no process. The caller closes with child_process_end.
int child_process_start(char *const argv[], int input, int output, int errors,
                        child_process_t *ret_child);
// Waits for its end, at once when its descriptor is readable, and closes the descriptor.
child_end_t child_process_end(child_process_t *self);
// No-op when it has ended.
void child_process_signal(const child_process_t *self, int signal);

// Runs a program to its end and returns what it has printed on standard output, which the caller
// frees; standard input is empty, errors go to `errors`. NULL, with errno: it could not be started.
char *child_process_capture(char *const argv[], int errors, size_t *ret_size, child_end_t *ret_end);
// The same with another standard input.
char *child_process_capture_fed(char *const argv[], int input, int errors, size_t *ret_size,
                                child_end_t *ret_end);

// The path of a program that is installed beside this one, which the caller frees.
char *child_process_sibling(const char *name);

#endif
