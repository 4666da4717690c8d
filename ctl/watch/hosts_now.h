// The hosts that are being restarted at one moment: made of what each restarter knows of its own,
// and of what the consumer knows of who has how many and of those that wait. The replies are in
// docs/profiling.md.

#ifndef HOSTS_NOW_H
#define HOSTS_NOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// Zeroed: nothing is known.
typedef struct {
    json_t *consumer;   // its reply; NULL: none yet
    json_t *restarters; // their replies, by name; NULL: none yet
} hosts_now_t;

void hosts_now_clear(hosts_now_t *self);
// A reply; of a process that has replied before it counts instead. One that is none changes
// nothing.
void hosts_now_add(hosts_now_t *self, json_t *reply);
// Whether the consumer has replied, and each restarter that has a host.
bool hosts_now_is_complete(const hosts_now_t *self);

// A new object: "hosts", those of the longest restarts first, each with host, job, attempt, doing,
// command, since_ms (Unix time), words and worker; "waiting", how many for which reason; and
// "unknown", how many more are at restarters.
json_t *hosts_now_json(const hosts_now_t *self);
// The same for people. now_ms: Unix time.
void hosts_now_print(const hosts_now_t *self, int64_t now_ms, FILE *file);

#endif
