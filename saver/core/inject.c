// See inject.h.

#include "inject.h"
#include "heap.h"
#include "random.h"
#include "table.h"
#include "uuid.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    mm_heap_node_t node;
    inject_item_t item;
    mm_real_t real; // what item.task.real points to, if it has one
    char texts[];
} delayed_t;

struct inject {
    inject_config_t config;
    uint64_t random;
    mm_heap_t heap;    // the tasks by due time
    mm_table_t newest; // the last task of each job that has one in the heap
    delayed_t *given;  // by the last inject_next
    bool stopped;
};

inject_t *inject_new(const inject_config_t *config)
{
    inject_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->random = config->seed;
    return self;
}

void inject_destroy(inject_t **self_p)
{
    inject_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_heap_node_t *node;
    while ((node = mm_heap_first(&self->heap)) != NULL) {
        mm_heap_remove(&self->heap, node);
        free(MM_HEAP_OWNER(node, delayed_t, node));
    }
    free(self->given);
    mm_table_clear(&self->newest);
    mm_heap_clear(&self->heap);
    free(self);
}

static bool is_of_job(const void *delayed, const void *id)
{
    return mm_id_equal(&((const delayed_t *)delayed)->item.task.id, id);
}

static delayed_t *find_newest(const inject_t *self, const mm_id_t *id)
{
    return mm_table_find(&self->newest, mm_id_hash(id), is_of_job, id);
}

// A task is due after the one of its job that came before it, which is the newest one.
static int64_t keep_order(inject_t *self, delayed_t *delayed, int64_t due_ms)
{
    const mm_id_t *id = &delayed->item.task.id;
    delayed_t *former = find_newest(self, id);
    if (former) {
        if (former->node.due_ms >= due_ms)
            due_ms = former->node.due_ms + 1;
        mm_table_remove(&self->newest, mm_id_hash(id), former);
    }
    mm_table_add(&self->newest, mm_id_hash(id), delayed);
    return due_ms;
}

void inject_put(inject_t *self, const mm_task_t *task, int64_t now_ms)
{
    const mm_real_t *real = task->real;
    size_t size = task->host.size + task->publisher.size + task->worker.size + task->error.size;
    if (real)
        size += real->worker.size + real->words.size + real->health.size + real->attributes.size;
    delayed_t *delayed = calloc(1, sizeof *delayed + size);
    assert(delayed);
    delayed->item.task = *task;
    char *end = delayed->texts;
    delayed->item.task.host = mm_str_copy(&end, task->host);
    delayed->item.task.publisher = mm_str_copy(&end, task->publisher);
    delayed->item.task.worker = mm_str_copy(&end, task->worker);
    delayed->item.task.error = mm_str_copy(&end, task->error);
    if (real) {
        delayed->real = *real;
        delayed->real.worker = mm_str_copy(&end, real->worker);
        delayed->real.words = mm_str_copy(&end, real->words);
        delayed->real.health = mm_str_copy(&end, real->health);
        delayed->real.attributes = mm_str_copy(&end, real->attributes);
        delayed->item.task.real = &delayed->real;
    }
    delayed->item.fails = mm_random_below(&self->random, 1000000) < self->config.fail_ppm;
    int64_t span = self->config.time_to_ms - self->config.time_from_ms;
    int64_t due_ms = now_ms + self->config.time_from_ms +
                     (int64_t)mm_random_below(&self->random, (uint64_t)span + 1);
    mm_heap_put(&self->heap, &delayed->node, keep_order(self, delayed, due_ms));
}

bool inject_next(inject_t *self, int64_t now_ms, inject_item_t *ret_item)
{
    mm_heap_node_t *node = mm_heap_first(&self->heap);
    if (!node || (node->due_ms > now_ms && !self->stopped))
        return false;
    mm_heap_remove(&self->heap, node);
    free(self->given);
    self->given = MM_HEAP_OWNER(node, delayed_t, node);
    const mm_id_t *id = &self->given->item.task.id;
    if (find_newest(self, id) == self->given)
        mm_table_remove(&self->newest, mm_id_hash(id), self->given);
    *ret_item = self->given->item;
    ret_item->fails |= self->stopped;
    return true;
}

int64_t inject_deadline(const inject_t *self)
{
    return self->stopped && mm_heap_first(&self->heap) ? 0 : mm_heap_deadline(&self->heap);
}

void inject_stop(inject_t *self)
{
    self->stopped = true;
}
