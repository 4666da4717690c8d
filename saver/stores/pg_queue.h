// What a store has yet to ask its database, in order of arrival: batches of tasks, orders, and a
// question for the state. One request is under way at a time, the first one; it stays the first
// until its fate is known. Tasks join the last batch as long as that waits, so batches grow with
// the load. It knows no database.

#ifndef PG_QUEUE_H
#define PG_QUEUE_H

#include "batch.h"
#include "store.h"

typedef enum { PG_REQUEST_TASKS, PG_REQUEST_ORDERS, PG_REQUEST_QUESTION } pg_request_kind_t;

typedef struct pg_request {
    struct pg_request *next;
    pg_request_kind_t kind;
    bool has_begun;  // it was sent once, and takes nothing more
    bool is_flushed; // of tasks: their commit was asked for
    uint64_t epoch;  // of the consumer that it is for
    // Of tasks.
    batch_t batch;
    bool is_left; // to be written task by task: not all were plain, or new
    // Of orders.
    mm_order_t *orders;
    size_t order_count;
    char *texts; // of the orders
    // Of a question.
    store_question_t question;
    bool is_forgotten; // nobody waits for its page
} pg_request_t;

// Zeroed memory is an empty queue.
typedef struct {
    pg_request_t *first;
    pg_request_t *last;
    pg_request_t *spare; // an empty batch, whose memory is used again
    size_t pending;      // tasks that were not flushed
    uint64_t epoch;      // of orders and questions that are put from now on; set by the owner
} pg_queue_t;

// These copy what they need.
void pg_queue_put(pg_queue_t *self, const mm_task_t *task);
void pg_queue_put_orders(pg_queue_t *self, const mm_order_t *orders, size_t count);
void pg_queue_put_question(pg_queue_t *self, const store_question_t *question);
// All tasks that were put may be sent.
void pg_queue_flush(pg_queue_t *self);
// The request that is to be sent next, or again; NULL: there is none. It has begun then.
pg_request_t *pg_queue_begin(pg_queue_t *self);
// The first one has ended.
void pg_queue_remove(pg_queue_t *self);
// Frees all that it owns.
void pg_queue_clear(pg_queue_t *self);

#endif
