// The proof that a host was restarted: a pure state machine that looks at the host after the
// command, and says what it was. Rules H2, H8 and H9 of docs/rules.md.
//
//   proven        the same machine and a new boot in two reads that agree, then healthy in every
//                 poll for `settle`
//   verified      the same, where a read told no uptime: the boot may be somebody else's
//   same-boot     at the deadline it was still in its old boot: only now may it be asked again
//   wrong-host    at the deadline another machine answered
//   unhealthy     it came back and was not well, or not for long enough, within `verify`
//   unreachable   nobody answered, or nothing that is an identity, for at least `verify`
//   unverified    it did not answer before, and now it does not tell how old its boot is
//
// An answer that is no identity is unknown: it neither agrees, nor contradicts, nor breaks settle.
// Times are CLOCK_BOOTTIME, ms: a clock that is set ends nothing early.

#ifndef PROOF_H
#define PROOF_H

#include "identity.h"
#include "random.h"

#define PROOF_POLL_LOW_MS  1000 // between two looks: it doubles up to
#define PROOF_LATE_MS      1000 // a look that is so late tells that the restarter stood still
#define PROOF_POLL_HIGH_MS 5000 // this, while it settles a quarter of that; jitter of a fifth

typedef struct {
    identity_t before;   // on record before the command
    int64_t begun_ms;    // of the job's first attempt
    int64_t deadline_ms; // begun of this attempt + timeout + verify
    int64_t verify_ms;
    int64_t settle_ms; // 0 to verify_ms
    bool has_health;   // there is a command that tells whether it is well
    uint64_t seed;
} proof_config_t;

typedef enum {
    PROOF_OPEN, // no end yet
    PROOF_PROVEN,
    PROOF_VERIFIED,
    PROOF_SAME_BOOT,
    PROOF_WRONG_HOST,
    PROOF_UNHEALTHY,
    PROOF_UNREACHABLE,
    PROOF_UNVERIFIED
} proof_outcome_t;

typedef enum {
    PROOF_SEES_NOBODY,
    PROOF_SEES_OLD,
    PROOF_SEES_OTHER,
    PROOF_SEES_NEW,
    PROOF_SEES_SOMEBODY // in a boot of unknown age
} proof_sight_t;

// Its fields are the machine's own.
typedef struct {
    proof_config_t config;
    uint64_t random;
    proof_outcome_t outcome;
    proof_sight_t sight;  // of the last read
    identity_t candidate; // the last new boot; while `good_ms` is set
    bool is_agreed;       // two reads said so
    bool asks_health;     // the next step, before another read
    int64_t looks_ms;     // since when it looks
    int64_t good_ms;      // the first read of a new boot; -1: none yet
    int64_t settle_ms;    // since when it is in that boot, and well; -1: it is not
    int64_t next_ms;      // the next step
    int64_t pause_ms;     // behind that
} proof_t;

typedef enum { PROOF_READ, PROOF_HEALTH, PROOF_END } proof_step_t;

// Begins to look at now_ms: after the command, or when an open attempt is taken over.
void proof_begin(proof_t *self, const proof_config_t *config, int64_t now_ms);
// What to do next, and when, at the earliest: identify the host, ask its health, or nothing more.
proof_step_t proof_next(const proof_t *self, int64_t *ret_at_ms);
// A read that began at now_ms has ended; NULL: unknown. After PROOF_READ only.
void proof_take_read(proof_t *self, int64_t now_ms, const identity_t *read);
// After PROOF_HEALTH only.
void proof_take_health(proof_t *self, int64_t now_ms, bool is_healthy);

// "proven", "same-boot".
const char *proof_outcome_name(proof_outcome_t outcome);

#endif
