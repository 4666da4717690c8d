// See reason.h.

#include "reason.h"

#include <stddef.h>

static const char *const names[] = {
    [MM_REASON_NONE] = NULL,
    [MM_REASON_DRAINING] = "draining",
    [MM_REASON_SUSPENDED] = "consumer suspended",
    [MM_REASON_NOT_SAVED] = "not saved",
    [MM_REASON_TAKEOVER] = "hold after a takeover",
    [MM_REASON_TOO_LATE] = "starts have ended",
    [MM_REASON_PAUSE] = "pause after a failure",
    [MM_REASON_STATE] = "state not known yet",
    [MM_REASON_HALT] = "halted",
    [MM_REASON_BREAKER] = "breaker tripped",
    [MM_REASON_WINDOW] = "window closed",
    [MM_REASON_GUARD] = "guard says no",
    [MM_REASON_DENIED] = "denied",
    [MM_REASON_BAKE] = "bake of a ramp step",
    [MM_REASON_RATE] = "rate of starts",
    [MM_REASON_RAMP] = "step of the ramp is full",
    [MM_REASON_BUDGET] = "limit of unavailable hosts",
    [MM_REASON_CAP] = "cap of its group",
    [MM_REASON_RESERVED] = "place reserved",
    [MM_REASON_HOST_BUSY] = "host busy",
    [MM_REASON_AT_ONCE] = "limit of restarts at once",
    [MM_REASON_QUARANTINE] = "no restarter of its own",
    [MM_REASON_NO_SLOT] = "no free slot",
};

const char *mm_reason_name(mm_reason_t reason)
{
    return names[reason];
}
