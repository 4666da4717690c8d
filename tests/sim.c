// make sim SEED=n [STEPS=n] replays one seed with its whole trace; make sim SEEDS=n runs that many,
// on all processors, and prints what was seen. It ends with 1 when an invariant was violated.
//
//   sim -s SEED [-n STEPS] [-q]    one seed
//   sim -c COUNT [-f FIRST] [-j JOBS]

#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void add(sim_statistics_t *sum, const sim_statistics_t *one)
{
    sum->crashes += one->crashes;
    sum->stops += one->stops;
    sum->pauses += one->pauses;
    sum->messages += one->messages;
    sum->lost += one->lost;
    sum->restarts += one->restarts;
    sum->jobs += one->jobs;
    sum->twice += one->twice;
    sum->innocent += one->innocent;
    sum->steps += one->steps;
    sum->simulated_ms += one->simulated_ms;
    if (one->worst_ms > sum->worst_ms)
        sum->worst_ms = one->worst_ms;
}

static bool run_one(uint64_t seed, uint64_t steps, FILE *verbose, sim_statistics_t *sum)
{
    sim_t *sim = sim_new(seed, verbose);
    bool held = sim_run(sim, steps);
    if (!held)
        (void)printf("replay it with: make sim SEED=%llu\n", (unsigned long long)seed);
    add(sum, &sim->statistics);
    sim_destroy(&sim);
    return held;
}

typedef struct {
    sim_statistics_t statistics;
    uint64_t seeds;
    uint64_t violated;
    uint64_t first; // seed that was violated first
} share_t;

// Every nth seed, in a process of its own; the result comes back through a pipe.
static void run_share(uint64_t first, uint64_t count, uint64_t step, int out)
{
    share_t share = {0};
    for (uint64_t seed = first; seed < first + count; seed += step) {
        share.seeds++;
        if (run_one(seed, UINT64_MAX, NULL, &share.statistics))
            continue;
        if (share.violated++ == 0)
            share.first = seed;
        if (share.violated >= 3)
            break;
    }
    (void)fflush(stdout);
    ssize_t written = write(out, &share, sizeof share);
    _exit(written == (ssize_t)sizeof share ? 0 : 1);
}

static int run_many(uint64_t first, uint64_t count, uint64_t jobs)
{
    struct timespec began, ended;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    int pipes[64];
    for (uint64_t i = 0; i < jobs; i++) {
        int both[2];
        if (pipe(both) != 0)
            return 1;
        if (fork() == 0)
            run_share(first + i, count - i, jobs, both[1]);
        (void)close(both[1]);
        pipes[i] = both[0];
    }
    share_t sum = {0};
    bool complete = true;
    for (uint64_t i = 0; i < jobs; i++) {
        share_t share;
        complete = read(pipes[i], &share, sizeof share) == (ssize_t)sizeof share && complete;
        if (!complete)
            continue;
        add(&sum.statistics, &share.statistics);
        sum.seeds += share.seeds;
        sum.violated += share.violated;
    }
    while (wait(NULL) > 0)
        ;
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    const sim_statistics_t *s = &sum.statistics;
    (void)printf("%llu seeds, %llu violated; %.1f simulated hours, %llu crashes, %llu stops, %llu "
                 "pauses,\n%llu messages, %llu lost; %llu jobs, %llu restarts, %llu jobs restarted "
                 "well more than once,\n%llu healthy ones dead; worst settle %.1f s after the "
                 "faults; %.0f seeds/s\n",
                 (unsigned long long)sum.seeds, (unsigned long long)sum.violated,
                 (double)s->simulated_ms / 3.6e6, (unsigned long long)s->crashes,
                 (unsigned long long)s->stops, (unsigned long long)s->pauses,
                 (unsigned long long)s->messages, (unsigned long long)s->lost,
                 (unsigned long long)s->jobs, (unsigned long long)s->restarts,
                 (unsigned long long)s->twice, (unsigned long long)s->innocent,
                 (double)s->worst_ms / 1000, (double)sum.seeds / seconds);
    return sum.violated > 0 || !complete ? 1 : 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = 0, steps = UINT64_MAX, count = 0, first = 1;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = processors > 0 && processors <= 64 ? (uint64_t)processors : 2;
    bool quiet = false;
    for (int option; (option = getopt(argc, argv, "s:n:c:f:j:q")) != -1;) {
        switch (option) {
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'n': steps = strtoull(optarg, NULL, 10); break;
        case 'c': count = strtoull(optarg, NULL, 10); break;
        case 'f': first = strtoull(optarg, NULL, 10); break;
        case 'j': jobs = strtoull(optarg, NULL, 10); break;
        case 'q': quiet = true; break;
        default: return 64;
        }
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (count > 0)
        return run_many(first, count, jobs < 1 ? 1 : jobs > 64 ? 64 : jobs);
    sim_statistics_t statistics = {0};
    return run_one(seed, steps, quiet ? NULL : stdout, &statistics) ? 0 : 1;
}
