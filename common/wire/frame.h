// What travels between the processes, as plain structs: the decoded side of docs/protocol.md.
// Pure: the cores take these in their events and give them in their actions. Texts are borrowed:
// they live as long as the bytes they were decoded from, or the core that gives them out says.

#ifndef MM_FRAME_H
#define MM_FRAME_H

#include "job.h"

#define MM_WIRE_VERSION 1
#define MM_BATCH_ITEMS  256         // items in a frame
#define MM_BATCH_BYTES  (64 * 1024) // a frame takes no further item beyond this size
#define MM_FRAME_BYTES  (1 << 20)   // ZMQ_MAXMSGSIZE: libzmq cuts the connection beyond it
#define MM_PARTS_MAX    64          // frames in one report of a worker

#define MM_REPLY_BYTES (128 * 1024) // of text in what a process tells; beyond it nothing is told
#define MM_ASKED_MAX   256          // bytes of text in a question

#define MM_EVIDENCE_MAX       8   // key/value pairs in a result
#define MM_EVIDENCE_KEY_MAX   32  // bytes; at least one
#define MM_EVIDENCE_VALUE_MAX 256 // bytes

typedef enum {
    MM_FRAME_JOBS = 1,      // publisher to consumer; without items: "say your epoch"
    MM_FRAME_TASKS = 2,     // consumer to one worker
    MM_FRAME_HELLO = 3,     // worker to consumer, from here ...
    MM_FRAME_HEARTBEAT = 4, //
    MM_FRAME_STARTED = 5,   //
    MM_FRAME_RESULTS = 6,   //
    MM_FRAME_BYE = 7,       // ... to here
    MM_FRAME_NOTICES = 8,   // consumer to a publisher: extend, ack, nack, dead
    MM_FRAME_WELCOME = 9,   // consumer to a worker, from here ...
    MM_FRAME_REFUSED = 10,  //
    MM_FRAME_REJOIN = 11,   // ... to here
    MM_FRAME_BEAT = 12,     // consumer to all: its heartbeat
    MM_FRAME_LEAVING = 13,  // consumer to all: its bye
    MM_FRAME_QUERY = 14,    // viewer to consumer, and on to all: what it wants to see
    MM_FRAME_TELL = 15      // any process to consumer, and on to the viewers: what it has to show
} mm_frame_kind_t;

// What a viewer may ask for. None of it changes what happens to a job.
typedef enum {
    MM_ABOUT_STATS = 1,   // of all processes: how much each does and holds
    MM_ABOUT_PROFILE = 2, // of one process, or all: where its loop's time went
    MM_ABOUT_EVENTS = 3,  // of the consumer: what happens to jobs, for a few seconds from now on
    MM_ABOUT_JOB = 4,     // of the consumer: what it knows of a job or a host
    MM_ABOUT_VIEWERS = 5  // of the consumer: where viewers listen
} mm_about_t;

// A job as its publisher delivers it.
typedef struct {
    mm_id_t id;
    mm_str_t host;
    uint32_t delivery; // 1 for the first, then counting
} mm_job_t;

// One leg of one job, handed to a worker. The fields behind host depend on the leg.
typedef struct {
    uint64_t number; // never repeats, not even over epochs of the consumer (R3)
    mm_leg_t leg;
    mm_id_t id;
    mm_str_t host;
    uint32_t attempt;     // restart: which attempt this is, from 1
    uint32_t deliveries;  // save, settle: how often the job has been delivered
    mm_str_t publisher;   // save, settle
    int64_t received_ms;  // save, settle: Unix time at which the consumer first received it
    uint32_t attempts;    // settle: restarts that were charged
    uint32_t extended;    // settle: how often the lease was extended
    mm_outcome_t outcome; // settle: what the consumer asks for, never NONE
    mm_str_t worker;      // settle: who restarted it, or tried last; empty when nobody did
    mm_str_t error;       // settle: why it is dead
} mm_task_t;

// A task that a worker holds, as its reports list it (R2).
typedef struct {
    uint64_t number;
    mm_leg_t leg;
    mm_id_t id;
    mm_str_t host; // of a restart; may be empty otherwise
    bool started;
} mm_assignment_t;

typedef struct {
    mm_str_t key;
    mm_str_t value;
} mm_evidence_t;

