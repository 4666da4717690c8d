// A hash table of pointers for the hot path (lookups with each message): open addressing, linear
// probing in order of homes (Robin Hood hashing, Celis 1986), at most four fifths full. Items and
// keys are the caller's; the table only knows their hashes. Cold tables use uthash.
//
// A cache line holds four slots, and a cache miss costs more than a few comparisons: items that are
// used together should be neighbours. So a hash has two halves. The low one is the place of an
// item, and may put consecutive keys side by side. The high one must be scattered well: the table
// turns to it when the low halves collide too often, by chance or on purpose.

#ifndef MM_TABLE_H
#define MM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint64_t hash;
    void *item; // NULL: free
} mm_table_slot_t;

// Zeroed: empty.
typedef struct {
    mm_table_slot_t *slots;
    size_t mask;   // slots - 1; their number is a power of two, at most 2^32
    size_t count;  // of items
    bool scatters; // uses the high half
} mm_table_t;

// Adds an item, not NULL, whose key is not in the table. Aborts when there is no memory.
void mm_table_add(mm_table_t *self, uint64_t hash, void *item);
// Removes an item that is in the table.
void mm_table_remove(mm_table_t *self, uint64_t hash, const void *item);
// Removes all items and keeps the slots.
void mm_table_empty(mm_table_t *self);
// Frees the slots, not the items.
void mm_table_clear(mm_table_t *self);

// The slot where the search for a hash begins.
static inline size_t mm_table_home(const mm_table_t *self, uint64_t hash)
{
    return (size_t)(self->scatters ? hash >> 32 : hash) & self->mask;
}

// The distance of the item in this slot from its home.
static inline size_t mm_table_distance(const mm_table_t *self, size_t slot)
{
    return (slot - mm_table_home(self, self->slots[slot].hash)) & self->mask;
}

// The hash of a number of a sequence.
static inline uint64_t mm_table_number(uint64_t number)
{
    uint64_t scattered = number * UINT64_C(0x9e3779b97f4a7c15);
    return (scattered & ~(uint64_t)UINT32_MAX) | (uint32_t)number;
}

// The item with this hash and key, which `is` compares; NULL: there is none.
static inline void *mm_table_find(const mm_table_t *self, uint64_t hash,
                                  bool (*is)(const void *item, const void *key), const void *key)
{
    if (self->count == 0)
        return NULL;
    size_t i = mm_table_home(self, hash);
    for (size_t far = 0;; far++, i = (i + 1) & self->mask) {
        const mm_table_slot_t *slot = &self->slots[i];
        if (!slot->item || (slot->hash == hash && is(slot->item, key)))
            return slot->item;
        if (mm_table_distance(self, i) < far)
            return NULL; // its place would be here
    }
}

// Iterates over all items in no order: *at is 0 at first; NULL: the end. Do not add or remove items
// meanwhile.
static inline void *mm_table_next(const mm_table_t *self, size_t *at)
{
    void *item = NULL;
    while (!item && self->slots && *at <= self->mask)
        item = self->slots[(*at)++].item;
    return item;
}

#endif
