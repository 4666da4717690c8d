// The domain's words as plain data: job ids, hosts, attributes, legs, outcomes, statuses, and how
// logs, traces and databases spell them. Pure: every core may include it. Owns nothing and
// allocates nothing.

#ifndef MM_JOB_H
#define MM_JOB_H

#include "attributes.h"
#include "duration.h"
#include "host.h"
#include "uuid.h"

#define MM_ERROR_MAX 512  // bytes of error text kept with a result
#define MM_SLOTS_MAX 4096 // tasks that one worker may hold
#define MM_ACTOR_MAX 128  // bytes of who has ordered something

#define MM_HOST_GROUPS_MAX 16  // groups of a policy that one host is in
#define MM_GROUPS_BYTES    256 // of their names, with commas between: an attribute's value

// What a task asks a worker for. Save and settle go to a saver, restart and probe to a restarter; a
// probe asks which machine a host is, and in which boot.
typedef enum { MM_LEG_SAVE = 1, MM_LEG_RESTART = 2, MM_LEG_SETTLE = 3, MM_LEG_PROBE = 4 } mm_leg_t;

static inline bool mm_leg_is_restarters(mm_leg_t leg)
{
    return leg == MM_LEG_RESTART || leg == MM_LEG_PROBE;
}

typedef enum {
    MM_OUTCOME_NONE = 0,
    MM_OUTCOME_RESTARTED = 1,
    MM_OUTCOME_DEAD = 2,
    MM_OUTCOME_WITHDRAWN = 3, // it is no longer on the list
    MM_OUTCOME_SKIPPED = 4    // there was nothing to do
} mm_outcome_t;

// How a task ended: RETURNED was never started and costs no attempt; OPEN has no end yet: a command
// was sent, and the proof is still owed.
typedef enum {
    MM_STATUS_OK = 0,
    MM_STATUS_FAILED = 1,
    MM_STATUS_RETURNED = 2,
    MM_STATUS_OPEN = 3
} mm_status_t;

// What is on record of an attempt at a real restart.
typedef enum {
    MM_ROW_NONE = 0,
    MM_ROW_BEGUN = 1,      // a command may have been sent
    MM_ROW_ENDED = 2,      // its end is known
    MM_ROW_OPEN = 3,       // its command has ended, or was killed by us; not proven yet
    MM_ROW_NOT_STARTED = 4 // no command was sent: it is begun anew under its number
} mm_attempt_row_t;

// What holds a run back, or frees it, and what the audit has of it. The first ones are orders.
typedef enum {
    MM_ACTION_HALT = 1,     // nothing begins
    MM_ACTION_RESUME = 2,   // ends a halt, or what a breaker has stopped
    MM_ACTION_DENY = 3,     // this host does not begin
    MM_ACTION_ABSOLVE = 4,  // a casualty is one no longer
    MM_ACTION_TRIP = 5,     // a breaker has stopped a group, or all
    MM_ACTION_RUN = 6,      // a run begins: counts and breakers from zero
    MM_ACTION_BEGUN = 7,    // an attempt
    MM_ACTION_ENDED = 8,    // a job: its outcome
    MM_ACTION_TAKE_OVER = 9 // --take-over withdraws what another driver has left; of records alone
} mm_action_t;
#define MM_ACTION_ORDERS MM_ACTION_RUN   // the last one of orders in frames
#define MM_ACTION_LAST   MM_ACTION_ENDED // the same of states
// How the reason begins of a trip that a higher limit ends, and of the resume that says so.
#define MM_WHY_MAX_DEAD "--max-dead"

