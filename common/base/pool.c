// See pool.h.

#include "pool.h"

#include <stdlib.h>

#define BLOCK_BYTES ((size_t)64 * 1024)
#define CACHE_LINE  64

// The block's first cache line is the link to the block before. What is left of that block is less
// than one object.
static void add_block(mm_pool_t *self)
{
    void **block = aligned_alloc(CACHE_LINE, BLOCK_BYTES);
    assert(block);
    *block = self->blocks;
    self->blocks = block;
    self->next = (char *)block + CACHE_LINE;
    self->left = BLOCK_BYTES - CACHE_LINE;
}

void *mm_pool_cut(mm_pool_t *self, size_t bytes)
{
    if (self->left < bytes)
        add_block(self);
    void *object = self->next;
    self->next += bytes;
    self->left -= bytes;
    return object;
}

void mm_pool_clear(mm_pool_t *self)
{
    for (void **block; (block = self->blocks) != NULL;) {
        self->blocks = *block;
        free(block);
    }
    *self = (mm_pool_t){0};
}
