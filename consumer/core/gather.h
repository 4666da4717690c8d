// The consumer's core: it decides about a job from its delivery to its ack. Pure: an event goes in,
// a list of actions comes out; the event has the time, jitter comes from a seed. It keeps I2, I3,
// I5 to I9 and the rules R1 to R10, R13 to R15 and R17 to R19; tests/scenarios/ shows its behavior.
//
// What a delivery meets, the first that fits (gather.c:apply_job):
// - its publisher's name is new, with no room for it (name_pool.h): no answer at all;
// - in flight: no answer, the publisher that delivered it first gets its extensions and verdict;
// - settled and remembered: acked, or dead with its error, at once (settled_cache.h);
// - draining, or at the limit: nacked, to come again in a second (R10, R13); so is one that was
// never
//   delivered before when the starts have ended (R15);
// - nacked and remembered: a flight that goes on with its attempts, losses and error (R7); after a
//   success it is only saved and settled (R8), without an attempt left it is settled as dead;
// - unknown or forgotten: a flight that begins anew.
// If it may have been restarted before (a later delivery, another epoch, older than a settled one
// that was forgotten) it is HELD until the save is answered, mostly with no outcome, else that one
// is the verdict; and it is not restarted in the consumer's first seconds (R6). Else nothing waits
// for its save, which is withheld for a while (R17).

#ifndef GATHER_H
#define GATHER_H

#include "frame.h"
#include "policy.h"

typedef struct {
#define FIELD(type, member, key, low, high) type member;
#include "gather_config.def"
} gather_config_t;

typedef enum {
    GATHER_JOB,     // a publisher delivers a job
    GATHER_ASK,     // a publisher asks for the consumer's epoch
    GATHER_REPORT,  // a worker's hello or heartbeat
    GATHER_STARTED, // a worker has started a task
    GATHER_RESULT,  // a task has ended
    GATHER_BYE,     // a worker leaves
    GATHER_REVOKED, // a worker's key is no longer valid: it is lost now
    GATHER_CUT,     // the connection to a session is broken: a second one was refused
    GATHER_REBOUND, // all connections from other machines were ended by us, and come again
    GATHER_TIME,    // the deadline is reached
    GATHER_DRAIN,   // accept no more jobs, end what runs
    // Of what holds restarts back.
    GATHER_STATE,    // a saver tells what the record has of it
    GATHER_RECORDED, // it has recorded orders, or could not
    GATHER_ORDER,    // an operator orders
    GATHER_GUARD,    // the guard has answered
    GATHER_TRUST,    // until when this consumer leads, as far as it knows (lease.h)
    GATHER_BESIDE,   // an order was recorded beside this consumer (A7)
    GATHER_CLOCK     // what Unix time it is: once before the first job, and whenever that is set
} gather_event_kind_t;

typedef struct {
    gather_event_kind_t kind;
    int64_t now_ms; // CLOCK_BOOTTIME, not before that of the last event
    union {
        struct {
            mm_str_t publisher;
            uint64_t epoch;  // of the consumer that the publisher heard last
            mm_str_t driver; // of the run; empty: any
            uint64_t dead;   // of its run, before that consumer
            uint64_t run;    // with a policy; else 0
            mm_job_t job;
            int64_t received_ms;      // Unix time
            const mm_group_t *groups; // ask: how many hosts each group has, with a policy
            size_t group_count;
        } job; // ask: publisher (empty: unknown), epoch, dead, run and groups
        const mm_report_t *report;
        struct {
            mm_str_t worker;
            uint64_t instance;
            uint64_t session;
            uint64_t number; // started
            const mm_result_t *result;
            uint64_t last_serial; // bye
        } from;                   // started, result, bye
        struct {
            mm_str_t worker;
            mm_role_t role;
        } revoked;
        struct {
            uint64_t session; // unknown or over: nothing happens
        } cut;
        struct {
            bool inbox_empty; // was just found empty: only then does silence mean loss
        } time;
        const mm_state_body_t *state;
        const mm_recorded_body_t *recorded;
        struct {
            uint64_t viewer;
            const mm_order_t *order;
        } order;
        struct {
            bool says_yes;
        } guard;
        struct {
            int64_t until_ms; // not above now_ms: it is not trusted from now on
        } trust;
        struct {
            bool is_halted; // a halt of all is in force
        } beside;
        struct {
            int64_t unix_ms; // at now_ms
        } clock;
    } as;
} gather_event_t;