// How an attempt ended, or its command.
typedef enum {
    MM_END_NONE = 0,
    MM_END_RESTARTED,
    MM_END_EXIT,         // the command's code
    MM_END_TIMEOUT,      // the command took too long
    MM_END_SIGNAL,       // a signal ended the command
    MM_END_STOPPED,      // at a drain limit
    MM_END_SAME_BOOT,    // at the deadline the host was in its old boot
    MM_END_WRONG_HOST,   // another machine answers
    MM_END_UNHEALTHY,    // it came back, and was not well
    MM_END_UNREACHABLE,  // nobody answered
    MM_END_INTERRUPTED,  // nobody knows how the command ended
    MM_END_LEFT_RUNNING, // processes of the command could not be killed
    MM_END_NOT_STARTED,  // no command was sent
    MM_END_UNVERIFIED,   // --verify did not succeed
    MM_END_LACKING,      // the job lacks an attribute
    MM_END_UNABLE,       // the command could not be run here
    MM_END_SKIPPED,      // a probe: there is nothing to do
    MM_END_UNPREPARED    // --before failed: no command was sent
} mm_end_t;
#define MM_END_LAST MM_END_UNPREPARED

// How sure it is that a host was restarted.
typedef enum {
    MM_PROOF_NONE = 0,
    MM_PROOF_PROVEN = 1,     // a later boot of the same machine
    MM_PROOF_VERIFIED = 2,   // by --verify, or by a boot whose age is unknown
    MM_PROOF_UNVERIFIED = 3, // the command said so
    MM_PROOF_REHEARSED = 4   // it was the mock
} mm_proof_t;

// What a restarter's driver can do, in a HELLO.
typedef enum {
    MM_VERB_REAL = 1,     // it is not the mock
    MM_VERB_IDENTIFY = 2, // it probes, and looks
    MM_VERB_SKIP = 4,     // a probe asks whether there is anything to do
    MM_VERB_HOOKS = 8     // it does something after a restart: each attempt is a debt
} mm_verb_t;

#define MM_COMMANDS_MAX 16   // commands in a driver's list
#define MM_EXIT_NONE    1000 // no exit code: above each code and each 256 + signal
#define MM_HEALTH_MAX   48   // bytes of what a host said of its health before the restart
#define MM_WORDS_MAX    128  // bytes of the last words of a command kept with an attempt

// The programs of a pipeline, in the order of a job's way.
typedef enum {
    MM_PROGRAM_PUBLISHER = 0,
    MM_PROGRAM_CONSUMER,
    MM_PROGRAM_SAVER,
    MM_PROGRAM_RESTARTER,
    MM_PROGRAM_RUN // `mayhem run`, which starts the others; it has options and no frames
} mm_program_t;
#define MM_PROGRAMS 4 // that take part

// The programs that are workers, as they say it on the wire.
typedef enum { MM_ROLE_SAVER = 1, MM_ROLE_RESTARTER = 2 } mm_role_t;

// What the consumer tells a publisher of a job.
typedef enum {
    MM_VERDICT_EXTEND = 1,
    MM_VERDICT_ACK = 2,
    MM_VERDICT_NACK = 3,
    MM_VERDICT_DEAD = 4,
    MM_VERDICT_SKIPPED = 5,
    MM_VERDICT_WITHDRAWN = 6
} mm_verdict_kind_t;

// The error of a withdrawn job of which an attempt has no end on record, and whose driver cannot
// look for it: nobody knows whether its host was restarted.
#define MM_ERROR_UNSEEN "interrupted, and this driver cannot look"

// The names: "save", "none", "publisher", "restarter", "extend". Of valid values only; static. A
// program's name is also its INI section and its role in stats and profiles, and the name of its
// executable behind "mayhem-".
const char *mm_leg_name(mm_leg_t leg);
const char *mm_outcome_name(mm_outcome_t outcome);
const char *mm_program_name(mm_program_t program);
mm_program_t mm_role_program(mm_role_t role);
const char *mm_role_name(mm_role_t role);
const char *mm_verdict_name(mm_verdict_kind_t kind);
const char *mm_end_name(mm_end_t end); // "same-boot"; none: "none"
const char *mm_proof_name(mm_proof_t proof);
const char *mm_row_name(mm_attempt_row_t row);
const char *mm_action_name(mm_action_t action);
// Whether the name of such an order is a host; else it is a group.
bool mm_action_is_of_host(mm_action_t action);
// False, and the output untouched, when none has this name.
bool mm_outcome_parse(mm_str_t text, mm_outcome_t *ret_outcome);
bool mm_action_parse(mm_str_t text, mm_action_t *ret_action);
bool mm_program_parse(mm_str_t text, mm_program_t *ret_program);

#endif
