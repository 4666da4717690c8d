// Names seen so far, each kept once: what is in flight points to its publisher's and worker's name.
// Pure.

#ifndef NAME_POOL_H
#define NAME_POOL_H

#include "job.h"

#include <uthash.h>

#define NAME_POOL_MAX 4096 // kept at a time

typedef struct name_pool_item name_pool_item_t;

typedef struct {
    name_pool_item_t *table;
    name_pool_item_t *latest; // that was asked for; NULL: it may be gone
} name_pool_t;

// The kept copy, NUL-terminated, valid until it is dropped; NULL when it is no name or there are
// NAME_POOL_MAX already.
const char *name_pool_intern(name_pool_t *self, mm_str_t name);
// Whether it is time to drop those that nothing points to any more: mark all that are in use (NULL
// is allowed), then drop the rest. Who comes again and again under new names then takes no memory,
// and shuts out nobody.
bool name_pool_is_crowded(const name_pool_t *self);
void name_pool_mark(const name_pool_t *self, const char *name);
void name_pool_drop_unmarked(name_pool_t *self);
void name_pool_clear(name_pool_t *self);

#endif
