// See table.h.

#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 64
#define PROBES_MAX  256 // more make the table scatter; most items need a few

// An item nearer to its home makes room for one farther from it. Returns the number of slots
// probed.
static size_t put(mm_table_t *self, uint64_t hash, void *item)
{
    mm_table_slot_t carried = {hash, item};
    size_t i = mm_table_home(self, hash), probes = 0;
    for (size_t far = 0; self->slots[i].item; far++, probes++, i = (i + 1) & self->mask) {
        size_t distance = mm_table_distance(self, i);
        if (distance >= far)
            continue;
        mm_table_slot_t slot = self->slots[i];
        self->slots[i] = carried;
        carried = slot;
        far = distance;
    }
    self->slots[i] = carried;
    return probes;
}

static void rebuild(mm_table_t *self, size_t size)
{
    mm_table_t former = *self;
    self->slots = calloc(size, sizeof *self->slots);
    assert(self->slots);
    self->mask = size - 1;
    void *item;
    for (size_t at = 0; (item = mm_table_next(&former, &at)) != NULL;)
        (void)put(self, former.slots[at - 1].hash, item);
    free(former.slots);
}

void mm_table_add(mm_table_t *self, uint64_t hash, void *item)
{
    assert(item);
    if (!self->slots || 5 * (self->count + 1) > 4 * (self->mask + 1))
        rebuild(self, self->slots ? 2 * (self->mask + 1) : SLOTS_FIRST);
    size_t probes = put(self, hash, item);
    self->count++;
    if (probes <= PROBES_MAX || self->scatters)
        return;
    self->scatters = true;
    rebuild(self, self->mask + 1);
}

// Items behind the gap that are not at home move back by one: no search may end too early.
void mm_table_remove(mm_table_t *self, uint64_t hash, const void *item)
{
    assert(self->count > 0);
    size_t gap = mm_table_home(self, hash);
    for (; self->slots[gap].item != item; gap = (gap + 1) & self->mask)
        assert(self->slots[gap].item);
    for (size_t i = (gap + 1) & self->mask; self->slots[i].item && mm_table_distance(self, i) > 0;
         i = (i + 1) & self->mask) {
        self->slots[gap] = self->slots[i];
        gap = i;
    }
    self->slots[gap].item = NULL;
    self->count--;
}

void mm_table_empty(mm_table_t *self)
{
    if (self->count > 0)
        memset(self->slots, 0, (self->mask + 1) * sizeof *self->slots);
    self->count = 0;
}

void mm_table_clear(mm_table_t *self)
{
    free(self->slots);
    *self = (mm_table_t){0};
}
