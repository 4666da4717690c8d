// What a restart occupies: its host (I8), one of all restarts in progress, a restarter for itself
// (R7), a slot (I6). A resource counts the restarts at workers (R2) and queues the flights that
// wait for it; what is free is granted to the first. admission.h decides who may start.
//
// Why no flight starves: it occupies all its resources in one step, when it is handed out, and none
// while it waits. The first in a queue keeps its grant until then, even while it waits for the next
// resource, so none passes it. All wait in the order of resource_kind_t, so no two for each other's
// grants. Each restart ends and releases its slot, the last resource: so each queue moves. A
// restart that comes back, lost or returned, is granted what it occupied.
//
// A new resource (at most two hosts of a group, say) needs
// 0. what it depends on beyond the host's name: gather.c:apply_job puts it into host_t, to stay
//    while the host is busy, granted or queued. An adopted one has none until its job comes again;
// 1. its kind, at its place in resource_kind_t;
// 2. its owner in resources_of, with a limit: a member of host_t or of resources_t. A host must
//    suffice to find it, without 0, too: an adopted task brings no more, and may exceed the limit;
// 3. its reason in admission.h at the same place, and its name and the `if` in admission.c.
// All else in the core goes through the kinds, the simulator's check of the order (I7) too. The
// limit, in the config, is worth a check in sim_check.c against what runs, a draw in sim_draw.c.

#ifndef RESOURCES_H
#define RESOURCES_H

#include "queue.h"

struct flight;
struct host;

// From those that few jobs share to those that all share. Each restart occupies the first ones, up
// to RESOURCE_QUARANTINE.
typedef enum {
    RESOURCE_HOST,       // limit 1 per host (I8)
    RESOURCE_AT_ONCE,    // all restarts in progress
    RESOURCE_QUARANTINE, // limit 1, alone on its restarter: only after two lost workers (R7)
    RESOURCE_SLOT        // a restarter's credit (I6), which workers.h counts; RESTART_READY waits
} resource_kind_t;

typedef struct resource {
    struct flight *waiting;   // the queue, in order of arrival (utlist)
    mm_queue_node_t released; // in the queue of the released ones
    uint32_t busy;            // restarts at workers that are not presumed lost
    uint32_t limit;           // of busy, 1 or more; only adopted restarts exceed it
    uint32_t grants;          // flights that it is granted to, not handed out yet
} resource_t;

// The resources that are not a host's.
typedef struct {
    resource_t at_once;
    resource_t quarantine;
    mm_queue_t released; // those with a queue that are not granted to anybody yet
} resources_t;

// at_once: restarts in progress at most, 0: no limit.
void resources_init(resources_t *self, uint32_t at_once);
// The resource of this kind that a restart of the host needs; kind: not RESOURCE_SLOT.
resource_t *resources_of(resources_t *self, struct host *host, resource_kind_t kind);
// A restart of this host is at a worker, which refers to the host; or no longer, and the reference
// goes to the caller.
void resources_occupy(resources_t *self, struct host *host);
void resources_vacate(resources_t *self, struct host *host);
// Whether more restarts than its limits allow are in progress: some were adopted.
bool resources_are_exceeded(resources_t *self, struct host *host);
// There may be room for the first in the queue, or the queues of all that a restart of the host has
// vacated. flights_next_restart grants it, since more restarts may come back in this step.
void resources_release(resources_t *self, resource_t *resource);
void resources_release_all(resources_t *self, struct host *host);

#endif
