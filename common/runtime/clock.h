// The clocks. Only shells read them: a core gets the time in its events.

#ifndef MM_CLOCK_H
#define MM_CLOCK_H

#include "uuid.h"

#include <stdbool.h>
#include <stdint.h>

// CLOCK_BOOTTIME, in three units: for deadlines and durations. It goes on in suspend: a lease ends,
// and a host comes back, whether this machine sleeps or not (H10). Other processes of this boot may
// see its instants (R1).
int64_t mm_clock_ms(void);
int64_t mm_clock_us(void);
int64_t mm_clock_ns(void);
// Which boot of this machine that clock counts from; false, and untouched: unknown.
bool mm_clock_boot(mm_id_t *ret_boot);
// Unix time in milliseconds. It can step either way.
int64_t mm_clock_wall_ms(void);
// CPU time of the calling thread in nanoseconds.
int64_t mm_clock_thread_ns(void);

#endif
