// See roles.h.

#include "roles.h"
#include "clock.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

void roles_fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(EX_UNAVAILABLE);
}

void *roles_share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        roles_fail("shared memory", strerror(errno));
    return memory;
}

// Returns 0 in the child, else its pid.
static pid_t begin(roles_t *self, const char *name)
{
    assert(self->count < ROLES_MAX);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        roles_fail("fork", strerror(errno));
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(EX_UNAVAILABLE);
        return 0;
    }
    self->all[self->count++] = (role_t){.name = name, .pid = pid};
    return pid;
}

size_t roles_fork(roles_t *self, const char *name, int (*run)(void *arg), void *arg)
{
    (void)fflush(NULL);
    if (begin(self, name) == 0)
        _exit(run(arg));
    return self->count - 1;
}

size_t roles_execute(roles_t *self, const char *name, char *const argv[])
{
    if (begin(self, name) == 0) {
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
        (void)execvp(argv[0], argv);
        roles_fail(argv[0], strerror(errno));
    }
    return self->count - 1;
}

void roles_nap(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

// ---- what counts

// Of a role that was not waited for yet.
static double used_us(const role_t *role)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(role->pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
        roles_fail(role->name, "its CPU time cannot be read");
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double all_used_us(const roles_t *self)
{
    double sum_us = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->all[i].pid != 0)
            sum_us += used_us(&self->all[i]);
    return sum_us;
}

void roles_count_from(roles_t *self, size_t place)
{
    self->all[place].from_us = used_us(&self->all[place]);
}

double roles_used_us(const roles_t *self, size_t place)
{
    return used_us(&self->all[place]) - self->all[place].from_us;
}

void roles_count_to(roles_t *self)
{
    int64_t limit_ms = mm_clock_ms() + ROLES_BUSY_MS;
    double before_us, now_us = all_used_us(self);
    do {
        before_us = now_us;
        roles_nap(ROLES_QUIET_MS);
        now_us = all_used_us(self);
    } while (now_us - before_us > ROLES_QUIET_MS * 1000 / 10.0 && mm_clock_ms() < limit_ms);
    for (size_t i = 0; i < self->count; i++) {
        role_t *role = &self->all[i];
        if (role->pid == 0)
            continue;
        role->cpu_us = used_us(role) - role->from_us;
        role->is_counted = true;
    }
}

// ---- how they end

static double microseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static void await_any(roles_t *self)
{
    int status;
    struct rusage usage;
    pid_t pid = wait4(-1, &status, 0, &usage);
    assert(pid > 0);
    for (size_t i = 0; i < self->count; i++) {
        role_t *role = &self->all[i];
        if (role->pid != pid)
            continue;
        role->pid = 0;
        role->is_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        if (!role->is_counted)
            role->cpu_us =
                microseconds(usage.ru_utime) + microseconds(usage.ru_stime) - role->from_us;
        role->rss_peak_kb = usage.ru_maxrss;
    }
}

static const role_t *find_failed(const roles_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->all[i].is_failed)
            return &self->all[i];
    return NULL;
}

bool roles_await(roles_t *self, size_t place)
{
    while (self->all[place].pid != 0 && !find_failed(self))
        await_any(self);
    const role_t *failed = find_failed(self);
    if (failed)
        (void)fprintf(stderr, "bench: the %s failed\n", failed->name);
    return !failed;
}

bool roles_await_all(roles_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!roles_await(self, i))
            return false;
    return true;
}

void roles_check(void)
{
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
        roles_fail("a process", "it has ended too early");
}

void roles_signal(roles_t *self, int number)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->all[i].pid != 0)
            (void)kill(self->all[i].pid, number);
}

void roles_end(roles_t *self)
{
    roles_signal(self, SIGTERM);
    for (size_t i = 0; i < self->count; i++)
        while (self->all[i].pid != 0)
            await_any(self);
}

// ---- the result

static bool is_first_of_name(const roles_t *self, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (strcmp(self->all[i].name, self->all[place].name) == 0)
            return false;
    return true;
}

// The CPU of all roles of a name, or of all; the memory of the largest.
static void sum_up(const roles_t *self, const char *name, double *ret_cpu_us, long *ret_rss_kb)
{
    double cpu_us = 0;
    long rss_kb = 0;
    for (size_t i = 0; i < self->count; i++) {
        const role_t *role = &self->all[i];
        if (name && strcmp(role->name, name) != 0)
            continue;
        cpu_us += role->cpu_us;
        rss_kb = role->rss_peak_kb > rss_kb ? role->rss_peak_kb : rss_kb;
    }
    *ret_cpu_us = cpu_us;
    *ret_rss_kb = rss_kb;
}

void roles_print(const roles_t *self, const roles_result_t *result)
{
    double jobs = (double)result->jobs, cpu_us;
    long rss_kb;
    sum_up(self, NULL, &cpu_us, &rss_kb);
    (void)printf("jobs=%" PRIu64 " seconds=%.3f jobs_per_s=%.0f cpu_us_per_job=%.3f", result->jobs,
                 result->seconds, jobs / result->seconds, cpu_us / jobs);
    for (size_t i = 0; i < self->count; i++) {
        const char *name = self->all[i].name;
        if (!is_first_of_name(self, i))
            continue;
        sum_up(self, name, &cpu_us, &rss_kb);
        (void)printf(" cpu_%s=%.3f rss_kb_%s=%ld", name, cpu_us / jobs, name, rss_kb);
    }
    if (result->times.count > 0)
        (void)printf(" p50_us=%" PRId64 " p99_us=%" PRId64 " p999_us=%" PRId64 " max_us=%" PRId64,
                     mm_histogram_quantile(&result->times, 0.5),
                     mm_histogram_quantile(&result->times, 0.99),
                     mm_histogram_quantile(&result->times, 0.999), result->times.max);
    (void)printf("\n");
}
