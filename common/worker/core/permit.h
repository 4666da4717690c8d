// Whether a worker may start commands: what the beats of its consumer permit (P6.18). A permit is a
// beat of the consumer that the worker's session is of, which does not say halted, and which echoes
// a stamp of the worker itself. It holds for lost-after from that stamp on, so a command that was
// permitted begins no later than that after the consumer has stopped to permit any. Pure; rule G10
// of docs/rules.md.

#ifndef MM_PERMIT_H
#define MM_PERMIT_H

#include "frame.h"

// Its fields are its own. Zeroed: there is no session, and nothing is permitted.
typedef struct {
    uint64_t epoch;   // of the consumer,
    uint64_t session; // and the session; 0: none
    int64_t until_ms; // CLOCK_BOOTTIME: before this a command may be started; 0: none may
} mm_permit_t;

// A session begins, of a consumer with this epoch: it has permitted nothing yet.
void mm_permit_open(mm_permit_t *self, uint64_t epoch, uint64_t session);
// There is no session: nothing is permitted.
void mm_permit_close(mm_permit_t *self);
// A beat was heard by the worker of that name, at now_ms (CLOCK_BOOTTIME). One that says halted
// takes a permit back.
void mm_permit_hear(mm_permit_t *self, const mm_beat_body_t *beat, mm_str_t worker, int64_t now_ms,
                    int64_t lost_after_ms);

#endif
