// What the consumer remembers of jobs that are not in flight. Pure. Settled ones, so that a
// redelivery is answered at once; nacked ones, so that neither attempts nor a success are forgotten
// (R7, R8). Both are bounded: the oldest go first, and what is forgotten is found in the store.

#ifndef SETTLED_CACHE_H
#define SETTLED_CACHE_H

#include "job.h"
#include "pool.h"
#include "table.h"

typedef struct settled_item {
    mm_id_t id;
    mm_outcome_t outcome; // of a settled job; none: it was nacked
    uint32_t attempts;    // restarts charged
    uint32_t losses;      // workers lost with it
    bool restarted;       // nacked: a restart has succeeded
    const char *worker;   // nacked: who restarted it, or tried last; interned, or NULL
    char *error;          // owned, or NULL
    struct settled_item *prev, *next;
} settled_item_t;

typedef struct {
    size_t settled_max;
    size_t nacked_max;
    mm_table_t table;        // by id
    settled_item_t *settled; // oldest first (utlist)
    settled_item_t *nacked;
    size_t settled_count;
    size_t nacked_count;
    mm_pool_t pool;         // of the items
    mm_id_t highest;        // of all that were ever put: what is above it is not there
    mm_id_t newest_dropped; // of the settled ones; zero: none yet (R6)
} settled_cache_t;

settled_item_t *settled_cache_find(const settled_cache_t *self, const mm_id_t *id);
// The item for this id, new or as it was, now the newest of the settled or (outcome none) the
// nacked.
settled_item_t *settled_cache_put(settled_cache_t *self, const mm_id_t *id, mm_outcome_t outcome);
// The error is copied; NULL or empty clears it.
void settled_cache_set_error(settled_item_t *item, const char *error);
void settled_cache_remove(settled_cache_t *self, settled_item_t *item);
void settled_cache_clear(settled_cache_t *self);

#endif
