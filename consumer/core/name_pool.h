// Interned names: flights point to the names of their publishers and workers. Pure.

#ifndef NAME_POOL_H
#define NAME_POOL_H

#include "job.h"

#include <uthash.h>

#define NAME_POOL_MAX 4096 // kept at a time

typedef struct name_pool_item name_pool_item_t;

typedef struct {
    name_pool_item_t *table;
    name_pool_item_t *latest; // of the last lookup; NULL: it may be dropped
} name_pool_t;

// The interned copy, NUL-terminated, valid until it is dropped; NULL when it is no valid name or
// the pool is full.
const char *name_pool_intern(name_pool_t *self, mm_str_t name);
// Whether to drop unused names now: mark all names in use (NULL: no-op), then drop the rest. So a
// peer that keeps changing its name neither uses up memory nor blocks others.
bool name_pool_is_crowded(const name_pool_t *self);
void name_pool_mark(const name_pool_t *self, const char *name);
void name_pool_drop_unmarked(name_pool_t *self);
void name_pool_clear(name_pool_t *self);

#endif
