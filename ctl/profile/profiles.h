// Profiles of one or more processes, read from JSON (see common/runtime/span.h), with their
// nodes summed up to functions as other profilers show them.

#ifndef PROFILES_H
#define PROFILES_H

#include "job.h"
#include "profile.h"

#include <jansson.h>

// A node of the tree of calls, or the sum of all nodes of one place in the source: a function.
typedef struct {
    const char *name;
    const char *file;
    int line;
    mm_spot_kind_t kind;
    size_t caller;   // of a node: index of an earlier node; 0 for handlers, threads and the poller
    size_t function; // of a node: index
    uint64_t calls;
    int64_t cpu_ns;
    int64_t wait_ns;
    int64_t max_ns;      // of a node
    int64_t all_cpu_ns;  // with the spans inside
    int64_t all_wait_ns; //
} profile_node_t;

static inline bool profile_is_work(const profile_node_t *node)
{
    return node->kind == MM_SPOT_RUNS || node->kind == MM_SPOT_WAITS;
}

typedef struct {
    json_t *json; // a reference, which owns all texts
    const char *process;
    const char *role;
    int pid;
    int64_t wall_ms; // Unix time of its end
    int64_t long_ns; // the time that it covers
    profile_node_t nodes[MM_PROFILE_NODES];
    size_t node_count;
    profile_node_t functions[MM_PROFILE_NODES];
    size_t function_count;
} profile_t;

typedef struct {
    profile_t **items; // by role in the order of a job's way, then by name
    size_t count;
    size_t capacity;
} profiles_t;

// Adds what json holds: a profile, or {"mayhem": "profiles", "profiles": [...]}. False, with the
// end of a sentence in error, when it is neither.
bool profiles_add(profiles_t *self, json_t *json, char error[MM_ERROR_MAX]);
// Adds a file, or all *.json of a directory. False, with one sentence in error.
bool profiles_read(profiles_t *self, const char *path, char error[MM_ERROR_MAX]);
// Removes all but the process of this name, or those of this role.
void profiles_only(profiles_t *self, const char *process);
void profiles_clear(profiles_t *self);

// As one file that profiles_read accepts. A new reference.
json_t *profiles_json(const profiles_t *self);

#endif
