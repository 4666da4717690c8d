// What the files of the gather core share: gather.c (jobs, workers, time), gather_legs.c (the two
// legs of a job), gather_attempts.c and those beside it (the restart leg of a job that is restarted
// for real), gather_dispatch.c (handing out), admission.c (what may be handed out),
// gather_withdrawn.c (jobs whose host is no longer on the list), gather_gate.c (who waits by the
// policy, and has a place), gather_pass.c (who is admitted next), gather_orders.c (orders, and the
// record's state), inspect.c.

#ifndef GATHER_PRIVATE_H
#define GATHER_PRIVATE_H

#include "dead_before.h"
#include "flight.h"
#include "gather.h"
#include "name_pool.h"
#include "run_choice.h"
#include "settled_cache.h"
#include "workers.h"

typedef struct pending pending_t; // gather_orders.c
#define GATHER_ANSWERED 64

struct gather {
    gather_config_t config;
    int64_t now_ms;
    int64_t hold_until_ms; // no restart of a redelivered job before (R6)
    int64_t start_ms;      // no restart at all before; of a new leader the same
    int64_t trust_ms;      // nor from then on: it may not lead any more (A4)
    int64_t beat_ms;       // the next heartbeat
    int64_t beaten_ms;     // the last one
    int64_t drain_until_ms;
    uint64_t random;
    flights_t flights;
    workers_t *workers;
    settled_cache_t cache;
    name_pool_t names;
    uint64_t quarantine_number; // the task handed out alone; 0: none (R7)
    dead_before_t before;       // of max_dead
    int64_t unable_ms;          // since when restarters only ask for pauses; 0: they do not
    int64_t other_driver_ms;    // when jobs of another driver were told of
    int64_t other_run_ms;       // the same of another run; 0: never
    int64_t claim_ms;           // when a claim was told of
    limits_t limits;            // the policy, and what orders hold back
    int64_t unix_offset_ms;     // Unix time less now_ms
    int64_t gate_due_ms;        // the next pass, unless something changes before
    int64_t guard_ask_ms;       // the guard is not asked again before
    bool gate_is_dirty;         // something has changed since the last pass,
    bool gate_is_freed;         // or no more than who has places, and who is the first of a class
    run_choice_t choice;        // of publishers and their runs
    uint64_t run;               // the one that was chosen; 0: not known, or there is no policy
    bool sees_saver;            // one has said hello
    uint64_t seq_again;         // the same, and it was asked once more
    uint64_t seq_asked;         // of an outcome, since which the record is asked again
    uint64_t state_session;     // of the saver that is asked for the record's state
    uint64_t state_from;        // its page
    uint64_t question;          // which time all of it is asked for
    int64_t asked_ms;           // when it was asked last; 0: to be asked now
    pending_t *pending;         // orders that are not on record yet
    size_t pending_count;
    size_t pending_capacity;
    mm_real_t **reals; // of the tasks in the actions of this step
    size_t real_count;
    size_t real_capacity;
    size_t real_made;
    mm_id_t answered[GATHER_ANSWERED]; // orders of viewers that are on record, a ring
    size_t answered_at;
    mm_order_t *sent; // in the action of this step
    size_t sent_capacity;
    bool is_suspended; // its beats say so
    bool is_real;      // a restarter that is not the mock has joined, or there is a policy
    bool has_hooks;    // one whose restarts owe something
    bool has_driver;   // a restarter has joined: what is_real says is so
    bool starts_ended; // what waited was nacked
    bool left;
    gather_statistics_t statistics;
    gather_actions_t *actions; // of the current step
};

// gather.c: actions, and the end of a flight.
gather_action_t *gather_act(gather_t *self, gather_action_kind_t kind);
// flight NULL: of no job.
gather_action_t *gather_log(gather_t *self, gather_log_t what, const flight_t *flight);
gather_action_t *gather_news(gather_t *self, gather_news_t what);
// What a task of this step's actions says of its attempt: jobs that wait need no room for it.
mm_real_t *gather_real(gather_t *self);
void gather_settled(gather_t *self, flight_t *flight, mm_outcome_t outcome);
void gather_nack(gather_t *self, flight_t *flight);

