// A wall clock that jumps, for tests/e2e/e2e_world.sh: preloaded (LD_PRELOAD), it adds the
// milliseconds that stand in the file MAYHEM_CLOCK to the wall clock, and leaves all other clocks
// alone.

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef int clock_fn(clockid_t clock, struct timespec *ret_time);

static long long shift_ms(void)
{
    char text[32] = "";
    const char *path = getenv("MAYHEM_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    (void)!read(file, text, sizeof text - 1);
    (void)close(file);
    return strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    clock_fn *real;
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(clock, ret_time);
    if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        ret_time->tv_sec += shift_ms() / 1000;
    return rc;
}
