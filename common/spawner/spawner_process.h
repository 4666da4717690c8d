// The spawner's own process. It has one thread, one descriptor for a moment per start and none per
// slot, and never blocks but for a vfork: events that the socket does not take wait in memory, at
// most one for each slot.

#ifndef MM_SPAWNER_PROCESS_H
#define MM_SPAWNER_PROCESS_H

#include "spawner.h"

// Runs in the child of the fork, until the other end of `socket` is closed or `user`, its parent,
// has ended. Closes all other descriptors from 3 on.
_Noreturn void mm_spawner_process(const mm_spawner_config_t *config, int socket, pid_t user);

#endif
