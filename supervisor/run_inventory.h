// The list of hosts of a run, as a publisher reads it: how many there are, in which groups of the
// policy, and, for `mayhem plan`, which.

#ifndef RUN_INVENTORY_H
#define RUN_INVENTORY_H

#include "job.h"
#include "run_settings.h"

typedef struct {
    const char *name;
    const char *groups; // of the policy, with commas between; "": none
    bool is_done;       // by the unfinished run that this one goes on with
} run_host_t;

typedef struct {
    bool is_list; // else the hosts are invented
    uint64_t run; // of a list: the key of the unfinished run that this one goes on with; 0: none
    uint64_t hosts, groups, repeated, bad;
    uint64_t done;     // hosts, by that run
    uint32_t *sizes;   // hosts of each group of the policy, the whole run first; NULL: no policy
    run_host_t *items; // as asked, in the order of the list
    size_t item_count, item_capacity;
    char *text;
} run_inventory_t;

typedef enum {
    RUN_INVENTORY_COUNTS = 0,
    RUN_INVENTORY_HOSTS, // each of them, too
    RUN_INVENTORY_QUIET, // counts, and nothing is said: a run would say the same
    RUN_INVENTORY_QUIET_HOSTS
} run_inventory_what_t;

// Has a publisher read the list, a stream as well, to its end. Returns 0, or what the run would
// have ended with, after a complaint. Clear it in any case.
int run_inventory_read(const run_settings_t *settings, run_inventory_what_t what,
                       run_inventory_t *ret_inventory);
void run_inventory_clear(run_inventory_t *self);

// Whether the policy can be met with these hosts: no share comes to nothing, and each group has
// one. Returns 0, or 78 after a complaint.
int run_inventory_check(const run_inventory_t *self, const run_settings_t *settings);

#endif
