// A worker's sockets around its core (worker.h): what savers and restarters have in common outside
// of what a task does. It receives and sends, opens and closes sessions, and logs both.

#ifndef MM_WORKER_CLIENT_H
#define MM_WORKER_CLIENT_H

#include "endpoint.h"
#include "loop.h"
#include "worker_session.h"

typedef struct mm_link mm_worker_client_t;

typedef struct {
    mm_worker_config_t worker;
    mm_endpoint_t base;
    bool tells_started; // send the started tasks: those that take a while
    // Do this task. The task lives until the call returns; mm_worker_client_finish may not be
    // called in it. now_ms: the clock of this step.
    void (*start)(void *arg, const mm_task_t *task, int64_t now_ms);
    void (*stop)(void *arg); // end all that runs now, by mm_worker_client_finish, later
    void *arg;
} mm_worker_client_config_t;

mm_worker_client_t *mm_worker_client_new(mm_loop_t *loop, const mm_worker_client_config_t *config);
void mm_worker_client_destroy(mm_worker_client_t **self_p);

// Started tasks have ended: number, status, outcome, took_ms, error and evidence are read. Those
// that end at once had better come in one call.
void mm_worker_client_finish(mm_worker_client_t *self, const mm_result_t *results, size_t count);
void mm_worker_client_drain(mm_worker_client_t *self);
// Sends what has come together and does what is due; returns the next deadline. To be called at the
// end of each turn.
int64_t mm_worker_client_turn(mm_worker_client_t *self);

// See mm_worker_holds.
bool mm_worker_client_holds(const mm_worker_client_t *self, uint64_t number, mm_task_t *ret_task);
size_t mm_worker_client_running(const mm_worker_client_t *self);
// The worker has left: nothing more happens.
bool mm_worker_client_is_done(const mm_worker_client_t *self);
// 0; EX_UNAVAILABLE when another process with this id stays alive.
int mm_worker_client_exit_code(const mm_worker_client_t *self);

#endif