// How a task ended (R5).
typedef struct {
    uint64_t serial; // the worker's own count of its results, from 1, over all its sessions
    uint64_t number; // the task's
    mm_leg_t leg;
    mm_id_t id;
    mm_status_t status;
    mm_outcome_t outcome; // save, settle: what the store now has on record; never NONE when a
                          // settle is ok
    int64_t took_ms;
    mm_str_t error; // at most MM_ERROR_MAX bytes; empty when ok
    const mm_evidence_t *evidence;
    uint32_t evidence_count; // at most MM_EVIDENCE_MAX
} mm_result_t;

// What the consumer tells a publisher of one job.
typedef struct {
    mm_verdict_kind_t kind;
    mm_id_t id;
    uint32_t attempts; // ack, dead
    int64_t delay_ms;  // nack: do not deliver again before
    mm_str_t error;    // dead
} mm_verdict_t;

// In the consumer's heartbeat: which results of a worker's session were read (R5).
typedef struct {
    mm_str_t worker;
    uint64_t session;
    uint64_t acknowledged_through; // every result up to this serial was read
} mm_acknowledgement_t;

// Hello and heartbeat: one report in `parts` frames of one sequence number. A part may hold items
// of both lists.
typedef struct {
    bool is_hello; // as the kind of its frame says
    mm_str_t worker;
    uint64_t instance; // the worker's process: drawn at random when it starts
    mm_role_t role;
    uint64_t session; // hello: the highest that this process was ever given; heartbeat: its current
    uint64_t sequence;    // numbers hellos and heartbeats together; older ones are ignored (R4)
    int64_t stamp_ms;     // the worker's CLOCK_BOOTTIME (R1)
    uint32_t slots;       // 0 when it drains
    uint64_t last_serial; // of the last result that it has sent, ever
    uint32_t part;        // from 0
    uint32_t parts;       // 1 to MM_PARTS_MAX
    const mm_assignment_t *held;
    size_t held_count;
    const mm_result_t *results; // to repeat: not confirmed, and older than one heartbeat
    size_t result_count;
} mm_report_t;

// Any frame, decoded. The member of the union that `kind` names is set.
typedef struct {
    mm_frame_kind_t kind;
    union {
        struct {
            mm_str_t publisher;
            uint64_t epoch; // of the consumer that the publisher last heard; 0: none yet (R6)
            const mm_job_t *items;
            size_t count;
        } jobs;
        struct {
            uint64_t session;
            int64_t stamp_ms;              // the last one taken from this worker (R1)
            uint64_t acknowledged_through; // every result up to this serial was read (R5)
            bool last; // nothing more comes in this session: the answer to 0 slots
            const mm_task_t *items;
            size_t count;
        } tasks;
        mm_report_t report; // hello, heartbeat
        struct {
            mm_str_t worker;
            uint64_t instance;
            uint64_t session;
            const uint64_t *numbers;
            size_t count;
        } started;
        struct {
            mm_str_t worker;
            uint64_t instance;
            uint64_t session;
            const mm_result_t *items;
            size_t count;
        } results;
        struct {
            mm_str_t worker;
            uint64_t instance;
            uint64_t session;
            uint64_t last_serial;
        } bye;
        struct {
            mm_str_t consumer;
            uint64_t epoch;
            const mm_verdict_t *items;
            size_t count;
        } notices;
        struct {
            mm_str_t consumer;
            uint64_t epoch;
            mm_str_t worker;
            uint64_t instance;
            uint64_t session;
            mm_str_t suffix; // what to put behind the base address; welcome only
            mm_str_t reason; // refused only
        } answer;            // welcome, refused, rejoin
        struct {
            mm_str_t consumer;
            uint64_t epoch;
            bool draining;
            const mm_acknowledgement_t *items;
            size_t count;
        } beat;
        struct {
            mm_str_t consumer;
            uint64_t epoch;
        } leaving;
        struct {
            uint64_t viewer; // its instance
            mm_about_t about;
            mm_str_t process; // that is to answer; empty: all
            uint32_t seconds; // profile: of the last so many; 0: since the start
            mm_str_t text;    // events: "HOST OUTCOME", each may be "*"; job: a host or an id
        } query;
        struct {
            mm_str_t process; // who tells
            uint64_t viewer;  // who had asked; 0: anybody
            mm_about_t about;
            mm_str_t text; // JSON; viewers: what to put behind the base address
        } tell;
    } as;
} mm_frame_t;

#endif
