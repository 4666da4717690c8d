// What needs a person: a halt, a breaker that has tripped, a window that never opens again, and
// casualties that use up a budget. Each is a sentence with the command that helps. Pure.

#ifndef ATTENTION_H
#define ATTENTION_H

#include "held_print.h"
#include "snapshot.h"

// Sets attention from the rest. record: says who has ordered what, and is all that is known when no
// consumer answers; NULL: it is not known. options: of the commands, " --dir DIR" or "".
void attention_find(snapshot_t *self, const mm_held_record_t *record, const char *options);

#endif
