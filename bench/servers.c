// See servers.h. A process that has ended counts with the one that has waited for it.

#include "servers.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"

// Of a process, in clock ticks: its parent, what it has used, and what those it has waited for
// have.
typedef struct {
    int parent;
    unsigned long used;
    unsigned long waited_for;
} usage_t;

static int read_usage(const char *pid, usage_t *ret_usage)
{
    char path[300], line[1024];
    unsigned long user, system;
    long waited_user, waited_system;
    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    const char *text = fgets(line, sizeof line, file);
    (void)fclose(file);
    text = text ? strrchr(text, ')') : NULL; // its name may have anything in it
    if (text == NULL ||
        sscanf(text, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
               &ret_usage->parent, &user, &system, &waited_user, &waited_system) != 5)
        return -1;
    ret_usage->used = user + system;
    ret_usage->waited_for = (unsigned long)(waited_user + waited_system);
    return 0;
}

static double used_us(const server_t *server)
{
    char pid[16];
    usage_t usage;
    unsigned long ticks;
    (void)snprintf(pid, sizeof pid, "%d", (int)server->pid);
    if (read_usage(pid, &usage) != 0)
        roles_fail(server->name, "no such server runs");
    ticks = usage.used + usage.waited_for;
    DIR *all = opendir("/proc");
    assert(all != NULL);
    for (const struct dirent *each; (each = readdir(all)) != NULL;)
        if (each->d_name[0] >= '1' && each->d_name[0] <= '9' &&
            read_usage(each->d_name, &usage) == 0 && usage.parent == server->pid)
            ticks += usage.used;
    (void)closedir(all);
    return (double)ticks * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

void servers_add(servers_t *self, const char *text)
{
    if (self->count == SERVERS_MAX)
        roles_fail(text, "one server too many");
    server_t *server = &self->all[self->count++];
    if (sscanf(text, "%31[a-z]=%d", server->name, &server->pid) != 2 || server->pid <= 1)
        roles_fail(text, "a server is NAME=PID");
    (void)used_us(server);
}

void servers_count_from(servers_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->all[i].used_us = -used_us(&self->all[i]);
}

void servers_count_to(servers_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->all[i].used_us += used_us(&self->all[i]);
}

void servers_print(const servers_t *self, uint64_t jobs)
{
    double sum_us = 0;
    for (size_t i = 0; i < self->count; i++) {
        const server_t *server = &self->all[i];
        sum_us += server->used_us;
        (void)printf("cpu_%s=%.3f ", server->name, server->used_us / (double)jobs);
    }
    if (self->count > 0)
        (void)printf("cpu_us_servers=%.3f ", sum_us / (double)jobs);
}
