// See names.h.

#include "name_pool.h"
#include "host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct names_item {
    UT_hash_handle hh;
    bool marked;
    mm_name_t name;
};

const char *names_intern(names_t *self, mm_text_t name)
{
    names_item_t *item = self->latest; // names come many times in a row
    if (item && mm_text_equal(mm_text(item->name.text), name))
        return item->name.text;
    HASH_FIND(hh, self->table, name.data, name.size, item);
    if (item) {
        self->latest = item;
        return item->name.text;
    }
    mm_name_t copy;
    if (!mm_name_from(name, &copy) || HASH_COUNT(self->table) >= NAMES_MAX)
        return NULL;
    item = calloc(1, sizeof *item);
    assert(item);
    item->name = copy;
    HASH_ADD_KEYPTR(hh, self->table, item->name.text, name.size, item);
    self->latest = item;
    return item->name.text;
}

bool names_are_many(const names_t *self)
{
    return HASH_COUNT(self->table) >= NAMES_MAX / 2;
}

void names_mark(const names_t *self, const char *name)
{
    names_item_t *item = NULL;
    if (name)
        HASH_FIND_STR(self->table, name, item);
    if (item)
        item->marked = true;
}

void names_drop_unmarked(names_t *self)
{
    self->latest = NULL;
    names_item_t *item, *next;
    HASH_ITER (hh, self->table, item, next) {
        if (!item->marked) {
            HASH_DELETE(hh, self->table, item);
            free(item);
            continue;
        }
        item->marked = false;
    }
}

void names_clear(names_t *self)
{
    self->latest = NULL;
    names_item_t *item, *next;
    HASH_ITER (hh, self->table, item, next) {
        HASH_DELETE(hh, self->table, item);
        free(item);
    }
}
