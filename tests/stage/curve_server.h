// The sockets of a consumer with keys, on free ports of the loopback, and a ZAP handler (RFC 27)
// that lets in whom the test names; all in the loop of loop_play.h.

#ifndef CURVE_SERVER_H
#define CURVE_SERVER_H

#include "key_file.h"
#include "loop_play.h"
#include "socket.h"

typedef struct {
    char public_key[MM_KEY_TEXT];
    char secret_key[MM_KEY_TEXT];
} curve_pair_t;

extern curve_pair_t curve_own;          // of the server
extern char curve_allowed[MM_KEY_TEXT]; // the key that is let in; "": none
extern const char *curve_refused;       // a domain that lets nobody in; NULL: none
extern mm_socket_t *curve_events;       // PUB, domain "events"
extern mm_socket_t *curve_inbox;        // PULL, domain "inbox"
extern char curve_events_at[64];        // their endpoints
extern char curve_inbox_at[64];         //
extern size_t curve_frames;             // that have arrived at the inbox
extern size_t curve_asked;              // how often the handler was
extern int64_t curve_asked_ms[16];      // for "events", when
extern size_t curve_asked_of_events;

curve_pair_t curve_draw(void);
// A key of this role and name, with these server keys.
mm_key_t curve_key(mm_key_role_t role, const char *name, const curve_pair_t *servers, size_t count);

// Begins with a new pair; with_keys: false: the sockets are plain ones.
void curve_begin(bool with_keys);
// Binds the same ports anew, with the pair that curve_own has now.
void curve_rebind(void);
void curve_end(void);

#endif
