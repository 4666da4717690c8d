// Frames out of fuzz bytes: always legal on the wire, often lies. A zero byte chooses what an
// honest sender would say, so that deep states are near and each other byte is one lie. Also what a
// frame needs to come over the wire, texts in memory of its own.

#ifndef FUZZ_FRAME_H
#define FUZZ_FRAME_H

#include "wire.h"

#define FUZZ_PEERS 6  // workers: s1 s2 r1 r2 r3 r4
#define FUZZ_TASKS 16 // tasks remembered

// The fuzz input as it is used up; behind its end all bytes are zero.
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} fuzz_bytes_t;

uint8_t fuzz_byte(fuzz_bytes_t *in);
// `likely`, or something that hurts.
uint64_t fuzz_number(fuzz_bytes_t *in, uint64_t likely);
mm_str_t fuzz_host(size_t index);
// What every job with that id has: some have none, some the longest.
mm_str_t fuzz_attributes(const mm_id_t *id);
mm_id_t fuzz_id(size_t index);
size_t fuzz_id_index(const mm_id_t *id);

// What the next frame of a worker would honestly say.
typedef struct {
    const char *name;
    mm_role_t role;
    uint64_t instance;
    uint64_t session;
    uint64_t sequence; // of its last report
    uint64_t serial;   // of its last result
} fuzz_peer_t;

typedef struct {
    uint64_t number;
    mm_leg_t leg;
    mm_id_t id;
    size_t peer; // who has it
    bool is_open;
} fuzz_task_t;

// What frames can hit something with.
typedef struct {
    int64_t now_ms;
    uint64_t epoch;
    bool is_real;     // the restarters have a driver
    uint64_t number;  // of the last task
    size_t newest_id; // index of the newest job
    fuzz_peer_t peers[FUZZ_PEERS];
    fuzz_task_t tasks[FUZZ_TASKS]; // a ring
    size_t task_count;
} fuzz_known_t;

void fuzz_known_init(fuzz_known_t *self);
// The peer of that name, or FUZZ_PEERS.
size_t fuzz_known_peer(const fuzz_known_t *self, mm_str_t name);
void fuzz_known_add_task(fuzz_known_t *self, const mm_task_t *task, size_t peer);

// Fills in a frame of that kind. What it points to lives until the next call.
void fuzz_frame(fuzz_known_t *known, fuzz_bytes_t *in, mm_frame_kind_t kind, mm_frame_t *ret_frame);

// The frame as its receiver decodes it, from memory of exactly its size; the caller frees
// *ret_bytes after the last use of *ret_frame. Encoder and decoder must agree on it (asserted).
void fuzz_carry(const mm_frame_t *frame, mm_frame_t *ret_frame, char **ret_bytes);

#endif
