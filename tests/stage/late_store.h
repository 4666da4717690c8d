// A store for tests of the saver's loop: it answers late, and by its descriptor only. A flush
// starts a timer, and nothing but store_step after that timer makes the answers ready. It records
// nothing.

#ifndef LATE_STORE_H
#define LATE_STORE_H

#include "store.h"

typedef struct {
    int64_t answer_ms; // from a flush to its answers, > 0; MM_NEVER: they never come
    bool breaks;       // instead of answering
    bool has_lease; // a row of its own; a task of another epoch than the row's is answered FAILED
} late_store_config_t;

store_t *late_store_new(const late_store_config_t *config);

#endif
