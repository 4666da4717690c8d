// The hosts that jobs and restarts refer to, each once: a restart occupies its host (resources.h).
// A host exists as long as there is a reference to it.

#ifndef HOSTS_H
#define HOSTS_H

#include "job.h"

#include "pool.h"
#include "resources.h"
#include "table.h"

typedef struct host {
    resource_t restarts; // of this host; its limit is 1
    uint64_t hash;
    uint32_t references; // flights and assignments
    uint8_t size;
    char name[]; // with up to 27 bytes the host is a cache line
} host_t;

typedef struct {
    mm_table_t table; // by name
    mm_pool_t pool;
} hosts_t;

// The host of this name with one more reference.
host_t *hosts_get(hosts_t *self, mm_str_t name);
// Returns a reference; *host_p becomes NULL.
void hosts_put(hosts_t *self, host_t **host_p);
// Requires that nothing refers to a host.
void hosts_clear(hosts_t *self);
mm_str_t host_name(const host_t *self);

#endif
