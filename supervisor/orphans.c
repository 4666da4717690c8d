// See orphans.h.

#include "orphans.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

struct orphans {
    mm_loop_t *loop;
    orphans_fn *is_own;
    void *arg;
    int signals; // signalfd for CHLD
};

static void on_signal(void *arg)
{
    orphans_t *self = arg;
    struct signalfd_siginfo signal;
    while (read(self->signals, &signal, sizeof signal) > 0)
        continue;
    orphans_reap(self);
}

orphans_t *orphans_new(mm_loop_t *loop, orphans_fn *is_own, void *arg)
{
    sigset_t set;
    orphans_t *self = calloc(1, sizeof *self);
    assert(self);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    int rc = sigprocmask(SIG_BLOCK, &set, NULL);
    assert(rc == 0);
    *self = (orphans_t){loop, is_own, arg, signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)};
    assert(self->signals >= 0);
    mm_loop_add_descriptor(loop, "orphans", self->signals, ZMQ_POLLIN, on_signal, self);
    return self;
}

void orphans_destroy(orphans_t **self_p)
{
    orphans_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_loop_remove_descriptor(self->loop, self->signals);
    close(self->signals);
    free(self);
}

// WNOWAIT only looks.
void orphans_reap(orphans_t *self)
{
    siginfo_t info = {0};
    while (self && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0 &&
           !self->is_own(self->arg, info.si_pid)) {
        (void)waitpid(info.si_pid, NULL, 0);
        info = (siginfo_t){0};
    }
}
