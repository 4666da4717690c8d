// Of fuzz_core_gather.c: what the core must keep, and who is honest at the end.

#ifndef FUZZ_GATHER_H
#define FUZZ_GATHER_H

#include "fuzz_frame.h"
#include "gather_private.h"

#define FUZZ_HOSTS 256 // of real restarts, one for each job

// Asserts: who is out is held, nobody waits for what is free, and a real restart goes on.
void fuzz_check_flights(const gather_t *self);
// Asserts that hosts, workers and credit are counted as the tasks at workers are.
void fuzz_check_hosts(const gather_t *self);

// A job as it is on record, and the boot that its host is in.
typedef struct {
    mm_real_t row;
    bool has_row;
    uint32_t ended;
    uint32_t interrupted;
    uint8_t boot;
} fuzz_record_t;

typedef struct {
    fuzz_record_t records[FUZZ_HOSTS];
    bool identifies;
    uint32_t returned; // tasks that were not started, some at first
} fuzz_honest_t;

// What a save, settle, probe or real restart adds to its result, until the next call.
void fuzz_honest_save(fuzz_honest_t *self, const mm_task_t *task, mm_result_t *result);
void fuzz_honest_restart(fuzz_honest_t *self, const mm_task_t *task, mm_result_t *result);

#endif
