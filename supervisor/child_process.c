// See child_process.h.

#include "child_process.h"
#include "inherited.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

// A HUP that the supervisor ignores (nohup) stays ignored.
static void set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, defaults;
    sigemptyset(&none);
    sigfillset(&defaults);
    if (mm_inherited_ignores_hup())
        sigdelset(&defaults, SIGHUP);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &defaults);
}

int child_process_start(char *const argv[], int input, int output, int errors,
                        child_process_t *ret_child)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    set_signals(&attributes);
    // Moved out of the way first: each of the three may be one of 0 to 2 itself.
    int streams[] = {input, output, errors};
    int error = 0;
    for (int i = 0; i < 3; i++) {
        streams[i] = fcntl(streams[i], F_DUPFD_CLOEXEC, 3);
        if (streams[i] < 0)
            error = errno;
        else
            posix_spawn_file_actions_adddup2(&actions, streams[i], i);
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    *ret_child = (child_process_t){.pid = 0, .descriptor = -1};
    mode_t mask = umask(mm_inherited_umask());
    if (error == 0)
        error = posix_spawnp(&ret_child->pid, argv[0], &actions, &attributes, argv, environ);
    (void)umask(mask);
    for (int i = 0; i < 3; i++)
        if (streams[i] >= 0)
            close(streams[i]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
        return error;
    ret_child->descriptor = pidfd_open(ret_child->pid, 0);
    if (ret_child->descriptor >= 0)
        return 0;
    // Without a descriptor its end would be missed.
    error = errno;
    (void)kill(ret_child->pid, SIGKILL);
    (void)child_process_end(ret_child);
    return error;
}

child_end_t child_process_end(child_process_t *self)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(self->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    assert(pid == self->pid);
    if (self->descriptor >= 0)
        close(self->descriptor);
    *self = (child_process_t){.pid = 0, .descriptor = -1};
    if (WIFSIGNALED(status))
        return (child_end_t){.signal = WTERMSIG(status)};
    return (child_end_t){.code = WEXITSTATUS(status)};
}

void child_process_signal(const child_process_t *self, int signal)
{
    if (self->descriptor >= 0)
        (void)pidfd_send_signal(self->descriptor, signal, NULL, 0);
}

char *child_process_capture_fed(char *const argv[], int input, int errors, size_t *ret_size,
                                child_end_t *ret_end)
{
    int ends[2];
    char *text = NULL;
    child_process_t child;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    int error = child_process_start(argv, input, ends[1], errors, &child);
    close(ends[1]);
    if (error == 0) {
        FILE *stream = open_memstream(&text, ret_size);
        assert(stream);
        char bytes[4096];
        ssize_t size;
        while ((size = read(ends[0], bytes, sizeof bytes)) > 0 || (size < 0 && errno == EINTR))
            if (size > 0)
                (void)fwrite(bytes, 1, (size_t)size, stream);
        (void)fclose(stream);
        *ret_end = child_process_end(&child);
    }
    close(ends[0]);
    errno = error;
    return text;
}

char *child_process_capture(char *const argv[], int errors, size_t *ret_size, child_end_t *ret_end)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing < 0)
        return NULL;
    char *text = child_process_capture_fed(argv, nothing, errors, ret_size, ret_end);
    int error = errno;
    close(nothing);
    errno = error;
    return text;
}

char *child_process_sibling(const char *name)
{
    char path[4096], *sibling;
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    const char *slash = strrchr(path, '/');
    size = asprintf(&sibling, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);
    assert(size >= 0);
    return sibling;
}
