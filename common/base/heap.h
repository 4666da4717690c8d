// A binary heap of deadlines whose nodes live inside the things they belong to. Pure. For delays
// that vary (backoff with jitter); constant delays are lists in order of time, which cost nothing.

#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "duration.h"

typedef struct {
    int64_t due_ms;
    size_t index; // place in the heap, from 1; 0: not in a heap
} mm_heap_node_t;

typedef struct {
    mm_heap_node_t **nodes; // from 1
    size_t count;
    size_t capacity;
} mm_heap_t;

void mm_heap_clear(mm_heap_t *self); // frees the array, not the nodes
// The node must not be in a heap.
void mm_heap_put(mm_heap_t *self, mm_heap_node_t *node, int64_t due_ms);
// No-op when the node is not in the heap.
void mm_heap_remove(mm_heap_t *self, mm_heap_node_t *node);
// The node that is due first; NULL when empty.
mm_heap_node_t *mm_heap_first(const mm_heap_t *self);
// Its due time, or MM_NEVER.
int64_t mm_heap_deadline(const mm_heap_t *self);

// The thing that a node is a member of.
#define MM_HEAP_OWNER(NODE, TYPE, MEMBER) ((TYPE *)((char *)(NODE)-offsetof(TYPE, MEMBER)))

#endif
