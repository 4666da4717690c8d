// See class_queue.h.

#include "class_queue.h"
#include "array.h"
#include "flight.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void class_queue_clear(class_queue_t *self)
{
    free(self->items);
    *self = (class_queue_t){0};
}

// How many are behind who has this first flight.
static size_t find(const class_queue_t *self, const mm_id_t *first)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mm_id_compare(&self->items[middle]->first, first) > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void class_queue_leave(class_t *class)
{
    class_queue_t *self = class->queue;
    if (!self)
        return;
    size_t at = find(self, &class->first);
    assert(self->items[at] == class);
    memmove(&self->items[at], &self->items[at + 1], (--self->count - at) * sizeof class);
    class->queue = NULL;
}

void class_queue_join(class_queue_t *self, class_t *class)
{
    class_queue_leave(class);
    if (!class->waiting)
        return;
    class->first = class->waiting->id;
    class->queue = self;
    size_t at = find(self, &class->first);
    (void)MM_ARRAY_ADD(self->items, self->count, self->capacity);
    memmove(&self->items[at + 1], &self->items[at], (self->count - 1 - at) * sizeof class);
    self->items[at] = class;
}

class_t *class_queue_first(class_queue_t *self)
{
    while (self->count > 0) {
        class_t *class = self->items[self->count - 1];
        if (class->waiting && mm_id_equal(&class->first, &class->waiting->id))
            return class;
        class_queue_join(self, class);
    }
    return NULL;
}

void class_queue_move(class_queue_t *self, class_queue_t *other)
{
    while (other->count > 0)
        class_queue_join(self, other->items[other->count - 1]);
}
