// See descendants_of.h. A pass reads the parents of all processes from /proc. A signal goes to a
// pidfd, after the parent has been read once more: a number that was given anew is not hit.

#include "descendants_of.h"

#include <ctype.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES_MAX = 65536, PASS_MS = 5, STOP_PASSES = 50 };

typedef struct {
    pid_t pid;
    pid_t parent;
    char state; // as in /proc/PID/stat
    bool ours;
} entry_t;

static bool read_entry(pid_t pid, entry_t *ret_entry)
{
    char path[40], text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    const char *rest = strrchr(text, ')'); // a name may hold anything
    if (rest == NULL || strlen(rest) < 5)
        return false;
    *ret_entry = (entry_t){pid, (pid_t)strtol(rest + 4, NULL, 10), rest[2], false};
    return true;
}

static size_t read_processes(entry_t *entries)
{
    DIR *folder = opendir("/proc");
    size_t count = 0;
    for (struct dirent *item; folder != NULL && (item = readdir(folder)) != NULL;) {
        if (isdigit((unsigned char)item->d_name[0]) && count < PROCESSES_MAX &&
            read_entry((pid_t)strtol(item->d_name, NULL, 10), &entries[count]))
            count++;
    }
    if (folder != NULL)
        (void)closedir(folder);
    return count;
}

static bool is_ours(const entry_t *entries, size_t count, pid_t pid)
{
    if (pid == getpid())
        return true;
    for (size_t i = 0; i < count; i++)
        if (entries[i].pid == pid)
            return entries[i].ours;
    return false;
}

static void mark_ours(entry_t *entries, size_t count)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < count; i++) {
            if (!entries[i].ours && is_ours(entries, count, entries[i].parent)) {
                entries[i].ours = true;
                changed = true;
            }
        }
    }
}

static void send_signal(const entry_t *entry, int signal_number)
{
    int pidfd = (int)syscall(SYS_pidfd_open, entry->pid, 0);
    entry_t now;
    if (pidfd < 0)
        return;
    if (read_entry(entry->pid, &now) && now.parent == entry->parent)
        (void)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
    (void)close(pidfd);
}

// Returns how many are not yet as the signal leaves them.
static size_t signal_all(int signal_number)
{
    static entry_t entries[PROCESSES_MAX];
    size_t count = read_processes(entries), others = 0;
    mark_ours(entries, count);
    for (size_t i = 0; i < count; i++) {
        if (!entries[i].ours || entries[i].state == 'Z')
            continue;
        if (signal_number == SIGSTOP && entries[i].state == 'T')
            continue;
        others++;
        send_signal(&entries[i], signal_number);
    }
    return others;
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

bool kill_descendants(int limit_ms)
{
    for (int waited_ms = 0; waited_ms <= limit_ms; waited_ms += PASS_MS) {
        size_t left = signal_all(SIGKILL);
        reap();
        if (left == 0)
            return true;
        (void)poll(NULL, 0, PASS_MS);
    }
    return false;
}

void stop_descendants(void)
{
    for (int pass = 0; pass < STOP_PASSES && signal_all(SIGSTOP) > 0; pass++)
        (void)poll(NULL, 0, 1);
}
