// See slab.h.

#include "slab.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)

static size_t class_of(size_t size)
{
    assert(size > 0 && size <= SLAB_MAX);
    return (size - 1) / SLAB_STEP;
}

// The block's first step is the link to the block before.
static void add_block(slab_t *self)
{
    void **block = malloc(BLOCK_BYTES);
    assert(block);
    *block = self->blocks;
    self->blocks = block;
    self->next = (char *)block + SLAB_STEP;
    self->left = BLOCK_BYTES - SLAB_STEP;
}

void *slab_take(slab_t *self, size_t size)
{
    size_t class = class_of(size), bytes = (class + 1) * SLAB_STEP;
    void **thing = self->free[class];
    if (thing) {
        self->free[class] = *thing;
    } else {
        if (self->left < bytes)
            add_block(self); // the rest of the former one is less than one thing
        thing = (void **)(void *)self->next;
        self->next += bytes;
        self->left -= bytes;
    }
    memset(thing, 0, size);
    return thing;
}

void slab_give(slab_t *self, void *thing, size_t size)
{
    size_t class = class_of(size);
    *(void **)thing = self->free[class];
    self->free[class] = thing;
}

void slab_clear(slab_t *self)
{
    for (void **block; (block = self->blocks) != NULL;) {
        self->blocks = *block;
        free(block);
    }
    *self = (slab_t){0};
}
