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

// What a task asks a worker for. Save and settle go to a saver, restart to a restarter.
typedef enum { MM_LEG_SAVE = 1, MM_LEG_RESTART = 2, MM_LEG_SETTLE = 3 } mm_leg_t;

typedef enum { MM_OUTCOME_NONE = 0, MM_OUTCOME_RESTARTED = 1, MM_OUTCOME_DEAD = 2 } mm_outcome_t;

// How a task ended: RETURNED was never started and costs no attempt.
typedef enum { MM_STATUS_OK = 0, MM_STATUS_FAILED = 1, MM_STATUS_RETURNED = 2 } mm_status_t;

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
    MM_VERDICT_DEAD = 4
} mm_verdict_kind_t;

// The names: "save", "none", "publisher", "restarter", "extend". Of valid values only; static. A
// program's name is also its INI section and its role in stats and profiles, and the name of its
// executable behind "mayhem-".
const char *mm_leg_name(mm_leg_t leg);
const char *mm_outcome_name(mm_outcome_t outcome);
const char *mm_program_name(mm_program_t program);
mm_program_t mm_role_program(mm_role_t role);
const char *mm_role_name(mm_role_t role);
const char *mm_verdict_name(mm_verdict_kind_t kind);
// False, and the output untouched, when none has this name.
bool mm_outcome_parse(mm_str_t text, mm_outcome_t *ret_outcome);
bool mm_program_parse(mm_str_t text, mm_program_t *ret_program);

#endif
