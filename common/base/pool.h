// Memory for many small things that come and go: cut from blocks, and given again to the next thing
// of about the same size. There is no malloc for each. The blocks stay until the pool is cleared,
// so it holds the most that was ever needed at a time. Pure but for malloc and free.

#ifndef MM_POOL_H
#define MM_POOL_H

#include <stddef.h>

#define MM_POOL_STEP    32 // sizes are rounded up to its multiples
#define MM_POOL_CLASSES 16
#define MM_POOL_MAX     (MM_POOL_STEP * MM_POOL_CLASSES)

// Zeroed: empty.
typedef struct {
    void *free[MM_POOL_CLASSES]; // lists, by size; each thing begins with the next one
    void *blocks;                // a list, too
    char *next;                  // of the newest block
    size_t left;
} mm_pool_t;

// Bytes that are zero, aligned for anything; size is 1 to MM_POOL_MAX. Aborts when there is no
// memory.
void *mm_pool_take(mm_pool_t *self, size_t size);
// Gives a thing back, with the size that it was taken with.
void mm_pool_put(mm_pool_t *self, void *thing, size_t size);
// Frees it all, with the things.
void mm_pool_clear(mm_pool_t *self);

#endif
