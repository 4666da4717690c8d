// See settled_cache.h.

#include "settled_cache.h"
#include "job.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static bool has_id(const void *item, const void *id)
{
    return mm_id_equal(&((const settled_item_t *)item)->id, id);
}

settled_item_t *settled_cache_find(const settled_cache_t *self, const mm_id_t *id)
{
    if (mm_id_compare(id, &self->highest) > 0)
        return NULL;
    return mm_table_find(&self->table, mm_id_hash(id), has_id, id);
}

static settled_list_t *list_of(settled_cache_t *self, mm_outcome_t outcome)
{
    return outcome == MM_OUTCOME_NONE ? &self->nacked : &self->settled;
}

static void unlink_item(settled_cache_t *self, settled_item_t *item)
{
    settled_list_t *list = list_of(self, item->outcome);
    mm_table_remove(&self->table, mm_id_hash(&item->id), item);
    DL_DELETE(list->items, item);
    list->count--;
}

static void link_item(settled_cache_t *self, settled_item_t *item)
{
    settled_list_t *list = list_of(self, item->outcome);
    mm_table_add(&self->table, mm_id_hash(&item->id), item);
    DL_APPEND(list->items, item);
    list->count++;
}

static void make_room(settled_cache_t *self, mm_outcome_t outcome)
{
    const settled_list_t *list = list_of(self, outcome);
    if (list->count < list->most)
        return;
    const mm_id_t *oldest = &list->items->id;
    if (outcome != MM_OUTCOME_NONE && mm_id_compare(oldest, &self->newest_dropped) > 0)
        self->newest_dropped = *oldest;
    settled_cache_remove(self, list->items);
}

static settled_item_t *new_item(settled_cache_t *self, const mm_id_t *id)
{
    settled_item_t *item = mm_pool_take(&self->pool, sizeof *item);
    item->id = *id;
    if (mm_id_compare(id, &self->highest) > 0)
        self->highest = *id;
    return item;
}

settled_item_t *settled_cache_put(settled_cache_t *self, const mm_id_t *id, mm_outcome_t outcome)
{
    settled_item_t *item = settled_cache_find(self, id);
    if (item)
        unlink_item(self, item);
    make_room(self, outcome);
    if (!item)
        item = new_item(self, id);
    item->outcome = outcome;
    link_item(self, item);
    return item;
}

void settled_cache_set_error(settled_item_t *item, const char *error)
{
    free(item->error);
    item->error = error && *error ? strdup(error) : NULL;
    assert(!error || !*error || item->error);
}

void settled_cache_remove(settled_cache_t *self, settled_item_t *item)
{
    unlink_item(self, item);
    free(item->error);
    mm_pool_put(&self->pool, item, sizeof *item);
}

void settled_cache_clear(settled_cache_t *self)
{
    while (self->settled.items)
        settled_cache_remove(self, self->settled.items);
    while (self->nacked.items)
        settled_cache_remove(self, self->nacked.items);
    mm_pool_clear(&self->pool);
    mm_table_clear(&self->table);
}
