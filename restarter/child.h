// A command as a process. Between the restarter and the command stands a small supervisor, a fork
// of the restarter, which leads a session and a process group of its own; the command runs in that
// group. KILL ends the whole group: from the restarter as soon as the command has ended, or from
// the supervisor as soon as the restarter has, even by kill -9. One pipe carries the command's
// output, another its wait status. Only child_kill blocks.

#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The supervisor's name in the process list.
#define CHILD_NAME "mayhem-child"

// Of the output the last so many bytes are kept.
#define CHILD_TAIL_MAX 480

// One command, as the restarter sees it. Zeroed: none.
typedef struct {
    pid_t pid;  // of the supervisor, and its process group; 0: nothing runs
    int output; // the command's stdout and stderr; -1 at its end
    int report; // the command's wait status; its end is the supervisor's
    int status; // as from waitpid; set when child_step has returned true
    bool has_report;
    size_t tail_size;
    char tail[CHILD_TAIL_MAX];
} child_t;

// Starts a command in the folder and environment of this process, its input /dev/null. arguments[0]
// is looked up in PATH, and NULL ends the arguments. Registers the command's two descriptors with
// `epoll`; their data.u64 is `data`. open_files is the command's soft RLIMIT_NOFILE, 0: as it is.
// Descriptors 0 to 2 must be open. Returns 0, or an errno, and then nothing runs.
int child_start(child_t *self, char *const *arguments, uint64_t open_files, int epoll,
                uint64_t data);

// Reads what there is, and reaps. True when the command has ended: its group is dead, the
// descriptors are closed, and status and tail are set.
bool child_step(child_t *self);

// Sends a signal to the command's group; no-op when nothing runs.
void child_signal(const child_t *self, int signal);

// Kills the group, waits for the supervisor's end, closes all; no-op when nothing runs.
void child_kill(child_t *self);

// The tail of the output as one line of UTF-8 without control characters, line ends shown as " | ":
// the last bytes of it that fit into size (> 0, the NUL included). Returns its length.
size_t child_tail_text(const child_t *self, char *ret_text, size_t size);

#endif
