// How long the disk takes to make 4 KiB durable: appends them to a file and syncs each, for so many
// seconds, and prints the quantiles. With a rate: what a job of the pipeline takes at least on this
// disk. So many jobs a second each wait for a sync of one file, then for one of another, and one
// sync is for all that wait for it. The files are removed.
//
// fdatasync FOLDER SECONDS [JOBS_A_SECOND]

#include "clock.h"
#include "histogram.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 4096
#define TOGETHER    4096 // jobs of a sync

static mm_histogram_t times;

typedef struct {
    int in; // pipes of the times at which jobs came
    int out;
    int file;
} stage_t;

typedef struct {
    int out;
    double seconds;
    int64_t gap_ns;
} feed_t;

static void stop(const char *what)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(EX_IOERR);
}

static int open_file(const char *folder)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/fdatasync.tmp", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        stop(path);
    (void)unlink(path);
    return fd;
}

static void sync_block(int fd)
{
    static const char block[BLOCK_BYTES];
    if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
        stop("fdatasync");
}

static void print(const char *count, const char *prefix)
{
    (void)printf("%s=%" PRIu64, count, times.count);
    (void)printf(
        " %sp50_us=%" PRId64 " %sp99_us=%" PRId64 " %sp999_us=%" PRId64 " %smax_us=%" PRId64 "\n",
        prefix, mm_histogram_quantile(&times, 0.5), prefix, mm_histogram_quantile(&times, 0.99),
        prefix, mm_histogram_quantile(&times, 0.999), prefix, times.max);
}

// ---- one sync behind the other

static void run_syncs(const char *folder, double seconds)
{
    int fd = open_file(folder);
    int64_t end_us = mm_clock_us() + (int64_t)(seconds * 1e6);
    for (int64_t now_us = mm_clock_us(); now_us < end_us;) {
        sync_block(fd);
        int64_t after_us = mm_clock_us();
        mm_histogram_record(&times, after_us - now_us);
        now_us = after_us;
    }
    print("syncs", "");
}

// ---- jobs

static void *feed(void *arg)
{
    const feed_t *self = arg;
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    for (int64_t left = (int64_t)(self->seconds * 1e9 / (double)self->gap_ns); left > 0; left--) {
        at.tv_nsec += self->gap_ns;
        at.tv_sec += at.tv_nsec / 1000000000;
        at.tv_nsec %= 1000000000;
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        if (write(self->out, &(int64_t){mm_clock_us()}, sizeof(int64_t)) < 0)
            stop("pipe");
    }
    (void)close(self->out);
    return NULL;
}

// The last one has no way out.
static void *run_stage(void *arg)
{
    const stage_t *self = arg;
    int64_t jobs[TOGETHER];
    ssize_t bytes;
    while ((bytes = read(self->in, jobs, sizeof jobs)) > 0) {
        sync_block(self->file);
        if (self->out >= 0 && write(self->out, jobs, (size_t)bytes) != bytes)
            stop("pipe");
        int64_t now_us = mm_clock_us();
        for (ssize_t i = 0; self->out < 0 && i < bytes / (ssize_t)sizeof *jobs; i++)
            mm_histogram_record(&times, now_us - jobs[i]);
    }
    if (self->out >= 0)
        (void)close(self->out);
    return NULL;
}

static void run_jobs(const char *folder, double seconds, double rate)
{
    int fed[2], between[2];
    pthread_t threads[2];
    if (pipe(fed) != 0 || pipe(between) != 0)
        stop("pipe");
    stage_t first = {fed[0], between[1], open_file(folder)};
    stage_t second = {between[0], -1, open_file(folder)};
    int rc =
        pthread_create(&threads[0], NULL, feed, &(feed_t){fed[1], seconds, (int64_t)(1e9 / rate)});
    assert(rc == 0);
    rc = pthread_create(&threads[1], NULL, run_stage, &first);
    assert(rc == 0);
    (void)run_stage(&second);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    print("jobs", "job_");
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        (void)fputs("usage: fdatasync FOLDER SECONDS [JOBS_A_SECOND]\n", stderr);
        return EX_USAGE;
    }
    if (argc == 3)
        run_syncs(argv[1], strtod(argv[2], NULL));
    else
        run_jobs(argv[1], strtod(argv[2], NULL), strtod(argv[3], NULL));
    return 0;
}
