// The consumers that a client knows, of which it follows one (core/follow.h): to each address a way
// of its own, which has a link (link.h), a PUSH and a SUB. What the others say is read and dropped,
// so the client sees one consumer. With one address nothing is judged and nothing dropped.
//
// A consumer that stands by sends no BEAT. Its sockets are made anew when nothing was heard there
// for MM_CONSUMERS_SPARE_MS, since a connecting socket may be dead without an error.

#ifndef MM_CONSUMERS_H
#define MM_CONSUMERS_H

#include "addresses.h"
#include "key_file.h"
#include "link.h"
#include "loop.h"
#include "sender.h"

#define MM_CONSUMERS_SPARE_MS 30000

typedef struct mm_consumers mm_consumers_t;

typedef struct {
    mm_loop_t *loop; // NULL: the caller waits for mm_consumers_events and mm_consumers_link_at
    const mm_addresses_t *addresses; // copied
    const mm_key_t *key;             // NULL: none; copied
    bool logs;                       // see link.h
    mm_socket_role_t role;           // of the PUSH: jobs or inbox
    const char *name;                // of the PUSH in profiles; kept as a pointer
    // Of a worker, whose WELCOMEs count, and which a BEAT lists; else 0 and NULL. The name is kept
    // as a pointer.
    uint64_t instance;
    const char *worker;
    int64_t heartbeat_ms;
    int64_t lost_after_ms;
    void (*subscribe)(void *arg, mm_socket_t *events); // to its topics, before it connects
    void (*on_events)(void *arg); // with a loop: mm_consumers_receive may have something
    // The way to the one that is followed has failed: mm_consumers_reopen is to be called.
    void (*cut)(void *arg);
    void *arg;
} mm_consumers_config_t;

// Connects to all. Never NULL.
mm_consumers_t *mm_consumers_new(const mm_consumers_config_t *config);
// No-op for NULL. Frames that wait are dropped.
void mm_consumers_destroy(mm_consumers_t **self_p);

// Makes the sockets anew, for nothing is heard of the one that is followed. Of several addresses
// those stay at which something was heard within three heartbeats.
void mm_consumers_reopen(mm_consumers_t *self);
// Makes sockets anew that have been silent for too long. Call it in each turn. Returns when to call
// it next (CLOCK_BOOTTIME ms), at the latest.
int64_t mm_consumers_turn(mm_consumers_t *self, int64_t now_ms);

// Receives the next message from any of them, as mm_receive does. OTHER: it was of a consumer that
// is not followed, and was dropped.
mm_received_t mm_consumers_receive(mm_consumers_t *self, mm_receiver_t *receiver, int64_t now_ms,
                                   mm_frame_t *ret_frame);
// Whether this frame, received from this address, counts for the client; with which it may become
// the one that is followed.
bool mm_consumers_counts(mm_consumers_t *self, size_t at, const mm_frame_t *frame, int64_t now_ms);
// The address from which the last message was received.
size_t mm_consumers_from(const mm_consumers_t *self);

// The one that is followed; while there is none, the first one. Valid until the next call that
// receives or makes sockets anew.
size_t mm_consumers_followed(const mm_consumers_t *self);
bool mm_consumers_follows(const mm_consumers_t *self); // whether there is one
mm_sender_t *mm_consumers_sender(const mm_consumers_t *self);
mm_link_t *mm_consumers_link(const mm_consumers_t *self); // lives as long as the consumers
const mm_endpoint_t *mm_consumers_base(const mm_consumers_t *self);

// Sends a frame that may be lost to the one that is followed; to all while there is none, or it is
// silent, or, of a worker, it has not named this one for lost-after. Nothing overtakes frames that
// wait. Returns whether it was sent to any.
bool mm_consumers_ask(mm_consumers_t *self, mm_str_t frame);
// The same to one address.
bool mm_consumers_send_to(mm_consumers_t *self, size_t at, mm_str_t frame);

size_t mm_consumers_count(const mm_consumers_t *self);
mm_socket_t *mm_consumers_events(const mm_consumers_t *self, size_t at);
mm_link_t *mm_consumers_link_at(const mm_consumers_t *self, size_t at);
// mm_link_complaint of the one that is followed, else of the first that has one.
const char *mm_consumers_complaint(const mm_consumers_t *self);

#endif
