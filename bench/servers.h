// What servers that others have started use of the processor while it counts: each with all of its
// processes, as the kernel tells it in /proc, to a hundredth of a second.

#ifndef SERVERS_H
#define SERVERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVERS_MAX 4

typedef struct {
    char name[32];
    pid_t pid;      // of its first process, which waits for each of the others
    double used_us; // between from and to
} server_t;

// All zero bytes: none.
typedef struct {
    server_t all[SERVERS_MAX];
    size_t count;
} servers_t;

// "NAME=PID". Ends this process with a sentence when it is none, or nothing runs by that pid.
void servers_add(servers_t *self, const char *text);
// What they use from now on counts, until servers_count_to.
void servers_count_from(servers_t *self);
void servers_count_to(servers_t *self);
// Prints key=value with a blank behind each: cpu_us_servers, and cpu_NAME of each, in us a job.
void servers_print(const servers_t *self, uint64_t jobs);

#endif
