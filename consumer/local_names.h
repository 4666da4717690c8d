// The names of the processes of this machine (beside the base address), which nobody from another
// one may have at the same time (P9.91). Pure.

#ifndef LOCAL_NAMES_H
#define LOCAL_NAMES_H

#include "host.h"

#include <stddef.h>
#include <stdint.h>

#define LOCAL_SILENT_MS 15000 // a publisher has gone; it names its run every five seconds (P9.81)

typedef struct local_names local_names_t;

local_names_t *local_names_new(void);
// No-op for NULL.
void local_names_destroy(local_names_t **self_p);

// A worker has a session more, or one less. It may have two: the next one begins before the last
// one ends.
void local_names_open(local_names_t *self, mm_str_t worker);
void local_names_close(local_names_t *self, mm_str_t worker);
// Whether it has one.
bool local_names_has_worker(const local_names_t *self, mm_str_t worker);

// A publisher has sent jobs. Of more than 64 the one is forgotten that was heard first.
void local_names_hear(local_names_t *self, mm_str_t publisher, int64_t now_ms);
// Whether one of this name was heard within LOCAL_SILENT_MS.
bool local_names_has_publisher(const local_names_t *self, mm_str_t publisher, int64_t now_ms);

#endif
