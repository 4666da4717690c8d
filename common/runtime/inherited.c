// See inherited.h.

#include "inherited.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t inherited_umask = 022;
static bool ignores_hup;
static bool has_parent;
static bool is_repaired;
static char *called; // NULL: nobody has said

// open takes the lowest free number.
static void open_streams(void)
{
    for (int i = 0; i <= 2; i++) {
        if (fcntl(i, F_GETFD) >= 0)
            continue;
        int descriptor = open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY);
        assert(descriptor == i || descriptor < 0); // no /dev/null: as good as it gets
    }
}

void mm_inherited_repair(void)
{
    sigset_t none;
    struct sigaction hup;
    if (is_repaired)
        return;
    is_repaired = true;
    open_streams();
    sigemptyset(&none);
    int rc = sigprocmask(SIG_SETMASK, &none, NULL);
    assert(rc == 0);
    rc = sigaction(SIGHUP, NULL, &hup);
    assert(rc == 0);
    ignores_hup = hup.sa_handler == SIG_IGN;
    (void)signal(SIGTTOU, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    inherited_umask = umask(077);
}

mode_t mm_inherited_umask(void)
{
    return inherited_umask;
}

bool mm_inherited_ignores_hup(void)
{
    return ignores_hup;
}

bool mm_inherited_may_draw(void)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0 &&
           !(no_color && *no_color);
}

bool mm_inherited_follow_parent(void)
{
    const char *parent = getenv("MAYHEM_PARENT");
    if (!parent)
        return true;
    has_parent = true;
    const char *name = getenv("MAYHEM_CALLED");
    free(called);
    called = name && *name ? strdup(name) : NULL;
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    bool is_alive = getppid() == (pid_t)strtol(parent, NULL, 10);
    (void)unsetenv("MAYHEM_PARENT"); // not for the commands of this process
    (void)unsetenv("MAYHEM_CALLED");
    return is_alive;
}

const char *mm_inherited_called(void)
{
    return called ? called : "mayhem";
}

bool mm_inherited_has_parent(void)
{
    return has_parent;
}
