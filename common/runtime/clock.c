// See clock.h. Linux has all of these clocks: one that cannot be read is a bug.

#include "clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(!failed);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t mm_clock_ms(void)
{
    return read_ns(CLOCK_BOOTTIME) / 1000000;
}

int64_t mm_clock_us(void)
{
    return read_ns(CLOCK_BOOTTIME) / 1000;
}

int64_t mm_clock_ns(void)
{
    return read_ns(CLOCK_BOOTTIME);
}

bool mm_clock_boot(mm_id_t *ret_boot)
{
    char text[MM_UUID_TEXT + 1] = ""; // with the line's end
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file)
        return false;
    bool is_read = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    return is_read && mm_uuid_parse((mm_str_t){text, strcspn(text, "\n")}, ret_boot);
}

int64_t mm_clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t mm_clock_thread_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}
