// Runs the four real programs once, with their own defaults, and prints what they took in the words
// of the skeleton. Hosts in a file go in; the figures are those of the publisher's own record (run
// times and job times in outbox.db) and of the kernel (CPU and peak memory of each process).
// Options of the programs come from the environment, as MAYHEM_LEASES=…; logs are in DIR/log.
//
// pipeline [-n JOBS] [-r RESTARTERS] [-t] [-b | -g] [-w] [-p RATE -s SECONDS [-f]] PROGRAMS DIR
//   PROGRAMS: the folder of mayhem-publisher and the others; DIR: an empty folder of this run
//   -t: tcp over loopback instead of ipc; -p: so many jobs a second for so long
//   -f: lines go to the publisher's standard input at that pace, and restarters of ours note when
//       each restart starts (probe.h)
//   -g: the publisher makes the jobs up; -b: the same, and all are in its outbox before the others
//       start; -w: watch for the longest time in which the record shows no further job as settled

#include "clock.h"
#include "outbox_db.h"
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define TIME_LIMIT_S   3600
#define RESTARTERS_MAX 64
#define ARGUMENTS_MAX  12
#define SETTLE_MS      400 // until the workers have joined
#define FILL_WATCH_MS  50
#define PAUSE_WATCH_MS 2

typedef struct {
    uint64_t jobs;
    size_t restarters;
    double rate, seconds;
    bool is_tcp, generates, fills, watches, feeds;
    const char *programs, *dir;
    char address[256]; // the consumer's
    roles_t roles;
    probe_t probe;
    int input;           // the end of a pipe for the lines, when it feeds
    int64_t *longest_us; // without a settled job; shared memory, when it watches
    double fill_seconds, fill_cpu_us;
    long fill_rss_kb;
} bench_t;

// The arguments of one program; texts of its own.
typedef struct {
    char text[ARGUMENTS_MAX][4200];
    char *argv[ARGUMENTS_MAX + 1];
    size_t count;
} arguments_t;

__attribute__((format(printf, 2, 3))) static void add(arguments_t *self, const char *format, ...)
{
    char *text = self->text[self->count];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof self->text[0], format, values);
    va_end(values);
    self->argv[self->count++] = text;
    self->argv[self->count] = NULL;
}

// mayhem-ROLE with the options that all of them get.
static void begin(const bench_t *bench, const char *role, const char *id, arguments_t *ret_self)
{
    ret_self->count = 0;
    add(ret_self, "%s/mayhem-%s", bench->programs, role);
    add(ret_self, "--dir=%s", bench->dir);
    add(ret_self, "--id=%s", id);
    add(ret_self, "--log-file=%s/log/%s.log", bench->dir, id);
    add(ret_self, "--consumer=%s", bench->address);
}

static void nap(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void start_others(bench_t *bench)
{
    static arguments_t arguments;
    begin(bench, "consumer", "consumer", &arguments);
    (void)roles_execute(&bench->roles, "consumer", arguments.argv);
    begin(bench, "saver", "saver", &arguments);
    (void)roles_execute(&bench->roles, "saver", arguments.argv);
    for (size_t i = 1; i <= bench->restarters; i++) {
        if (bench->feeds) {
            probe_restarter(&bench->probe, &bench->roles);
            continue;
        }
        char id[32];
        (void)snprintf(id, sizeof id, "restarter-%zu", i);
        begin(bench, "restarter", id, &arguments);
        (void)roles_execute(&bench->roles, "restarter", arguments.argv);
    }
    nap(SETTLE_MS);
}

// ---- the input ---------------------------------------------------------------------------------

static void write_hosts(const bench_t *bench, char *ret_path, size_t size)
{
    (void)snprintf(ret_path, size, "%s/hosts.txt", bench->dir);
    FILE *file = fopen(ret_path, "we");
    if (!file)
        roles_fail(ret_path, strerror(errno));
    for (uint64_t i = 0; i < bench->jobs; i++) {
        char host[PROBE_HOST_MAX];
        probe_host(i, host);
        (void)fprintf(file, "%s\n", host);
    }
    if (fclose(file) != 0)
        roles_fail(ret_path, strerror(errno));
}

// Its standard input is the end of a pipe.
static size_t start_fed(bench_t *bench, arguments_t *arguments)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[0], STDIN_FILENO) < 0)
        roles_fail("pipe", strerror(errno));
    add(arguments, "--input=-");
    bench->input = ends[1];
    size_t place = roles_execute(&bench->roles, "publisher", arguments->argv);
    (void)close(ends[0]);
    (void)close(STDIN_FILENO);
    return place;
}

