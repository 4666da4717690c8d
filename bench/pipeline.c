// Runs the four real programs once, with their own defaults, and prints what they took in the words
// of the skeleton. Hosts in a file go in; the figures are those of the publisher's own record (run
// times and job times in outbox.db) and of the kernel (CPU and peak memory of each process).
// Options of the programs come from the environment, as MAYHEM_LEASES=…; logs are in DIR/log.
//
// CPU counts while the work is done: from when all workers have joined, of the publisher from when
// its outbox is open to its end, of the others until they have nothing left to do. Of a paced run
// neither CPU nor job times of the first WARM_UP_S seconds count.
//
// pipeline [-n JOBS] [-r RESTARTERS] [-t | -k KEYS] [-b | -w SECONDS | -p RATE -s SECONDS [-f]]
//          [-c NAME=PID]... PROGRAMS DIR
//   PROGRAMS: the folder of mayhem-publisher and the others; DIR: an empty folder of this run
//   -t: tcp over loopback instead of ipc; -p: so many jobs a second for so long
//   -k: all roles but the consumer come to its listener on loopback, with CURVE and their keys of
//       the folder KEYS: publisher.key, saver.key, restarter-1.key and so on. Not with -f
//   -f: lines go to the publisher's standard input at that pace, and restarters of ours note when
//       each restart starts (probe.h)
//   -b: the publisher makes the jobs up, and all are in its outbox before the others start; it is
//       stopped while they do
//   -c: a server that others have started, such as that of MAYHEM_STORE: its CPU is told, too
//   -w: it makes up as many as go through in so long, and a thread watches for the longest time in
//       which the record shows no further job as settled (pauses.h)

#include "clock.h"
#include "pauses.h"
#include "probe.h"
#include "ready.h"
#include "record.h"
#include "servers.h"

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
#include <unistd.h>

#define TIME_LIMIT_S   3600
#define RESTARTERS_MAX 512
#define ARGUMENTS_MAX  12
#define WATCH_MS       50 // between two looks at the record
#define WARM_UP_S      1

// What is on record when the warm-up has ended.
typedef struct {
    uint64_t jobs;  // settled
    int64_t end_ms; // Unix time; 0: there was no warm-up
    mm_histogram_t times;
} warm_up_t;

typedef struct {
    uint64_t jobs; // 0: as many as go through in `seconds`
    size_t restarters;
    double rate, seconds;
    bool is_tcp, fills, watches, feeds;
    const char *programs, *dir;
    const char *keys;  // a folder; NULL: the roles come without keys
    char address[256]; // the consumer's
    char listen[64];   // its listener's, with keys
    roles_t roles;
    size_t publisher; // its place
    probe_t probe;
    int input;       // the end of a pipe for the lines, when it feeds
    pauses_t pauses; // when it watches
    servers_t servers;
    warm_up_t warm_up;
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
}

// One that comes to the consumer.
static void begin_client(const bench_t *bench, const char *role, const char *id,
                         arguments_t *ret_self)
{
    begin(bench, role, id, ret_self);
    add(ret_self, "--consumer=%s", bench->keys ? bench->listen : bench->address);
    if (bench->keys)
        add(ret_self, "--key=%s/%s.key", bench->keys, id);
}

static void begin_consumer(const bench_t *bench, arguments_t *ret_self)
{
    begin(bench, "consumer", "consumer", ret_self);
    add(ret_self, "--consumer=%s", bench->address);
    if (!bench->keys)
        return;
    add(ret_self, "--listen=%s", bench->listen);
    add(ret_self, "--keys=%s", bench->keys);
}

static void start_others(bench_t *bench)
{
    static arguments_t arguments;
    size_t first = bench->roles.count;
    begin_consumer(bench, &arguments);
    (void)roles_execute(&bench->roles, "consumer", arguments.argv);
    begin_client(bench, "saver", "saver", &arguments);
    (void)roles_execute(&bench->roles, "saver", arguments.argv);
    for (size_t i = 1; i <= bench->restarters; i++) {
        if (bench->feeds) {
            probe_restarter(&bench->probe, &bench->roles);
            continue;
        }
        char id[32];
        (void)snprintf(id, sizeof id, "restarter-%zu", i);
        begin_client(bench, "restarter", id, &arguments);
        (void)roles_execute(&bench->roles, "restarter", arguments.argv);
    }
    ready_workers(bench->address, 1 + bench->restarters);
    for (size_t i = first; i < bench->roles.count; i++)
        roles_count_from(&bench->roles, i);
    servers_count_from(&bench->servers);
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

// Standard input becomes the end of a pipe.
static void open_feed(bench_t *bench)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0 || dup2(ends[0], STDIN_FILENO) < 0)
        roles_fail("pipe", strerror(errno));
    bench->input = ends[1];
    (void)close(ends[0]);
}

