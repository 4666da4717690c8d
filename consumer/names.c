// See names.h.

#include "names.h"
#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct names_item {
    UT_hash_handle hh;
    mm_name_t name;
};

const char *names_intern(names_t *self, mm_text_t name)
{
    names_item_t *item = NULL;
    HASH_FIND(hh, self->table, name.data, name.size, item);
    if (item)
        return item->name.text;
    mm_name_t copy;
    if (!mm_name_from(name, &copy) || HASH_COUNT(self->table) >= NAMES_MAX)
        return NULL;
    item = calloc(1, sizeof *item);
    assert(item);
    item->name = copy;
    HASH_ADD_KEYPTR(hh, self->table, item->name.text, name.size, item);
    return item->name.text;
}

void names_clear(names_t *self)
{
    names_item_t *item, *next;
    HASH_ITER (hh, self->table, item, next) {
        HASH_DELETE(hh, self->table, item);
        free(item);
    }
}
