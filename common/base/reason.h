// Why a restart does not begin yet: the first reason that applies, in this order. The one list that
// the consumer, `plan`, `explain`, `status` and `top` share.

#ifndef MM_REASON_H
#define MM_REASON_H

// The last four are those of resource_kind_t (consumer/core/resources.h), in its order.
typedef enum {
    MM_REASON_NONE,      // it may begin
    MM_REASON_DRAINING,  // no restart begins any more (R10)
    MM_REASON_SUSPENDED, // its consumer may not lead any more (A4)
    MM_REASON_NOT_SAVED, // redelivered, and the store has not answered its save (R6)
    MM_REASON_TAKEOVER,  // redelivered, in the first seconds of the consumer (R6)
    MM_REASON_TOO_LATE,  // the starts have ended (R15)
    MM_REASON_PAUSE,     // backoff after a failed attempt
    // Of the policy, and of orders: for one of the host's groups, or for the whole run.
    MM_REASON_STATE,    // what the record holds back is not known yet (G1)
    MM_REASON_HALT,     // by an operator (G2)
    MM_REASON_BREAKER,  // it has tripped (G3)
    MM_REASON_WINDOW,   // it is closed, or about to close (G4)
    MM_REASON_GUARD,    // it says no, or nothing (G5)
    MM_REASON_DENIED,   // the host is, by an operator (G2)
    MM_REASON_BAKE,     // a step of the ramp has ended, and its time has not (G6)
    MM_REASON_RATE,     // one has just begun (G7)
    MM_REASON_RAMP,     // the step has as many hosts as it may (G6)
    MM_REASON_BUDGET,   // as many hosts as may be are restarted or not known to be up (G8)
    MM_REASON_CAP,      // as many as may be are restarted (G8)
    MM_REASON_RESERVED, // the place belongs to a host that has waited longer (G9)
    // Of resources.
    MM_REASON_HOST_BUSY,  // another restart of its host runs, or is granted it (I8)
    MM_REASON_AT_ONCE,    // the limit of restarts in progress is reached
    MM_REASON_QUARANTINE, // two workers were lost with it, and no restarter is free for it alone
                          // (R7)
    MM_REASON_NO_SLOT     // no restarter has credit (I6)
} mm_reason_t;
#define MM_REASON_LAST MM_REASON_NO_SLOT

// "host busy": a literal, as viewers show it; NULL: MM_REASON_NONE.
const char *mm_reason_name(mm_reason_t reason);

#endif
