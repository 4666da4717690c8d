// See attribute_records.h.

#include "attribute_records.h"

#include <assert.h>
#include <string.h>

typedef struct {
    mm_id_t id;
    size_t size;
    char text[];
} record_t;

static_assert(sizeof(record_t) + MM_ATTRIBUTES_BYTES <= MM_POOL_MAX, "the pool takes the longest");

static bool is_of(const void *record, const void *id)
{
    return mm_id_equal(&((const record_t *)record)->id, id);
}

static record_t *find(const attribute_records_t *self, const mm_id_t *id)
{
    record_t *record = mm_table_find(&self->table, mm_id_hash(id), is_of, id);
    assert(record);
    return record;
}

void attribute_records_add(attribute_records_t *self, const mm_id_t *id, mm_str_t attributes)
{
    record_t *record = mm_pool_take(&self->pool, sizeof *record + attributes.size);
    record->id = *id;
    record->size = attributes.size;
    memcpy(record->text, attributes.data, attributes.size);
    mm_table_add(&self->table, mm_id_hash(id), record);
}

mm_str_t attribute_records_get(const attribute_records_t *self, const mm_id_t *id)
{
    const record_t *record = find(self, id);
    return (mm_str_t){record->text, record->size};
}

void attribute_records_remove(attribute_records_t *self, const mm_id_t *id)
{
    record_t *record = find(self, id);
    mm_table_remove(&self->table, mm_id_hash(id), record);
    mm_pool_put(&self->pool, record, sizeof *record + record->size);
}

void attribute_records_clear(attribute_records_t *self)
{
    mm_table_clear(&self->table);
    mm_pool_clear(&self->pool);
}
