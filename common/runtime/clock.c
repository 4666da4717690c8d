// The clocks, one function each. A clock that cannot be read is a bug: Linux has all of them.

#include "clock.h"

#include <assert.h>
#include <time.h>

static struct timespec read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(!failed);
    return now;
}

static int64_t milliseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t mm_clock_ms(void)
{
    return milliseconds(read_clock(CLOCK_MONOTONIC));
}

int64_t mm_clock_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t mm_clock_ns(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t mm_clock_boot_ms(void)
{
    return milliseconds(read_clock(CLOCK_BOOTTIME));
}

int64_t mm_clock_wall_ms(void)
{
    return milliseconds(read_clock(CLOCK_REALTIME));
}
