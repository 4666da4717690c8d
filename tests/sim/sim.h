// The simulator: the real cores of all processes in one process, under a virtual clock and a seeded
// network that loses, repeats, reorders and delays; processes crash and come back with only what is
// durable. One seed is one schedule: the same seed gives the same trace, byte for byte.
//
//   sim_draw.c       what a seed is: the pipeline's shape, and its faults
//   sim_world.c      the run: what happens next, faults, the end
//   sim_net.c        messages on their way
//   sim_consumer.c   shells of the roles around their cores
//   sim_worker.c
//   sim_publisher.c
//   sim_hosts.c      hosts that are restarted for real, and who does it
//   sim_record.c     what the store has of it
//   sim_orders.c     the saver's side of orders, and what is in force by the record
//   sim_policy.c     what holds a run back: drawn with its seed
//   sim_operator.c   who orders, and the guard
//   sim_access.c     keys that are revoked, connections that break, a worker that lies
//   sim_clock.c      clocks
//   sim_lease.c      whether the one consumer leads
//   sim_shared.c     a record that two consumers share: drawn with its seed, and its faults
//   sim_database.c   that record's database
//   sim_leader.c     the shell around a consumer's lease
//   sim_follow.c     whom clients follow
//   sim_check_lease.c what must be true of who leads
//   sim_judge.c      what happens, told to the judge
//   sim_check.c      the invariants, each by its name
//   sim_check_real.c those of real restarts

#ifndef SIM_H
#define SIM_H

#include "askers.h"
#include "debt.h"
#include "flight.h"
#include "follow.h"
#include "frame.h"
#include "gather.h"
#include "heap.h"
#include "lease.h"
#include "lease_row.h"
#include "outbox.h"
#include "proof.h"
#include "wire.h"
#include "worker_session.h"

#include <stdio.h>

#define SIM_JOBS        24
#define SIM_PUBLISHERS  3
#define SIM_RESTARTERS  5
#define SIM_CONSUMERS   2
#define SIM_PROCESSES   (SIM_PUBLISHERS + SIM_RESTARTERS + 2 * SIM_CONSUMERS)
#define SIM_DATABASE    SIM_PROCESSES // where a way may be cut, too
#define SIM_TAKES       256           // of a lease
#define SIM_REVISIONS   8             // of the record, that a fail-over may go back to
#define SIM_RUNNING     64            // tasks running at one worker
#define SIM_FAULTS_MS   40000
#define SIM_SETTLE_MS   120000 // from the end of the faults (I7), plus the work itself
#define SIM_CLOSED      1024
#define SIM_TRACE       64      // last lines kept
#define SIM_BOOTS       256     // of a host
#define SIM_INTERRUPTED 3       // attempts without an end, and a job is dead
#define SIM_BEFORE_MS   500     // what comes before a restart takes so long at most
#define SIM_GROUPS      6       // of a policy
#define SIM_OPENINGS    64      // of a window
#define SIM_ORDERS      32      // that the saver has taken and not recorded
#define SIM_UNIX_MS     1000000 // Unix time at the begin of the world
#define SIM_CONTROLS    256     // boots of machines of a consumer
#define SIM_LONELY      2       // workers that a job kills before it is handed out alone (R7)

// What a process, or a boot of a machine, takes for the time: CLOCK_BOOTTIME.
typedef struct {
    int64_t ahead_ms; // at the begin of the world
    int64_t ppm;      // it runs so much faster
} sim_clock_t;

typedef enum { SIM_CONSUMER, SIM_SAVER, SIM_RESTARTER, SIM_PUBLISHER } sim_role_t;

// What hosts do with a command that is to restart them.
typedef enum {
    SIM_HOST_WELL,
    SIM_HOST_SLOW,     // it stays up for a while, maybe beyond the deadline
    SIM_HOST_NOOP,     // nothing happens
    SIM_HOST_GONE,     // nobody answers, ever
    SIM_HOST_FLAPS,    // its answers are unreadable, more often than not
    SIM_HOST_SICK,     // it comes back, and is not well
    SIM_HOST_REFUSES,  // the command fails
    SIM_HOST_STUBBORN, // only the last command of the list works
    SIM_HOST_HUNG,     // nobody answers until it was restarted
    SIM_HOST_KINDS
} sim_host_kind_t;

// A host that is restarted for real: the truth that the checks use.
typedef struct {
    sim_host_kind_t kind;
    uint32_t boots;             // the boot that it is in, from 1
    int64_t boot_ms[SIM_BOOTS]; // when each began; by boot - 1
    int64_t down_ms;            // it goes down then; 0: it does not
    int64_t up_ms;              // and its next boot begins
    uint8_t down_by;            // number of the job whose command it is; 0: somebody else
} sim_host_t;

