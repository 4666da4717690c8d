// make sim SEED=n [STEPS=n] replays one seed with its whole trace; make sim SEEDS=n runs that many,
// on all processors, and prints what was seen. It ends with 1 when an invariant was violated.
//
//   sim -s SEED [-n STEPS] [-q]          one seed
//   sim -c COUNT [-f FIRST] [-j JOBS]    many
//   sim -c COUNT [-f FIRST] -1           until the first violation, and how many seeds that took
//   -p                                   each with a policy; else few have one
//   -S                                   each with a shared record; else one of four has one

#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
    sum->real += one->real;
    sum->effects += one->effects;
    sum->doubled += one->doubled;
    sum->policies += one->policies;
    sum->judged += one->judged;
    sum->innocent += one->innocent;
    sum->withdrawn += one->withdrawn;
    sum->withdrawn_begun += one->withdrawn_begun;
    sum->shared += one->shared;
    sum->takes += one->takes;
    sum->failovers += one->failovers;
    sum->unknown += one->unknown;
    sum->stuck += one->stuck;
    sum->fenced += one->fenced;
    sum->steps += one->steps;
    sum->simulated_ms += one->simulated_ms;
    if (one->worst_ms > sum->worst_ms)
        sum->worst_ms = one->worst_ms;
}

// Runs a seed fast, and once more with its trace when an invariant breaks.
static bool run_one(uint64_t seed, sim_statistics_t *sum)
{
    sim_t *sim = sim_new(seed, NULL);
    sim->silent = true;
    bool held = sim_run(sim, UINT64_MAX);
    add(sum, &sim->statistics);
    sim_destroy(&sim);
    return held;
}

static bool show_one(uint64_t seed, uint64_t steps, FILE *verbose)
{
    sim_t *sim = sim_new(seed, verbose);
    bool held = sim_run(sim, steps);
    sim_destroy(&sim);
    if (!held)
        (void)printf("replay it with: make sim SEED=%llu%s\n", (unsigned long long)seed,
                     sim_has_policy_always  ? " POLICY=1"
                     : sim_is_shared_always ? " SHARED=1"
                                            : "");
    return held;
}

// What one process did of the seeds; in memory that all share, so that it survives its process.
typedef struct {
    sim_statistics_t statistics;
    uint64_t seeds;
    uint64_t violated;
    uint64_t seed;  // under way
    uint64_t first; // that was violated first
    bool complete;
} share_t;

// Every nth seed, in a process of its own.
static void run_share(share_t *share, uint64_t first, uint64_t count, uint64_t step, bool until_one)
{
    for (uint64_t i = 0; i < count; i += step) {
        uint64_t seed = share->seed = first + i;
        share->seeds++;
        if (run_one(seed, &share->statistics))
            continue;
        if (share->violated++ == 0)
            share->first = seed;
        if (!until_one)
            (void)show_one(seed, UINT64_MAX, NULL);
        if (until_one || share->violated >= 3)
            break;
    }
    share->complete = true;
    (void)fflush(stdout);
    _exit(0);
}

static share_t *run_shares(uint64_t first, uint64_t count, uint64_t jobs, bool until_one)
{
    share_t *shares = mmap(NULL, jobs * sizeof *shares, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shares == MAP_FAILED)
        return NULL;
    for (uint64_t i = 0; i < jobs && i < count; i++)
        if (fork() == 0)
            run_share(&shares[i], first + i, count - i, jobs, until_one);
    while (wait(NULL) > 0)
        ;
    for (uint64_t i = 0; i < jobs && i < count; i++) {
        if (shares[i].complete)
            continue;
        (void)printf("seed %llu: the simulator itself died, see above; replay it with: make sim "
                     "SEED=%llu\n",
                     (unsigned long long)shares[i].seed, (unsigned long long)shares[i].seed);
        if (shares[i].violated++ == 0)
            shares[i].first = shares[i].seed;
    }
    return shares;
}

