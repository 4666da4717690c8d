// See dead_before.h.

#include "dead_before.h"

#include "string_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct dead_before_item {
    mm_name_t name;
    UT_hash_handle hh;
};

void dead_before_hear(dead_before_t *self, mm_str_t publisher, uint64_t dead)
{
    dead_before_item_t *item = NULL;
    mm_name_t name;
    if (self->latest && mm_str_equal(mm_str(self->latest->name.text), publisher))
        return;
    HASH_FIND(hh, self->by_name, publisher.data, publisher.size, item);
    if (item || HASH_COUNT(self->by_name) >= DEAD_BEFORE_MAX || !mm_name_from(publisher, &name)) {
        self->latest = item ? item : self->latest;
        return;
    }
    item = calloc(1, sizeof *item);
    assert(item);
    item->name = name;
    HASH_ADD_KEYPTR(hh, self->by_name, item->name.text, strlen(item->name.text), item);
    self->latest = item;
    self->sum = dead > UINT64_MAX - self->sum ? UINT64_MAX : self->sum + dead;
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
