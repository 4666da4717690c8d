// Attempts at real restarts for tests of a store: tasks with a row to put, and what is answered.

#ifndef ATTEMPT_PLAY_H
#define ATTEMPT_PLAY_H

#include "store_play.h"

#define ID(byte)                                                                                   \
    (mm_id_t)                                                                                      \
    {                                                                                              \
        {                                                                                          \
            byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte, byte,    \
                byte, byte                                                                         \
        }                                                                                          \
    }
#define MACHINE ID(0x11)
#define BEFORE  ID(0x22)
#define AFTER   ID(0x33)
#define CONTROL ID(0x44)

// A task with its row; MM_ROW_NONE: it has none, and without a run no more than that.
typedef struct {
    mm_task_t task;
    mm_real_t real;
} real_task_t;

real_task_t plain(unsigned job, uint64_t number);
real_task_t begun(unsigned job, uint64_t number, uint32_t attempt);
real_task_t ended(unsigned job, uint64_t number, uint32_t attempt, mm_end_t end);
// The same as a settle.
real_task_t settled(real_task_t task, mm_outcome_t outcome, mm_proof_t proof);

// What an answer says; without attempts on record `real` is all zeros but for its seq.
typedef struct {
    mm_outcome_t outcome;
    mm_real_t real;
} answer_t;

answer_t answer_of(const mm_result_t *result);
void put_task(store_t *store, real_task_t *task);
// Puts a task, and gives its answer, whose texts live until the next one.
answer_t ask(store_t *store, real_task_t task);
// The answer to one more plain save.
answer_t look(store_t *store, unsigned job);

#endif
