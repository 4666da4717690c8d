// Memory for many small things that come and go: cut from blocks, and given again to the next thing
// of about the same size. No malloc for each; the blocks are kept until the end, so that it holds
// what was needed at most.

#ifndef SLAB_H
#define SLAB_H

#include <stddef.h>

#define SLAB_STEP    32 // sizes are rounded up to its multiples
#define SLAB_CLASSES 16
#define SLAB_MAX     (SLAB_STEP * SLAB_CLASSES)

// Zeroed: empty.
typedef struct {
    void *free[SLAB_CLASSES]; // lists, by size; each thing begins with the next one
    void *blocks;             // a list, too
    char *next;               // of the newest block
    size_t left;
} slab_t;

// Bytes that are zero, aligned for anything; size is 1 to SLAB_MAX. Aborts when there is no memory.
void *slab_take(slab_t *self, size_t size);
// With the size that was taken.
void slab_give(slab_t *self, void *thing, size_t size);
// Frees it all, with the things.
void slab_clear(slab_t *self);

#endif
