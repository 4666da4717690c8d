// The screens of mayhem top: a pipeline as a page of text, for a terminal of any size or for
// none. Pure.

#ifndef SCREEN_H
#define SCREEN_H

#include "page.h"
#include "profiles.h"
#include "snapshot.h"

typedef enum {
    SCREEN_ROLE, // as in the snapshot
    SCREEN_RATE,
    SCREEN_BUSY,
    SCREEN_CPU,
    SCREEN_HELD,
    SCREEN_P99,
    SCREEN_MEMORY,
    SCREEN_FAILED,
    SCREEN_SORTS
} screen_sort_t;

// "role", "rate", "busy", ..., and NULL.
extern const char *const screen_sort_names[SCREEN_SORTS + 1];

#define SCREEN_WIDTH_MIN 40

typedef struct {
    size_t width;         // from SCREEN_WIDTH_MIN
    size_t height;        // 0: as many rows as there are
    const char *title;    // the source of the snapshots; NULL: none
    const char *message;  // the last row; NULL: the keys
    bool is_alarming;     // the message
    bool is_paused;       //
    bool is_replay;       // the time is not now
    screen_sort_t sort;   //
    bool is_reversed;     // the order
    const char *selected; // a process; NULL: none
    int selected_pid;     // 0: the first of this name
    size_t scroll;        // of a drill-down or of groups: rows above the first one on screen
} screen_view_t;

// The order of the processes on screen: indices into the snapshot, process_count of them, which the
// caller frees.
size_t *screen_order(const snapshot_t *snapshot, const screen_view_t *view);
// The row of the selected process in that order; 0 when it is gone.
size_t screen_place(const snapshot_t *snapshot, const size_t *order, const screen_view_t *view);

// Each page begins with what needs a person.

// The whole pipeline; without a height its groups, too.
page_t *screen_top(const snapshot_t *snapshot, const screen_view_t *view);
// The handlers and spans of the selected process. profile: NULL until it has answered.
page_t *screen_drill(const snapshot_t *snapshot, const profile_t *profile,
                     const screen_view_t *view);
// What holds groups back.
page_t *screen_groups(const snapshot_t *snapshot, const screen_view_t *view);
page_t *screen_help(const screen_view_t *view);

#endif
