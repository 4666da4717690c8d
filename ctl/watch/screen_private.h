// What the screens share. Private to ctl/screen*.c.

#ifndef SCREEN_PRIVATE_H
#define SCREEN_PRIVATE_H

#include "screen.h"

// The first row: where from, whether it is paused, the time of the snapshot (0: none).
void screen_put_title(page_t *page, const screen_view_t *view, int64_t wall_ms);
// Fits the page into its height, and makes its last row the notice or the keys; nothing when it has
// no height.
void screen_finish(page_t *page, const screen_view_t *view, const char *keys);
// The state with how long it has been silent, if it is: "lost 12s".
const char *screen_state(const snapshot_process_t *process, char buffer[32]);
unsigned screen_state_style(const snapshot_process_t *process);

#endif
