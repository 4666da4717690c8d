// fleet: the hosts of a test, each a process (host.h) in a folder below DIR/hosts. They run until
// TERM comes or OWNER ends, however it ends; then nothing of them is left, and DIR is removed when
// it was the owner that ended. It makes DIR/ready when all hosts listen. It ends no process but its
// own descendants.
//
// fleet DIR OWNER_PID SSHD

#include "descendants_of.h"
#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { HOSTS_MAX = 1000, STOP_LIMIT_MS = 15000 };

static pid_t hosts[HOSTS_MAX];
static size_t host_count;

static void start_host(const char *folder, const char *sshd, const int ready[2], int owner)
{
    pid_t fleet = getpid(), pid = fork();
    if (pid < 0) {
        perror("fleet: fork");
        exit(EX_OSERR);
    }
    if (pid == 0) {
        (void)close(owner);
        (void)close(ready[0]);
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != fleet)
            _exit(EX_OSERR);
        _exit(host_run(folder, sshd, ready[1]));
    }
    hosts[host_count++] = pid;
}

static void start_hosts(const char *sshd, const int ready[2], int owner)
{
    DIR *folder = opendir("hosts");
    for (struct dirent *item; folder != NULL && (item = readdir(folder)) != NULL;) {
        char path[300];
        (void)snprintf(path, sizeof path, "hosts/%s", item->d_name);
        if (item->d_name[0] != '.' && host_count < HOSTS_MAX)
            start_host(path, sshd, ready, owner);
    }
    if (folder != NULL)
        (void)closedir(folder);
}

// TERM to each, so that it ends its own; what is left below them after the limit is killed.
static void stop_hosts(void)
{
    for (size_t i = 0; i < host_count; i++)
        if (hosts[i] > 0)
            (void)kill(hosts[i], SIGTERM);
    int waited_ms = 0;
    for (size_t i = 0; i < host_count; i++) {
        while (hosts[i] > 0 && waitpid(hosts[i], NULL, WNOHANG) == 0 && waited_ms < STOP_LIMIT_MS) {
            (void)poll(NULL, 0, 5);
            waited_ms += 5;
        }
    }
    if (!kill_descendants(STOP_LIMIT_MS))
        (void)fputs("fleet: some processes cannot be killed\n", stderr);
}

// A host that ends before it receives TERM is a fault, which DIR/failed records.
static void reap(void)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
        for (size_t i = 0; i < host_count; i++) {
            if (hosts[i] != pid)
                continue;
            hosts[i] = 0;
            (void)close(open("failed", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        }
    }
}

// Returns when TERM comes (false) or the owner has ended (true).
static bool wait_for_the_end(int signals, int owner, int ready)
{
    size_t ready_count = 0;
    for (;;) {
        bool starting = ready_count < host_count;
        struct pollfd fds[] = {{owner, POLLIN, 0}, {signals, POLLIN, 0}, {ready, POLLIN, 0}};
        if (poll(fds, starting ? 3 : 2, -1) < 0)
            return false;
        char bytes[HOSTS_MAX];
        if (starting && fds[2].revents != 0) {
            ssize_t got = read(ready, bytes, sizeof bytes);
            ready_count = got > 0 ? ready_count + (size_t)got : host_count;
            if (got > 0 && ready_count == host_count)
                (void)close(open("ready", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        }
        struct signalfd_siginfo info;
        if (fds[1].revents != 0 && read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
            if (info.ssi_signo != SIGCHLD)
                return false;
            reap();
        }
        if (fds[0].revents != 0)
            return true;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        (void)fputs("usage: fleet DIR OWNER_PID SSHD\n", stderr);
        return EX_USAGE;
    }
    (void)setsid(); // Ctrl-C is for the owner
    sigset_t awaited;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGTERM);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &awaited, NULL);
    (void)signal(SIGINT, SIG_DFL);
    int signals = signalfd(-1, &awaited, SFD_CLOEXEC);
    int owner = (int)syscall(SYS_pidfd_open, (pid_t)strtol(argv[2], NULL, 10), 0), ready[2];
    if (owner < 0 || signals < 0 || chdir(argv[1]) != 0 || pipe2(ready, O_CLOEXEC) != 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        perror("fleet");
        return EX_OSERR;
    }
    start_hosts(argv[3], ready, owner);
    (void)close(ready[1]);
    bool orphaned = wait_for_the_end(signals, owner, ready[0]);
    stop_hosts();
    if (orphaned && argv[1][0] == '/')
        (void)execlp("rm", "rm", "-rf", "--", argv[1], (char *)NULL);
    return EX_OK;
}
