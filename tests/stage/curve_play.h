// Keys in a folder, the consumer's ZAP handler in a loop, and clients with a monitor each, for
// tests of who gets in: a story of steps, each of which is asked after each handler until it is
// true.

#ifndef CURVE_PLAY_H
#define CURVE_PLAY_H

#include "loop.h"
#include "temp_folder.h"
#include "zap.h"

enum { CURVE_PATIENCE_MS = 60000 }; // for a story; not reached when all is well

// Whose keys there are in `curve_keys`; all but the first one and STRANGER are on the list.
typedef enum { CONSUMER, PUBLISHER, SAVER, EU_1, EU_2, VIEWER, ANNA, STRANGER, CURVE_KEYS } whose_t;
extern mm_key_t curve_keys[CURVE_KEYS];

extern mm_loop_t *curve_loop;
extern zap_t *zap;                            // of curve_open
extern int64_t (*curve_look)(int64_t now_ms); // else called each turn; returns when next
extern char curve_error[MM_ERROR_MAX];        // of the last zap_new
// What the handler has called.
extern unsigned curve_revoked, curve_replaced, curve_cut;
extern const mm_allowed_t *curve_revoked_row; // the last one
extern uint64_t curve_cut_session;
extern const char *curve_taken; // why no name may be used; NULL: each may

// For the start and the end of a test: the keys and the loop.
int make_curve(void **state);
int end_curve(void **state);
// The handler, which end_curve closes.
void curve_open(void);
// The paths of the two files.
void curve_path(char ret_path[TEMP_PATH_MAX], const char *name);
// Puts another pair of keys into the consumer's file.
void curve_replace_key(mm_key_t *ret_key);
// Puts a key on the list, and takes it off.
void curve_allow(const mm_key_t *key);
void curve_disallow(const mm_key_t *key);
// A handler for these files; NULL when they are wrong.
zap_t *curve_zap(int *ret_exit_code);
// Closes this socket when the test has ended. Returns it.
mm_socket_t *curve_keep(mm_socket_t *socket);
// The consumer's socket of this type and domain on a tcp port of its own, also for the loop's end.
mm_socket_t *curve_serve(int type, const char *domain, char ret_endpoint[TEMP_PATH_MAX]);

// A client that reads a monitor in the loop.
typedef struct {
    mm_socket_t *socket;
    mm_socket_t *monitor;
    char name[64];    // of the monitor
    unsigned let_in;  // handshakes that have succeeded
    unsigned refused; // by the handler
    unsigned failed;  // otherwise
    unsigned cut;     // connections that are over
} curve_client_t;

// key: NULL for none. topic: of a SUB; NULL: none.
void curve_connect(curve_client_t *self, int type, const mm_key_t *key, const char *server_key,
                   const char *topic, const char *endpoint);
void curve_close(curve_client_t *self);

typedef bool(curve_step_fn)(void);
// Runs the loop until each step was true, in order; NULL ends them.
void curve_play(curve_step_fn *const steps[]);

#endif
