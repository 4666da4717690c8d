// A hash table of pointers for what is looked up with each message: open addressing, linear
// probing, four fifths full at most. The items and their keys are the caller's; the table knows
// their hashes. Tables that are not in a hurry use uthash.

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
    size_t mask;    // slots - 1: they are a power of two
    unsigned shift; // 64 - log2(slots)
    size_t count;   // of items
} mm_table_t;

// Adds an item whose key is not in the table. Not NULL. Aborts when there is no memory.
void mm_table_add(mm_table_t *self, uint64_t hash, void *item);
// Removes an item that is in the table.
void mm_table_remove(mm_table_t *self, uint64_t hash, const void *item);
// Frees the slots, not the items.
void mm_table_clear(mm_table_t *self);

// Where the search for a hash begins: Fibonacci hashing, so that numbers in a row are as good as
// random ones.
static inline size_t mm_table_home(const mm_table_t *self, uint64_t hash)
{
    return (size_t)(hash * UINT64_C(0x9E3779B97F4A7C15) >> self->shift);
}

// The item with this hash of which `is` says that it has the key; NULL: there is none.
static inline void *mm_table_find(const mm_table_t *self, uint64_t hash,
                                  bool (*is)(const void *item, const void *key), const void *key)
{
    if (self->count == 0)
        return NULL;
    for (size_t i = mm_table_home(self, hash);; i = (i + 1) & self->mask) {
        const mm_table_slot_t *slot = &self->slots[i];
        if (!slot->item || (slot->hash == hash && is(slot->item, key)))
            return slot->item;
    }
}

// All items in no order: *at is 0 at first; NULL: there are no more. Nothing may be added or
// removed meanwhile.
static inline void *mm_table_next(const mm_table_t *self, size_t *at)
{
    void *item = NULL;
    while (!item && self->slots && *at <= self->mask)
        item = self->slots[(*at)++].item;
    return item;
}

#endif
