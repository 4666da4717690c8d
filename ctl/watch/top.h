// mayhemctl top on a terminal: what is shown, what keys do.

#ifndef TOP_H
#define TOP_H

#include "screen.h"
#include "snapshot_feed.h"

typedef struct {
    const char *title;       // the address, or the recording
    const char *save_folder; // for profiles; NULL: here
    int64_t every_ms;        // between two snapshots that are shown
    screen_sort_t sort;
} top_config_t;

// Shows what the feed gives, until the user has enough; a sysexits code. first: a snapshot that was
// received already, or NULL.
int top_run(const top_config_t *config, feed_t *feed, const snapshot_t *first);

// Whether a snapshot is to be shown when the former one was of `shown_ms` (0: none was): those of a
// pipeline come once a second, more or less.
bool top_is_due(const snapshot_t *snapshot, int64_t shown_ms, int64_t every_ms);

#endif
