// Whether a restart may start now, and where; if not, what it waits for and the first reason. The
// only place that decides it. gather_dispatch.c acts on it, inspect.c shows the reason. A new rule
// is a reason (reason.h), its name and one `if` in admission.c; it makes a restart wait for a time
// or for a resource; resources.h says how to add one.

#ifndef ADMISSION_H
#define ADMISSION_H

#include "flight.h"
#include "gather.h"
#include "reason.h"
#include "workers.h"

typedef struct {
    enum { ADMISSION_GO, ADMISSION_WAIT_ON, ADMISSION_WAIT_UNTIL, ADMISSION_WAIT_AT_GATE } verdict;
    mm_reason_t reason;
    union {
        worker_t *worker;         // go
        resource_kind_t resource; // wait on
        int64_t until_ms;         // wait until: CLOCK_BOOTTIME; MM_NEVER: until another event
    } as;
} admission_t;

// Decides about a flight whose restart is held, ready, blocked, quarantined or in backoff.
admission_t admission_decide(const gather_t *self, const flight_t *flight);

#endif
