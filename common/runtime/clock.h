// The clocks. Only shells read them: a core gets the time in its events.

#ifndef MM_CLOCK_H
#define MM_CLOCK_H

#include <stdint.h>

// CLOCK_MONOTONIC, in three units: for deadlines and durations. It stands still in suspend.
int64_t mm_clock_ms(void);
int64_t mm_clock_us(void);
int64_t mm_clock_ns(void);
// CLOCK_BOOTTIME in milliseconds: the worker's stamp (R1). It goes on in suspend.
int64_t mm_clock_boot_ms(void);
// Unix time in milliseconds. It can step either way.
int64_t mm_clock_wall_ms(void);
// CPU time of the calling thread in nanoseconds.
int64_t mm_clock_thread_ns(void);

#endif
