// Names seen so far, each kept once: what is in flight points to its publisher's and worker's name.
// Pure.

#ifndef NAMES_H
#define NAMES_H

#include "job.h"

#include <uthash.h>

#define NAMES_MAX 4096 // kept at a time

typedef struct names_item names_item_t;

typedef struct {
    names_item_t *table;
    names_item_t *latest; // that was asked for; NULL: it may be gone
} names_t;

// The kept copy, NUL-terminated, valid until it is dropped; NULL when it is no name or there are
// NAMES_MAX already.
const char *names_intern(names_t *self, mm_text_t name);
// Whether it is time to drop those that nothing points to any more: mark all that are in use (NULL
// is allowed), then drop the rest. Who comes again and again under new names then takes no memory,
// and shuts out nobody.
bool names_are_many(const names_t *self);
void names_mark(const names_t *self, const char *name);
void names_drop_unmarked(names_t *self);
void names_clear(names_t *self);

#endif