typedef enum {
    GATHER_VERDICT,  // to a publisher: extend, ack, nack or dead
    GATHER_TASK,     // to a worker: a task
    GATHER_OPEN,     // bind a session's endpoint
    GATHER_CLOSE,    // close it
    GATHER_WELCOME,  // to a worker: its session
    GATHER_REFUSED,  // to a worker: the reason why it may not join
    GATHER_REJOIN,   // to a worker: say hello again
    GATHER_LAST,     // to a worker: no more tasks in this session
    GATHER_BEAT,     // broadcast the consumer's heartbeat
    GATHER_LOG,      // only for the log
    GATHER_NEWS,     // the same, of what holds restarts back
    GATHER_LEAVE,    // broadcast the bye and end
    GATHER_ORDERS,   // to a saver: orders to be recorded, and a question for the state
    GATHER_ANSWER,   // to a viewer: its order is on record, or why not
    GATHER_ASK_GUARD // ask the guard whether restarts may begin
} gather_action_kind_t;

typedef enum {
    GATHER_LOG_IN_FLIGHT,     // redelivered while in flight: ignored
    GATHER_LOG_RETRY,         // a leg failed and is tried again
    GATHER_LOG_WORKER_LOST,   // error: why
    GATHER_LOG_WORKER_LEFT,   // bye
    GATHER_LOG_RECLAIMED,     // a restart of a lost worker, or one that was not delivered
    GATHER_LOG_TOO_MANY_DEAD, // max_dead is reached: draining
    GATHER_LOG_STARTS_ENDED,  // nothing begins any more
    GATHER_LOG_BEGUN,         // an attempt is on record, and its command is handed out
    GATHER_LOG_LOOKING,       // it is looked at before anything else is done
    GATHER_LOG_INTERRUPTED,   // an attempt without an end
    GATHER_LOG_OPEN,          // given back without proof
    GATHER_LOG_OTHER_DRIVER,  // jobs of a run with another driver are nacked
    GATHER_LOG_OTHER_RUN,     // jobs of a publisher with another run are nacked
    GATHER_LOG_CLAIM,         // a worker claims what it was not given: ignored (R16)
    GATHER_LOG_PAUSED,        // a worker gets nothing for a while
    GATHER_LOG_HELD,          // a restarter may not have the host now: tried again later
    GATHER_LOG_UNABLE         // no restarter can start anything: draining
} gather_log_t;

typedef enum {
    GATHER_NEWS_STATE,   // what the record holds back is known
    GATHER_NEWS_ORDERED, // an order takes effect
    GATHER_NEWS_TRIPPED, // a breaker has stopped a group, or all
    GATHER_NEWS_STEP,    // the next step of a ramp begins
    GATHER_NEWS_WAITS    // why the hosts of some groups wait has changed
} gather_news_t;

