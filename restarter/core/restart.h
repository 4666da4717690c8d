// One task of a restarter whose hosts are real, from its start to its result: a pure state machine
// that says what to run next, and judges what that has shown. It sends at most one command, and
// never decides whether there is to be another one. Rules H2, H3, H6, H8 and H9 of docs/rules.md.
//
//   probe             --skip-if, unless something has begun; identify until there is one good read,
//                     then ask its health
//   restart, k > 0    identify; in the boot on record send command k, else none; judge its end;
//   look restart, k = 0    look; then --after, if that is owed (debt.h)
//
// --before is run behind the first read, and another read follows it. When it fails, nothing is
// sent.
//
// --before and the command need a permit (permit.h): without one the task waits for it, as long as
// the read before it is young. Then the first command's task is returned, and one of a later
// command is given back open, with what is owed (G10). Looks need none.
//
// Where it is allowed, a probe that finds nobody says so instead of an identity, and a host of
// which that is on record gets its command only while it answers nobody. One that answers with
// something that is no identity gets none.
//
// A boot that is not the one on record gets no command, also when it is older than the restart: its
// age came in messages, and the boot may be the work of our own first command.
//
// To look is proof.h, where the driver can identify a host. Where it cannot, --verify is polled, or
// the command's end is all there is.
//
// Times are CLOCK_BOOTTIME, ms, as those of the task.

#ifndef RESTART_H
#define RESTART_H

#include "debt.h"
#include "frame.h"
#include "proof.h"

#define RESTART_LOOK_MS   10000 // of one run of identify, health or verify
#define RESTART_AGAIN_MS  5000  // from a look that could not be run here to the next one
#define RESTART_VERIFY_MS 1000  // from the start of one verify to that of the next

// A driver's settings, which all its tasks share.
typedef struct {
    bool identifies;
    bool allows_unreachable; // a command may be sent to a host that answers nobody
    bool has_health;         // only with identify
    bool has_verify;         // only without
    bool has_skip, has_before, has_after;
    uint32_t tries; // of --after in a task, at least 1
    uint32_t commands;
    uint8_t ok_codes[256 / 8]; // after which it looks: a bit for each exit code
    int64_t timeout_ms;        // of a command
    int64_t verify_ms;
    int64_t settle_ms;
    int64_t lost_after_ms;
} restart_config_t;

typedef enum {
    RESTART_IDENTIFY,
    RESTART_COMMAND,
    RESTART_HEALTH,
    RESTART_VERIFY,
    RESTART_SKIP_IF,
    RESTART_BEFORE,
    RESTART_AFTER
} restart_what_t;

// What to run, and when.
typedef struct {
    restart_what_t what;
    int64_t at_ms;        // not before
    int64_t not_after_ms; // nor after; INT64_MAX: at any time
    int64_t limit_ms;     // how long it may run,
    int64_t end_ms;       // and until when; INT64_MAX: any time
} restart_step_t;

typedef enum {
    RESTART_EXITED,      // by itself, with a code
    RESTART_SIGNALED,    // by a signal that was not ours
    RESTART_TIMED_OUT,   // it was cut off at its limit
    RESTART_STOPPED,     // it was cut off by restart_stop
    RESTART_LEFT,        // it was cut off, and something of it cannot be killed
    RESTART_TOO_LATE,    // not_after_ms had passed
    RESTART_NOT_STARTED, // by the fault of this machine, for now
    RESTART_UNABLE       // it can never be run here
} restart_how_t;

typedef struct {
    restart_how_t how;
    int number;                 // the exit code, or the signal
    const identity_t *identity; // of an identify that has exited with 0; NULL: unknown
    mm_str_t line;              // of a health: the first one that it has printed; may be empty
} restart_end_t;

typedef enum {
    RESTART_PHASE_SKIP_IF,
    RESTART_PHASE_PROBE,
    RESTART_PHASE_PROBE_HEALTH,
    RESTART_PHASE_READ, // before the command (H3)
    RESTART_PHASE_BEFORE,
    RESTART_PHASE_COMMAND,
    RESTART_PHASE_CHECK, // the read after a code that is not ok
    RESTART_PHASE_LOOK,
    RESTART_PHASE_VERIFY,
    RESTART_PHASE_AFTER,
    RESTART_PHASE_DONE
} restart_phase_t;

// Its fields are the machine's own; the results are complete in RESTART_PHASE_DONE.
typedef struct {
    const restart_config_t *config;
    uint64_t seed;
    restart_phase_t phase;
    bool is_running; // what the last step said
    bool is_unable;  // the last look could not be run here
    bool is_draining;
    bool is_stopped;
    uint32_t command;
    identity_t before;             // its uptime is not known
    int64_t first_ms, deadline_ms; // as in mm_task_t
    int64_t start_ms;              // too late for a command that no read comes before
    int64_t permit_ms;             // before this a command may be started; 0: none may
    bool is_waiting;               // for a permit
    bool is_refused;               // there was none in time
    int64_t began_ms;              // the last run but a command
    int64_t read_ms;               // the read before the command has ended
    int64_t next_ms;               // the next step, but of a look
    int64_t pause_ms;
    int64_t until_ms; // probe, read, verify: no further try
    uint32_t polls;   // of verify
    debt_t debt;
    char health[MM_HEALTH_MAX + 1]; // what a host that is not quite well says; a probe sets it
    proof_t proof;
    // Results, as in mm_result_t.
    mm_status_t status;
    mm_end_t end;
    uint32_t exit;
    mm_proof_t proven;
    identity_t seen; // the last read
    bool has_seen;
    bool has_answer; // somebody has answered an identify of this task
    bool sent;
} restart_t;

// The task's texts are not kept. One whose real end is RESTARTED only pays what is owed. A real
// task has first_ms and deadline_ms by this clock. A task without a real part has no limits.
void restart_begin(restart_t *self, const restart_config_t *config, const mm_task_t *task,
                   uint64_t seed, int64_t now_ms);
// Directly behind that: the host was restarted a short while ago, for another job. A question
// whether there is something to do, or a command, ends as skipped; other tasks go on. True: it has.
bool restart_skip(restart_t *self, const mm_task_t *task);
// The next step. False: nothing is to be run: something runs, or all is done.
bool restart_next(const restart_t *self, restart_step_t *ret_step);
// Before this instant commands may be started; 0, as at the begin: none may. To be called when that
// may have changed, and then restart_next.
void restart_permit(restart_t *self, int64_t until_ms);
// The step's time has come: its run begins. False: it does not, and restart_next says what is next.
// It was too late for it; or it waits for a permit.
bool restart_run(restart_t *self, int64_t now_ms);
// That run has ended.
void restart_ended(restart_t *self, const restart_end_t *end, int64_t now_ms);
// No time is left for what only waits. When this makes it done, what runs is of no interest any
// more.
void restart_drain(restart_t *self, int64_t now_ms);
// The same for commands: one that runs is to be cut off, and restart_ended tells its end.
void restart_stop(restart_t *self, int64_t now_ms);

// What it does now: "skip-if", "probe", "read", "permit", "before", "command", "look", "settle",
// "verify", "after" or "done".
const char *restart_doing(const restart_t *self);
// Since when the attempt runs, also where another restarter has begun it; of a probe since when the
// task does, which is started_ms.
int64_t restart_since_ms(const restart_t *self, int64_t started_ms);

// status; and of its real part, which is the caller's: end, exit, proof, machine, boot, sent, more,
// owes and, of a probe, health, which lives as long as this.
void restart_fill(const restart_t *self, mm_result_t *ret_result);

#endif
