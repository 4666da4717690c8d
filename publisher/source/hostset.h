// The set of hosts that a source has given: exact, and small enough for ten million of them: 8
// bytes a slot, of which 38 to 75 % are taken, and the text itself. It only grows, and keeps no
// order.

#ifndef HOSTSET_H
#define HOSTSET_H

#include "job.h"

#define HOSTSET_MANY 32

typedef struct hostset hostset_t;

hostset_t *hostset_new(void);
void hostset_destroy(hostset_t **self_p);

// Adds a copy of host (1 to MM_HOST_MAX bytes); true when it was not there before.
bool hostset_add(hostset_t *self, mm_str_t host);
// The same for up to HOSTSET_MANY of them, in order. A big set is not in the cache: their slots are
// asked of memory together, so that not each host waits for its own.
void hostset_add_many(hostset_t *self, const mm_str_t *hosts, size_t count, bool *ret_new);
uint64_t hostset_count(const hostset_t *self);

#endif
