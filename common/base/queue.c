// See queue.h.

#include "queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 16

static void put(mm_queue_t *self, uint32_t at, mm_queue_node_t *node)
{
    self->nodes[at] = node;
    if (node)
        node->place = at + 1;
}

// The first nodes are behind the last ones then, if the queue goes over the end of the array.
static void grow(mm_queue_t *self)
{
    uint32_t former = self->size;
    self->size = former > 0 ? 2 * former : SIZE_FIRST;
    assert(self->size > former);
    self->nodes = realloc(self->nodes, self->size * sizeof *self->nodes);
    assert(self->nodes);
    memset(self->nodes + former, 0, (self->size - former) * sizeof *self->nodes);
    for (uint32_t at = 0; at < self->head; at++) {
        put(self, former + at, self->nodes[at]);
        self->nodes[at] = NULL;
    }
}

static void close_gaps(mm_queue_t *self)
{
    uint32_t to = 0, mask = self->size - 1;
    for (uint32_t from = 0; from < self->span; from++) {
        mm_queue_node_t *node = self->nodes[(self->head + from) & mask];
        self->nodes[(self->head + from) & mask] = NULL;
        if (node)
            put(self, (self->head + to++) & mask, node);
    }
    self->span = self->count;
}

// Half of the places at least are free afterwards: a node that is added pays for two moves at most,
// and for none while the first ones leave in time.
void mm_queue_make_room(mm_queue_t *self)
{
    if (2 * (uint64_t)self->count >= self->size)
        grow(self);
    else
        close_gaps(self);
}

void mm_queue_clear(mm_queue_t *self)
{
    free(self->nodes);
    *self = (mm_queue_t){0};
}
