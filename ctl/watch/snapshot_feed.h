// Where snapshots and profiles come from: a running pipeline, or a recording of one. Both give the
// same, so that a recording looks as it looked live. What is received can be recorded on the way.
//
// A recording is JSON Lines: {"mayhem": "recording", "version": 1, "began_ms": ...}, then each
// snapshot and profile as it was seen.

#ifndef SNAPSHOT_FEED_H
#define SNAPSHOT_FEED_H

#include "endpoint.h"
#include "snapshot.h"

#include <jansson.h>

#define FEED_ERROR_MAX 512

typedef struct feed feed_t;

// Attaches. Never NULL; whether somebody is there shows in feed_next.
feed_t *feed_attach(const mm_endpoint_t *base);
// Plays a recording, `speed` times as fast as it was; 0: as fast as it is taken. NULL, with one
// sentence in error, when it is none that can be read; sets *ret_exit_code then.
feed_t *feed_replay(const char *path, double speed, char error[FEED_ERROR_MAX], int *ret_exit_code);
void feed_destroy(feed_t **self_p);

// Records all that is received from now on; meanwhile it asks for the profiles of all processes
// every ten seconds. Replaces a file that is there. False, with one sentence in error, when it
// cannot be written.
bool feed_record(feed_t *self, const char *path, char error[FEED_ERROR_MAX]);

typedef enum {
    FEED_NOTHING, // the time is over, or `descriptor` can be read
    FEED_SNAPSHOT,
    FEED_PROFILE,
    FEED_END,    // of the recording: nothing more comes
    FEED_DAMAGED // the recording is, or the disk is full: feed_error says it; nothing more comes
} feed_kind_t;

typedef struct {
    feed_kind_t kind;
    const snapshot_t *snapshot; // lives until the next call
    json_t *profile;            // borrowed, lives until the next call
} feed_news_t;

// Waits at most timeout_ms (-1: for ever) for the next news, or until `descriptor` (-1: none) can
// be read.
feed_news_t feed_next(feed_t *self, int descriptor, int timeout_ms);
// One sentence with file and line, and the exit code that belongs to it.
const char *feed_error(const feed_t *self);
int feed_exit_code(const feed_t *self);

// The whole pipeline with its rates: the second snapshot, as the first one has none and may lack
// some. False when none has come in wait_ms; the first one when no second has come in as much
// again. To be cleared by the caller.
bool feed_look(feed_t *self, int wait_ms, snapshot_t *ret_snapshot);
// Makes *self, which was one or is zero, a copy.
void feed_keep(snapshot_t *self, const snapshot_t *from);

// Asks for a profile of the last `seconds` (0: since the start) of a process, or of all (NULL). A
// recording answers with the last ones that it has had so far, whatever they cover.
void feed_ask_profile(feed_t *self, const char *process, uint32_t seconds);

// How long ago the pipeline was last heard, in ms; MM_NEVER: not yet; a recording is never silent.
int64_t feed_silent_ms(const feed_t *self);
bool feed_is_replay(const feed_t *self);

#endif
