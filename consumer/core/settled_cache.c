// See settled_cache.h.

#include "settled_cache.h"
#include "job.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(settled_item_t) <= 64, "an item is one cache line");

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

static settled_item_t *first_of(const settled_list_t *list)
{
    return MM_QUEUE_OWNER(mm_queue_first(&list->items), settled_item_t, node);
}

static void unlink_item(settled_cache_t *self, settled_item_t *item)
{
    settled_list_t *list = list_of(self, item->outcome);
    mm_table_remove(&self->table, mm_id_hash(&item->id), item);
    mm_queue_remove(&list->items, &item->node);
}

static void link_item(settled_cache_t *self, settled_item_t *item)
{
    settled_list_t *list = list_of(self, item->outcome);
    mm_table_add(&self->table, mm_id_hash(&item->id), item);
    mm_queue_add(&list->items, &item->node);
}

static void make_room(settled_cache_t *self, mm_outcome_t outcome)
{
    const settled_list_t *list = list_of(self, outcome);
    if (list->items.count < list->most)
        return;
    settled_item_t *oldest = first_of(list);
    if (outcome != MM_OUTCOME_NONE && mm_id_compare(&oldest->id, &self->newest_dropped) > 0)
        self->newest_dropped = oldest->id;
    settled_cache_remove(self, oldest);
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

static void clear_list(settled_cache_t *self, settled_list_t *list)
{
    for (settled_item_t *item; (item = first_of(list)) != NULL;)
        settled_cache_remove(self, item);
    mm_queue_clear(&list->items);
}

void settled_cache_clear(settled_cache_t *self)
{
    clear_list(self, &self->settled);
    clear_list(self, &self->nacked);
    mm_pool_clear(&self->pool);
    mm_table_clear(&self->table);
}
