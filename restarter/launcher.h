// Runs commands in slots, one at a time in each, through one spawner (spawner.h), and keeps the end
// of what each writes. A command that has ended by itself leaves alive what it has started, which
// may write on: its pipe is read to its end. Nothing here blocks but launcher_destroy.

#ifndef LAUNCHER_H
#define LAUNCHER_H

#include "output_tail.h"
#include "spawner.h"

typedef struct launcher launcher_t;

// Starts the spawner. Call it from the main thread, before there is a socket (zmq(7)) and best
// before any other thread. Returns 0 or an errno, as mm_spawner_new does.
int launcher_new(const mm_spawner_config_t *config, launcher_t **ret_self);
// Kills what runs (mm_spawner_destroy). No-op for NULL.
void launcher_destroy(launcher_t **self_p);

// One start, in a free slot. The texts are copied.
typedef struct {
    uint32_t slot;
    const char *path;       // command_path
    char *const *arguments; // as for exec
    int64_t not_after_ms;   // as in mm_spawner_start_t
    int64_t end_ms;         // also
    int copy;               // a file that gets all that it writes, from now on the launcher's; -1
} launch_t;

// Asks for a start; its event comes later. Returns 0, or an errno, and then the slot stays free and
// the copy is the caller's.
// EAGAIN: try again when the descriptor has been readable.
int launcher_start(launcher_t *self, const launch_t *launch);
// See mm_spawner_signal, mm_spawner_kill and mm_spawner_kill_again.
void launcher_signal(launcher_t *self, uint32_t slot, int signal);
void launcher_kill(launcher_t *self, uint32_t slot);
void launcher_kill_again(launcher_t *self, uint32_t slot);

// Reads what commands have written. To be called when the descriptor is readable, then
// launcher_next until it returns false.
void launcher_step(launcher_t *self);
// The next event of an attempt, whose slot is free then; never MM_SPAWNER_LOST.
bool launcher_next(launcher_t *self, mm_spawner_event_t *ret_event);
// What the last command in the slot has written, until the next start there.
const output_tail_t *launcher_output(const launcher_t *self, uint32_t slot);

// Why the copy of that is not whole, an errno; 0: it is.
int launcher_copy_error(const launcher_t *self, uint32_t slot);

int launcher_descriptor(const launcher_t *self); // an epoll descriptor
// Whether the spawner has ended: nothing can be started any more, and launcher_destroy kills what
// runs.
bool launcher_is_lost(const launcher_t *self);

#endif
