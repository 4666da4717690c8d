// What a run of the real programs waits for before it counts. Each wait is for an event, and ends
// this process with a sentence when that does not come.

#ifndef READY_H
#define READY_H

#include <stddef.h>

// Until so many workers are in sessions with the consumer at this address, and may start what they
// are given: the consumer's own BEAT says so (docs/protocol.md), once a heartbeat.
void ready_workers(const char *address, size_t workers);

// The publisher's start, seen from outside: its programs and libraries are loaded, and its outbox
// is open, when the outbox's log in the folder is opened. What it does behind that is its work.
typedef struct {
    int descriptor;
} ready_outbox_t;
// Before the publisher is started.
ready_outbox_t ready_outbox_watch(const char *dir);
void ready_outbox(ready_outbox_t *self);

#endif