// The next heartbeat is due at once.
void gather_beat_now(gather_t *self);
// Nacks a job that may not be tried again: draining, beyond max_lease, or behind the end of the
// starts.
void gather_nack_if_over(gather_t *self, flight_t *flight);

// Whether nothing may begin any more (R15).
static inline bool gather_is_behind_starts(const gather_t *self)
{
    return self->now_ms >= self->config.starts_end_ms;
}

// Whether it leads, as far as it knows, and its first seconds are over.
static inline bool gather_may_hand_out(const gather_t *self)
{
    return self->now_ms < self->trust_ms && self->now_ms >= self->start_ms;
}

// gather_attempts_record.c. A restarter is there: all flights are from now on restarted for real,
// or by the mock.
void gather_see_driver(gather_t *self, bool is_real);
// The flight, which has begun nothing, is to be: the record is asked for its attempts.
void gather_make_real(gather_t *self, flight_t *flight);
// Whether a flight that ends now would leave nothing unsaid of its attempt on record (H4). If it
// would, the store leg goes on first.
bool gather_attempt_is_settled(gather_t *self, flight_t *flight);

// gather_attempts.c. Whether anything was done for the flight's restart: a task of it was handed
// out, or the record has an attempt.
bool gather_was_attempted(const gather_t *self, const flight_t *flight);
// For flights with an attempt: the restart leg goes on.
// Hands out what is next to a worker that was admitted; or begins the attempt before.
void gather_attempt_next(gather_t *self, worker_t *worker, flight_t *flight);
// Whether it began in this epoch: the record may say so.
bool gather_attempt_has_begun(const gather_t *self, const flight_t *flight);
// Whether what is next is a begin, and no look.
bool gather_attempt_begins(const gather_t *self, const flight_t *flight);
// Hands out what has begun, if a worker is there for it.
void gather_attempt_start(gather_t *self, flight_t *flight);
// Of the one that is under way, or comes next; 0: not known yet.
uint32_t gather_attempt_number(const gather_t *self, const flight_t *flight);
// Fills in what a save, a settle or a restart says of it.
void gather_attempt_fill(gather_t *self, const flight_t *flight, const worker_t *worker,
                         mm_task_t *task);

// gather_attempts_results.c, for the same.
// The flight, which is new, is one of a job whose success came when it was not in flight.
void gather_attempt_recall(gather_t *self, flight_t *flight, const settled_item_t *item);
// Whether a success is kept until the record has answered, or another task has ended.
bool gather_attempt_has_success(const gather_t *self, const flight_t *flight);
// Keeps the names that it points to.
void gather_attempt_mark(gather_t *self, const flight_t *flight);
// The record has answered a save.
void gather_attempt_saved(gather_t *self, flight_t *flight, const mm_result_t *result);
void gather_attempt_result(gather_t *self, flight_t *flight, const char *worker,
                           const mm_result_t *result);
// Its task has ended without a result.
void gather_attempt_lost(gather_t *self, flight_t *flight, const ended_t *ended);

// gather_withdrawn.c
// The flight's host is no longer on the list, as this delivery says.
void gather_withdraw(gather_t *self, flight_t *flight);
// Its restart, which is at no worker, may go on: it is ready; or it ends, if it is withdrawn and
// nothing is left to be looked at.
void gather_unblock(gather_t *self, flight_t *flight);
// Ends it, or leaves it as it is and returns false: it is not withdrawn, or goes on.
bool gather_end_withdrawn(gather_t *self, flight_t *flight);
// A restarter has joined: withdrawn flights that waited to know the driver go on.
void gather_withdraw_unseen(gather_t *self);
// Its error says why it was given up; it is NULL when nothing had begun.
void gather_set_withdrawn_error(const gather_t *self, flight_t *flight);

// gather_legs.c
void gather_try_settle(gather_t *self, flight_t *flight);
// What the store is asked to record of a restart leg that has ended.
mm_outcome_t gather_outcome(const gather_t *self, const flight_t *flight);
// No attempt is left.
void gather_exhaust(gather_t *self, flight_t *flight);
int64_t gather_backoff(gather_t *self, uint32_t failures);
void gather_apply_result(gather_t *self, worker_t *worker, const mm_result_t *result,
                         bool in_hello);
