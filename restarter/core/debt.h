// What a restart owes its host: what was done before it (--before: cordon) is to be undone after it
// (--after: uncordon). The debt is on record before anything is done, and stays there until it is
// paid. Pure; restart.h asks it. Rule H16 of docs/rules.md.
//
// It is paid when the host was restarted, or when no command was sent. Of a host that got a command
// and is not known to be well nothing is undone: somebody must look at it. That holds for a command
// of an earlier task, too, whose debt is still on record.

#ifndef DEBT_H
#define DEBT_H

#include "frame.h"

#define DEBT_PAUSE_LOW_MS  1000  // from one try to the next: it doubles up to
#define DEBT_PAUSE_HIGH_MS 30000 // this

// Its fields are its own.
typedef struct {
    bool has_after;    // there is something to be done
    bool is_on_record; // of this task
    bool was_owed;     // and before it
    bool has_prepared; // --before has begun
    bool is_paid;
    uint32_t tries;
    int64_t pause_ms;
} debt_t;

// real: the task's; NULL: it is of no attempt on record, and may do all.
debt_t debt_begin(bool has_after, const mm_real_t *real);
// Whether it is to be paid now that the task ends. sent: a command was.
bool debt_is_to_be_paid(const debt_t *self, bool is_restarted, bool sent);
// A try has ended. True: there is to be another one after the pause.
bool debt_tried(debt_t *self, bool is_good, uint32_t tries_max, int64_t *ret_pause_ms);
// Whether it stays on record when the task ends.
bool debt_is_owed(const debt_t *self, bool is_restarted, bool sent);

#endif
