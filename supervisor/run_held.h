// What a run says of the halts and breakers that the record of its folder has in force.

#ifndef RUN_HELD_H
#define RUN_HELD_H

#include "held_record.h"
#include "policy.h"

#include <stdio.h>

// path: of the record. One that cannot be read, or is older than such orders, holds nothing back.
// The caller clears it.
mm_held_record_t run_held_read(const char *path);
// A group that has tripped in a run that this outbox has not finished, and that the policy does not
// name, so that nothing would hold its hosts back; NULL: there is none.
const char *run_held_unnamed(const mm_held_record_t *self, const mm_policy_t *policy,
                             const char *outbox);
// A line for a halt and for each breaker that has tripped, with the command that ends it.
void run_held_print(const mm_held_record_t *self, const char *program, const char *dir, FILE *file);

#endif
