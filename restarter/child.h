// A command with its supervisor, a small process forked from the restarter. The supervisor leads a
// session and process group, in which the command runs. The whole group ends by KILL: from the
// restarter when the command has ended, or from the supervisor when the restarter has ended, even
// by kill -9. One pipe has the command's output, another one its wait status. Only child_kill
// blocks.

#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The supervisor's name in the process list.
#define CHILD_NAME "mayhem-child"

// How many bytes of the output are kept, the last ones.
#define CHILD_TAIL_MAX 480

// One command. Zeroed: none.
typedef struct {
    pid_t pid;  // of the supervisor and its process group; 0: nothing runs
    int output; // the command's stdout and stderr; -1: at their end
    int report; // the command's wait status; its end is that of the supervisor
    int status; // as from waitpid; set when child_step returns true
    bool has_report;
    size_t tail_size;
    char tail[CHILD_TAIL_MAX];
} child_t;

// Starts a command in the folder and environment of this process, with /dev/null as its input.
// arguments: the program, found in PATH, its arguments and NULL. Adds its two descriptors to
// `epoll` with this data.u64. open_files: the command's soft RLIMIT_NOFILE; 0: as it is.
// Descriptors 0 to 2 of this process must be open. Returns 0, or an errno: then nothing runs.
int child_start(child_t *self, char *const *arguments, uint64_t open_files, int epoll,
                uint64_t data);

// Reads the output and reaps the command. True when it has ended: then its group is dead, the
// descriptors are closed, and status and tail are set.
bool child_step(child_t *self);

// Sends a signal to the group; no-op when nothing runs.
void child_signal(const child_t *self, int signal);

// Kills the group, waits for the end of the supervisor and closes the descriptors; no-op when
// nothing runs.
void child_kill(child_t *self);

// The tail of the output as one line of UTF-8 without control characters, with " | " for line ends:
// the last bytes that fit into size (> 0, with the NUL). Returns the length.
size_t child_tail_text(const child_t *self, char *ret_text, size_t size);

#endif
