// A binary heap of deadlines, whose nodes are members of their owners. For delays that vary
// (backoff with jitter). For constant delays use a list in order of time.

#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "duration.h"

typedef struct {
    int64_t due_ms;
    size_t index; // in the heap, from 1; 0: not in a heap
} mm_heap_node_t;

// Zeroed: empty.
typedef struct {
    mm_heap_node_t **nodes; // from 1
    size_t count;
    size_t capacity;
} mm_heap_t;

// Frees the array, not the nodes.
void mm_heap_clear(mm_heap_t *self);
// Adds a node that is in no heap.
void mm_heap_put(mm_heap_t *self, mm_heap_node_t *node, int64_t due_ms);
// No-op when the node is not in the heap.
void mm_heap_remove(mm_heap_t *self, mm_heap_node_t *node);
// The node with the earliest deadline; NULL: the heap is empty.
mm_heap_node_t *mm_heap_first(const mm_heap_t *self);
// That deadline; MM_NEVER: the heap is empty.
int64_t mm_heap_deadline(const mm_heap_t *self);

// The owner of a node.
#define MM_HEAP_OWNER(NODE, TYPE, MEMBER) ((TYPE *)((char *)(NODE)-offsetof(TYPE, MEMBER)))

#endif
