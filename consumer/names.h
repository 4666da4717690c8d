// Names seen so far, each kept once: what is in flight points to its publisher's and worker's name.
// Pure.

#ifndef NAMES_H
#define NAMES_H

#include "job.h"

#include <uthash.h>

#define NAMES_MAX 65536 // distinct names in one life of the process

typedef struct names_item names_item_t;

typedef struct {
    names_item_t *table;
} names_t;

// The kept copy, NUL-terminated, valid until names_clear; NULL when it is no name or there are
// NAMES_MAX already.
const char *names_intern(names_t *self, mm_text_t name);
void names_clear(names_t *self);

#endif
