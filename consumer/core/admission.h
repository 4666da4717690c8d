// Whether a restart may start now, and where; if not, what it waits for and the first reason. The
// only place that decides it. gather_dispatch.c acts on it, inspect.c shows the reason. A new rule
// is a reason here, its name and one `if` in admission.c; it makes a restart wait for a time or for
// a resource; resources.h says how to add one.

#ifndef ADMISSION_H
#define ADMISSION_H

#include "flight.h"
#include "gather.h"
#include "workers.h"

// In the order of the rules; the last ones are those of resource_kind_t.
typedef enum {
    ADMISSION_NONE,       // the restart may start
    ADMISSION_DRAINING,   // no restart begins any more (R10)
    ADMISSION_NOT_SAVED,  // redelivered, and the store has not answered its save (R6)
    ADMISSION_TAKEOVER,   // redelivered, in the first seconds of the consumer (R6)
    ADMISSION_TOO_LATE,   // the starts have ended (R15)
    ADMISSION_PAUSE,      // backoff after a failed attempt
    ADMISSION_HOST_BUSY,  // another restart of its host runs, or is granted it (I8)
    ADMISSION_AT_ONCE,    // the limit of restarts in progress is reached
    ADMISSION_QUARANTINE, // two workers were lost with it, and no restarter is free for it alone
                          // (R7)
    ADMISSION_NO_SLOT     // no restarter has credit (I6)
} admission_reason_t;

typedef struct {
    enum { ADMISSION_GO, ADMISSION_WAIT_ON, ADMISSION_WAIT_UNTIL } verdict;
    admission_reason_t reason;
    union {
        worker_t *worker;         // go
        resource_kind_t resource; // wait on
        int64_t until_ms;         // wait until: CLOCK_BOOTTIME; MM_NEVER: until another event
    } as;
} admission_t;

// Decides about a flight whose restart is held, ready, blocked, quarantined or in backoff.
admission_t admission_decide(const gather_t *self, const flight_t *flight);
// "host busy": a literal, as viewers show it; NULL: ADMISSION_NONE.
const char *admission_reason_name(admission_reason_t reason);

#endif
