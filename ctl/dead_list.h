// The dead hosts of the latest run in a folder, from its databases, which are only read.

#ifndef DEAD_LIST_H
#define DEAD_LIST_H

#include "job.h"

// Texts are owned.
typedef struct {
    mm_id_t job;
    char *host;
    char *attributes; // of the host (attributes.h); "": none
    char *error;
    int64_t attempts;   // -1: not on record
    int64_t settled_ms; // Unix time; 0: not on record
} dead_host_t;

typedef struct {
    int64_t run; // its number; 0: there was none
    char *input, *driver;
    bool is_finished;
    int64_t left;       // hosts that have no outcome, as far as the list was read
    dead_host_t *items; // in the order of their jobs
    size_t count, capacity;
} dead_list_t;

// dir: the folder; record: its saver's, a path or a URI (record_uri.h). Where there is none,
// attempts and times are not known. Returns 0, or a sysexits code with one sentence in error and
// *ret_list untouched.
int dead_list_read(const char *dir, const char *record, dead_list_t *ret_list,
                   char error[MM_ERROR_MAX]);
void dead_list_clear(dead_list_t *self);

#endif
