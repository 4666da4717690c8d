// Points at which a test can make a process die as by kill -9, without any clean-up. Only a build
// with -DMM_CRASH_POINTS (make crash) has them; tests/e2e/e2e_crash.sh dies at each one.
//
//   MAYHEM_CRASH=[PROGRAM/]NAME[:COUNT]  die when this point is passed for the COUNTth time (1)
//   MAYHEM_CRASH_ONCE=FILE               but only a process that can create FILE

#ifndef MM_CRASH_H
#define MM_CRASH_H

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef MM_CRASH_POINTS

static inline void mm_crash_pass(const char *name, unsigned passed)
{
    const char *wanted = getenv("MAYHEM_CRASH"), *once = getenv("MAYHEM_CRASH_ONCE");
    const char *slash = wanted ? strchr(wanted, '/') : NULL;
    if (slash) {
        const char *program = program_invocation_short_name;
        if (strncmp(wanted, program, (size_t)(slash - wanted)) != 0 ||
            program[slash - wanted] != '\0')
            return;
        wanted = slash + 1;
    }
    size_t length = strlen(name);
    if (!wanted || strncmp(wanted, name, length) != 0)
        return;
    const char *count = wanted + length;
    if (!(*count == '\0' && passed == 1) &&
        !(*count == ':' && passed == strtoul(count + 1, NULL, 10)))
        return;
    if (once && open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0)
        return;
    // Time for libzmq to send its frames: their loss is the case of the point before the send.
    (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    _exit(137);
}

// The names are in a section of their own, where the test finds them.
#define MM_CRASH_POINT(NAME)                                                                       \
    do {                                                                                           \
        static const char mm_crash_name[] __attribute__((used, section("mm_crash"))) = NAME;       \
        static unsigned mm_crash_passed;                                                           \
        mm_crash_pass(mm_crash_name, ++mm_crash_passed);                                           \
    } while (0)

#else
#define MM_CRASH_POINT(NAME) ((void)0)
#endif

#endif
