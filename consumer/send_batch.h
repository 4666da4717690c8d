// What the consumer sends, put together per turn: tasks per session, notices per publisher.

#ifndef SEND_BATCH_H
#define SEND_BATCH_H

#include "endpoint.h"
#include "gather.h"
#include "loop.h"

typedef struct batch send_batch_t;

// `events` is the PUB socket; it stays the caller's. name: the consumer's id.
send_batch_t *send_batch_new(mm_loop_t *loop, const mm_endpoint_t *base, void *events,
                             const char *name, uint64_t epoch);
void send_batch_destroy(send_batch_t **self_p);

// Binds the endpoint of a session. False, with errno, when that fails: the worker then stays
// unheard and says hello again.
bool send_batch_open(send_batch_t *self, uint64_t session);
void send_batch_close(send_batch_t *self, uint64_t session);

void send_batch_task(send_batch_t *self, const gather_action_t *action);
void send_batch_last(send_batch_t *self, const gather_action_t *action);
void send_batch_notice(send_batch_t *self, const gather_action_t *action);
// Welcome, refused, rejoin.
void send_batch_answer(send_batch_t *self, const gather_action_t *action);
void send_batch_beat(send_batch_t *self, const gather_t *gather);
void send_batch_leaving(send_batch_t *self);
// Sends all that is still together.
void send_batch_flush(send_batch_t *self);

#endif
