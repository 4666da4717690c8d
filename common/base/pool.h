// Memory for many small objects that come and go: cut from blocks, and used again for the next
// object of about the same size, so that there is no malloc for each. The blocks stay until the
// pool is cleared: it holds the most that was ever needed at one time. An object begins with a
// cache line if the sizes of all objects of the pool are multiples of one.

#ifndef MM_POOL_H
#define MM_POOL_H

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define MM_POOL_STEP    16 // sizes are rounded up to its multiples
#define MM_POOL_CLASSES 192
#define MM_POOL_MAX     (MM_POOL_STEP * MM_POOL_CLASSES) // bytes of one object

// Zeroed: empty.
typedef struct {
    void *free[MM_POOL_CLASSES]; // lists, by size; each object begins with the next one
    void *blocks;                // a list, too
    char *next;                  // free bytes of the newest block
    size_t left;
} mm_pool_t;

// Frees all blocks, and with them all objects.
void mm_pool_clear(mm_pool_t *self);

// By mm_pool_get: bytes of the newest block. Aborts when there is no memory.
void *mm_pool_cut(mm_pool_t *self, size_t bytes);

static inline size_t mm_pool_class(size_t size)
{
    assert(size - 1 < MM_POOL_MAX); // also not 0
    return (size - 1) / MM_POOL_STEP;
}

// An object of `size` bytes, 1 to MM_POOL_MAX, aligned for any type; what is in it is undefined.
// Aborts when there is no memory.
static inline void *mm_pool_get(mm_pool_t *self, size_t size)
{
    size_t class = mm_pool_class(size);
    void **object = self->free[class];
    if (object)
        self->free[class] = *object;
    else
        object = mm_pool_cut(self, (class + 1) * MM_POOL_STEP);
    return object;
}

// The same, all zero.
static inline void *mm_pool_take(mm_pool_t *self, size_t size)
{
    return memset(mm_pool_get(self, size), 0, size);
}

// Gives an object back, with the size that it was taken with.
static inline void mm_pool_put(mm_pool_t *self, void *object, size_t size)
{
    size_t class = mm_pool_class(size);
    *(void **)object = self->free[class];
    self->free[class] = object;
}

#endif
