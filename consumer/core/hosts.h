// Which hosts are being restarted, and which jobs wait for one (I8, R2). Pure.
// An entry lives as long as anything refers to it.

#ifndef HOSTS_H
#define HOSTS_H

#include "job.h"

#include "table.h"

struct flight;

typedef struct host {
    uint32_t references; // jobs in flight and holdings
    uint32_t busy;       // restarts held by workers that are not presumed lost
    union {
        struct flight *waiting; // jobs that want it, in order of arrival (utlist)
        struct host *next_spare;
    };
    uint64_t hash;
    uint8_t size;
    uint8_t capacity; // for a name
    char name[];
} host_t;

typedef struct {
    mm_table_t table; // by name
    host_t *spare;    // some to use again
    size_t spare_count;
} hosts_t;

// The host of this name with one more reference.
host_t *hosts_get(hosts_t *self, mm_str_t name);
// Gives a reference back; *host_p becomes NULL.
void hosts_put(hosts_t *self, host_t **host_p);
// No host may be referred to any more.
void hosts_clear(hosts_t *self);
mm_str_t host_name(const host_t *self);

#endif
