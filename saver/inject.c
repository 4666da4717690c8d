// See inject.h.

#include "inject.h"
#include "heap.h"
#include "random.h"
#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

typedef struct delayed {
    mm_heap_node_t node;
    inject_item_t item;
    struct delayed *prev, *next; // in order of arrival
    char texts[];
} delayed_t;

struct inject {
    inject_config_t config;
    uint64_t random;
    mm_heap_t heap;
    delayed_t *list;
    delayed_t *given; // by the last inject_next
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
    delayed_t *delayed, *next;
    DL_FOREACH_SAFE (self->list, delayed, next)
        free(delayed);
    free(self->given);
    mm_heap_clear(&self->heap);
    free(self);
}

static mm_text_t copy(char **end, mm_text_t text)
{
    if (text.size > 0)
        memcpy(*end, text.data, text.size);
    mm_text_t copied = {*end, text.size};
    *end += text.size;
    return copied;
}

void inject_put(inject_t *self, const mm_task_t *task, int64_t now_ms)
{
    delayed_t *delayed = calloc(1, sizeof *delayed + task->host.size + task->publisher.size +
                                       task->worker.size + task->error.size);
    assert(delayed);
    delayed->item.task = *task;
    char *end = delayed->texts;
    delayed->item.task.host = copy(&end, task->host);
    delayed->item.task.publisher = copy(&end, task->publisher);
    delayed->item.task.worker = copy(&end, task->worker);
    delayed->item.task.error = copy(&end, task->error);
    delayed->item.fails = mm_random_below(&self->random, 1000000) < self->config.fail_ppm;
    int64_t span = self->config.time_to_ms - self->config.time_from_ms;
    int64_t due_ms = now_ms + self->config.time_from_ms +
                     (int64_t)mm_random_below(&self->random, (uint64_t)span + 1);
    delayed_t *former;
    DL_FOREACH (self->list, former)
        if (mm_id_equal(&former->item.task.id, &task->id) && former->node.due_ms >= due_ms)
            due_ms = former->node.due_ms + 1;
    mm_heap_put(&self->heap, &delayed->node, due_ms);
    DL_APPEND(self->list, delayed);
}

bool inject_next(inject_t *self, int64_t now_ms, inject_item_t *ret_item)
{
    mm_heap_node_t *node = mm_heap_first(&self->heap);
    if (!node || (node->due_ms > now_ms && !self->stopped))
        return false;
    mm_heap_remove(&self->heap, node);
    free(self->given);
    self->given = MM_HEAP_OWNER(node, delayed_t, node);
    DL_DELETE(self->list, self->given);
    *ret_item = self->given->item;
    ret_item->fails |= self->stopped;
    return true;
}

int64_t inject_deadline(const inject_t *self)
{
    return self->stopped && self->list ? 0 : mm_heap_deadline(&self->heap);
}

void inject_stop(inject_t *self)
{
    self->stopped = true;
}
