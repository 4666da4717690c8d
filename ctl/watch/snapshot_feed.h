// The source of snapshots and profiles: a running pipeline, or a recording of one, which looks the
// same. What comes from a pipeline can be recorded on the way.
//
// A recording is JSON Lines: {"mayhem": "recording", "version": 1, "began_ms": ...}, then each
// snapshot and profile as it was received.

#ifndef SNAPSHOT_FEED_H
#define SNAPSHOT_FEED_H

#include "attach.h"

typedef struct feed feed_t;

// Attaches to a pipeline, as attach_new does. Never NULL: feed_next shows whether it answers.
feed_t *feed_attach(const mm_addresses_t *addresses, const mm_key_t *key);
// Replays a recording, `speed` times as fast as it was; 0: without waiting. Never NULL:
// feed_exit_code shows whether it can be read. The path must outlive the feed.
feed_t *feed_replay(const char *path, double speed);
void feed_destroy(feed_t **self_p);
// The record of the pipeline, which says who has ordered what. Both texts must outlive the feed.
// options: of the commands that help, " --dir DIR" or "".
void feed_know_record(feed_t *self, const char *path, const char *options);

// Records all that a pipeline sends from now on, with a profile of every process each ten seconds.
// Replaces an older recording. The path must outlive the feed. False, with feed_error, when the
// file cannot be written or is no recording.
bool feed_record(feed_t *self, const char *path);

// Waits at most timeout_ms (-1: for ever) for the next snapshot or profile, or until `descriptor`
// (-1: none) can be read. After NEWS_END and NEWS_DAMAGED nothing follows.
news_t feed_next(feed_t *self, int descriptor, int timeout_ms);
// After a failure or NEWS_DAMAGED: one sentence with the file, and its exit code; "" and 0 before.
const char *feed_error(const feed_t *self);
int feed_exit_code(const feed_t *self);

// The next snapshot, as feed_next gives it; NULL when none comes in wait_ms.
const snapshot_t *feed_wait(feed_t *self, int wait_ms);
// The second snapshot, since the first one has no rates and may lack processes; the first one when
// no second one comes in wait_ms. False when none comes in that time. The caller clears it.
bool feed_look(feed_t *self, int wait_ms, snapshot_t *ret_snapshot);

// Asks for a profile of the last `seconds` (0: since the start) of a process, or of all (NULL). A
// recording gives the last ones that it has had so far, whatever time they cover.
void feed_ask_profile(feed_t *self, const char *process, uint32_t seconds);

// Time since the pipeline was last heard, in ms; MM_NEVER: not yet; of a recording 0.
int64_t feed_silent_ms(const feed_t *self);
// attach_complaint; of a recording "".
const char *feed_complaint(const feed_t *self);

#endif
