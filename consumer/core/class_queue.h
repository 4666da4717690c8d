// Classes of waiting restarts (group_limits.h), by the ids of their first flights: the order in
// which those were accepted. A sorted array: there are few classes, and most join behind the
// others. Pure.

#ifndef CLASS_QUEUE_H
#define CLASS_QUEUE_H

#include <stddef.h>

struct class;

// Zeroed: empty.
typedef struct class_queue {
    struct class **items; // the first one last
    size_t count;
    size_t capacity;
} class_queue_t;

// Frees the array, not the classes.
void class_queue_clear(class_queue_t *self);
// Joins by its first flight, once it has left the queue that it was in. If nobody waits, it joins
// none.
void class_queue_join(class_queue_t *self, struct class *class);
// No-op for a class that is in none.
void class_queue_leave(struct class *class);
// The class whose first flight has waited for longest; NULL: there is none. A class whose first
// flight has changed is put where it belongs by now.
struct class *class_queue_first(class_queue_t *self);
// Moves all of them.
void class_queue_move(class_queue_t *self, class_queue_t *other);

#endif
