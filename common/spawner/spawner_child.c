// See spawner_child.h.

#include "spawner_child.h"
#include "array.h"
#include "clock.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/close_range.h>

#define STACK_BYTES (64 * 1024)

extern char **environ;

typedef struct {
    const mm_spawner_child_t *common;
    pid_t parent;
    const char *path;
    char **arguments; // with the spare one
    char **environment;
    uint64_t tag;
    int64_t not_after_ms;
    int error;
} launch_t;

// As execvp: a script without #! is for sh.
static int execute(launch_t *self)
{
    (void)execve(self->path, self->arguments + 1, self->environment);
    if (errno != ENOEXEC)
        return errno;
    self->arguments[0] = (char[]){"/bin/sh"};
    self->arguments[1] = (char *)(uintptr_t)self->path;
    (void)execve(self->arguments[0], self->arguments, self->environment);
    return errno;
}

// In the child, with the memory of the spawner, which waits until exec or exit. It has the tag
// before anything else, and before anybody sees it.
__attribute__((no_sanitize("thread", "address"))) static int run_command(void *arg)
{
    launch_t *self = arg;
    const mm_spawner_child_t *common = self->common;
    struct rlimit realtime = {.rlim_cur = self->tag, .rlim_max = common->realtime.rlim_max};
    sigset_t none;
    (void)sigemptyset(&none);
    if (setrlimit(RLIMIT_RTTIME, &realtime) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        close_range(MM_SPAWNER_OUTPUT_FD + 1, ~0U, CLOSE_RANGE_UNSHARE) != 0 ||
        dup2(MM_SPAWNER_OUTPUT_FD, STDOUT_FILENO) < 0 ||
        dup2(MM_SPAWNER_OUTPUT_FD, STDERR_FILENO) < 0 ||
        setrlimit(RLIMIT_NOFILE, &common->open_files) != 0 || setsid() < 0)
        self->error = errno;
    else if (getppid() != self->parent)
        self->error = ECHILD; // the spawner ended before prctl was called
    else if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
        self->error = errno;
    else if (mm_clock_ms() > self->not_after_ms)
        self->error = ETIME;
    else
        self->error = execute(self);
    _exit(127);
}

// The texts of the request that follow `at`, each with a NUL: `count` pointers. Returns the end.
static char *point_at(char *at, uint32_t count, char **ret_pointers)
{
    for (uint32_t i = 0; i < count; i++, at += strlen(at) + 1)
        ret_pointers[i] = at;
    return at;
}

static bool has_key_of(const char *variable, char *const *others, uint32_t count)
{
    size_t size = strcspn(variable, "=") + 1;
    for (uint32_t i = 0; i < count; i++)
        if (strncmp(variable, others[i], size) == 0)
            return true;
    return false;
}

// The additions, which the vector begins with, and what is inherited beside them.
static void add_inherited(mm_spawner_child_t *self, uint32_t count)
{
    size_t inherited = 0, at = count;
    while (environ[inherited])
        inherited++;
    self->environment = mm_array_reserve(self->environment, &self->environment_capacity,
                                         count + inherited + 1, sizeof(char *));
    for (size_t i = 0; i < inherited; i++)
        if (!has_key_of(environ[i], self->environment, count))
            self->environment[at++] = environ[i];
    self->environment[at] = NULL;
}

static launch_t prepare(mm_spawner_child_t *self, mm_request_t *request)
{
    char *at = (char *)(request + 1);
    launch_t launch = {.common = self,
                       .parent = getpid(),
                       .path = at,
                       .environment = environ,
                       .tag = request->tag,
                       .not_after_ms = request->not_after_ms};
    self->arguments = mm_array_reserve(self->arguments, &self->arguments_capacity,
                                       (size_t)request->arguments + 2, sizeof(char *));
    at = point_at(at + strlen(at) + 1, request->arguments, self->arguments + 1);
    self->arguments[request->arguments + 1] = NULL;
    launch.arguments = self->arguments;
    if (request->environment > 0) {
        self->environment = mm_array_reserve(self->environment, &self->environment_capacity,
                                             request->environment, sizeof(char *));
        (void)point_at(at, request->environment, self->environment);
        add_inherited(self, request->environment);
        launch.environment = self->environment;
    }
    return launch;
}

int mm_spawner_child_start(mm_spawner_child_t *self, mm_request_t *request, pid_t *ret_pid)
{
    launch_t launch = prepare(self, request);
    pid_t pid = clone(run_command, (char *)self->stack + STACK_BYTES,
                      CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &launch);
    if (pid < 0)
        return errno;
    if (launch.error != 0)
        (void)waitpid(pid, NULL, 0); // it is about to exit
    else
        *ret_pid = pid;
    return launch.error;
}

int mm_spawner_child_open(mm_spawner_child_t *self, uint64_t open_files)
{
    if (getrlimit(RLIMIT_RTTIME, &self->realtime) != 0 ||
        getrlimit(RLIMIT_NOFILE, &self->open_files) != 0)
        return errno;
    if (open_files > 0)
        self->open_files.rlim_cur =
            open_files < self->open_files.rlim_max ? open_files : self->open_files.rlim_max;
    self->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return self->stack == MAP_FAILED ? errno : 0;
}
