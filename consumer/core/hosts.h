// What restarts share: their host, of which one is restarted at a time (I8), and the limit of all
// restarts in progress. A resource counts what workers hold (R2) and queues the jobs that wait for
// it. Pure. A host lives as long as anything refers to it.

#ifndef HOSTS_H
#define HOSTS_H

#include "job.h"

#include "pool.h"
#include "table.h"

struct flight;

// Which flight may take it next is flight.h's to say, whether it may is admission.h's.
typedef struct resource {
    uint32_t busy;             // restarts held by workers that are not presumed lost
    uint32_t limit;            // of busy, at least 1; only adopted restarts exceed it
    uint32_t turns;            // flights that have their turn and are not handed out yet
    uint32_t length;           // of the queue
    struct flight *waiting;    // the queue, in order of arrival (utlist)
    struct resource *released; // the next one of which something was released (utlist)
    bool is_released;
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

// The host of this name with one more reference.
host_t *hosts_get(hosts_t *self, mm_str_t name);
// Returns a reference; *host_p becomes NULL.
void hosts_put(hosts_t *self, host_t **host_p);
// A worker holds a restart of this host from now on, with a reference of its own; or no longer, and
// the reference passes to the caller.
void hosts_occupy(hosts_t *self, host_t *host);
void hosts_vacate(hosts_t *self, host_t *host);
// Requires that nothing refers to a host.
void hosts_clear(hosts_t *self);
mm_str_t host_name(const host_t *self);

#endif
