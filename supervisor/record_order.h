// An order that the saver's program writes into a record, in whose folder nothing runs: the caller
// has its lock.

#ifndef RECORD_ORDER_H
#define RECORD_ORDER_H

#include "frame.h"
#include "run_settings.h"

// Who types this: "ann (uid 1000, pid 4711)". Returns buffer.
char *record_order_actor(char buffer[MM_ACTOR_MAX + 1]);

// dir: of the run, for the saver's log; record: its path, which is made when it is not there.
// Returns 0, or a sysexits code: 69 with no error: a saver runs that was started by hand; 75 nobody
// knows whether it is on record. error: one sentence; empty: there is none, or the saver has said
// it.
int record_order_write(const char *dir, const char *record, const mm_order_t *order,
                       char error[MM_ERROR_MAX]);
// The same, of the user of this run, about all of it. Returns 0, or an exit code after a complaint.
int record_order_of_run(const run_settings_t *settings, mm_action_t action, const char *why);

#endif
