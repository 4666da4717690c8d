// The attributes of the flights that have some, by job, apart from the flights: most have none.
// Pure.

#ifndef ATTRIBUTE_RECORDS_H
#define ATTRIBUTE_RECORDS_H

#include "job.h"
#include "pool.h"
#include "table.h"

// Zeroed: empty.
typedef struct {
    mm_table_t table; // by id
    mm_pool_t pool;
} attribute_records_t;

// Adds a copy of a job's attributes; the job has none here yet.
void attribute_records_add(attribute_records_t *self, const mm_id_t *id, mm_str_t attributes);
// The attributes of a job that has some here; valid until they are removed.
mm_str_t attribute_records_get(const attribute_records_t *self, const mm_id_t *id);
void attribute_records_remove(attribute_records_t *self, const mm_id_t *id);
void attribute_records_clear(attribute_records_t *self);

#endif
