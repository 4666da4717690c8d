// Growable arrays: the one growth formula. An array is three fields of its owner, say `items`,
// `count` and `capacity`; zeroed it is empty, and its owner frees `items`.

#ifndef MM_ARRAY_H
#define MM_ARRAY_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#define MM_ARRAY_FIRST 16 // items of the first allocation

// The array with room for at least `needed` items of `size` bytes each: as it is, or moved to twice
// its capacity or more, which *capacity then says. Aborts when there is no memory.
static inline void *mm_array_reserve(void *items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return items;
    size_t grown = *capacity ? 2 * *capacity : MM_ARRAY_FIRST;
    *capacity = grown < needed ? needed : grown;
    items = realloc(items, *capacity * size);
    assert(items);
    return items;
}

// Appends one item to the array in the fields ITEMS, COUNT and CAPACITY: a pointer to it, to fill.
#define MM_ARRAY_ADD(ITEMS, COUNT, CAPACITY)                                                       \
    ((COUNT) < (CAPACITY)                                                                          \
         ? (void)0                                                                                 \
         : (void)((ITEMS) = mm_array_reserve((ITEMS), &(CAPACITY), (COUNT) + 1, sizeof *(ITEMS))), \
     &(ITEMS)[(COUNT)++])

#endif
