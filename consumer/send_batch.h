// What the consumer sends, collected per turn: tasks per session, verdicts per publisher.

#ifndef SEND_BATCH_H
#define SEND_BATCH_H

#include "broadcast.h"
#include "endpoint.h"
#include "gather.h"
#include "listener.h"
#include "local_names.h"
#include "loop.h"

typedef struct batch send_batch_t;

typedef struct {
    mm_loop_t *loop;
    mm_endpoint_t base;
    broadcast_t *events;   // it and the rest stay the caller's
    listener_t *listener;  // NULL: there is none
    local_names_t *locals; // has those of the sessions beside the base address
    const char *name;      // the consumer's id, kept as a pointer
    uint64_t epoch;
    // Whether restarts may be handed out, asked behind what was read and before what is sent (A5).
    // NULL: they may.
    bool (*is_trusted)(void *arg);
    void *arg;
} send_batch_config_t;

send_batch_t *send_batch_new(const send_batch_config_t *config);
void send_batch_destroy(send_batch_t **self_p);

// Binds the endpoint of a worker's session: by the listener, when its frame has come by that.
// False, with errno, when that fails: there is no descriptor, no port or no memory left.
bool send_batch_open(send_batch_t *self, const gather_action_t *action);
// Removes the endpoint and drops what is not sent; no-op when the session is not open.
void send_batch_close(send_batch_t *self, uint64_t session);

// Each adds or sends what an action of this kind says; the action may go when the call returns.
void send_batch_task(send_batch_t *self, const gather_action_t *action);
void send_batch_last(send_batch_t *self, const gather_action_t *action);
void send_batch_notice(send_batch_t *self, const gather_action_t *action);
// kind: WELCOME, REFUSED or REJOIN.
void send_batch_answer(send_batch_t *self, mm_frame_kind_t kind, const gather_action_t *action);
// Orders and a question, to a saver, at once.
void send_batch_orders(send_batch_t *self, const gather_action_t *action);
// The heartbeat, with the acknowledgements of all workers. It says halted when that is so, or this
// consumer is not trusted.
void send_batch_beat(send_batch_t *self, const gather_t *gather);
// The consumer's last word.
void send_batch_leaving(send_batch_t *self);
// Sends all open batches, but tasks of restarters when this consumer is not trusted: these are not
// delivered.
void send_batch_flush(send_batch_t *self);

#endif
