// The groups of the hosts of a list: of each one its attribute "groups".

#ifndef HOST_GROUPS_H
#define HOST_GROUPS_H

#include "job.h"

typedef struct host_groups host_groups_t;

host_groups_t *host_groups_new(void);
void host_groups_destroy(host_groups_t **self_p); // idempotent

// Adds a host, by its folded form, with the groups that its attributes say. Each host once.
void host_groups_put(host_groups_t *self, mm_str_t host, mm_str_t attributes);
// The attributes with the groups of the host instead of those that they say, in the buffer. A host
// that was not added keeps its own.
mm_str_t host_groups_set(const host_groups_t *self, mm_str_t host, mm_str_t attributes,
                         char buffer[MM_ATTRIBUTES_BYTES]);

#endif
