// A queue that its items may leave from the middle: an array of pointers, used as a ring, where an
// item that leaves makes a gap. So it touches no other item, as it would in a linked list: of many
// thousand items the neighbours are mostly in no cache. The nodes are members of their owners.

#ifndef MM_QUEUE_H
#define MM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t place; // in the array, from 1; 0: in no queue
} mm_queue_node_t;

// Zeroed: empty. The array has at most four places for each node of the longest queue so far.
typedef struct {
    mm_queue_node_t **nodes; // NULL: a gap, or free
    uint32_t size;           // of the array: 0, or a power of two
    uint32_t head;           // the place of the first node
    uint32_t span;           // places from there through the last node that was added
    uint32_t count;          // of nodes
} mm_queue_t;

// Frees the array, not the nodes.
void mm_queue_clear(mm_queue_t *self);

// By mm_queue_add: room for one more; nodes move. Aborts when there is no memory.
void mm_queue_make_room(mm_queue_t *self);

// Adds a node, which is not in the queue, at the end. Aborts when there is no memory.
static inline void mm_queue_add(mm_queue_t *self, mm_queue_node_t *node)
{
    if (self->span == self->size)
        mm_queue_make_room(self);
    uint32_t at = (self->head + self->span++) & (self->size - 1);
    self->nodes[at] = node;
    node->place = at + 1;
    self->count++;
}

// Removes a node that is in the queue.
static inline void mm_queue_remove(mm_queue_t *self, mm_queue_node_t *node)
{
    self->nodes[node->place - 1] = NULL;
    node->place = 0;
    self->count--;
    for (; self->span > 0 && !self->nodes[self->head]; self->span--)
        self->head = (self->head + 1) & (self->size - 1);
}

// The first node; NULL: the queue is empty.
static inline mm_queue_node_t *mm_queue_first(const mm_queue_t *self)
{
    return self->span > 0 ? self->nodes[self->head] : NULL;
}

// The node behind this one; NULL: there is none.
static inline mm_queue_node_t *mm_queue_next(const mm_queue_t *self, const mm_queue_node_t *node)
{
    uint32_t at = (node->place - 1 - self->head) & (self->size - 1);
    while (++at < self->span) {
        mm_queue_node_t *next = self->nodes[(self->head + at) & (self->size - 1)];
        if (next)
            return next;
    }
    return NULL;
}

// The owner of a node; NULL of NULL.
#define MM_QUEUE_OWNER(NODE, TYPE, MEMBER) ((TYPE *)mm_queue_owner((NODE), offsetof(TYPE, MEMBER)))

static inline void *mm_queue_owner(mm_queue_node_t *node, size_t offset)
{
    return node ? (char *)node - offset : NULL;
}

#endif
