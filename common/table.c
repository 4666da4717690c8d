// See table.h.

#include "table.h"

#include <assert.h>
#include <stdlib.h>

#define SLOTS_FIRST 64

static void put(mm_table_t *self, uint64_t hash, void *item)
{
    size_t i = mm_table_home(self, hash);
    while (self->slots[i].item)
        i = (i + 1) & self->mask;
    self->slots[i] = (mm_table_slot_t){hash, item};
}

static void grow(mm_table_t *self)
{
    mm_table_t former = *self;
    size_t size = former.slots ? 2 * (former.mask + 1) : SLOTS_FIRST;
    self->slots = calloc(size, sizeof *self->slots);
    assert(self->slots);
    self->mask = size - 1;
    self->shift = 64;
    while (size >>= 1)
        self->shift--;
    void *item;
    for (size_t at = 0; (item = mm_table_next(&former, &at)) != NULL;)
        put(self, former.slots[at - 1].hash, item);
    free(former.slots);
}

void mm_table_add(mm_table_t *self, uint64_t hash, void *item)
{
    assert(item);
    if (!self->slots || 5 * (self->count + 1) > 4 * (self->mask + 1))
        grow(self);
    put(self, hash, item);
    self->count++;
}

// What stands behind the gap and was pushed over it moves back, so that no search ends too early.
void mm_table_remove(mm_table_t *self, uint64_t hash, const void *item)
{
    assert(self->count > 0);
    size_t gap = mm_table_home(self, hash);
    for (; self->slots[gap].item != item; gap = (gap + 1) & self->mask)
        assert(self->slots[gap].item);
    for (size_t i = (gap + 1) & self->mask; self->slots[i].item; i = (i + 1) & self->mask) {
        size_t home = mm_table_home(self, self->slots[i].hash);
        if (((i - home) & self->mask) < ((i - gap) & self->mask))
            continue;
        self->slots[gap] = self->slots[i];
        gap = i;
    }
    self->slots[gap].item = NULL;
    self->count--;
}

void mm_table_clear(mm_table_t *self)
{
    free(self->slots);
    *self = (mm_table_t){0};
}
