// mayhemctl top on a terminal: what it shows, and what the keys do.

#ifndef TOP_H
#define TOP_H

#include "screen.h"
#include "snapshot_feed.h"

typedef struct {
    const char *title;       // the address, or the recording
    const char *save_folder; // for profiles; NULL: the working directory
    int64_t every_ms;        // between two snapshots on screen
    screen_sort_t sort;
} top_config_t;

// Shows the feed until the user ends it; a sysexits code. first: a snapshot that has been received
// already, or NULL.
int top_run(const top_config_t *config, feed_t *feed, const snapshot_t *first);

// Whether a snapshot should be shown when the former one was that of `shown_ms` (0: there was
// none). The snapshots of a pipeline come about once a second.
bool top_is_due(const snapshot_t *snapshot, int64_t shown_ms, int64_t every_ms);

#endif
