// The set of hosts that a source has given. It is exact, only grows and keeps no order. It is not
// an mm_table of allocated texts because it has to hold the hosts of the largest inventory at once:
// 8 bytes a slot, of which 38 to 75 % are taken, and a byte beside each text. Ten million hosts of
// 23 bytes take 38 bytes each, 62 in an mm_table.

#ifndef HOSTSET_H
#define HOSTSET_H

#include "job.h"

#define HOSTSET_MANY 32

typedef struct hostset hostset_t;

hostset_t *hostset_new(void);
// Idempotent.
void hostset_destroy(hostset_t **self_p);

// Adds a copy of host (1 to MM_HOST_MAX bytes); true when it was not there before.
bool hostset_add(hostset_t *self, mm_str_t host);
// The same for up to HOSTSET_MANY of them, in order. The slots of a large set are not in the cache:
// they are prefetched together, so that the hosts do not wait for memory one by one.
void hostset_add_many(hostset_t *self, const mm_str_t *hosts, size_t count, bool *ret_new);
bool hostset_has(const hostset_t *self, mm_str_t host);
uint64_t hostset_count(const hostset_t *self);

#endif
