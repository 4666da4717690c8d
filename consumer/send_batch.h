// What the consumer sends, put together per turn: tasks per session, notices per publisher.

#ifndef OUTGOING_H
#define OUTGOING_H

#include "endpoint.h"
#include "gather.h"
#include "loop.h"

typedef struct outgoing outgoing_t;

// `events` is the PUB socket; it stays the caller's. name: the consumer's id.
outgoing_t *outgoing_new(mm_loop_t *loop, const mm_endpoint_t *base, void *events, const char *name,
                         uint64_t life);
void outgoing_destroy(outgoing_t **self_p);

// Binds the endpoint of a session. False, with errno, when that fails: the worker then stays
// unheard and says hello again.
bool outgoing_open(outgoing_t *self, uint64_t session);
void outgoing_close(outgoing_t *self, uint64_t session);

void outgoing_task(outgoing_t *self, const gather_action_t *action);
void outgoing_last(outgoing_t *self, const gather_action_t *action);
void outgoing_notice(outgoing_t *self, const gather_action_t *action);
// Welcome, refused, rejoin.
void outgoing_answer(outgoing_t *self, const gather_action_t *action);
void outgoing_beat(outgoing_t *self, const gather_t *gather);
void outgoing_leaving(outgoing_t *self);
// Sends all that is still together.
void outgoing_flush(outgoing_t *self);

#endif