typedef struct {
    gather_action_kind_t kind;
    union {
        struct {
            const char *publisher;
            mm_verdict_t verdict;
            mm_str_t host; // empty: only the id is known
            bool is_first; // extend: the job is in flight now
            bool is_minor; // it tells nothing of an attempt: at a flood its line may be left out
        } verdict;
        struct {
            const char *worker;
            uint64_t session;
            int64_t stamp_ms;
            uint64_t acknowledged_through;
            mm_task_t task;
        } task;
        struct {
            mm_name_t worker;
            uint64_t instance;
            uint64_t session;
            uint64_t acknowledged_through; // last
            const char *reason;            // refused
            uint64_t version;              // refused: of the worker's protocol; 0: the same
        } answer;                          // open, close, welcome, refused, rejoin, last
        struct {
            gather_log_t log;
            mm_id_t id;
            mm_str_t host;
            mm_str_t error;
            mm_leg_t leg;     // retry, reclaimed
            uint64_t number;  // reclaimed: of the task
            uint32_t attempt; // retry, reclaimed
            bool is_lost;     // reclaimed: the worker may have started it
            bool is_minor;    // retry, in flight: as of a verdict
            int64_t delay_ms; // retry, held
            mm_name_t worker; // worker lost, left; reclaimed: its worker
        } log;
        struct {
            gather_news_t news;
            mm_action_t action; // ordered
            const char *name; // ordered: of a host or a group; tripped, step: of the group; waits:
                              // the groups
            const char *reason; // ordered, tripped: why; waits: mm_reason_name, NULL: none
            const char *actor;  // ordered
            size_t count;       // waits: so many hosts
        } news;
        struct {
            const char *worker;
            uint64_t session;
            uint64_t question; // for a page of state; 0: none
            uint64_t run;
            uint64_t from;
            const mm_order_t *orders;
            size_t count;
        } orders;
        struct {
            uint64_t viewer;
            mm_id_t id;     // of the order
            mm_str_t error; // empty: it is on record
        } reply;            // answer
    } as;
} gather_action_t;

// Owned by the caller, reused from step to step. The items' pointers are valid until the next step.
typedef struct {
    gather_action_t *items;
    size_t count;
    size_t size;
} gather_actions_t;

void gather_actions_clear(gather_actions_t *self); // frees it

typedef struct gather gather_t;

gather_t *gather_new(const gather_config_t *config, int64_t now_ms);
// Before the first event. The openings of its windows stay the caller's, and must live on.
void gather_set_policy(gather_t *self, const mm_policy_t *policy);
void gather_destroy(gather_t **self_p);

// Applies one event. *ret_actions is cleared first, then has what to do, in order.
void gather_step(gather_t *self, const gather_event_t *event, gather_actions_t *ret_actions);
// When the next GATHER_TIME event is due, CLOCK_BOOTTIME in ms; MM_NEVER: none is.
int64_t gather_deadline(const gather_t *self);

// All known workers one by one, lost ones included; begins with a zeroed cursor. False at the end.
typedef struct {
    const void *cursor;                   // NULL: from the start, or at the end
    mm_acknowledgement_t acknowledgement; // with its name and its session
    mm_role_t role;
    bool joined; // in a session; else presumed lost, or its hello is not complete
    uint32_t slots;
    uint32_t out;
    int64_t silent_ms;
} gather_worker_t;
bool gather_next_worker(const gather_t *self, gather_worker_t *cursor);

// Whether it leads no longer, as far as it knows: it hands out no restart.
bool gather_is_suspended(const gather_t *self);
// Whether no task is at a saver, nor waits for one.
bool gather_is_recorded(const gather_t *self);
// Whether a hello would be welcomed to the session that its sender has already: it has crossed with
// the first welcome.
bool gather_has_session(const gather_t *self, const mm_report_t *report);

typedef struct {
    uint64_t received;
    uint64_t acked;
    uint64_t dead;
    uint64_t nacked;
    uint64_t extended;
    uint64_t retried;
    uint64_t reclaimed; // restarts of lost workers, or that were not delivered
    size_t in_flight;
    bool draining;
    bool unable;        // it drains since no restarter can start anything
    bool too_many_dead; // it drains since max_dead is reached
} gather_statistics_t;

gather_statistics_t gather_statistics(const gather_t *self);

// Whether no restart command may be started, as BEAT says it: by an operator's order, or since the
// record's state is not known, or this consumer may not lead any more (A4).
bool gather_is_halted(const gather_t *self);

// For viewers. None of this changes a decision.