static void add_input(bench_t *bench, arguments_t *arguments)
{
    char path[4096];
    if (bench->feeds) {
        open_feed(bench);
        add(arguments, "--input=-");
    } else if (bench->fills) {
        add(arguments, "--jobs=%" PRIu64, bench->jobs);
    } else if (bench->watches) {
        add(arguments, "--for=%.0fs", bench->seconds);
    } else {
        write_hosts(bench, path, sizeof path);
        add(arguments, "--input=%s", path);
    }
    if (bench->fills || bench->watches)
        add(arguments, "--rate=max");
    else if (bench->rate > 0 && !bench->feeds)
        add(arguments, "--rate=%.0f", bench->rate);
}

// Its start does not count.
static void start_publisher(bench_t *bench)
{
    static arguments_t arguments;
    begin_client(bench, "publisher", "publisher", &arguments);
    add_input(bench, &arguments);
    ready_outbox_t outbox = ready_outbox_watch(bench->dir);
    bench->publisher = roles_execute(&bench->roles, "publisher", arguments.argv);
    if (bench->feeds)
        (void)close(STDIN_FILENO);
    ready_outbox(&outbox);
    roles_count_from(&bench->roles, bench->publisher);
}

// ---- what is on record -------------------------------------------------------------------------

// Of a histogram that has grown, what came behind `before`. Its largest value is exact to a bucket.
static void leave_out(mm_histogram_t *times, const mm_histogram_t *before)
{
    int64_t max = times->max;
    for (size_t i = 0; i < MM_HISTOGRAM_BUCKETS; i++)
        times->buckets[i] -= before->buckets[i];
    times->count -= before->count;
    times->max = INT64_MAX;
    int64_t top = mm_histogram_quantile(times, 1);
    times->max = times->count == 0 ? 0 : top < max ? top : max;
}

static void read_result(const bench_t *bench, roles_result_t *ret_result)
{
    outbox_run_t run = {0};
    outbox_db_t *record = record_open(bench->dir);
    if (!record_read(record, &run))
        roles_fail(bench->dir, "no run is on record in its outbox.db");
    if (run.finished_ms == 0 || run.restarted != (bench->jobs > 0 ? bench->jobs : run.accepted))
        roles_fail(bench->dir, "not all jobs are on record as restarted");
    const warm_up_t *warm_up = &bench->warm_up;
    int64_t begin_ms = warm_up->end_ms > 0 ? warm_up->end_ms : run.started_ms;
    ret_result->jobs = run.restarted - warm_up->jobs;
    ret_result->seconds = (double)(run.finished_ms - begin_ms) / 1000;
    if (!mm_histogram_decode(run.times, run.times_size, &ret_result->times))
        roles_fail(bench->dir, "the run has no job times");
    leave_out(&ret_result->times, &warm_up->times);
    outbox_run_clear(&run);
    outbox_db_close(&record);
}

// ---- the warm-up

// Once a second the record gets the times of all jobs that are settled by then. True: it has those
// of enough.
static bool is_warm(const bench_t *bench, outbox_db_t *record, warm_up_t *ret_warm_up)
{
    outbox_run_t run = {0};
    bool is_read = record_read(record, &run) && run.times &&
                   mm_histogram_decode(run.times, run.times_size, &ret_warm_up->times);
    ret_warm_up->jobs = run.restarted;
    ret_warm_up->end_ms = mm_clock_wall_ms();
    outbox_run_clear(&run);
    return is_read && (double)ret_warm_up->times.count >= bench->rate * WARM_UP_S / 2;
}

// Of a paced run: CPU counts from its end on.
static void await_warm_up(bench_t *bench)
{
    outbox_db_t *record = NULL;
    while (!is_warm(bench, record, &bench->warm_up)) {
        roles_nap(WATCH_MS);
        roles_check();
        if (!record)
            record = record_open(bench->dir);
    }
    for (size_t i = 0; i < bench->roles.count; i++)
        roles_count_from(&bench->roles, i);
    servers_count_from(&bench->servers);
    outbox_db_close(&record);
}

// ---- the backlog -------------------------------------------------------------------------------

static bool is_filled(const bench_t *bench, outbox_db_t *record)
{
    outbox_run_t run = {0};
    bool filled = record_read(record, &run) && run.accepted >= bench->jobs;
    outbox_run_clear(&run);
    return filled;
}

