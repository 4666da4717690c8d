// The shell around the lease core (lease.h): it asks the savers, and tells the consumer when to
// begin, until when it is trusted, and when to leave. Of a consumer on a shared record only. It
// reads the clock by itself, since what was true when a turn began may be long over when the turn
// goes on (A5).

#ifndef LEADERSHIP_H
#define LEADERSHIP_H

#include "broadcast.h"
#include "lease.h"

#include <jansson.h>

typedef struct leadership leadership_t;

typedef struct {
    broadcast_t *events;   // stays the caller's
    const char *name;      // the consumer's id, kept as a pointer
    int64_t lost_after_ms; // its margin and ttl follow from it: lease.h has them for 1500
    // Called from the calls below, but leadership_is_trusted.
    void (*lead)(void *arg, uint64_t epoch);      // once at most; the next call says until when
    void (*trust)(void *arg, int64_t until_ms);   // CLOCK_BOOTTIME; not above now: not any more
    void (*beside)(void *arg, bool is_halted);    // an order was recorded beside this consumer
    void (*leave)(void *arg, const char *reason); // once, the last one
    void *arg;
} leadership_config_t;

leadership_t *leadership_new(const leadership_config_t *config);
// No-op for NULL.
void leadership_destroy(leadership_t **self_p);

void leadership_hear(leadership_t *self, const mm_lease_body_t *answer);
// In this session; 0: in none.
void leadership_hear_restarter(leadership_t *self, uint64_t session);
// Somebody has named this epoch.
void leadership_hear_epoch(leadership_t *self, uint64_t epoch);
// An operator wants another one to lead. NULL; or why this one cannot hand anything over.
const char *leadership_hand_over(leadership_t *self, mm_str_t why, mm_str_t actor);
// It drains, and has nothing in flight: the lease is free from now on.
void leadership_left(leadership_t *self);

// What is due. is_recorded: nothing is at a saver. Returns when it wants the next call.
int64_t leadership_turn(leadership_t *self, bool is_recorded);
// Whether restarts may be handed out now. To be asked behind what was read, and before what is
// sent.
bool leadership_is_trusted(const leadership_t *self);
// For viewers: the state, the epoch and how old the lease is.
json_t *leadership_json(const leadership_t *self);

#endif