// A task ended without a result. Consumes the host reference in `change`.
void gather_apply_ended(gather_t *self, const workers_change_t *change);

static inline int64_t gather_unix_ms(const gather_t *self)
{
    return self->now_ms + self->unix_offset_ms;
}

// gather_gate.c, for flights with an attempt.
class_t *gather_class(gather_t *self, const flight_t *flight);
// Whether an operator has denied its host.
bool gather_is_denied(const gather_t *self, const flight_t *flight);
// Why no command for the flight, which has its place, may begin now; NONE: it may.
mm_reason_t gather_closed(const gather_t *self, const flight_t *flight);
// Why the first one of a class waits at the gate.
mm_reason_t gather_class_reason(const gather_t *self, const class_t *class);
// Why a flight that would begin waits at the gate; NONE: it has passed it.
mm_reason_t gather_gated(const gather_t *self, const flight_t *flight);
// Whose limit the reason is: the name of the first group that gives it; NULL: of none.
const char *gather_holder(const gather_t *self, const flight_t *flight, mm_reason_t reason);
// A ready flight waits there, and has no place any more.
void gather_gate(gather_t *self, flight_t *flight);
// It lets one pass: it is ready, and has its place.
void gather_admit(gather_t *self, flight_t *flight);
// Its host has a place: something of it is looked at. And has none any more, unless its attempt has
// no end; it does nothing for a flight without one.
void gather_take_place(gather_t *self, flight_t *flight);
void gather_leave_place(gather_t *self, flight_t *flight);
// The flight waits until its host is not denied any more, or might be.
void gather_wait_denied(gather_t *self, flight_t *flight, const place_t *place);
// Whether the attempt has left the host not known to be up.
bool gather_is_casualty(const attempt_t *attempt);
// The saver has answered the flight's settle: its outcome counts, once.
void gather_count_outcome(gather_t *self, const flight_t *flight, const mm_result_t *result);
void gather_apply_clock(gather_t *self, int64_t unix_now_ms);

// gather_pass.c
// The class has another first flight.
void gather_look_again(gather_t *self, class_t *class);
// What is due by now; also while no restarter has room for another one.
void gather_gate_time(gather_t *self);
// The next one that may pass the gate; NULL: none. The caller lets it pass.
flight_t *gather_next_gated(gather_t *self);
int64_t gather_gate_deadline(const gather_t *self);
void gather_apply_guard(gather_t *self, bool says_yes);

// gather_orders.c
void gather_orders_clear(gather_t *self);
void gather_apply_order(gather_t *self, uint64_t viewer, const mm_order_t *order);
// A saver has answered with an outcome, which may have been counted: else the record is asked
// again.
void gather_see_outcome(gather_t *self, const mm_result_t *result);
void gather_apply_recorded(gather_t *self, const mm_recorded_body_t *recorded);
void gather_apply_state(gather_t *self, const mm_state_body_t *state);
// The record has an order that this consumer may not know.
void gather_apply_beside(gather_t *self, bool is_halted);
// A publisher says which run it has, and how many hosts its groups have. False: this consumer has
// another run (G13).
bool gather_hear_run(gather_t *self, mm_str_t publisher, uint64_t run, const mm_group_t *groups,
                     size_t count);
// Breakers that have just tripped are logged and recorded.
void gather_say_trips(gather_t *self);
// So many are dead that the whole run has tripped (R14): the same, of a run that the record knows.
void gather_trip_run(gather_t *self, uint64_t dead);
// Whether a trip is to be recorded yet before this consumer leaves; not behind its drain limit.
bool gather_owes_trip(const gather_t *self);
// Sends the saver what it is to record or to tell, when that is due.
void gather_talk_to_saver(gather_t *self);
int64_t gather_orders_deadline(const gather_t *self);

// gather_dispatch.c: assigns the flight's restart, which is out by now.
void gather_give_restart(gather_t *self, worker_t *worker, flight_t *flight, mm_leg_t leg);

// Hands out what may start now.
void gather_dispatch(gather_t *self);

#endif
