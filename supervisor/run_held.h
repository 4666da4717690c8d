// What the record of a folder holds back: halts, breakers that have tripped, hosts that are denied,
// and hosts that keep a place. Read only; a folder without a record holds nothing back.

#ifndef RUN_HELD_H
#define RUN_HELD_H

#include "host.h"
#include "policy.h"

#include <stdio.h>

typedef struct {
    char *host;       // folded
    int64_t until_ms; // Unix time; 0: for good
} run_denied_t;

typedef struct {
    char *host;       // folded
    char *groups;     // with commas between
    bool is_casualty; // else its end is not known
} run_place_t;

typedef struct {
    char *group; // empty: the whole run
    int64_t run; // whose breaker that is
} run_tripped_t;

typedef struct {
    bool is_halted;
    run_tripped_t *tripped;
    size_t tripped_count, tripped_capacity;
    run_denied_t *denied; // in the order of the hosts
    size_t denied_count, denied_capacity;
    run_place_t *places; // the same
    size_t place_count, place_capacity;
} run_held_t;

// path: of the record. One that cannot be read, or is older than such orders, holds nothing back.
run_held_t run_held_read(const char *path);
void run_held_clear(run_held_t *self);

bool run_held_has_tripped(const run_held_t *self, const char *group);
// A group that has tripped in a run that this outbox has not finished, and that the policy does not
// name, so that nothing would hold its hosts back; NULL: there is none.
const char *run_held_unnamed(const run_held_t *self, const mm_policy_t *policy, const char *outbox);
// A line for a halt and for each breaker that has tripped, with the command that ends it.
void run_held_print(const run_held_t *self, const char *program, const char *dir, FILE *file);
// NULL: it is not. host: as a list has it.
const run_denied_t *run_held_denied(const run_held_t *self, const char *host);
const run_place_t *run_held_place(const run_held_t *self, const char *host);

#endif