static size_t start_publisher(bench_t *bench)
{
    static arguments_t arguments;
    char path[4096];
    begin(bench, "publisher", "publisher", &arguments);
    if (bench->feeds)
        return start_fed(bench, &arguments);
    if (bench->generates) {
        add(&arguments, "--jobs=%" PRIu64, bench->jobs);
        add(&arguments, "--rate=max");
    } else {
        write_hosts(bench, path, sizeof path);
        add(&arguments, "--input=%s", path);
    }
    if (bench->rate > 0)
        add(&arguments, "--rate=%.0f", bench->rate);
    return roles_execute(&bench->roles, "publisher", arguments.argv);
}

// ---- what is on record -------------------------------------------------------------------------

static bool read_record(const bench_t *bench, outbox_run_t *ret_run)
{
    char path[4096], error[MM_ERROR_MAX];
    outbox_db_t *db;
    bool found = false;
    (void)snprintf(path, sizeof path, "%s/outbox.db", bench->dir);
    if (outbox_db_open(path, true, &db, error) != 0)
        return false;
    if (outbox_db_latest(db, ret_run, &found) != OUTBOX_DB_OK)
        found = false;
    outbox_db_close(&db);
    return found;
}

static void read_result(const bench_t *bench, roles_result_t *ret_result)
{
    outbox_run_t run = {0};
    if (!read_record(bench, &run))
        roles_fail(bench->dir, "no run is on record in its outbox.db");
    if (run.finished_ms == 0 || run.restarted != bench->jobs)
        roles_fail(bench->dir, "not all jobs are on record as restarted");
    ret_result->jobs = run.restarted;
    ret_result->seconds = (double)(run.finished_ms - run.started_ms) / 1000;
    if (!mm_histogram_decode(run.times, run.times_size, &ret_result->times))
        roles_fail(bench->dir, "the run has no job times");
    outbox_run_clear(&run);
}

// ---- the backlog -------------------------------------------------------------------------------

static bool is_filled(const bench_t *bench)
{
    outbox_run_t run = {0};
    bool filled = read_record(bench, &run) && run.accepted >= bench->jobs;
    outbox_run_clear(&run);
    return filled;
}

// CPU time and present memory of a process that runs.
static void read_usage(pid_t pid, double *ret_cpu_us, long *ret_rss_kb)
{
    char path[64], line[512];
    unsigned long user = 0, system = 0;
    long pages = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    char *rest = fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
    (void)fclose(file);
    if (!rest || sscanf(rest,
                        ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d "
                        "%*d %*d %*u %*u %ld",
                        &user, &system, &pages) != 3)
        return;
    *ret_cpu_us = (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
    *ret_rss_kb = pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// Waits until all jobs are in the outbox, while no consumer takes any.
static void await_filled(bench_t *bench, size_t publisher)
{
    int64_t begin_us = mm_clock_us();
    while (!is_filled(bench))
        nap(FILL_WATCH_MS);
    bench->fill_seconds = (double)(mm_clock_us() - begin_us) / 1e6;
    read_usage(bench->roles.all[publisher].pid, &bench->fill_cpu_us, &bench->fill_rss_kb);
}

static void print_fill(const bench_t *bench, size_t publisher, int64_t drain_us)
{
    double jobs = (double)bench->jobs;
    double drain_cpu_us = bench->roles.all[publisher].cpu_us - bench->fill_cpu_us;
    for (size_t i = 0; i < bench->roles.count; i++)
        if (i != publisher)
            drain_cpu_us += bench->roles.all[i].cpu_us;
    (void)printf("fill_jobs_per_s=%.0f fill_cpu_us_per_job=%.3f fill_rss_kb=%ld "
                 "drain_jobs_per_s=%.0f drain_cpu_us_per_job=%.3f ",
                 jobs / bench->fill_seconds, bench->fill_cpu_us / jobs, bench->fill_rss_kb,
                 jobs * 1e6 / (double)drain_us, drain_cpu_us / jobs);
}

// ---- pauses ------------------------------------------------------------------------------------

// Ends when the run has.
static int watch_pauses(void *arg)
{
    const bench_t *bench = arg;
    uint64_t settled = 0;
    int64_t since_us = 0;
    for (outbox_run_t run = {0}; run.finished_ms == 0; nap(PAUSE_WATCH_MS)) {
        outbox_run_clear(&run);
        if (!read_record(bench, &run) || run.restarted == settled)
            continue;
        int64_t now_us = mm_clock_us();
        if (settled > 0 && now_us - since_us > *bench->longest_us)
            *bench->longest_us = now_us - since_us;
        settled = run.restarted;
        since_us = now_us;
    }
    return 0;
}

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: pipeline [-n JOBS] [-r RESTARTERS] [-t] [-b | -g] [-w] "
                "[-p RATE -s SECONDS [-f]] PROGRAMS DIR\n",
                stderr);
    exit(EX_USAGE);
}

