// The consumer's memory of jobs that are not in flight: of settled ones, so that a redelivery is
// answered at once; of nacked ones, so that their attempts and a success count later (R7, R8). Both
// are bounded: the oldest are dropped first. The store still has the settled ones (R6); of a
// dropped nacked one the count of attempts begins anew. Pure.

#ifndef SETTLED_CACHE_H
#define SETTLED_CACHE_H

#include "job.h"
#include "pool.h"
#include "queue.h"
#include "table.h"

typedef struct {
    mm_id_t id;
    mm_outcome_t outcome; // of a settled job; none: it was nacked
    uint32_t attempts;    // charged restarts
    uint32_t losses;      // workers lost with it
    bool restarted;       // nacked: a restart has succeeded
    bool owes;            // nacked: after a real one, and what `proof` there was; none: the mock's
    bool is_claimed;      // nacked: so a worker says, of an earlier epoch (R18)
    mm_proof_t proof;
    const char *worker; // nacked: of that restart, or the last one; interned, or NULL
    char *error;        // owned, or NULL
    mm_queue_node_t node;
} settled_item_t; // a cache line

typedef struct {
    mm_queue_t items; // oldest first
    size_t most;
} settled_list_t;

typedef struct {
    settled_list_t settled;
    settled_list_t nacked;
    mm_table_t table;       // by id, of all items
    mm_pool_t pool;         // of the items
    mm_id_t highest;        // of all items so far: no lookup is needed above it
    mm_id_t newest_dropped; // of the settled ones; zero: none yet (R6)
} settled_cache_t;

// NULL: there is no item with this id.
settled_item_t *settled_cache_find(const settled_cache_t *self, const mm_id_t *id);
// The item with this id, new or as before, now the newest of the settled ones or, with outcome
// none, of the nacked ones.
settled_item_t *settled_cache_put(settled_cache_t *self, const mm_id_t *id, mm_outcome_t outcome);
// The error is copied; NULL or empty clears it.
void settled_cache_set_error(settled_item_t *item, const char *error);
void settled_cache_remove(settled_cache_t *self, settled_item_t *item);
void settled_cache_clear(settled_cache_t *self);

#endif
