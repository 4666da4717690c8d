// How long the disk takes to make 4 KiB durable: appends them to a file and syncs each, for so many
// seconds, and prints the quantiles. The file is removed.
//
// fdatasync FOLDER SECONDS

#include "clock.h"
#include "histogram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define BLOCK_BYTES 4096

static int fail(const char *path)
{
    (void)fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return EX_IOERR;
}

int main(int argc, char **argv)
{
    static char block[BLOCK_BYTES];
    static mm_histogram_t times;
    if (argc != 3) {
        (void)fputs("usage: fdatasync FOLDER SECONDS\n", stderr);
        return EX_USAGE;
    }
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/fdatasync.tmp", argv[1]);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(path);
    (void)unlink(path);
    memset(block, 'x', sizeof block);
    int64_t end_us = mm_clock_us() + (int64_t)(strtod(argv[2], NULL) * 1e6);
    for (int64_t now_us = mm_clock_us(); now_us < end_us;) {
        if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
            return fail(path);
        int64_t after_us = mm_clock_us();
        mm_histogram_record(&times, after_us - now_us);
        now_us = after_us;
    }
    (void)close(fd);
    (void)printf("syncs=%" PRIu64 " p50_us=%" PRId64 " p99_us=%" PRId64 " max_us=%" PRId64 "\n",
                 times.count, mm_histogram_quantile(&times, 0.5),
                 mm_histogram_quantile(&times, 0.99), times.max);
    return 0;
}
