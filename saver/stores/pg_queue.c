// See pg_queue.h.

#include "pg_queue.h"

#include <assert.h>
#include <stdlib.h>

#define EPOCH_SHIFT 32 // of a task's number (P3)

static pg_request_t *add(pg_queue_t *self, pg_request_kind_t kind)
{
    pg_request_t *request = kind == PG_REQUEST_TASKS ? self->spare : NULL;
    if (request != NULL)
        self->spare = NULL;
    else
        request = calloc(1, sizeof *request);
    assert(request != NULL);
    request->kind = kind;
    request->epoch = self->epoch;
    if (self->last != NULL)
        self->last->next = request;
    else
        self->first = request;
    self->last = request;
    return request;
}

void pg_queue_put(pg_queue_t *self, const mm_task_t *task)
{
    uint64_t epoch = task->number >> EPOCH_SHIFT;
    pg_request_t *last = self->last;
    if (last == NULL || last->kind != PG_REQUEST_TASKS || last->has_begun || last->epoch != epoch) {
        last = add(self, PG_REQUEST_TASKS);
        last->epoch = epoch;
    }
    batch_add(&last->batch, task);
    self->pending++;
}

void pg_queue_put_orders(pg_queue_t *self, const mm_order_t *orders, size_t count)
{
    pg_request_t *request = add(self, PG_REQUEST_ORDERS);
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += orders[i].name.size + orders[i].why.size + orders[i].actor.size;
    request->orders = calloc(count, sizeof *orders);
    request->texts = malloc(size + 1);
    assert(request->orders != NULL && request->texts != NULL);
    request->order_count = count;
    char *end = request->texts;
    for (size_t i = 0; i < count; i++) {
        mm_order_t *order = &request->orders[i];
        *order = orders[i];
        order->name = mm_str_copy(&end, orders[i].name);
        order->why = mm_str_copy(&end, orders[i].why);
        order->actor = mm_str_copy(&end, orders[i].actor);
    }
}

void pg_queue_put_question(pg_queue_t *self, const store_question_t *question)
{
    for (pg_request_t *each = self->first; each != NULL; each = each->next)
        each->is_forgotten = true;
    add(self, PG_REQUEST_QUESTION)->question = *question;
}

void pg_queue_flush(pg_queue_t *self)
{
    for (pg_request_t *each = self->first; self->pending > 0 && each != NULL; each = each->next)
        each->is_flushed = true;
    self->pending = 0;
}

pg_request_t *pg_queue_begin(pg_queue_t *self)
{
    while (self->first != NULL && self->first->kind == PG_REQUEST_QUESTION &&
           self->first->is_forgotten && !self->first->has_begun)
        pg_queue_remove(self);
    pg_request_t *first = self->first;
    if (first == NULL || (first->kind == PG_REQUEST_TASKS && !first->is_flushed))
        return NULL;
    if (!first->has_begun && first->kind == PG_REQUEST_TASKS)
        batch_sort(&first->batch);
    first->has_begun = true;
    return first;
}

static void destroy(pg_request_t *request)
{
    batch_clear(&request->batch);
    free(request->orders);
    free(request->texts);
    free(request);
}

void pg_queue_remove(pg_queue_t *self)
{
    pg_request_t *first = self->first;
    self->first = first->next;
    if (self->first == NULL)
        self->last = NULL;
    if (first->kind != PG_REQUEST_TASKS || self->spare != NULL) {
        destroy(first);
        return;
    }
    batch_empty(&first->batch);
    *first = (pg_request_t){.batch = first->batch};
    self->spare = first;
}

void pg_queue_clear(pg_queue_t *self)
{
    while (self->first != NULL)
        pg_queue_remove(self);
    if (self->spare != NULL)
        destroy(self->spare);
    *self = (pg_queue_t){0};
}