static int run_many(uint64_t first, uint64_t count, uint64_t jobs)
{
    struct timespec began, ended;
    (void)clock_gettime(CLOCK_MONOTONIC, &began);
    share_t *shares = run_shares(first, count, jobs, false);
    if (!shares)
        return 1;
    share_t sum = {0};
    for (uint64_t i = 0; i < jobs; i++) {
        add(&sum.statistics, &shares[i].statistics);
        sum.seeds += shares[i].seeds;
        sum.violated += shares[i].violated;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    double seconds =
        (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
    const sim_statistics_t *s = &sum.statistics;
    (void)printf(
        "%llu seeds, %llu violated; %.1f simulated hours, %llu crashes, %llu stops, %llu "
        "pauses,\n%llu messages, %llu lost; %llu jobs, %llu restarts, %llu jobs restarted "
        "well more than once,\n%llu jobs restarted for real, %llu hosts rebooted by them, "
        "%llu twice by drivers that identify;\n%llu withdrawn, %llu of them begun; %llu healthy "
        "ones "
        "dead; %llu seeds with a policy, %llu starts judged;\n%llu seeds with a shared record, "
        "%llu times taken, %llu fail-overs, %llu commits unknown, %llu fenced, %llu stuck "
        "behind a lost epoch;\nworst settle %.1f "
        "s after the "
        "faults; %.0f seeds/s\n",
        (unsigned long long)sum.seeds, (unsigned long long)sum.violated,
        (double)s->simulated_ms / 3.6e6, (unsigned long long)s->crashes,
        (unsigned long long)s->stops, (unsigned long long)s->pauses,
        (unsigned long long)s->messages, (unsigned long long)s->lost, (unsigned long long)s->jobs,
        (unsigned long long)s->restarts, (unsigned long long)s->twice, (unsigned long long)s->real,
        (unsigned long long)s->effects, (unsigned long long)s->doubled,
        (unsigned long long)s->withdrawn, (unsigned long long)s->withdrawn_begun,
        (unsigned long long)s->innocent, (unsigned long long)s->policies,
        (unsigned long long)s->judged, (unsigned long long)s->shared, (unsigned long long)s->takes,
        (unsigned long long)s->failovers, (unsigned long long)s->unknown,
        (unsigned long long)s->fenced, (unsigned long long)s->stuck, (double)s->worst_ms / 1000,
        (double)sum.seeds / seconds);
    (void)munmap(shares, jobs * sizeof *shares);
    return sum.violated > 0 ? 1 : 0;
}

// In steps that grow, so that little is run behind the first violation.
static int run_until_one(uint64_t first, uint64_t count, uint64_t jobs)
{
    uint64_t done = 0;
    for (uint64_t step = 4 * jobs; done < count; step *= 2) {
        step = step < count - done ? step : count - done;
        share_t *shares = run_shares(first + done, step, jobs, true);
        if (!shares)
            return 70;
        uint64_t found = UINT64_MAX;
        for (uint64_t i = 0; i < jobs; i++)
            if (shares[i].violated > 0 && shares[i].first < found)
                found = shares[i].first;
        (void)munmap(shares, jobs * sizeof *shares);
        if (found != UINT64_MAX) {
            (void)printf("found after %llu seeds\n", (unsigned long long)(found - first + 1));
            (void)fflush(stdout);
            (void)show_one(found, UINT64_MAX, NULL);
            return 1;
        }
        done += step;
    }
    (void)printf("not found in %llu seeds\n", (unsigned long long)count);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = 0, steps = UINT64_MAX, count = 0, first = 1;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t jobs = processors > 0 && processors <= 64 ? (uint64_t)processors : 2;
    bool quiet = false, until_one = false;
    for (int option; (option = getopt(argc, argv, "s:n:c:f:j:q1pS")) != -1;) {
        switch (option) {
        case 's': seed = strtoull(optarg, NULL, 10); break;
        case 'n': steps = strtoull(optarg, NULL, 10); break;
        case 'c': count = strtoull(optarg, NULL, 10); break;
        case 'f': first = strtoull(optarg, NULL, 10); break;
        case 'j': jobs = strtoull(optarg, NULL, 10); break;
        case 'q': quiet = true; break;
        case '1': until_one = true; break;
        case 'S': sim_is_shared_always = true; break;
        case 'p': sim_has_policy_always = true; break;
        default: return 64;
        }
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    jobs = jobs < 1 ? 1 : jobs > 64 ? 64 : jobs;
    if (count > 0)
        return until_one ? run_until_one(first, count, jobs) : run_many(first, count, jobs);
    return show_one(seed, steps, quiet ? NULL : stdout) ? 0 : 1;
}
