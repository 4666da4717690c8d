// A stage for tests of common/worker/core/worker_session.h: a worker with a clock that is only a
// number, the consumer's frames as one call each, and what the worker does as a line of text. Each
// report is checked for what must hold in every one (P5.2 to P5.5), so that the tests need not say
// it.

#ifndef WORKER_PLAY_H
#define WORKER_PLAY_H

#include "story.h"
#include "worker_session.h"

#include <inttypes.h>

enum { HEARTBEAT = 500, LOST_AFTER = 1500, DRAIN = 8000, NONCE = 77, LIFE = 3 };

extern mm_worker_t *worker;
extern mm_worker_actions_t worker_actions;
extern int64_t suspended_ms;
extern int64_t hello_ms[64];   // when it said hello
extern size_t hello_count;     //
extern uint64_t beat_serial;   // what the consumer's beats confirm
extern uint64_t beat_session;  // to the worker in this session
extern uint64_t task_confirms; // what its task frames confirm

int64_t boot_ms(void);

// The worker that each test plays with.
void new_worker_that(mm_role_t role, uint32_t slots, bool one_by_one);
void new_worker(mm_role_t role, uint32_t slots);
// A restarter with two slots, of a driver that can do this (MM_VERB_...).
void new_restarter_of(const char *driver, uint32_t verbs);
int new_restarter(void **state);
int end_worker(void **state);

// ---- what it does, as text

// What it has done since this was said last.
void does(const char *expected);

// ---- what happens to it

void step(mm_worker_event_t event);

// Time passes; the worker is woken when it wants to be, and wants it later each time.
void passes(int64_t milliseconds);
void hears(const mm_frame_t *frame);
mm_frame_t answer(mm_frame_kind_t kind, uint64_t session);
void hears_welcome(uint64_t session);
void hears_rejoin(void);

// Says hello and is welcomed.
void joins(uint64_t session);
void hears_beat_of(uint64_t epoch);
void hears_beat(void);

// The consumer's beat says that all results up to this one were read.
void hears_beat_confirming(uint64_t serial);
void hears_leaving_of(uint64_t epoch);
mm_task_t task_of(uint64_t number);
void gets_tasks(uint64_t session, int64_t stamp_ms, const mm_task_t *tasks, size_t count);

// A task of the current session, with the newest stamp.
void gets_task(uint64_t number);

// The consumer's last word: nothing more comes.
void gets_last(void);
void finishes_as(uint64_t number, mm_status_t status);
void finishes(uint64_t number);
void gets_task_and_finishes(uint64_t number);
void is_told_to_leave(void);

#endif
