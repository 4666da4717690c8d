// See dead_before.h.

#include "dead_before.h"

#include "string_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct dead_before_item {
    mm_name_t name;
    uint32_t dead; // UINT32_MAX: so many, or more; no limit is higher
    bool is_final; // it was named together with this consumer's epoch
    UT_hash_handle hh;
};

// NULL: it is no name, or one too many.
static dead_before_item_t *find(dead_before_t *self, mm_str_t publisher)
{
    dead_before_item_t *item = self->latest;
    mm_name_t name;
    if (item && mm_str_equal(mm_str(item->name.text), publisher))
        return item;
    HASH_FIND(hh, self->by_name, publisher.data, publisher.size, item);
    if (!item) {
        if (HASH_COUNT(self->by_name) >= DEAD_BEFORE_MAX || !mm_name_from(publisher, &name))
            return NULL;
        item = calloc(1, sizeof *item);
        assert(item);
        item->name = name;
        HASH_ADD_KEYPTR(hh, self->by_name, item->name.text, strlen(item->name.text), item);
    }
    self->latest = item;
    return item;
}

void dead_before_hear(dead_before_t *self, mm_str_t publisher, bool is_ours, uint64_t dead)
{
    dead_before_item_t *item = find(self, publisher);
    if (!item || item->is_final)
        return;
    self->sum -= item->dead;
    item->dead = dead < UINT32_MAX ? (uint32_t)dead : UINT32_MAX;
    item->is_final = is_ours;
    self->sum += item->dead;
}

void dead_before_clear(dead_before_t *self)
{
    dead_before_item_t *item, *next;
    HASH_ITER (hh, self->by_name, item, next) {
        HASH_DELETE(hh, self->by_name, item);
        free(item);
    }
    *self = (dead_before_t){0};
}
