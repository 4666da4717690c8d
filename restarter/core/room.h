// How many commands this machine can have at a time: what could not be started, by its fault, takes
// slots away, and time gives them back. Pure. Times are CLOCK_BOOTTIME, ms.

#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>
#include <stdint.h>

#define ROOM_PAUSE_LOW_MS  250   // without a task, after a start that failed; it doubles up to
#define ROOM_PAUSE_HIGH_MS 5000  // this, while nothing could be started
#define ROOM_RAISE_MS      10000 // without such a failure: then twice as many

typedef struct {
    uint32_t most;    // as configured, > 0
    uint32_t slots;   // now: 1 to most
    int64_t raise_ms; // when there are more; INT64_MAX: there are all
    int64_t until_ms; // of the last pause
    int64_t pause_ms;
} room_t;

room_t room_new(uint32_t most);
// A start has failed while `running` commands were there. Returns for how long there should be no
// further task.
int64_t room_failed(room_t *self, uint32_t running, int64_t now_ms);
// A command was started.
void room_started(room_t *self);
// Gives slots back when raise_ms has come. True: it did.
bool room_raise(room_t *self, int64_t now_ms);

#endif
