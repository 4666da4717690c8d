// Whether a restart may start now, where, and if not, the first reason why not. The one place that
// decides it: pure, it changes nothing. gather_dispatch.c acts on it, inspect.c shows it. A new
// rule is a reason and its name here, and one `if` in admission_decide; what it waits for is a time
// or a resource (resource_kind_t in flight.h).

#ifndef ADMISSION_H
#define ADMISSION_H

#include "flight.h"
#include "gather.h"
#include "workers.h"

// In the order in which they are looked at.
typedef enum {
    ADMISSION_NONE,       // it may start, or is not waiting
    ADMISSION_DRAINING,   // no restart begins any more (R10)
    ADMISSION_NOT_SAVED,  // redelivered: the answer to its save comes first (R6)
    ADMISSION_TAKEOVER,   // redelivered: the consumer's first seconds are not over (R6)
    ADMISSION_PAUSE,      // its last attempt failed: backoff
    ADMISSION_HOST_BUSY,  // another restart of its host runs, or is before it (I8)
    ADMISSION_AT_ONCE,    // as many restarts run as may
    ADMISSION_QUARANTINE, // two workers were lost with it: no restarter is free for it alone (R7)
    ADMISSION_NO_SLOT     // no restarter has credit (I6)
} admission_reason_t;

typedef struct {
    enum { ADMISSION_GO, ADMISSION_WAIT_ON, ADMISSION_WAIT_UNTIL } verdict;
    admission_reason_t reason;
    union {
        worker_t *worker;         // go
        resource_kind_t resource; // wait on
        int64_t until_ms;         // wait until: CLOCK_MONOTONIC; MM_NEVER: an event ends it
    } as;
} admission_t;

// Of a flight that waits in any way: its restart is neither at a worker nor over.
admission_t admission_decide(const gather_t *self, const flight_t *flight);
// "host busy"; NULL for ADMISSION_NONE. Literals: viewers are told them (docs/profiling.md).
const char *admission_reason_name(admission_reason_t reason);

#endif
