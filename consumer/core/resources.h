// What a restart occupies, each thing at most so often at a time: its host (I8), the limit of all
// restarts in progress, a restarter for itself (R7), a slot (I6). A resource counts the restarts at
// workers (R2), and queues the flights that wait for it in order of arrival. What is free is
// granted to the first of them, and nobody else gets it until that flight is handed out. flight.h
// moves the flights, and says why none starves; admission.h decides who may start.
//
// A new resource (at most two hosts of a group, say):
//
// 1. Its kind, at its place in resource_kind_t: flights wait in that order.
// 2. Its owner, in resources_of: a member of host_t or of resources_t, with its limit. It must be
//    found by the host alone: a task that is adopted brings no more. What a new consumer adopts
//    counts at once, even beyond the limit.
// 3. Its reason in admission.h at the same place, and in admission.c the name and the `if`.
//
// Occupying, vacating, releasing, waiting and granting go through all kinds. So do the simulator
// (I7: it is handed out in order) and what counts for viewers. The limit itself is worth a check in
// tests/sim/sim_check.c against what runs, and a draw in tests/sim/sim_draw.c.

#ifndef RESOURCES_H
#define RESOURCES_H

#include <stdint.h>

struct flight;
struct host;

// From those that few jobs share to those that all share. Each restart occupies all that are before
// RESOURCE_QUARANTINE.
typedef enum {
    RESOURCE_HOST,       // limit 1 per host (I8)
    RESOURCE_AT_ONCE,    // all restarts in progress
    RESOURCE_QUARANTINE, // limit 1, alone on its restarter: only after two lost workers (R7)
    RESOURCE_SLOT        // a restarter's credit (I6), which workers.h counts; RESTART_READY waits
} resource_kind_t;

typedef struct resource {
    uint32_t busy;                    // restarts at workers that are not presumed lost
    uint32_t limit;                   // of busy, 1 or more; only adopted restarts exceed it
    uint32_t grants;                  // flights that it is granted to, not handed out yet
    struct flight *waiting;           // the queue, in order of arrival (utlist)
    struct resource *previous, *next; // released ones (utlist); previous NULL: not in the list
} resource_t;

// The resources that are not a host's.
typedef struct {
    resource_t at_once;
    resource_t quarantine;
    resource_t *released; // those with a queue that are not granted to anybody yet (utlist)
} resources_t;

// at_once: restarts in progress at most, 0: no limit.
void resources_init(resources_t *self, uint32_t at_once);
// The resource of this kind that a restart of the host needs; kind: not RESOURCE_SLOT.
resource_t *resources_of(resources_t *self, struct host *host, resource_kind_t kind);
// A restart of this host is at a worker from now on, with one more reference to the host; or no
// longer, and that reference goes to the caller.
void resources_occupy(resources_t *self, struct host *host);
void resources_vacate(resources_t *self, struct host *host);
// There may be room for the first in the queue: flights_next_restart grants it, since more restarts
// may come back in this step. The second is for all that a restart of the host has vacated.
void resources_release(resources_t *self, resource_t *resource);
void resources_release_all(resources_t *self, struct host *host);

#endif
