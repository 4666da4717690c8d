// The domain's words as plain data: job ids, hosts, legs, outcomes, statuses.
// Pure: every core may include it. Owns nothing and allocates nothing.

#ifndef MM_JOB_H
#define MM_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MM_HOST_MAX  253  // bytes in a host name (RFC 1035, 2.3.4, without the trailing dot)
#define MM_NAME_MAX  63   // bytes in the id of a process ("restarter-2")
#define MM_ERROR_MAX 512  // bytes of error text kept with a result
#define MM_SLOTS_MAX 4096 // tasks that one worker may hold
#define MM_NEVER     INT64_MAX

// Bytes that somebody else owns: not NUL-terminated, valid as long as what they were taken from.
typedef struct {
    const char *data;
    size_t size;
} mm_text_t;

// A job's id: a UUIDv7 (RFC 9562, 5.7). Byte order is order of time.
typedef struct {
    uint8_t bytes[16];
} mm_id_t;

// The id of a process, NUL-terminated: 1 to MM_NAME_MAX of [A-Za-z0-9._-].
typedef struct {
    char text[MM_NAME_MAX + 1];
} mm_name_t;

// What a task asks a worker for. Save and settle go to a saver, restart to a restarter.
typedef enum { MM_LEG_SAVE = 1, MM_LEG_RESTART = 2, MM_LEG_SETTLE = 3 } mm_leg_t;

typedef enum { MM_OUTCOME_NONE = 0, MM_OUTCOME_RESTARTED = 1, MM_OUTCOME_DEAD = 2 } mm_outcome_t;

// How a task ended: RETURNED was never started and costs no attempt.
typedef enum { MM_STATUS_OK = 0, MM_STATUS_FAILED = 1, MM_STATUS_RETURNED = 2 } mm_status_t;

typedef enum { MM_ROLE_SAVER = 1, MM_ROLE_RESTARTER = 2 } mm_role_t;

// What the consumer tells a publisher of a job.
typedef enum {
    MM_VERDICT_EXTEND = 1,
    MM_VERDICT_ACK = 2,
    MM_VERDICT_NACK = 3,
    MM_VERDICT_DEAD = 4
} mm_verdict_t;

#endif
