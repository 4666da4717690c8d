// See known_pid.h.

#include "known_pid.h"

#include <assert.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t known; // 0: it is not

static void forget(void)
{
    known = 0;
}

pid_t getpid(void)
{
    return known != 0 ? known : (pid_t)syscall(SYS_getpid);
}

void mm_known_pid_start(void)
{
    if (known != 0)
        return;
    int rc = pthread_atfork(NULL, NULL, forget);
    assert(rc == 0);
    known = getpid();
}
