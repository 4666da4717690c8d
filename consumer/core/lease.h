// Which of several consumers on one record leads: the one that has the lease, a row there, which is
// taken and renewed through the savers (P9.97). Pure: an event goes in, a list of actions comes
// out; the event has the time. docs/rules.md has A1 to A10; this keeps A4, A7 to A9.
//
// A process leads once at most, by its own clock (CLOCK_BOOTTIME):
//
//   standby ──► leading ◄──► suspended ──► deposed
//                  └───────────────────────►┘
//
//   standby    looks once a second, and takes what is free
//   leading    renews, and trusts itself until its last renewal that was answered began + ttl -
//   margin suspended  goes on asking; with an answer in time it leads again, under the same epoch
//   deposed    somebody else leads, or may: it leaves, and whoever has started it starts it again

#ifndef LEASE_H
#define LEASE_H

#include "frame.h"

#define LEASE_TTL_MS 6000 // at least, and four times lost-after; a third of it between renewals
#define LEASE_SPARE_MS                                                                             \
    60 // of the margin, beyond lost-after and what two clocks drift apart in a
       // ttl, by 2 % each: 1800 in all, with a lost-after of 1500
#define LEASE_LOOK_MS   1000  // between looks, and before what was not answered is asked again
#define LEASE_LONELY_MS 10000 // without a restarter, while another consumer hears some (A8)
#define LEASE_YIELD_MS  3000  // so much later who hears no restarter takes what is free (A8)
#define LEASE_FINISH_MS 1500  // at most, before a lease that is handed over is released
#define LEASE_GONE_MS   1000  // for the answer to a release
#define LEASE_LOST_TTLS 2     // without a renewal, while the record only knows earlier epochs

typedef struct {
    uint64_t asker; // drawn at random when the process starts, not 0
    int64_t ttl_ms;
    int64_t renew_ms;
    int64_t margin_ms;
    int64_t look_ms;
    int64_t lonely_ms;
    int64_t yield_ms;
    int64_t lost_after_ms; // a restarter that was heard within it is heard
} lease_config_t;

typedef enum { LEASE_STANDBY, LEASE_LEADING, LEASE_SUSPENDED, LEASE_DEPOSED } lease_state_t;

typedef enum {
    LEASE_TIME,      // the deadline is reached; the first one starts it
    LEASE_ANSWER,    // a saver has answered
    LEASE_RESTARTER, // a restarter was heard: of whoever leads, one that is in a session of it
    LEASE_RIVAL,     // somebody has named a higher epoch: only the record knows whether it is one
    LEASE_HAND_OVER, // an operator wants another one to lead
    LEASE_FINISHED,  // behind LEASE_STOP: nothing is at a saver any more
    LEASE_LEFT       // this consumer has drained and leaves
} lease_event_kind_t;

typedef struct {
    lease_event_kind_t kind;
    int64_t now_ms; // CLOCK_BOOTTIME, not before that of the last event
    union {
        const mm_lease_body_t *answer;
        uint64_t session; // restarter: the epoch of the one that it is in; 0: it is in none
        uint64_t rival;   // the epoch
    } as;
} lease_event_t;

typedef enum {
    LEASE_ASK,     // all savers, at once
    LEASE_LEAD,    // from now on, under this epoch
    LEASE_TRUST,   // lead until then; also ends a suspension
    LEASE_SUSPEND, // hand out nothing (A4)
    LEASE_STOP,    // the same, for good: finish what is at savers
    LEASE_ORDERS,  // the record has other orders than this consumer may know (A7)
    LEASE_LEAVE    // end, with 75: the reason
} lease_action_kind_t;

typedef struct {
    lease_action_kind_t kind;
    union {
        mm_lease_ask_body_t ask; // without the consumer's name
        uint64_t epoch;          // lead
        int64_t until_ms;        // trust
        bool is_halted;          // orders: a halt of all is in force
        const char *reason;      // leave: static
    } as;
} lease_action_t;

#define LEASE_ACTIONS_MAX 4

typedef struct {
    lease_action_t items[LEASE_ACTIONS_MAX];
    size_t count;
} lease_actions_t;

// Its fields are its own.
typedef struct {
    lease_config_t config;
    lease_state_t state;
    uint64_t epoch;      // that it leads, or has led, under; 0: none
    int64_t now_ms;      // of the last event
    int64_t trust_ms;    // until then it trusts itself
    int64_t lead_ms;     // since then it leads
    int64_t asked_ms;    // the last ask; MM_NEVER: none
    int64_t answered_ms; // the stamp of the last one that was answered; -1: none
    int64_t took_ms;     // the last take; -1: none
    int64_t free_ms;     // since then nobody has the lease; -1: somebody has, or it is not known
    int64_t heard_ms;    // a restarter; -1: none
    int64_t stop_ms;     // since then it is handed over; -1: it is not
    int64_t released_ms; // when that was asked; -1: it was not
    uint64_t orders_seq; // of the last answer
    uint64_t seen_epoch; // of the row, and
    int64_t seen_ms;     // until then, by this clock, it was not free; -1: it was
    bool is_halted;
} lease_t;

// That of every consumer. asker: drawn at random, not 0. lost_after_ms: at most a quarter of
// MM_LEASE_TTL_MAX.
lease_config_t lease_config(uint64_t asker, int64_t lost_after_ms);
// ret: caller-owned, needs no end. now_ms: CLOCK_BOOTTIME.
void lease_init(lease_t *ret, const lease_config_t *config, int64_t now_ms);
// *ret_actions is cleared first, then has what to do, in order.
void lease_step(lease_t *self, const lease_event_t *event, lease_actions_t *ret_actions);
// When the next LEASE_TIME is due; MM_NEVER: none is.
int64_t lease_deadline(const lease_t *self);
// Whether it may hand out restarts at that instant. Asked once more behind what is to be sent (A5).
bool lease_is_trusted(const lease_t *self, int64_t now_ms);

bool lease_hears_restarters(const lease_t *self);

const char *lease_state_name(lease_state_t state); // "standby", "leading", "suspended", "deposed"

#endif
