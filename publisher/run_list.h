// A list that a run is to have: read whole into DIR (kept_list.h), and compared with what an
// unfinished run has accepted, host by host. Hosts are compared folded (host_fold.h).

#ifndef RUN_LIST_H
#define RUN_LIST_H

#include "outbox_db.h"

typedef struct {
    const char *dir;
    const char *title; // of sentences for the user
    int64_t number;    // of the kept list
    bool is_new;       // no unfinished run goes on with it
    bool has_groups;   // of a policy: hosts that were accepted are now in those that it says
    source_progress_t progress;
} run_list_t;

// Reads all of the source into a new kept list, which may take as long as a stream does. Returns 0,
// or a sysexits code with a sentence in error.
int run_list_read(source_t *source, run_list_t *list, char error[SOURCE_ERROR_MAX]);

// Makes the list that an unfinished run goes on with: its accepted hosts without those that are
// withdrawn, and then the hosts of `list` that were not accepted. Writes it, makes it the run's,
// and withdraws the jobs of the outbox whose hosts are not on `list`. Sets *run as it is now.
typedef struct {
    uint64_t withdrawn; // jobs, by this
    uint64_t added;     // hosts that were not accepted before
    bool is_both;       // one of these has a withdrawn job, which goes first
} run_merge_t;
int run_list_merge(outbox_db_t *db, const run_list_t *list, outbox_run_t *run,
                   run_merge_t *ret_merge, char error[SOURCE_ERROR_MAX]);

// All jobs of the outbox, to be withdrawn: owned, *ret_count of them. NULL with a sentence in
// error: they cannot be read.
uint64_t *run_list_backlog(outbox_db_t *db, size_t *ret_count, char error[SOURCE_ERROR_MAX]);

#endif
