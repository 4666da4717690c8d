// The clocks. Only shells read them: cores are given the time in their events.

#ifndef MM_CLOCK_H
#define MM_CLOCK_H

#include <stdint.h>

// CLOCK_MONOTONIC in milliseconds: for deadlines and durations. It stands still in suspend.
int64_t mm_clock_ms(void);
// CLOCK_MONOTONIC in microseconds.
int64_t mm_clock_us(void);
// CLOCK_MONOTONIC in nanoseconds.
int64_t mm_clock_ns(void);
// CLOCK_BOOTTIME in milliseconds: the worker's stamp (R1), since it goes on in suspend.
int64_t mm_clock_boot_ms(void);
// Unix time in milliseconds. It can step either way.
int64_t mm_clock_wall_ms(void);

#endif
