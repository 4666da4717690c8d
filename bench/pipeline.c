// Runs the four real programs once, with their own defaults, and prints what they took in the words
// of the skeleton. Hosts in a file go in; the figures are those of the publisher's own record (run
// times and job times in outbox.db) and of the kernel (CPU and peak memory of each process).
// Options of the programs come from the environment, as MAYHEM_WINDOW=…; logs are in DIR/log.
//
// pipeline [-n JOBS] [-r RESTARTERS] [-t] [-b] [-p RATE -s SECONDS] PROGRAMS DIR
//   PROGRAMS: the folder of mayhem-publisher and the others; DIR: an empty folder of this run
//   -t: tcp over loopback instead of ipc; -p: so many jobs a second for so long
//   -b: the outbox is filled with all jobs first, then the others start

#include "clock.h"
#include "outbox_db.h"
#include "roles.h"

#include <errno.h>
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
#define WATCH_MS       50

typedef struct {
    uint64_t jobs;
    size_t restarters;
    double rate, seconds;
    bool is_tcp, fills;
    const char *programs, *dir;
    roles_t roles;
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

// mayhem-ROLE with what all of them are told.
static void begin(const bench_t *bench, const char *role, const char *id, arguments_t *ret_self)
{
    ret_self->count = 0;
    add(ret_self, "%s/mayhem-%s", bench->programs, role);
    add(ret_self, "--dir=%s", bench->dir);
    add(ret_self, "--id=%s", id);
    add(ret_self, "--log-file=%s/log/%s.log", bench->dir, id);
    if (bench->is_tcp)
        add(ret_self, "--consumer=tcp://127.0.0.1:%d", 10000 + (int)getpid() % 20000);
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
    for (uint64_t i = 0; i < bench->jobs; i++)
        (void)fprintf(file, "web-%08" PRIu64 ".example.net\n", i);
    if (fclose(file) != 0)
        roles_fail(ret_path, strerror(errno));
}

static size_t start_publisher(bench_t *bench)
{
    static arguments_t arguments;
    char path[4096];
    begin(bench, "publisher", "publisher", &arguments);
    if (bench->fills) {
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
        nap(WATCH_MS);
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

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: pipeline [-n JOBS] [-r RESTARTERS] [-t] [-b] [-p RATE -s SECONDS] "
                "PROGRAMS DIR\n",
                stderr);
    exit(EX_USAGE);
}

static void parse(int argc, char **argv, bench_t *bench)
{
    for (int option; (option = getopt(argc, argv, "n:r:tbp:s:")) != -1;) {
        switch (option) {
        case 'n': bench->jobs = strtoull(optarg, NULL, 10); break;
        case 'r': bench->restarters = strtoull(optarg, NULL, 10); break;
        case 't': bench->is_tcp = true; break;
        case 'b': bench->fills = true; break;
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
    if (bench->jobs == 0 || bench->restarters == 0 || bench->restarters > RESTARTERS_MAX)
        usage();
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
    size_t publisher;
    if (bench.fills) {
        publisher = start_publisher(&bench);
        await_filled(&bench, publisher);
        start_others(&bench);
    } else {
        start_others(&bench);
        publisher = start_publisher(&bench);
    }
    int64_t begin_us = mm_clock_us();
    bool went_well = roles_await(&bench.roles, publisher);
    int64_t drain_us = mm_clock_us() - begin_us;
    roles_signal(&bench.roles, SIGTERM);
    went_well = roles_await_all(&bench.roles) && went_well;
    if (!went_well)
        return EX_SOFTWARE; // what still runs dies with this process
    read_result(&bench, &result);
    if (bench.fills)
        print_fill(&bench, publisher, drain_us);
    roles_print(&bench.roles, &result);
    return 0;
}
