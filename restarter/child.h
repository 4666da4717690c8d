// Both ends of a command: the restarter, and a small supervisor, forked from it, between the two.
// The supervisor leads a session and process group of its own, the command runs in it, and the
// group ends by KILL in one piece: from the restarter as soon as the command has ended, or from the
// supervisor as soon as the restarter has, even by kill -9. Between the two there is one pipe for
// the command's output and one for its wait status. Nothing here blocks but child_kill.

#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The supervisor's name in the process list.
#define CHILD_NAME "mayhem-child"

// Bytes of output that are kept: the last ones.
#define CHILD_TAIL_MAX 480

// One command, as the restarter sees it. Zeroed: none.
typedef struct {
    pid_t pid;  // of the supervisor, and its process group; 0: nothing runs
    int output; // the command's stdout and stderr; -1 at its end
    int report; // the command's wait status; its end is the supervisor's
    int status; // as from waitpid; set when child_step has said true
    bool has_report;
    size_t tail_size;
    char tail[CHILD_TAIL_MAX];
} child_t;

// Starts a command, arguments[0] being found in PATH and NULL behind the last one, in the folder
// and environment of this process, its input /dev/null. Registers its two descriptors with `epoll`,
// their data.u64 being `data`. open_files is the command's soft RLIMIT_NOFILE, 0: as it is. None of
// descriptors 0 to 2 may be closed. Returns 0, or an errno, and then nothing runs.
int child_start(child_t *self, char *const *arguments, uint64_t open_files, int epoll,
                uint64_t data);

// Reads and reaps what there is. True when the command has ended: then its group is dead, the
// descriptors are closed, and status and tail are set.
bool child_step(child_t *self);

// Sends a signal to the command's group; no-op when nothing runs.
void child_signal(const child_t *self, int signal);

// Kills the group, waits for the supervisor's end, closes all; no-op when nothing runs.
void child_kill(child_t *self);

// The tail of the output as one line of clean UTF-8 without control characters, line ends shown as
// " | ": the last bytes of it that fit into size (> 0, the NUL included). Returns its length.
size_t child_tail_text(const child_t *self, char *ret_text, size_t size);

#endif
