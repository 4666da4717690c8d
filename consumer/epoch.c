// See epoch.h.

#include "epoch.h"
#include "clock.h"
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static uint64_t read_last(const char *path)
{
    FILE *file = fopen(path, "re");
    uint64_t last = 0;
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64, &last) != 1)
        last = 0;
    (void)fclose(file);
    return last < UINT32_MAX ? last : 0; // no epoch of ours
}

static bool write_whole(const char *path, uint64_t epoch)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return false;
    bool written = dprintf(descriptor, "%" PRIu64 "\n", epoch) > 0 && fsync(descriptor) == 0;
    return close(descriptor) == 0 && written;
}

int epoch_next(const char *path, uint64_t *ret_epoch, char error[MM_ERROR_MAX])
{
    char fresh[4096];
    uint64_t epoch = read_last(path) + 1, now = (uint64_t)(mm_clock_wall_ms() / 1000);
    if (epoch < now)
        epoch = now;
    bool fits = snprintf(fresh, sizeof fresh, "%s.new", path) < (int)sizeof fresh;
    bool written = fits && write_whole(fresh, epoch);
    MM_CRASH_POINT("consumer: before its life is on record");
    if (!written || rename(fresh, path) != 0) {
        (void)snprintf(error, MM_ERROR_MAX,
                       "cannot write %.300s: %s; make room there, or choose another --dir", path,
                       strerror(fits ? errno : ENAMETOOLONG));
        return EX_IOERR;
    }
    MM_CRASH_POINT("consumer: life on record");
    *ret_epoch = epoch;
    return 0;
}
