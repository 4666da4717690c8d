// An input that is a stream, kept in a file as it comes, so that each publisher, also one that was
// started again, reads it from its beginning: through a pipe, which ends when the stream has ended.
// The file PATH.ended then says so. Without it a pipe that ends was cut off: this process was
// killed, or could not keep more.

#ifndef KEPT_STREAM_H
#define KEPT_STREAM_H

#include "loop.h"

typedef struct kept_stream kept_stream_t;

// Takes the descriptor of the stream, and keeps it in a new file at `path`. NULL, with errno: the
// file cannot be made; the descriptor is closed.
kept_stream_t *kept_stream_new(mm_loop_t *loop, int source, const char *path);
// Removes the file.
void kept_stream_destroy(kept_stream_t **self_p);

// The reading end of a new pipe with the whole stream, which the caller closes; the one before it
// gets no more. -1, with errno.
int kept_stream_open(kept_stream_t *self);

// Whether all of the stream was read, and kept.
bool kept_stream_has_ended(const kept_stream_t *self);
// 0, or the errno with which keeping it has failed: then what follows is missing.
int kept_stream_error(const kept_stream_t *self);

#endif