// What a seed may do; probabilities in 1/1000, times in ms. All zero: a perfect world.
typedef struct {
    uint32_t loss;       // of messages on PUSH links
    uint32_t repeat;     // of messages on PUSH links
    uint32_t event_loss; // of events on PUB
    bool reorder;        // else each link keeps its order
    int64_t delay_ms;    // at most
    uint32_t far;        // messages that take up to far_ms
    int64_t far_ms;
    int64_t crash_every_ms[4]; // by role, on average; 0: never
    int64_t pause_every_ms;    // SIGSTOP of any process, for up to pause_ms
    int64_t pause_ms;
    int64_t stop_every_ms; // TERM of any process
    int64_t partition_every_ms;
    int64_t store_full_every_ms;
    int64_t store_slow_ms;   // a commit takes up to this
    uint32_t commit_crash;   // the saver dies between commit and answer
    bool poison;             // one job kills its worker
    int64_t start_ms;        // a start stops a worker that starts one by one for up to this
    int64_t gone_ms;         // a restarter is killed then, for ever; 0: none
    int64_t others_every_ms; // somebody else reboots a host
    uint32_t unable;         // a restarter cannot start a command, and pauses
    int64_t revoke_every_ms; // a worker's key
    int64_t cut_every_ms;    // the connection to a session
    int64_t lie_every_ms;    // of a worker that is given nothing
    // Of a shared record.
    uint32_t stall;            // a consumer stands still between what it decides and what it does
    int64_t way_every_ms;      // one way between two, the database too, is cut off
    int64_t failover_every_ms; // of the database
    uint32_t revisions;        // that are lost then, at most; 0: its standby is synchronous
    uint32_t unknown;          // a commit's answer does not come
    int64_t late_ms;           // such a commit is done up to so much later
    int64_t halt_every_ms;     // a halt is recorded beside the leader
    int64_t handover_every_ms; // an operator has another one lead
} sim_faults_t;

typedef struct {
    uint32_t publishers;
    uint32_t restarters;
    uint32_t hosts;
    uint32_t slots;
    uint32_t fail;         // of restarts, 1/1000
    int64_t restart_ms;    // at most
    bool one_by_one;       // restarters
    bool shared;           // a record in a database, two consumers and two savers
    bool real;             // restarts are real
    bool blind;            // by a driver that cannot identify
    bool hooks;            // that does something before and after
    bool skips;            // that asks whether there is anything to do
    bool withdraws;        // publishers: some jobs, whenever they are started again
    bool unreachable;      // that restarts hosts which do not answer, too
    uint32_t commands;     // of its list
    int64_t timeout_ms;    // of a command
    int64_t verify_ms;     // of a look
    int64_t settle_ms;     // a host must be well for so long
    int64_t starts_end_ms; // nothing begins from then on; 0: never
    gather_config_t gather;
    outbox_config_t outbox;
} sim_shape_t;

// What the store has of a job's last attempt, durable.
typedef struct {
    mm_attempt_row_t row;
    uint64_t number; // of the task that wrote it last
    uint32_t attempt;
    uint32_t command;
    mm_id_t machine;
    mm_id_t boot;
    mm_id_t boot_after;
    mm_id_t control;
    int64_t first_ms; // by the consumer's clock
    int64_t deadline_ms;
    int64_t first_at_ms; // by the world's; 0: nothing has begun
    mm_end_t end;
    uint32_t exit;
    uint32_t ended;
    uint32_t interrupted;
    bool owes;
    mm_name_t worker;
} sim_row_t;

