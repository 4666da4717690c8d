// See heap.h.

#include "heap.h"
#include "array.h"

#include <assert.h>
#include <stdlib.h>

static void place(mm_heap_t *self, mm_heap_node_t *node, size_t index)
{
    self->nodes[index] = node;
    node->index = index;
}

static void sift_up(mm_heap_t *self, mm_heap_node_t *node, size_t index)
{
    while (index > 1 && self->nodes[index / 2]->due_ms > node->due_ms) {
        place(self, self->nodes[index / 2], index);
        index /= 2;
    }
    place(self, node, index);
}

static void sift_down(mm_heap_t *self, mm_heap_node_t *node, size_t index)
{
    for (size_t child; (child = 2 * index) <= self->count; index = child) {
        if (child < self->count && self->nodes[child + 1]->due_ms < self->nodes[child]->due_ms)
            child++;
        if (self->nodes[child]->due_ms >= node->due_ms)
            break;
        place(self, self->nodes[child], index);
    }
    place(self, node, index);
}

void mm_heap_clear(mm_heap_t *self)
{
    free(self->nodes);
    *self = (mm_heap_t){0};
}

void mm_heap_put(mm_heap_t *self, mm_heap_node_t *node, int64_t due_ms)
{
    assert(node->index == 0);
    self->nodes =
        mm_array_reserve(self->nodes, &self->capacity, self->count + 2, sizeof(mm_heap_node_t *));
    node->due_ms = due_ms;
    sift_up(self, node, ++self->count);
}

void mm_heap_remove(mm_heap_t *self, mm_heap_node_t *node)
{
    size_t index = node->index;
    if (index == 0)
        return;
    assert(index <= self->count && self->nodes[index] == node);
    node->index = 0;
    mm_heap_node_t *last = self->nodes[self->count--];
    if (last == node)
        return;
    if (index > 1 && self->nodes[index / 2]->due_ms > last->due_ms)
        sift_up(self, last, index);
    else
        sift_down(self, last, index);
}

mm_heap_node_t *mm_heap_first(const mm_heap_t *self)
{
    return self->count ? self->nodes[1] : NULL;
}

int64_t mm_heap_deadline(const mm_heap_t *self)
{
    return self->count ? self->nodes[1]->due_ms : MM_NEVER;
}
