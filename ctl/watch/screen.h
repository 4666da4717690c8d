// The screens of mayhemctl top: what is known of a pipeline as a page of text, on a terminal of any
// size or without one. Pure.

#ifndef SCREEN_H
#define SCREEN_H

#include "page.h"
#include "profiles.h"
#include "snapshot.h"

typedef enum {
    SCREEN_ROLE, // in the order of a job's way, as in the snapshot
    SCREEN_RATE,
    SCREEN_BUSY,
    SCREEN_CPU,
    SCREEN_HELD,
    SCREEN_P99,
    SCREEN_MEMORY,
    SCREEN_FAILED,
    SCREEN_SORTS
} screen_sort_t;

// "role", "rate", "busy", ...
extern const char *const screen_sort_names[SCREEN_SORTS];

#define SCREEN_WIDTH_MIN 40

typedef struct {
    size_t width;         // from SCREEN_WIDTH_MIN
    size_t height;        // 0: as many rows as there are
    const char *title;    // where it is from; NULL: that is left out
    const char *verdict;  // the last row; NULL: which keys there are
    bool is_alarming;     // the notice
    bool is_paused;       //
    bool is_replay;       // the time is not now
    screen_sort_t sort;   //
    bool is_reversed;     // the order
    const char *selected; // a process; NULL: none
    int selected_pid;     // 0: the first of this name
    size_t scroll;        // of a drill-down: rows above the first that is shown
} screen_view_t;

// The rows of the processes in their order on screen: sets `count of processes` indices.
void screen_order(const snapshot_t *snapshot, screen_sort_t sort, bool is_reversed,
                  size_t *ret_order);
// The place of the selected process in that order; 0 when it is not there any more.
size_t screen_place(const snapshot_t *snapshot, const size_t *order, const screen_view_t *view);

// The whole pipeline.
page_t *screen_top(const snapshot_t *snapshot, const screen_view_t *view);
// The handlers and spans of the selected process. profile: NULL while it has not answered.
page_t *screen_drill(const snapshot_t *snapshot, const profile_t *profile,
                     const screen_view_t *view);
page_t *screen_help(const screen_view_t *view);

#endif