// A job as the world knows it: the truth that the checks use.
typedef struct {
    mm_id_t id;
    char host[16];
    char attributes[MM_ATTRIBUTES_BYTES + 1]; // as its publisher has them on record; "": none
    uint32_t publisher;
    int64_t accept_ms;
    bool accepted;
    uint32_t accepted_life; // of its publisher
    bool in_outbox;         // durable
    bool given;             // to the core, in this epoch of its publisher
    int64_t delete_ms;      // when its deletion is committed; 0: not asked
    bool poison;
    bool has_row; // in the store, durable
    mm_outcome_t outcome;
    int64_t settled_ms;
    uint32_t successes;   // restarts that ended well
    uint32_t starts;      // in all
    uint64_t starts_life; // epoch of the consumer that handed out what is counted in starts_of_life
    uint32_t starts_of_life;
    uint64_t handed_life;    // of the last consumer that handed out a restart
    uint32_t handed_out;     // restarts, by all consumers
    uint64_t known_life;     // of the consumer that has read a success
    uint64_t told_dead_life; // of the consumer that has told last that it is dead; 0: none
    int64_t deleted_ms;      // from the outbox; 0: not yet
    uint64_t kills_life;     // of the consumer that handed out what is counted in kills
    uint32_t kills;          // workers that it killed
    uint64_t killer;         // highest number of those tasks
    sim_row_t row;           // of a real restart, as the next ones
    uint32_t host_index;
    uint32_t commands;     // that were sent
    uint32_t sent_attempt; // the last one, as on record
    uint32_t sent_command;
    uint32_t told_attempt; // whose command's end its restarter has told
    uint64_t told_number;  // that task gave it back open or unsent
    uint64_t heard_number; // of the command that was handed out last: its result was read
    uint64_t open_life;    // of the consumer that has read this, and handed out no other since
    uint64_t begun_life;   // of the consumer that began the attempt on record
    uint32_t out_attempt;  // whose command was handed out last
    uint32_t out_command;
    uint64_t out_number;
    bool is_lost_cause;       // its host is on record as unhealthy, or as another one
    bool withdrawn;           // on record of its publisher: its host is no longer on the list
    uint64_t withdrawn_life;  // epoch of the consumer that has it in flight and was told so
    uint64_t withdrawn_after; // the highest task number that it had until then
    uint64_t last_task;       // of a restarter
    bool is_cooled;           // its host was restarted by another pipeline
    bool needs_nothing;       // as its driver says when it is asked
    bool is_cordoned;         // by what was done before a restart, and was not undone
    uint32_t effects;         // reboots that they made
    uint32_t sent_boots;      // of its host, when the first one was sent
    int64_t open_until_ms; // the deadline of the last one, by the world's clock; 0: it has failed
    // Each consumer's step since which its restart waits for a resource or is granted it; 0:
    // neither.
    uint64_t queued_since[SIM_CONSUMERS][RESOURCE_QUARANTINE];
    char groups[32];            // that its host is in
    bool is_casualty;           // on record: its host is not known to be up
    uint64_t seq;               // of its outcome in the record; 0: none
    uint64_t told_outcome_life; // of the consumer that has read it
} sim_job_t;

// An order, at the saver; and what its record has, in order.
typedef struct {
    mm_id_t id;
    mm_action_t action;
    char name[16]; // of a host or a group
    uint64_t run;
    int64_t until_ms;
} sim_order_t;

typedef struct {
    sim_order_t order;    // action ended: an outcome, name its host
    const sim_job_t *job; // of an outcome; else NULL
    mm_outcome_t outcome;
    bool is_casualty;
    int64_t at_ms;     // Unix time
    uint64_t recorded; // lines of the record that the judge had, with it
} sim_audit_t;

// A restart, or a store task, at work.
typedef struct {
    uint64_t number;
    mm_leg_t leg;
    mm_id_t id;
    sim_job_t *job;
    int64_t end_ms;
    bool fails;
    bool kills;
    mm_outcome_t outcome; // settle: asked for
    uint32_t attempt;
    bool is_real;   // a real restart, or what is to be on record of one
    mm_real_t real; // its texts are gone
    enum { SIM_PROBE, SIM_READ, SIM_BEFORE, SIM_COMMAND, SIM_LOOK } phase;
    int64_t started_ms;
    proof_t proof;
    mm_id_t seen; // of a host that nobody had reached: the last boot that it was read in
    debt_t debt;
    uint32_t exit;
    bool sent;
    bool is_timeout;
    mm_name_t row_worker; // that a save or settle names
    bool is_put;          // to the database, in the batch that is under way
} sim_running_t;

typedef struct sim_message sim_message_t;
typedef struct sim_request sim_request_t;

