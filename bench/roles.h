// The processes of a measurement: each role of it is one, forked or executed. A role dies with the
// process that started it. Not for threads.
//
// The CPU time of a role is that of its whole process, by clock_getcpuclockid: in nanoseconds, all
// threads, those that have ended too, but no processes of its own. It counts from roles_count_from
// to roles_count_to; without these calls from its start to its end, with what it has waited for.

#ifndef ROLES_H
#define ROLES_H

#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ROLES_MAX 520

typedef struct {
    const char *name; // several may have the same one: they are then told together
    pid_t pid;        // 0: it has ended
    bool is_failed;   // it ended with another code than 0, or by a signal
    double from_us;   // its CPU time when it began to count
    double cpu_us;    // what counts; known when counting or the role has ended
    bool is_counted;  // counting has ended before it did
    long rss_peak_kb;
} role_t;

// All zero bytes: none.
typedef struct {
    role_t all[ROLES_MAX];
    size_t count;
} roles_t;

// What a role finds out goes through memory that all of them share.
typedef struct {
    uint64_t jobs;
    double seconds;       // first job out to last ack in
    mm_histogram_t times; // publish to ack, in us; empty when it was not measured
} roles_result_t;

// Memory for `size` bytes that forked roles share with their parent: zero at first, never freed.
void *roles_share(size_t size);

// A fork of this process that runs `run` and ends with its code. Returns its place.
size_t roles_fork(roles_t *self, const char *name, int (*run)(void *arg), void *arg);
// A fork that executes a program, found in PATH; its standard output goes to standard error.
size_t roles_execute(roles_t *self, const char *name, char *const argv[]);

// What this role uses from now on counts; what it has used before does not.
void roles_count_from(roles_t *self, size_t place);
// What counts of it so far. It was not waited for yet.
double roles_used_us(const roles_t *self, size_t place);
// What those that still run use from now on does not count. First waits until all of them have
// nothing left to do (ROLES_QUIET_MS in which they use less than a tenth of it), since logs are
// written behind the work; at most ROLES_BUSY_MS.
#define ROLES_QUIET_MS 20
#define ROLES_BUSY_MS  5000
void roles_count_to(roles_t *self);

// Waits until this role has ended, whatever ends meanwhile. False when one has failed.
bool roles_await(roles_t *self, size_t place);
bool roles_await_all(roles_t *self);
// Fails when one has ended that was not waited for: while all are to run.
void roles_check(void);
// A signal to all that still run.
void roles_signal(roles_t *self, int number);
// Ends by TERM all that still run, and waits for them; how they end does not count.
void roles_end(roles_t *self);

void roles_nap(long ms);

// Prints the measurement as one line of key=value, with the CPU time by role. Call it when all
// have ended.
void roles_print(const roles_t *self, const roles_result_t *result);

// Ends this process with one sentence on standard error.
_Noreturn void roles_fail(const char *what, const char *why);

#endif
