// A hash table of pointers for what is looked up with each message: open addressing, linear probing
// in order of homes (Robin Hood hashing, Celis 1986), four fifths full at most. The items and their
// keys are the caller's; the table knows their hashes. Tables that are not in a hurry use uthash.
//
// What comes together should lie together: a cache line holds four slots, and a miss costs more
// than a few comparisons. So a hash has two halves. The low one says where an item goes, and may
// put keys that follow each other side by side. The high one must be scattered well: when the low
// halves collide too often (by chance, or because somebody wants them to), the table turns to it.

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
    size_t mask;   // slots - 1: they are a power of two, at most 2^32
    size_t count;  // of items
    bool scatters; // by the high half
} mm_table_t;

// Adds an item whose key is not in the table. Not NULL. Aborts when there is no memory.
void mm_table_add(mm_table_t *self, uint64_t hash, void *item);
// Removes an item that is in the table.
void mm_table_remove(mm_table_t *self, uint64_t hash, const void *item);
// Removes all items and keeps the slots.
void mm_table_empty(mm_table_t *self);
// Frees the slots, not the items.
void mm_table_clear(mm_table_t *self);

// Where the search for a hash begins.
static inline size_t mm_table_home(const mm_table_t *self, uint64_t hash)
{
    return (size_t)(self->scatters ? hash >> 32 : hash) & self->mask;
}

// How far from its home the item in this slot is.
static inline size_t mm_table_distance(const mm_table_t *self, size_t slot)
{
    return (slot - mm_table_home(self, self->slots[slot].hash)) & self->mask;
}

// The hash of a number that is one of a row.
static inline uint64_t mm_table_number(uint64_t number)
{
    uint64_t scattered = number * UINT64_C(0x9e3779b97f4a7c15);
    return (scattered & ~(uint64_t)UINT32_MAX) | (uint32_t)number;
}

// The item with this hash of which `is` says that it has the key; NULL: there is none.
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
            return NULL; // it would have been here
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
