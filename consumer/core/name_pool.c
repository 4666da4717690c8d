// See name_pool.h.

#include "name_pool.h"
#include "host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct name_pool_item {
    UT_hash_handle hh;
    bool marked;
    mm_name_t name;
};

const char *name_pool_intern(name_pool_t *self, mm_str_t name)
{
    name_pool_item_t *item = self->latest; // often asked for many times in a row
    if (item && mm_name_is(&item->name, name))
        return item->name.text;
    HASH_FIND(hh, self->table, name.data, name.size, item);
    if (item) {
        self->latest = item;
        return item->name.text;
    }
    mm_name_t copy;
    if (!mm_name_from(name, &copy) || HASH_COUNT(self->table) >= NAME_POOL_MAX)
        return NULL;
    item = calloc(1, sizeof *item);
    assert(item);
    item->name = copy;
    HASH_ADD_KEYPTR(hh, self->table, item->name.text, name.size, item);
    self->latest = item;
    return item->name.text;
}

bool name_pool_is_crowded(const name_pool_t *self)
{
    return HASH_COUNT(self->table) >= NAME_POOL_MAX / 2;
}

void name_pool_mark(const name_pool_t *self, const char *name)
{
    name_pool_item_t *item = NULL;
    if (name)
        HASH_FIND_STR(self->table, name, item);
    if (item)
        item->marked = true;
}

void name_pool_drop_unmarked(name_pool_t *self)
{
    self->latest = NULL;
    name_pool_item_t *item, *next;
    HASH_ITER (hh, self->table, item, next) {
        if (!item->marked) {
            HASH_DELETE(hh, self->table, item);
            free(item);
            continue;
        }
        item->marked = false;
    }
}

void name_pool_clear(name_pool_t *self)
{
    self->latest = NULL;
    name_pool_item_t *item, *next;
    HASH_ITER (hh, self->table, item, next) {
        HASH_DELETE(hh, self->table, item);
        free(item);
    }
}
