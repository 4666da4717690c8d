// A viewer's connection to a running pipeline: it asks through the consumer's inbox, and hears the
// replies on the consumer's PUB socket for viewers. It costs the pipeline nothing while it does not
// ask; when it stops reading, it loses replies and delays nothing. The frames are in
// docs/protocol.md, section 3, the clauses in section 9: P9.31 to P9.35.

#ifndef ATTACH_H
#define ATTACH_H

#include "addresses.h"
#include "frame.h"
#include "key_file.h"
#include "snapshot.h"

typedef struct attach attach_t;

// Begins to ask for snapshots, one a second. Never NULL: attach_next shows whether the pipeline
// answers. addresses: of its consumers, of which it follows the one that leads (consumers.h). key:
// for tcp; NULL: none.
attach_t *attach_new(const mm_addresses_t *addresses, const mm_key_t *key);
void attach_destroy(attach_t **self_p);

typedef enum {
    NEWS_NOTHING,  // the time is over, or `descriptor` can be read
    NEWS_SNAPSHOT, // one a second
    NEWS_PROFILE,  // of one process: see common/runtime/span.h
    NEWS_EVENTS,   // of jobs: {"events": [...], "left_out": N}
    NEWS_JOB,      // the consumer's state of a job: {"asked": TEXT, "jobs": [...]}
    NEWS_HOSTS,    // of one process: see hosts_now.h
    NEWS_ORDER,    // the answer to an order: {"order": ID, "error": TEXT}
    NEWS_END,      // a recording has ended. Never from attach_next, like the next one
    NEWS_DAMAGED   // a recording cannot be read, or cannot be written
} news_kind_t;

// Lives until the next call.
typedef struct {
    news_kind_t kind;
    const snapshot_t *snapshot; // of a snapshot
    json_t *json;               // of a profile, events or a job; borrowed
} news_t;

// Waits at most timeout_ms (-1: for ever) for the next news, or until `descriptor` (-1: none) can
// be read. The first snapshot comes within about a second of attach_new if the pipeline answers.
news_t attach_next(attach_t *self, int descriptor, int timeout_ms);

// Time since the consumer was last heard, in ms; MM_NEVER: not yet.
int64_t attach_silent_ms(const attach_t *self);
// Why it does not answer, as far as that is known: mm_consumers_complaint.
const char *attach_complaint(const attach_t *self);

// Asks for a profile of the last `seconds` (0: since the start) of a process, by its name, or of
// all (NULL). Each reply is a NEWS_PROFILE.
void attach_ask_profile(attach_t *self, const char *process, uint32_t seconds);
// Asks for all events from now on: of this host (NULL: any) and outcome (NULL: any; "acked",
// "dead", "nacked", "retried", "lost", "pulled", ...). Cannot be taken back.
void attach_watch_events(attach_t *self, const char *host, const char *outcome);
// Asks the consumer for the state of a host or job id: NEWS_JOB.
void attach_ask_job(attach_t *self, const char *host_or_id);
// Asks all for what they know of hosts: NEWS_HOSTS of the consumer and of each restarter.
void attach_ask_hosts(attach_t *self);
// Sends an order, which must outlive this, again and again under its id, until it is answered:
// NEWS_ORDER. One that holds back is sent at once; one that frees when its answer can be heard, so
// that a late repetition does not undo what another operator has ordered since.
void attach_order(attach_t *self, const mm_order_t *order);
// The same of a handover: of the order its id, why and actor are sent.
void attach_hand_over(attach_t *self, const mm_order_t *order);

#endif
