// The hosts and groups of an Ansible inventory, and what a host has of its groups. Of variables it
// keeps those that the command names.

#ifndef INVENTORY_TREE_H
#define INVENTORY_TREE_H

#include "attributes.h"
#include "host.h"

#define INVENTORY_HOSTS_MAX 1000000
#define INVENTORY_ERROR_MAX 640

typedef struct inventory_tree inventory_tree_t;

// Has one group, "all", in which each host is.
inventory_tree_t *inventory_tree_new(void);
void inventory_tree_destroy(inventory_tree_t **self_p); // idempotent

// The number of the group of this name, which is added when it is not there.
size_t inventory_tree_group(inventory_tree_t *self, mm_str_t name);
// A group that was only named, at this line, must have a section of its own.
void inventory_tree_name_group(inventory_tree_t *self, size_t group, uint64_t line);
void inventory_tree_define_group(inventory_tree_t *self, size_t group);
void inventory_tree_add_child(inventory_tree_t *self, size_t group, size_t child);

// The number of the host, which is added when no spelling of it is there. The first spelling and
// line stay.
size_t inventory_tree_host(inventory_tree_t *self, mm_str_t host, uint64_t line);
void inventory_tree_add_host(inventory_tree_t *self, size_t group, size_t host);
size_t inventory_tree_hosts(const inventory_tree_t *self); // how many

// Sets a variable by the number of its key, below MM_ATTRIBUTES_MAX. The last value counts.
void inventory_tree_set_of_group(inventory_tree_t *self, size_t group, size_t key, mm_str_t value);
void inventory_tree_set_of_host(inventory_tree_t *self, size_t host, size_t key, mm_str_t value);

// To be called once, when all is there. False: `why` says that a group is its own child, or is
// named and has no section, as a sentence that begins with the number of the line, "12: ...".
bool inventory_tree_resolve(inventory_tree_t *self, char why[INVENTORY_ERROR_MAX]);

// A host, when all is resolved. A value of the host goes before that of a group, and of its groups
// the one farthest from "all" counts, of several the last one by its name. The texts live as long
// as the tree, the groups until the next call.
typedef struct {
    mm_str_t host;
    mm_str_t groups;          // all but "all", with commas between them
    mm_str_t groups_with_all; // the same, and "all"
    uint64_t line;
    const char *values[MM_ATTRIBUTES_MAX]; // NULL: it has none
} inventory_host_t;
void inventory_tree_get(inventory_tree_t *self, size_t host, inventory_host_t *ret_host);

#endif
