// The shell around the worker core (worker_session.h): the sockets and the log that savers and
// restarters have in common. It knows nothing of what a task does.

#ifndef MM_WORKER_CLIENT_H
#define MM_WORKER_CLIENT_H

#include "addresses.h"
#include "key_file.h"
#include "loop.h"
#include "options.h"
#include "worker_session.h"

#include <jansson.h>

typedef struct mm_worker_client mm_worker_client_t;

typedef struct {
    mm_worker_config_t worker;
    mm_addresses_t addresses; // of the consumers, of which it follows one (consumers.h)
    const mm_key_t *key;      // for tcp; NULL: none
    bool tells_started;       // send which tasks are started: for tasks that take a while
    // Starts this task. The task is valid until the call returns, which must not call
    // mm_worker_client_finish. now_ms: the clock of this step.
    void (*start)(void *arg, const mm_task_t *task, int64_t now_ms);
    void (*stop)(void *arg); // ends all running tasks soon, each by mm_worker_client_finish
    // Records these orders, and answers by mm_worker_client_recorded and mm_worker_client_state.
    // They are valid until the call returns, which may finish tasks. Of a saver only.
    void (*orders)(void *arg, const mm_orders_body_t *orders);
    // Asks for the lease, and answers by mm_worker_client_lease, then or later. from: which
    // consumer has asked, for the answer. The ask is valid until the call returns. Of a saver whose
    // store has a lease; NULL: it does not hear of asks.
    void (*lease)(void *arg, uint32_t from, const mm_lease_ask_body_t *ask);
    json_t *(*hosts)(void *arg); // as in stats_reply.h; NULL: it has none
    void *arg;
} mm_worker_client_config_t;

// What the options say of any worker: its name, its times, a drain timeout, its key. The rest is
// empty.
mm_worker_client_config_t mm_worker_client_config(const mm_options_t *options,
                                                  const mm_addresses_t *addresses);
// Copies the config; the loop stays the caller's. Never NULL.
mm_worker_client_t *mm_worker_client_new(mm_loop_t *loop, const mm_worker_client_config_t *config);
// Logs how many tasks are left, and destroys it. Returns 0; EX_UNAVAILABLE when the consumer has
// refused this worker for good.
int mm_worker_client_end(mm_worker_client_t **self_p);

// Started tasks have ended: of each result number, status, outcome, took_ms, error and evidence are
// read. Pass tasks that end together in one call.
void mm_worker_client_finish(mm_worker_client_t *self, const mm_result_t *results, size_t count);
// Sends what has become of orders, or a page of state, behind all results so far. Of the page all
// is read but who sends it.
void mm_worker_client_recorded(mm_worker_client_t *self, const mm_recorded_t *items, size_t count);
void mm_worker_client_state(mm_worker_client_t *self, const mm_state_body_t *page);
// Sends an answer about the lease to the consumer that has asked; it needs no session. All is read
// but who sends it.
void mm_worker_client_lease(mm_worker_client_t *self, uint32_t from, const mm_lease_body_t *answer);
// The epoch of the consumer that the session is of; 0: there was none yet.
uint64_t mm_worker_client_epoch(const mm_worker_client_t *self);
// From now on it takes at most so many tasks at a time: 1 to the slots of the config.
void mm_worker_client_set_slots(mm_worker_client_t *self, uint32_t slots);
// Accepts no more tasks, finishes the running ones and leaves.
void mm_worker_client_drain(mm_worker_client_t *self);
// Sends the open batches and does what is due. Call it at the end of each turn. Returns the next
// deadline (CLOCK_BOOTTIME ms).
int64_t mm_worker_client_turn(mm_worker_client_t *self);

// See mm_worker_holds.
bool mm_worker_client_holds(const mm_worker_client_t *self, uint64_t number, mm_task_t *ret_task);
size_t mm_worker_client_running(const mm_worker_client_t *self);
// See mm_worker_permit.
int64_t mm_worker_client_permit(const mm_worker_client_t *self);
// Whether the worker has left: nothing happens any more.
bool mm_worker_client_is_done(const mm_worker_client_t *self);

#endif
