// A part of a list: the hosts that --only names, by patterns or by groups.

#ifndef HOST_FILTER_H
#define HOST_FILTER_H

#include "host.h"
#include "hostset.h"

typedef struct host_filter host_filter_t;

// Of "web-*,eu": each name is a group, or a pattern of hosts with * ? [a-z] as a shell has them.
// NULL: the list has no name, and no host is left out.
host_filter_t *host_filter_new(const char *only);
void host_filter_destroy(host_filter_t **self_p); // idempotent

// Whether it names the host, whose case does not matter, or one of its groups, which have commas
// between them.
bool host_filter_takes(const host_filter_t *self, mm_str_t host, mm_str_t groups);
// Whether it names this group.
bool host_filter_has(const host_filter_t *self, mm_str_t group);
// Adds the names of groups, which have commas between them, to a set; NULL: to none.
void host_groups_add(hostset_t *set, mm_str_t groups);

#endif