static void parse(int argc, char **argv, bench_t *bench)
{
    for (int option; (option = getopt(argc, argv, "n:r:tbgwfp:s:")) != -1;) {
        switch (option) {
        case 'n': bench->jobs = strtoull(optarg, NULL, 10); break;
        case 'r': bench->restarters = strtoull(optarg, NULL, 10); break;
        case 't': bench->is_tcp = true; break;
        case 'b': bench->fills = bench->generates = true; break;
        case 'g': bench->generates = true; break;
        case 'w': bench->watches = true; break;
        case 'f': bench->feeds = true; break;
        case 'p': bench->rate = strtod(optarg, NULL); break;
        case 's': bench->seconds = strtod(optarg, NULL); break;
        default: usage();
        }
    }
    if (optind != argc - 2)
        usage();
    bench->programs = argv[optind];
    bench->dir = argv[optind + 1];
    if (bench->rate > 0)
        bench->jobs = (uint64_t)(bench->rate * bench->seconds);
    if (bench->jobs == 0 || bench->restarters == 0 || bench->restarters > RESTARTERS_MAX ||
        (bench->feeds && bench->rate <= 0))
        usage();
    if (bench->is_tcp)
        (void)snprintf(bench->address, sizeof bench->address, "tcp://127.0.0.1:%d",
                       10000 + (int)getpid() % 20000);
    else
        (void)snprintf(bench->address, sizeof bench->address, "ipc://%s/consumer", bench->dir);
}

// What was measured beside the roles.
static void print_more(const bench_t *bench)
{
    static mm_histogram_t times;
    if (bench->watches)
        (void)printf("longest_pause_us=%" PRId64 " ", *bench->longest_us);
    if (!bench->feeds)
        return;
    probe_result(&bench->probe, &times);
    (void)printf("start_p50_us=%" PRId64 " start_p99_us=%" PRId64 " start_p999_us=%" PRId64 " ",
                 mm_histogram_quantile(&times, 0.5), mm_histogram_quantile(&times, 0.99),
                 mm_histogram_quantile(&times, 0.999));
}

int main(int argc, char **argv)
{
    static bench_t bench = {.jobs = 500000, .restarters = 2, .seconds = 3};
    static roles_result_t result;
    char log[4096];
    parse(argc, argv, &bench);
    (void)alarm(TIME_LIMIT_S);
    (void)snprintf(log, sizeof log, "%s/log", bench.dir);
    if (mkdir(log, 0700) != 0)
        roles_fail(log, strerror(errno));
    if (bench.feeds)
        probe_init(&bench.probe, bench.jobs, bench.rate, bench.address);
    if (bench.watches)
        bench.longest_us = roles_share(sizeof *bench.longest_us);
    size_t publisher;
    if (bench.fills) {
        publisher = start_publisher(&bench);
        await_filled(&bench, publisher);
        start_others(&bench);
    } else {
        start_others(&bench);
        publisher = start_publisher(&bench);
    }
    if (bench.watches)
        (void)roles_fork(&bench.roles, "watcher", watch_pauses, &bench);
    int64_t begin_us = mm_clock_us();
    if (bench.feeds)
        probe_feed(&bench.probe, bench.input);
    bool went_well = roles_await(&bench.roles, publisher);
    int64_t drain_us = mm_clock_us() - begin_us;
    nap(bench.watches ? FILL_WATCH_MS : 0); // the watcher sees the end by itself
    roles_signal(&bench.roles, SIGTERM);
    went_well = roles_await_all(&bench.roles) && went_well;
    if (!went_well)
        return EX_SOFTWARE; // what still runs dies with this process
    read_result(&bench, &result);
    if (bench.fills)
        print_fill(&bench, publisher, drain_us);
    print_more(&bench);
    roles_print(&bench.roles, &result);
    return 0;
}
