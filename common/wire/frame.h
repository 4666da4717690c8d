// The frames of docs/protocol.md as plain structs. They are made from frames.def, which has the
// fields and their meaning. Pure: the cores take these structs in their events and give them in
// their actions. Texts and lists are borrowed: they live as long as the bytes and the decoder that
// they come from, or as the core that gives them out says.

#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "job.h"

#define MM_WIRE_VERSION  3
#define MM_BATCH_ITEMS   256         // items in a list, at most
#define MM_BATCH_BYTES   (64 * 1024) // a frame takes no further item beyond this size
#define MM_FRAME_BYTES   (1 << 20)   // ZMQ_MAXMSGSIZE: libzmq cuts the connection beyond it
#define MM_PARTS_MAX     64          // frames in one report of a worker
#define MM_LEASE_TTL_MAX 60000       // ms of a lease
#define MM_EPOCH_MAX     UINT32_MAX  // of a consumer: seconds of Unix time, or a few more

// The longest texts, in bytes.
#define MM_SUFFIX_MAX  21           // of a WELCOME: "task." and a session
#define MM_ASKED_MAX   256          // of a QUERY
#define MM_REPLY_BYTES (128 * 1024) // of a TELL; a longer answer is not sent

#define MM_EVIDENCE_MAX       4   // pairs in a result
#define MM_EVIDENCE_KEY_MAX   32  // bytes; at least one
#define MM_EVIDENCE_VALUE_MAX 256 // bytes

// What a viewer may ask for.
typedef enum {
    MM_ABOUT_STATS = 1,   // of all processes: how much each does and holds
    MM_ABOUT_PROFILE = 2, // of one process, or all: where its loop's time went
    MM_ABOUT_EVENTS = 3,  // of the consumer: what happens to jobs, for the next few seconds
    MM_ABOUT_JOB = 4,     // of the consumer: what it knows of a job or a host
    MM_ABOUT_VIEWERS = 5, // of the consumer: where viewers listen
    MM_ABOUT_HOSTS = 6,   // of restarters: the hosts they have; of the consumer: why others wait
    MM_ABOUT_ORDERS = 7   // of the consumer, an answer to ORDER: what is on record
} mm_about_t;

// What a consumer asks of the lease by which one of several leads (P9.98).
typedef enum {
    MM_LEASE_TAKE = 1, // it, if nobody has it
    MM_LEASE_RENEW,
    MM_LEASE_RELEASE,
    MM_LEASE_LOOK // who has it
} mm_lease_verb_t;

// Only who has it asks so: its epoch is named.
static inline bool mm_lease_is_held(mm_lease_verb_t verb)
{
    return verb == MM_LEASE_RENEW || verb == MM_LEASE_RELEASE;
}

// What the record says of it, behind what was asked.
typedef enum {
    MM_LEASE_HELD = 1, // the asker has it
    MM_LEASE_OTHER,    // somebody else has it
    MM_LEASE_FREE,     // nobody has it
    MM_LEASE_UNKNOWN   // nobody knows whether what was asked is done
} mm_lease_verdict_t;

typedef enum {
#define FRAME(number, KIND, body, route) MM_FRAME_##KIND = (number),
#include "expand_frames.h"
} mm_frame_kind_t;

// The kinds are 1 to MM_FRAME_KINDS.
enum {
    MM_FRAME_KINDS = 0
#define FRAME(number, KIND, body, route) +1
#include "expand_frames.h"
};

// An entry of a map of texts.
typedef struct {
    mm_str_t key;
    mm_str_t value;
} mm_pair_t;

// What a task or a result says of a real restart (not the mock's): each kind has some of these, as
// frames.def says. Ids of zeros and empty texts: unknown, or none.
typedef struct {
    mm_attempt_row_t row; // of the last attempt on record, or to be
    uint32_t attempt;     // its number
    uint32_t command;     // of the driver's list, from 1; 0: none, only look
    mm_id_t machine;      // of the host
    mm_id_t boot;         // it was in before the restart; of a result: as it was read
    mm_id_t boot_after;
    mm_id_t control;     // boot of the consumer's machine (H10): first_ms and deadline_ms are
    int64_t first_ms;    // CLOCK_BOOTTIME of it; when the job's first attempt began (H2). In a
    int64_t deadline_ms; // task that a worker starts both are by its own clock
    int64_t left_ms;     // until the deadline, from now
    int64_t age_ms;      // since the first attempt began
    int64_t start_ms;    // no command after that stamp (H1)
    int64_t pause_ms;    // a worker that returns a task gets none for so long; or, if it is_held,
                         // the job's host does not
    mm_end_t end;
    uint32_t exit; // code; 256 + n: signal n; MM_EXIT_NONE
    mm_proof_t proof;
    uint32_t ended;       // attempts on record that were charged
    uint32_t interrupted; // those that have no end
    bool is_held;         // the host is, by another restarter of its machine
    bool sent;            // a command was
    bool more;            // the list has another command
    bool owes;            // what is to be done after the restart: a debt on record, not paid
    bool owed;            // it was one before this attempt, too
    mm_str_t worker;
    mm_str_t words;      // the last ones of the command; of a look, when none was sent
    mm_str_t health;     // what the host told of it before the restart
    mm_str_t attributes; // of the job, a text of attributes.h: as long as it owes; with a policy
                         // its groups
    bool is_casualty;    // the host is not known to be up
    uint64_t run;        // with a policy; else 0
    uint64_t seq;        // of its outcome in the audit
} mm_real_t;

// mm_job_t, mm_task_t, mm_assignment_t, mm_number_t, mm_result_t, mm_verdict_t,
// mm_acknowledgement_t; mm_jobs_body_t, mm_tasks_body_t and so on.
// clang-format off
#define TYPE(type, c_type)              typedef c_type mm_type_##type##_t;
#define PLAIN(item, type, low, high)    typedef mm_type_##type##_t mm_##item##_t;
#define ITEM(item)                      typedef struct mm_##item mm_##item##_t; struct mm_##item {
#define BODY(body)                      ITEM(body##_body)
#define FIELD(type, member, ...)        mm_type_##type##_t member;
#define OWNS(c_type, member)            c_type *member;
#define REAL(...)
#define DERIVED(c_type, member, value)  c_type member;
#define PAIRS(member, count, ...)       const mm_pair_t *member; uint32_t count;
#define ATTRIBUTES(member, name)        mm_str_t member;
#define LIST(item, member, count, name) const mm_##item##_t *member; size_t count;
#define END_ITEM                        };
#define END_BODY                        };
#include "expand_frames.h"
// clang-format on

typedef mm_report_body_t mm_report_t;

// Any frame, decoded. frames.def says which member of `as` belongs to a kind.
typedef struct {
    mm_frame_kind_t kind;
    union {
#define BODY(body) mm_##body##_body_t body;
#include "expand_frames.h"
    } as;
} mm_frame_t;

#endif
