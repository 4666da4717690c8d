// The resources that restarts share: their host, with one restart at a time (I8), and the limit of
// all restarts in progress. A resource counts the restarts at workers (R2) and queues the flights
// that wait for it. A host exists as long as there is a reference to it.

#ifndef HOSTS_H
#define HOSTS_H

#include "job.h"

#include "pool.h"
#include "table.h"

struct flight;

// The resources of a restart, in the order in which it waits for them: from those that few jobs
// share to those that all share.
typedef enum {
    RESOURCE_HOST,       // limit 1 per host (I8)
    RESOURCE_AT_ONCE,    // all restarts in progress
    RESOURCE_QUARANTINE, // limit 1, alone on its restarter: only after two lost workers (R7)
    RESOURCE_SLOT        // a restarter's credit (I6); its queue holds RESTART_READY
} resource_kind_t;

// flight.h moves the flights between its queue and its turns, admission.h decides who may take it.
typedef struct resource {
    uint32_t busy;                    // restarts at workers that are not presumed lost
    uint32_t limit;                   // of busy, 1 or more; only adopted restarts exceed it
    uint32_t turns;                   // flights that have their turn, not handed out yet
    struct flight *waiting;           // the queue, in order of arrival (utlist)
    struct resource *previous, *next; // released ones (utlist); previous NULL: not in the list
} resource_t;

typedef struct host {
    resource_t restarts; // of this host; its limit is 1
    uint64_t hash;
    uint32_t references; // flights and assignments
    uint8_t size;
    char name[];
} host_t;

typedef struct {
    mm_table_t table; // by name
    mm_pool_t pool;
    resource_t at_once; // the restarts of all hosts
} hosts_t;

// The resource of this kind that a restart of the host occupies; kind: below RESOURCE_QUARANTINE.
static inline resource_t *hosts_resource(hosts_t *self, host_t *host, unsigned kind)
{
    return kind == RESOURCE_HOST ? &host->restarts : &self->at_once;
}

// The host of this name with one more reference.
host_t *hosts_get(hosts_t *self, mm_str_t name);
// Returns a reference; *host_p becomes NULL.
void hosts_put(hosts_t *self, host_t **host_p);
// A restart of this host is at a worker from now on, with one more reference; or no longer, and
// that reference goes to the caller.
void hosts_occupy(hosts_t *self, host_t *host);
void hosts_vacate(hosts_t *self, host_t *host);
// Requires that nothing refers to a host.
void hosts_clear(hosts_t *self);
mm_str_t host_name(const host_t *self);

#endif