typedef struct {
    sim_role_t role;
    uint32_t index; // of the role
    mm_name_t name;
    bool alive;
    bool ended; // its core is to be freed when the step is over
    bool draining;
    int64_t paused_until;
    uint32_t sockets;   // counts the epochs of its sockets: what was sent to former ones is lost
    int64_t heard_from; // events before this are missed: a slow joiner
    sim_clock_t clock;
    int64_t start_ms; // when it is started again
    int64_t due_ms;   // its deadline, while that is known: until something happens to it
    bool is_due_known;
    int64_t drained_ms;     // when its drain began
    sim_message_t *backlog; // came while it was paused
    bool cut_in;            // partitioned: hears nothing
    bool cut_out;           // nobody hears it
    int64_t cut_until;
    uint64_t broken;    // a session whose connection is: what is sent in it is lost
    int64_t cut_ms;     // when the consumer finds out; 0: it has, or there is none
    int64_t renewed_ms; // its key is revoked, until then; 0: it is valid
    // consumer
    gather_t *gather;
    gather_actions_t gather_actions;
    uint32_t control; // the boot of its machine
    // of a shared record
    lease_t lease;
    uint64_t epoch;      // that it leads under; 0: it stands by
    int64_t lead_ms;     // since then
    int64_t stall_ms;    // what this step sends is sent so much later
    bool looks_late;     // and whether it leads is looked at then
    bool is_handed_over; // an operator wants it
    // who follows one of two consumers
    mm_follow_t follow;
    int64_t named_ms; // when a beat has named it last
    // worker
    mm_worker_t *worker;
    mm_worker_actions_t worker_actions;
    uint64_t instance;
    uint64_t session; // connected; 0: none
    int64_t connected_ms;
    sim_running_t running[SIM_RUNNING];
    uint32_t running_count;
    int64_t commit_ms;              // saver: when the batch is committed; 0: none
    sim_order_t orders[SIM_ORDERS]; // of that batch
    uint32_t order_count;
    // saver of a shared record
    askers_t askers;
    uint64_t connection; // counts them
    int64_t ready_ms;    // until then it connects to the database
    int64_t broken_ms;   // when it finds out that the connection is; 0: it is not
    bool has_put;        // a batch is under way
    bool is_asked;       // for the state of this run, from there
    uint64_t asked_run;
    uint64_t asked_session; // in it
    uint64_t asked_from;
    uint64_t question;
    // publisher
    outbox_t *outbox;
    outbox_actions_t outbox_actions;
    bool finished; // the starts have ended, and all that it holds was answered
    uint64_t heard_epoch;
    uint64_t dead_before; // jobs, when that was heard first
} sim_process_t;

typedef struct {
    uint64_t crashes;
    uint64_t stops;
    uint64_t pauses;
    uint64_t messages;
    uint64_t lost;
    uint64_t restarts;
    uint64_t jobs;
    uint64_t twice;     // jobs restarted well more than once
    uint64_t real;      // jobs of hosts that are restarted for real
    uint64_t effects;   // of those, the ones whose commands have rebooted the host
    uint64_t doubled;   // and more than once, though their driver can identify them
    uint64_t withdrawn; // jobs that ended so, and of them those that had begun
    uint64_t withdrawn_begun;
    uint64_t policies; // seeds with one, and the starts that were judged
    uint64_t judged;
    uint64_t innocent; // healthy jobs that ended dead
    uint64_t steps;
    int64_t simulated_ms;
    uint64_t
        shared; // seeds with a shared record; and there: take-overs, fail-overs of the database,
    uint64_t takes; // batches whose fate was unknown, and those that the fence has refused
    uint64_t failovers;
    uint64_t unknown;
    uint64_t fenced;
    uint64_t stuck;   // seeds that end so
    int64_t worst_ms; // from the end of the faults to the last settle
} sim_statistics_t;

// The record, as a fail-over may go back to it.
typedef struct {
    lease_row_t row;
    size_t audit_count;
    uint32_t take_count;
    struct {
        bool has_row;
        bool is_casualty;
        mm_outcome_t outcome;
        int64_t settled_ms;
        uint64_t seq;
        sim_row_t row;
    } jobs[SIM_JOBS];
} sim_revision_t;

// What a shared record is in.
typedef struct {
    lease_row_t row;
    sim_clock_t clock;
    int64_t down_ms; // until then nobody can connect
    sim_request_t *requests;
    sim_revision_t *revisions; // the last ones; NULL: its standby is synchronous
    uint64_t revision_count;   // in all
    bool has_lost;             // what was acknowledged
    bool has_lost_take;        // a take-over, too
    struct {
        uint64_t epoch;
        int64_t at_ms;
        bool was_released; // by the former leader
    } takes[SIM_TAKES];
    uint32_t take_count;
    int64_t cut_ms[SIM_PROCESSES + 1][SIM_PROCESSES + 1]; // one way, until then
    int64_t halt_ms; // since then a halt is in force that was recorded beside the leader; 0: none
    int64_t led_ms;  // somebody has led, as far as it knew
} sim_database_t;

