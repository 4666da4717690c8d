// Which run a consumer has, of several publishers that name one: that of the first, until it names
// another one, or has been silent for so long that it must have ended. What is counted, tripped or
// ramped is of one run; two at once would each undo what is known of the other. Pure.

#ifndef RUN_CHOICE_H
#define RUN_CHOICE_H

#include "host.h"

#include <stdint.h>

#define RUN_SILENT_MS 15000 // a publisher names its run every five seconds (P9.81)
#define RUN_FORMERS   8

// Zeroed: none yet.
typedef struct {
    uint64_t run; // 0: none
    mm_name_t publisher;
    int64_t heard_ms;
    uint64_t former[RUN_FORMERS]; // that its publisher has replaced, a ring
    size_t former_at;
} run_choice_t;

// A publisher names its run. Whether that is the run, from now on or still.
bool run_choice_hear(run_choice_t *self, mm_str_t publisher, uint64_t run, int64_t now_ms);
// Nobody knows who was silent until now.
void run_choice_forgive(run_choice_t *self, int64_t now_ms);

#endif