// One of the two stages behind the consumer. Counts are exact; times are of sampled jobs of the
// last five to ten seconds, in ms, -1: there were none.
typedef struct {
    size_t waiting;     // for a slot, or restart: for anything else that is limited
    size_t blocked;     // restart: of those, the ones that need more than a slot
    const char *reason; // restart: why most of those wait ("host busy"); NULL: none waits
    size_t out;         // tasks at workers; a job may have a save and a settle there
    size_t backoff;     // wait for a time, mostly after a failure
    uint32_t slots;     // of all joined workers
    int64_t wait_p50_ms, wait_p99_ms;
    int64_t took_p50_ms, took_p99_ms;
} gather_stage_t;
gather_stage_t gather_stage(gather_t *self, mm_role_t role);
// How long jobs are in flight, sampled as above; p: quantile, 0 to 1.
int64_t gather_flight_ms(gather_t *self, double p);

// Why restarts wait, one reason after the other; begins with a zeroed cursor. False at the end.
typedef struct {
    size_t next;        // the cursor
    const char *reason; // as in gather_stage_t
    size_t count;       // restarts that wait for it; at least 1
} gather_waiting_t;
bool gather_next_waiting(const gather_t *self, gather_waiting_t *cursor);
// The reason of most of them; NULL: none waits.
const char *gather_reason(const gather_t *self);

// What holds restarts back, beyond hosts and slots: of the whole run, and of each group, the whole
// run first. Begins with a zeroed cursor. False at the end.
typedef struct {
    bool has_policy;
    bool is_halted;
    bool is_known;     // the record's state is
    bool is_rehearsal; // of the mock, without a policy: orders do not hold it back
    size_t groups;     // of the policy, the whole run too; 0: there is none
    size_t tripped;    // of those
} gather_held_t;
gather_held_t gather_held(const gather_t *self);
typedef struct {
    size_t next;       // the cursor
    bool only_tripped; // set by the caller: from here on it passes the others over
    const char *name;  // empty: the whole run
    uint32_t hosts;    // of the list; 0: not known yet
    int64_t cap;       // in hosts, as the next; -1: no limit
    int64_t budget;
    uint32_t in_progress; // restarts, open ones included
    uint32_t casualties;
    size_t waiting;     // restarts that wait at the gate
    const char *reason; // why the first of them does; NULL: none waits
    size_t step, steps; // of the ramp, from 1; 0 of 0: there is none; beyond steps: it has ended
    int64_t step_hosts; // of this step; -1: no limit
    uint32_t proven;    // in this step
    int64_t baked_ms;   // Unix time at which the next step begins; 0: this one has not ended
    bool is_tripped;
    const char *why;   // it is
    int64_t opens_ms;  // Unix time at which its window opens; 0: it is open; -1: never
    int64_t closes_ms; // and closes; -1: never
} gather_group_t;
bool gather_next_group(const gather_t *self, gather_group_t *cursor);

// A job in flight, as text. Valid until the next step.
typedef struct {
    mm_id_t id;
    mm_str_t host;
    const char *publisher;
    const char *store;          // state of the leg: "withheld", "ready", "out", "backoff", "saved"
    const char *restart;        // "held", "ready", "blocked", "quarantined", "out", ...
    const char *reason;         // the first reason why the restart waits; NULL: it does not wait
    const char *group;          // whose limit that is; "": the whole run; NULL: of no group
    const char *store_worker;   // has the task of the leg; NULL: none
    const char *restart_worker; // has the task of the leg; NULL: none
    const char *errand;         // of a real restarter: "probe", "restart" or "look"; NULL: none
    const char *error;          // of the last failed attempt; NULL: none
    uint32_t attempts;          // begun, the one under way too
    uint32_t deliveries;
    uint32_t extended;
    uint32_t losses;
    int64_t received_ms; // Unix time
    int64_t lease_ms;    // the rest of max_lease
} gather_job_t;
// Finds up to `most` jobs of this host, or the one with this id; returns how many. The search for a
// host visits each job in flight.
size_t gather_find_jobs(const gather_t *self, mm_str_t host_or_id, gather_job_t *ret_jobs,
                        size_t most);

#endif