typedef struct {
    uint64_t seed;
    uint64_t random;
    int64_t now_ms;
    bool faulty;              // the fault phase
    bool over;                // the end: who leaves does not come back
    bool too_many_dead;       // a consumer says so: the run ends
    int64_t consumer_ms;      // when it was started
    uint64_t publisher_epoch; // of the consumer that has heard a frame with its own epoch
    uint32_t busy;            // turns since the clock went on
    struct {
        int64_t crash[4];
        int64_t pause;
        int64_t stop;
        int64_t partition;
        int64_t full;
        int64_t others;
        int64_t revoke;
        int64_t cut;
        int64_t lie;
        int64_t way;
        int64_t failover;
        int64_t halt;
        int64_t handover;
    } next; // when each fault comes next; 0: not drawn yet
    sim_faults_t faults;
    struct {
        uint64_t epoch; // of the consumer that it has joined
        uint64_t session;
        uint64_t sequence;
        uint64_t serial;
    } liar;
    struct {
        uint64_t random;
        int64_t until_ms; // the consumer is trusted
        int64_t renew_ms; // the next renewal
    } lease;
    sim_shape_t shape;
    sim_process_t processes[SIM_PROCESSES];
    uint32_t process_count;
    // The only one; of two the one that leads, or has led last, and in a step the one whose it is.
    sim_process_t *consumer;
    sim_database_t database;
    sim_job_t jobs[SIM_JOBS];
    uint32_t job_count;
    sim_host_t hosts[SIM_JOBS];
    uint32_t control_count;
    sim_clock_t controls[SIM_CONTROLS]; // what that boot counts
    uint64_t epoch;
    int64_t store_full_until;
    uint64_t closed[SIM_CLOSED]; // sessions that the consumer has closed, the last ones
    int64_t closed_ms[SIM_CLOSED];
    uint32_t closed_count;
    uint64_t given_up[SIM_CLOSED]; // tasks that it has taken back
    int64_t given_up_ms[SIM_CLOSED];
    uint32_t given_up_count;
    uint64_t started[SIM_CLOSED]; // restarts, by number
    uint32_t started_count;
    uint64_t consumer_steps;
    mm_heap_t messages;
    uint64_t message_serial;
    int64_t link_ms[SIM_PROCESSES][SIM_PROCESSES]; // last arrival, for links that keep their order
    mm_encoder_t *encoder;
    mm_decoder_t *decoder;
    sim_audit_t *audit;
    size_t audit_count, audit_capacity;
    struct sim_policy *policy; // NULL: none
    uint64_t withdrawals;      // a generator of its own
    FILE *verbose;             // the whole trace; NULL: only its end is kept
    bool silent;               // neither traces nor prints: fast, and run again when it breaks
    char *trace[SIM_TRACE];
    uint64_t trace_count;
    bool failed;
    bool is_stuck; // behind an epoch that the database has lost: an operator is needed
    sim_statistics_t statistics;
} sim_t;

// ---- sim_draw.c: draws shape and faults
void sim_draw(sim_t *self);
bool sim_coin(sim_t *self);
int64_t sim_between(sim_t *self, int64_t low, int64_t high);

