// The source of job ids and instances: UUIDv7 (RFC 9562, 5.7) over getrandom(2).

#ifndef MM_ID_H
#define MM_ID_H

#include "job.h"

// Each of its ids is greater than the one before, also when the wall clock steps back, and when a
// millisecond needs more ids than the counter holds: the ids then run ahead of the clock.
typedef struct mm_id_source mm_id_source_t;

mm_id_source_t *mm_id_source_new(void);
void mm_id_source_destroy(mm_id_source_t **self_p);

// The next id. wall_ms: Unix time in milliseconds, 0 to 2^48 - 1.
void mm_id_next(mm_id_source_t *self, int64_t wall_ms, mm_id_t *ret_id);

// The Unix time in milliseconds that an id carries.
int64_t mm_id_wall_ms(const mm_id_t *id);

// A random number that is not 0.
uint64_t mm_instance_draw(void);

#endif
