// See batch.h.

#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "uuid.h"

// Appends a text's bytes. They may move later, as the reals may, so place sets all pointers, in the
// same order.
static void keep(batch_t *self, mm_str_t text)
{
    if (text.size == 0)
        return;
    self->bytes =
        mm_array_reserve(self->bytes, &self->byte_capacity, self->byte_count + text.size, 1);
    memcpy(self->bytes + self->byte_count, text.data, text.size);
    self->byte_count += text.size;
}

void batch_add(batch_t *self, const mm_task_t *task)
{
    MM_ARRAY_ADD(self->items, self->item_count, self->item_capacity)->task = *task;
    keep(self, task->host);
    keep(self, task->publisher);
    keep(self, task->worker);
    keep(self, task->error);
    if (task->real == NULL)
        return;
    *MM_ARRAY_ADD(self->reals, self->real_count, self->real_capacity) = *task->real;
    keep(self, task->real->worker);
    keep(self, task->real->words);
    keep(self, task->real->health);
    keep(self, task->real->attributes);
}

static const char *place_texts(const char *next, mm_str_t *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        texts[i]->data = next;
        next += texts[i]->size;
    }
    return next;
}

static void place(batch_t *self)
{
    const char *next = self->bytes;
    mm_real_t *real = self->reals;
    for (size_t i = 0; i < self->item_count; i++) {
        mm_task_t *task = &self->items[i].task;
        mm_str_t *texts[] = {&task->host, &task->publisher, &task->worker, &task->error};
        next = place_texts(next, texts, sizeof texts / sizeof texts[0]);
        if (task->real == NULL)
            continue;
        task->real = real++;
        mm_str_t *of_real[] = {&task->real->worker, &task->real->words, &task->real->health,
                               &task->real->attributes};
        next = place_texts(next, of_real, sizeof of_real / sizeof of_real[0]);
    }
}

static bool is_of_job(const void *row, const void *id)
{
    return mm_id_equal(&((const batch_row_t *)row)->first->task.id, id);
}

static void add_to_row(batch_t *self, batch_item_t *item)
{
    const mm_task_t *task = &item->task;
    uint64_t hash = mm_id_hash(&task->id);
    batch_row_t *row = mm_table_find(&self->row_of, hash, is_of_job, &task->id);
    if (row == NULL) {
        row = &self->rows[self->row_count++];
        *row = (batch_row_t){.first = item, .received_ms = INT64_MAX, .proof = MM_PROOF_REHEARSED};
        mm_table_add(&self->row_of, hash, row);
    }
    if (task->leg == MM_LEG_SETTLE && row->settle == NULL)
        row->settle = item;
    if (task->deliveries > row->deliveries)
        row->deliveries = task->deliveries;
    if (task->received_ms < row->received_ms)
        row->received_ms = task->received_ms;
    row->has_attempts |= task->real != NULL;
    item->row = row;
    item->answer = NULL;
}

void batch_sort(batch_t *self)
{
    place(self);
    mm_table_empty(&self->row_of);
    self->row_count = 0;
    self->rows =
        mm_array_reserve(self->rows, &self->row_capacity, self->item_count, sizeof *self->rows);
    for (size_t i = 0; i < self->item_count; i++)
        add_to_row(self, &self->items[i]);
}

void batch_empty(batch_t *self)
{
    self->item_count = 0;
    self->byte_count = 0;
    self->real_count = 0;
}

void batch_clear(batch_t *self)
{
    mm_table_clear(&self->row_of);
    free(self->items);
    free(self->bytes);
    free(self->reals);
    free(self->rows);
    *self = (batch_t){0};
}