// ---- sim_world.c
sim_t *sim_new(uint64_t seed, FILE *verbose);
void sim_destroy(sim_t **self_p);
// Runs the seed; false when an invariant broke (said on stdout, with the end of the trace).
bool sim_run(sim_t *self, uint64_t steps_max);
// A chance of 1/1000, a number below a limit, a time up to a limit.
bool sim_chance(sim_t *self, uint32_t permille);
uint64_t sim_below(sim_t *self, uint64_t limit);
void sim_trace(sim_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
sim_job_t *sim_job(sim_t *self, const mm_id_t *id);
// What a clock says at that time of the world, or now; and when it has got there. MM_NEVER: never.
int64_t sim_clock_at(const sim_clock_t *clock, int64_t at_ms);
int64_t sim_clock(const sim_t *self, const sim_process_t *process);
// By how much two of them may differ about a span.
int64_t sim_drift(const sim_t *self, int64_t span_ms);
int64_t sim_clock_reaches(const sim_clock_t *clock, int64_t clock_ms);
// Whether a fault comes that does so on average; next_ms keeps when.
bool sim_comes(sim_t *self, int64_t *next_ms, int64_t every_ms);
void sim_crash(sim_t *self, sim_process_t *process, const char *why);
// How long a process may take from TERM to its end, when it is not stopped (I7).
int64_t sim_leave_ms(const sim_t *self);

// ---- sim_net.c
// Sends a frame to one process; session 0 unless it goes through a session's own pipe.
void sim_send(sim_t *self, sim_process_t *from, sim_process_t *to, uint64_t session,
              const mm_frame_t *frame);
// Publishes a frame of the consumer whose step it is to all who hear consumers.
void sim_publish(sim_t *self, const mm_frame_t *frame);
int64_t sim_next_message(const sim_t *self);
void sim_deliver(sim_t *self);
// It does nothing for this long, but for what it is doing now.
void sim_pause(sim_t *self, sim_process_t *process, int64_t span_ms);
// What came while it was paused.
void sim_deliver_backlog(sim_t *self, sim_process_t *process);
void sim_drop_messages(sim_t *self);

uint32_t sim_index(const sim_t *self, const sim_process_t *process);

// ---- sim_follow.c
void sim_follow_begin(sim_t *self, sim_process_t *client);
// Whether what this consumer has published counts for it.
bool sim_follow_counts(sim_t *self, sim_process_t *client, const sim_process_t *consumer,
                       const mm_frame_t *frame);
bool sim_follows(const sim_process_t *client, const sim_process_t *consumer);
// To the one that it follows; or, of a request, to all while none is heard.
void sim_send_up(sim_t *self, sim_process_t *client, const mm_frame_t *frame);
void sim_ask_up(sim_t *self, sim_process_t *client, const mm_frame_t *frame);

// ---- sim_shared.c: each does nothing when the record is not shared
extern bool sim_is_shared_always; // in each seed; else in one of four
void sim_shared_draw(sim_t *self);
void sim_shared_faults(sim_t *self);
bool sim_shared_is_cut(const sim_t *self, uint32_t from, uint32_t to);

// ---- sim_database.c
void sim_database_destroy(sim_t *self);
// The saver puts what it has to write; and hears who asks about the lease.
void sim_database_put(sim_t *self, sim_process_t *saver);
void sim_database_ask(sim_t *self, sim_process_t *saver, sim_process_t *consumer,
                      const mm_lease_ask_body_t *ask);
int64_t sim_database_deadline(const sim_t *self);
void sim_database_time(sim_t *self);
// The saver has found out that its connection is broken.
void sim_database_connect(sim_t *self, sim_process_t *saver);
void sim_database_fail_over(sim_t *self);
// It is recorded beside the leader that nothing begins any more, or again.
void sim_database_halt(sim_t *self);
// The settle of this job that some batch may still commit, of that epoch; NONE: there is none.
mm_outcome_t sim_database_pending(const sim_t *self, const sim_job_t *job, uint64_t epoch,
                                  const sim_process_t *but);

// ---- sim_leader.c
void sim_leader_start(sim_t *self, sim_process_t *process);
int64_t sim_leader_deadline(const sim_process_t *process);
void sim_leader_time(sim_t *self, sim_process_t *process);
// What it says of the lease. False: the frame is done with.
bool sim_leader_take(sim_t *self, sim_process_t *process, const sim_process_t *from,
                     const mm_frame_t *frame);
void sim_leader_hand_over(sim_t *self);
// It has drained.
void sim_leader_left(sim_t *self, sim_process_t *process);
// Whether it may hand out and permit restarts, at the instant at which it looks.
bool sim_leader_is_trusted(const sim_t *self, const sim_process_t *process);

// ---- sim_check_lease.c
bool sim_is_former(const sim_t *self);
bool sim_is_excused(sim_t *self, const char *invariant);
void sim_check_taken(sim_t *self, const sim_process_t *process);
void sim_check_write(sim_t *self, uint64_t epoch);
void sim_check_leads(sim_t *self, uint64_t epoch, const char *what);
void sim_check_alone(sim_t *self, const sim_running_t *task);
void sim_check_beats(sim_t *self, const sim_process_t *process);
void sim_check_halt(sim_t *self);
void sim_check_one_settle(sim_t *self, const sim_process_t *saver, const mm_task_t *task);
void sim_check_doubt(sim_t *self, const mm_verdict_t *verdict);
void sim_check_led(sim_t *self);

// ---- the roles: start, end (crash or done), a frame, the clock, a drain
void sim_consumer_start(sim_t *self, sim_process_t *process);
void sim_consumer_end(sim_process_t *process);
void sim_consumer_begin(sim_t *self, sim_process_t *process, uint64_t epoch);
void sim_consumer_take(sim_t *self, sim_process_t *process, const sim_process_t *from,
                       const mm_frame_t *frame);
void sim_consumer_time(sim_t *self, sim_process_t *process);
// Of its operator or its guard.
void sim_consumer_step(sim_t *self, gather_event_t event);
void sim_consumer_step_of(sim_t *self, sim_process_t *process, gather_event_t event);
void sim_consumer_beat(sim_t *self, sim_process_t *process, bool is_last);
int64_t sim_consumer_deadline(const sim_process_t *process);
void sim_consumer_drain(sim_t *self, sim_process_t *process);

// What the driver of the restarters can do.
uint32_t sim_verbs(const sim_t *self);
void sim_worker_start(sim_t *self, sim_process_t *process);
void sim_worker_end(sim_process_t *process);
void sim_worker_take(sim_t *self, sim_process_t *process, const mm_frame_t *frame);
void sim_worker_time(sim_t *self, sim_process_t *process);
int64_t sim_worker_deadline(const sim_process_t *process);
void sim_worker_drain(sim_t *self, sim_process_t *process);
// A saver answers a task.
void sim_worker_answer(sim_t *self, sim_process_t *saver, const mm_result_t *result);

void sim_publisher_start(sim_t *self, sim_process_t *process);
void sim_publisher_end(sim_process_t *process);
void sim_publisher_take(sim_t *self, sim_process_t *process, const mm_frame_t *frame);
void sim_publisher_time(sim_t *self, sim_process_t *process);
int64_t sim_publisher_deadline(const sim_t *self, const sim_process_t *process);
void sim_publisher_drain(sim_t *self, sim_process_t *process);

// ---- sim_hosts.c
void sim_hosts_draw(sim_t *self);
sim_host_t *sim_host(sim_t *self, const sim_job_t *job);
// Whether nobody answers now.
bool sim_host_is_silent(sim_t *self, sim_host_t *host);
// Who the host says it is, now; false: nobody answers, or nothing that can be read.
bool sim_host_read(sim_t *self, sim_host_t *host, identity_t *ret_identity);
void sim_host_reboot(sim_t *self, sim_host_t *host, uint8_t by);
// A real restart or probe begins, and goes on; true: it has ended, with the result.
void sim_real_start(sim_t *self, sim_process_t *process, sim_running_t *running);
bool sim_real_step(sim_t *self, sim_process_t *process, sim_running_t *running,
                   mm_result_t *ret_result);
// What it is given back with when its restarter drains; false: its command runs still.
bool sim_real_open(const sim_running_t *running, mm_result_t *ret_result);

// ---- sim_record.c
// What the answer to a save or settle says of the job's attempts, and what the task changes.
void sim_record_answer(sim_t *self, const sim_running_t *task, mm_real_t *real,
                       mm_result_t *ret_result);
void sim_record_write(sim_t *self, const sim_running_t *task);
// Its outcome, behind these two: what is on record then.
mm_outcome_t sim_record_outcome(sim_t *self, const sim_running_t *task);

// ---- sim_orders.c
// The saver is given ORDERS; its batch is committed, and answered.
void sim_orders_take(sim_t *self, sim_process_t *saver, const mm_frame_t *frame);
void sim_orders_commit(sim_t *self, sim_process_t *saver, bool is_full);
void sim_orders_answer(sim_t *self, sim_process_t *saver);
// It is recorded beside the consumer: its number.
uint64_t sim_orders_record(sim_t *self, const sim_order_t *order);
// An outcome is on record: its number.
uint64_t sim_orders_record_outcome(sim_t *self, const sim_job_t *job, uint64_t run);

// ---- sim_policy.c
extern bool sim_has_policy_always; // in each seed; else in few
// Draws a policy, or none; the hosts are known.
void sim_policy_draw(sim_t *self);
void sim_policy_destroy(sim_t *self);
// For a new consumer: the policy, and the time.
void sim_policy_tell(sim_t *self, sim_process_t *consumer);
// What a publisher says of the groups.
void sim_policy_fill(const sim_t *self, mm_jobs_body_t *ret_jobs, mm_group_t *groups);

// ---- sim_operator.c
void sim_operator_draw(sim_t *self);
// When it does something next, and it does what is due.
int64_t sim_operator_deadline(const sim_t *self);
void sim_operator_time(sim_t *self);
// The consumer has answered an order, asks the guard, or is another one.
void sim_operator_answered(sim_t *self, const mm_id_t *id, bool is_recorded);
void sim_operator_asked(sim_t *self);
void sim_operator_forget(sim_t *self);

// ---- sim_access.c
void sim_access_revoke(sim_t *self);
void sim_access_cut(sim_t *self);
void sim_access_time(sim_t *self);
// The liar joins, or is heard again, and claims something.
void sim_access_lie(sim_t *self);
bool sim_access_is_liar(mm_str_t name);
void sim_access_welcome(sim_t *self, uint64_t session);
// What a saver is given, and what the consumer has of the liar.
void sim_access_check_task(sim_t *self, const mm_task_t *task);
void sim_access_check(sim_t *self, const sim_process_t *consumer);

// ---- sim_lease.c: whether the consumer leads (A4)
void sim_lease_draw(sim_t *self);
void sim_lease_begin(sim_t *self);
int64_t sim_lease_deadline(const sim_t *self);
void sim_lease_time(sim_t *self);
void sim_lease_check(sim_t *self, const char *what);
void sim_lease_check_start(sim_t *self);

// ---- sim_judge.c: each does nothing without a policy
void sim_judge_begin(sim_t *self);
void sim_judge_end(sim_t *self);
// For the statistics.
void sim_judge_count(sim_t *self);
// A line without its time; the first complaint of the judge ends the run.
void sim_judge_say(sim_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_judge_epoch(sim_t *self);
// A step of the consumer, before its actions are carried out. results: that it has read now.
void sim_judge_step(sim_t *self, const sim_process_t *consumer, const gather_event_t *event);
// The consumer has read it, and not before.
void sim_judge_read(sim_t *self, const mm_result_t *result);
void sim_judge_handed_out(sim_t *self, const mm_task_t *task);
void sim_judge_nacked(sim_t *self, const sim_job_t *job);
void sim_judge_command(sim_t *self, const sim_job_t *job);
// The record: a row that a task has changed, an outcome, an order; and a last page of the state.
void sim_judge_row(sim_t *self, const sim_running_t *task);
// By its last attempt on record, the host is not known to be up.
bool sim_judge_is_casualty(const sim_job_t *job);
void sim_judge_outcome(sim_t *self, const sim_job_t *job);
// prefix: "", "record " or "lapse ".
void sim_judge_order(sim_t *self, const sim_order_t *order, const char *prefix);
// This order could not be recorded, and is not any more.
void sim_judge_refuse(sim_t *self, const mm_id_t *id);
bool sim_judge_is_refused(sim_t *self, const mm_id_t *id);
void sim_judge_page(sim_t *self, uint64_t session, uint64_t question);
// Time goes on; and all that is due now is done.
void sim_judge_time(sim_t *self);
// Nobody has anything to do, as long as nothing is due now: then it is to be told.
bool sim_judge_is_quiet(const sim_t *self);
void sim_judge_quiet(sim_t *self);
int64_t sim_judge_deadline(const sim_t *self);

// ---- sim_check_real.c
void sim_check_command(sim_t *self, const sim_process_t *process, const sim_running_t *task);
void sim_check_proven(sim_t *self, const sim_job_t *job);
// What is done before a restart is about to be done.
void sim_check_cordoned(sim_t *self, const sim_running_t *task);
void sim_check_skipped(sim_t *self, const sim_job_t *job);
void sim_check_withdrawn(sim_t *self, const sim_job_t *job);
// The consumer has taken a delivery, before which its last task for the job was this one.
void sim_see_withdrawn(sim_t *self, const sim_process_t *consumer, const mm_job_t *told,
                       uint64_t last_task);
// What a restarter is given, starts or sends is none of a job that is withdrawn. command: 0 for a
// task that only looks.
void sim_check_goes_on(sim_t *self, const sim_job_t *job, uint64_t number, uint32_t command);
// At the end.
void sim_check_debt(sim_t *self, const sim_job_t *job);
// A row is written over what is on record.
void sim_check_row(sim_t *self, const sim_running_t *running);
// A command is handed out, was read to have ended, or its job is nacked.
void sim_check_command_out(sim_t *self, const mm_task_t *task);
void sim_check_told(sim_t *self, const mm_result_t *result);
void sim_check_nacked(sim_t *self, const mm_verdict_t *verdict);
// A restarter starts on it.
void sim_check_begun(sim_t *self, const sim_running_t *task);
void sim_check_real_dead(sim_t *self, const mm_task_t *task);

// ---- sim_check.c
uint32_t sim_number_of(const sim_t *self, const sim_job_t *job);
void sim_violated(sim_t *self, const char *invariant, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_check_deleted(sim_t *self, const sim_job_t *job);
// The publisher has ended behind the end of the starts.
void sim_check_finished(sim_t *self, const sim_process_t *publisher);
void sim_check_notice(sim_t *self, const mm_verdict_t *verdict);
void sim_check_committed(sim_t *self, const sim_job_t *job, mm_outcome_t before);
void sim_check_consumer(sim_t *self, const sim_process_t *process);
void sim_check_handed_out(sim_t *self, const sim_process_t *consumer,
                          const gather_action_t *action);
// The store is asked to settle it as dead.
void sim_check_dead(sim_t *self, const mm_task_t *task);
void sim_check_restarted(sim_t *self, const mm_task_t *task);
void sim_check_started(sim_t *self, const sim_process_t *process, const sim_running_t *task);
// What the restarter is given of the job is what its publisher has.
void sim_check_attributes(sim_t *self, const sim_job_t *job, mm_str_t attributes);
void sim_check_leased(sim_t *self, const sim_process_t *process);
void sim_check_session_closed(sim_t *self, uint64_t session);
void sim_check_reclaimed(sim_t *self, uint64_t number);
// A job kills the worker that runs it.
void sim_check_killed(const sim_running_t *task);
void sim_check_leaving(sim_t *self);
// Whether nothing is out at any worker, by the consumer's table.
bool sim_is_quiet(const sim_t *self);
void sim_check_end(sim_t *self);

#endif