// Present memory of a process that runs.
static long resident_kb(pid_t pid)
{
    char path[64];
    long pages = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    if (file)
        (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// Waits until all jobs are in the outbox, while no consumer takes any.
static void await_filled(bench_t *bench)
{
    int64_t begin_us = mm_clock_us();
    outbox_db_t *record = NULL;
    while (!is_filled(bench, record)) {
        roles_nap(WATCH_MS);
        roles_check();
        if (!record)
            record = record_open(bench->dir);
    }
    outbox_db_close(&record);
    bench->fill_seconds = (double)(mm_clock_us() - begin_us) / 1e6;
    bench->fill_cpu_us = roles_used_us(&bench->roles, bench->publisher);
    bench->fill_rss_kb = resident_kb(bench->roles.all[bench->publisher].pid);
}

static void print_fill(const bench_t *bench, int64_t drain_us)
{
    double jobs = (double)bench->jobs;
    double drain_cpu_us = -bench->fill_cpu_us;
    for (size_t i = 0; i < bench->roles.count; i++)
        drain_cpu_us += bench->roles.all[i].cpu_us;
    (void)printf("fill_jobs_per_s=%.0f fill_cpu_us_per_job=%.3f fill_rss_kb=%ld "
                 "drain_jobs_per_s=%.0f drain_cpu_us_per_job=%.3f ",
                 jobs / bench->fill_seconds, bench->fill_cpu_us / jobs, bench->fill_rss_kb,
                 jobs * 1e6 / (double)drain_us, drain_cpu_us / jobs);
}

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: pipeline [-n JOBS] [-r RESTARTERS] [-t | -k KEYS] "
                "[-b | -w SECONDS | -p RATE -s SECONDS [-f]] [-c NAME=PID]... PROGRAMS DIR\n",
                stderr);
    exit(EX_USAGE);
}

static void name_addresses(bench_t *bench)
{
    int port = 10000 + (int)getpid() % 20000;
    if (bench->is_tcp)
        (void)snprintf(bench->address, sizeof bench->address, "tcp://127.0.0.1:%d", port);
    else
        (void)snprintf(bench->address, sizeof bench->address, "ipc://%s/consumer", bench->dir);
    if (bench->keys)
        (void)snprintf(bench->listen, sizeof bench->listen, "tcp://127.0.0.1:%d", port);
}

static void parse(int argc, char **argv, bench_t *bench)
{
    for (int option; (option = getopt(argc, argv, "n:r:tk:bfw:p:s:c:")) != -1;) {
        switch (option) {
        case 'n': bench->jobs = strtoull(optarg, NULL, 10); break;
        case 'r': bench->restarters = strtoull(optarg, NULL, 10); break;
        case 't': bench->is_tcp = true; break;
        case 'k': bench->keys = optarg; break;
        case 'b': bench->fills = true; break;
        case 'w':
            bench->watches = true;
            bench->seconds = strtod(optarg, NULL);
            break;
        case 'f': bench->feeds = true; break;
        case 'p': bench->rate = strtod(optarg, NULL); break;
        case 'c': servers_add(&bench->servers, optarg); break;
        case 's': bench->seconds = strtod(optarg, NULL); break;
        default: usage();
        }
    }
    if (optind != argc - 2)
        usage();
    bench->programs = argv[optind];
    bench->dir = argv[optind + 1];
    if (bench->rate > 0)
        bench->jobs = (uint64_t)(bench->rate * (WARM_UP_S + bench->seconds));
    if (bench->watches)
        bench->jobs = 0;
    if ((bench->jobs == 0 && !bench->watches) || bench->restarters == 0 ||
        bench->restarters > RESTARTERS_MAX || (bench->feeds && bench->rate <= 0) ||
        (bench->keys && (bench->is_tcp || bench->feeds)))
        usage();
    name_addresses(bench);
}

// What was measured beside the roles.
static void print_more(bench_t *bench)
{
    static mm_histogram_t times;
    if (bench->watches)
        pauses_print(&bench->pauses);
    if (!bench->feeds)
        return;
    probe_result(&bench->probe, (uint64_t)(bench->rate * WARM_UP_S), &times);
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
    if (bench.fills) {
        start_publisher(&bench);
        await_filled(&bench);
        roles_signal(&bench.roles, SIGSTOP);
        start_others(&bench);
        roles_signal(&bench.roles, SIGCONT);
    } else {
        start_others(&bench);
        start_publisher(&bench);
    }
    int64_t begin_us = mm_clock_us();
    if (bench.watches)
        pauses_watch(&bench.pauses, bench.dir);
    if (bench.feeds)
        probe_feed(&bench.probe, bench.input);
    else if (bench.rate > 0)
        await_warm_up(&bench);
    bool went_well = roles_await(&bench.roles, bench.publisher);
    int64_t drain_us = mm_clock_us() - begin_us;
    roles_count_to(&bench.roles);
    servers_count_to(&bench.servers);
    roles_signal(&bench.roles, SIGTERM);
    went_well = roles_await_all(&bench.roles) && went_well;
    if (!went_well)
        return EX_SOFTWARE; // what still runs dies with this process
    read_result(&bench, &result);
    if (bench.fills)
        print_fill(&bench, drain_us);
    print_more(&bench);
    servers_print(&bench.servers, result.jobs);
    roles_print(&bench.roles, &result);
    return 0;
}
