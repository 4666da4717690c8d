// nomem: lets the nth allocation of a simulated run fail, for many n. The cores, the wire and the
// libraries below them may end the process by an assertion then, which is what they do everywhere
// (crash-only: the supervisor starts it again), or go on as if nothing had happened. They may not
// crash, hang or break an invariant. malloc, calloc and realloc are replaced in the whole process.
//
// nomem POINTS SEED...: so many n for each seed, evenly spread

#include "sim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static uint64_t allocations; // since the run began
static uint64_t failing;     // which of them fails; 0: none
static bool counts;

static bool fails_now(void)
{
    if (!counts || ++allocations != failing)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails_now() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __libc_realloc(old, size);
}

static bool run(uint64_t seed)
{
    counts = true;
    sim_t *sim = sim_new(seed, NULL);
    sim->silent = true;
    bool held = sim_run(sim, UINT64_MAX);
    counts = false;
    return held;
}

// What uthash ends the process with when it gets no memory.
#define UTHASH_FATAL 255

// How the run ended: 0 well, 1 by an assertion or uthash, 2 wrong.
static int run_with(uint64_t seed, uint64_t point)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, STDERR_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)alarm(60);
        failing = point;
        _exit(run(seed) ? 0 : 1);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 2;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if ((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) ||
        (WIFEXITED(status) && WEXITSTATUS(status) == UTHASH_FATAL))
        return 1;
    (void)printf("FAIL nomem: seed %llu, allocation %llu: %s %d\n", (unsigned long long)seed,
                 (unsigned long long)point, WIFSIGNALED(status) ? "signal" : "exit",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return 2;
}

int main(int argc, char **argv)
{
    uint64_t points = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
    if (points == 0) {
        (void)fprintf(stderr, "usage: nomem POINTS SEED...\n");
        return 64;
    }
    unsigned ended[3] = {0};
    for (int i = 2; i < argc; i++) {
        uint64_t seed = strtoull(argv[i], NULL, 10);
        allocations = 0;
        if (!run(seed))
            return 1;
        uint64_t total = allocations;
        allocations = 0;
        for (uint64_t point = 0; point < points; point++)
            ended[run_with(seed, 1 + point * total / points)]++;
    }
    if (ended[2] > 0)
        return 1;
    (void)printf("PASS nomem: %u allocations failed: %u assertions, %u went on, none did wrong\n",
                 ended[0] + ended[1], ended[1], ended[0]);
    return 0;
}
