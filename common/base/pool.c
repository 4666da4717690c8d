// See pool.h.

#include "pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 * 1024)

static size_t class_of(size_t size)
{
    assert(size > 0 && size <= MM_POOL_MAX);
    return (size - 1) / MM_POOL_STEP;
}

// The block's first step is the link to the block before.
static void add_block(mm_pool_t *self)
{
    void **block = malloc(BLOCK_BYTES);
    assert(block);
    *block = self->blocks;
    self->blocks = block;
    self->next = (char *)block + MM_POOL_STEP;
    self->left = BLOCK_BYTES - MM_POOL_STEP;
}

void *mm_pool_take(mm_pool_t *self, size_t size)
{
    size_t class = class_of(size), bytes = (class + 1) * MM_POOL_STEP;
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

void mm_pool_put(mm_pool_t *self, void *thing, size_t size)
{
    size_t class = class_of(size);
    *(void **)thing = self->free[class];
    self->free[class] = thing;
}

void mm_pool_clear(mm_pool_t *self)
{
    for (void **block; (block = self->blocks) != NULL;) {
        self->blocks = *block;
        free(block);
    }
    *self = (mm_pool_t){0};
}
