// How the spawner makes one command: a child that shares its memory until exec.

#ifndef MM_SPAWNER_CHILD_H
#define MM_SPAWNER_CHILD_H

#include "spawner_messages.h"

#include <sys/resource.h>

// What is open in the spawner while it starts a command, beside 0 to 2; the child keeps no more.
#define MM_SPAWNER_OUTPUT_FD 3

// What all starts have in common. The fields are its own.
typedef struct {
    struct rlimit open_files, realtime; // of the commands; rlim_cur of realtime is the tag
    char **arguments;                   // the first one is spare
    size_t arguments_capacity;
    char **environment;
    size_t environment_capacity;
    void *stack;
} mm_spawner_child_t;

// open_files: as in mm_spawner_config_t. Returns 0 or an errno.
int mm_spawner_child_open(mm_spawner_child_t *self, uint64_t open_files);

// Starts the command of a request, behind which its texts follow, and a NUL; they are changed. The
// output is MM_SPAWNER_OUTPUT_FD. Returns 0 and the child's pid, or an errno: of clone or exec;
// ETIME: it was too late. Blocks until exec.
int mm_spawner_child_start(mm_spawner_child_t *self, mm_request_t *request, pid_t *ret_pid);

#endif
