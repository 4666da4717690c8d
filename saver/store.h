// The record of all jobs: tasks go in as a batch, answers come out later, a descriptor says when.
// A store is a table of functions; stores/stores.h has the registry, main.c opens one store, and
// saver.c drives it. Every store keeps these rules: one row per job, an outcome never changes (I4),
// a settle is answered only after its commit (I2), tasks count in order of arrival, and what is on
// record decides (R9). A store in a file refuses to open while another saver writes to it (69);
// several savers may serve one in PostgreSQL.
//
// When a connection breaks in mid-commit, nobody knows whether it was done. The store is not broken
// then, and answers nothing, since FAILED says "not on record": it keeps the batch, connects again
// and writes the whole batch once more, before any later one. Each task may be repeated.

#ifndef STORE_H
#define STORE_H

#include "audit_chain.h"
#include "frame.h"

typedef struct store store_t;

// The answers of a store are results with number, leg and id of the task, and with
//   status   OK, or FAILED: nothing of the task is on record
//   outcome  save: on record before it; settle: on record now
//   error    FAILED: why; a job that was on record as dead: why it is dead
//   real     what is on record of the job's attempts at a real restart before the task's own row;
//            NULL: it has none. The last one's row, attempt, command, machine, boot, control,
//            first_ms, deadline_ms, end, exit, words, health, owes; how many ended and how many
//            were interrupted; age_ms: since the first one began, by the saver's clock. Without one
//            that began there are no ids and no health, and first_ms and age_ms are 0. Not always
//            told to a settle without a row, nor to a save that comes with one. seq: of the job's
//            outcome in the audit, whoever has settled it; it alone may be all that is told.
//
// A task with a row puts that attempt on record, in the same commit. A row never goes back, ids and
// begin of one that has begun stay, and none begins for a job that has an outcome.
//
// The audit has a row for each begin of an attempt, for each outcome of a job with attempts or with
// a policy (real.run is not 0), and for each order, in the commit of what it tells (G12). A host of
// a run with a policy keeps its place from a begin to the end of that attempt, and as a casualty.

// What is asked of the state: what holds a run back, and what has become of its hosts.
typedef struct {
    uint64_t question; // the asker's number of it
    uint64_t run;      // 0: of none
    uint64_t from;     // 0: the first page, or the `next` of another
} store_question_t;

// A page of it.
typedef struct {
    store_question_t asked;
    const mm_entry_t *items; // the store's, until the next call with it
    size_t count;            // at most MM_BATCH_ITEMS, which fit into one frame
    uint64_t next;           // where the next page begins; 0: this was the last one
} store_page_t;

// The lease is a row beside the record: of several consumers the one leads that has it, and its
// epoch is the fence of every write (docs/architecture.md). An ask is a statement of its own, which
// waits for no batch, and is answered when its commit is known:
//   TAKE     nobody has it, or it has expired: a new epoch, the highest of the row's plus 1 and the
//            Unix time in seconds (at most 2^32 - 1), with this asker as holder: HELD. The asker
//            has it, unexpired, at an epoch above ask.epoch: it is extended, and that epoch told:
//            HELD
//   RENEW    the row has this asker and ask.epoch: it is extended, expired or not: HELD
//   RELEASE  the same: it expires now, and has no holder, so that no later RENEW finds it: FREE
//   LOOK     nothing changes
// Otherwise, and behind a LOOK, the row as it is: HELD by the asker, by an OTHER one, or FREE,
// since it has expired or has no holder. UNKNOWN: nobody knows whether the commit was done, or the
// database cannot be asked now. An ask that could not be sent within a second is dropped.
typedef struct {
    uint32_t from; // the caller's mark of who has asked, told with the answer
    mm_lease_ask_body_t ask;
} store_lease_ask_t;

typedef struct {
    uint32_t from;
    mm_lease_body_t answer; // asker, verb and stamp_ms as asked; verdict; epoch and left_ms of the
                            // row; is_halted and orders_seq, read in the same statement: whether a
                            // halt of all is in force, and the seq of the last order in the audit.
                            // The rest is the caller's
} store_lease_t;

// What each kind of store provides. Called through the functions below only.
typedef struct {
    bool (*close)(store_t *self);
    void (*put)(store_t *self, const mm_task_t *task);
    size_t (*pending)(const store_t *self);
    bool (*flush)(store_t *self);
    bool (*step)(store_t *self); // these two, NULL: a flush ends with its answers
    int (*descriptor)(const store_t *self);
    size_t (*answers)(store_t *self, const mm_result_t **ret_answers);
    bool (*check)(store_t *self); // NULL: there is nothing to look at
    bool (*order)(store_t *self, const mm_order_t *orders, size_t count);
    size_t (*recorded)(store_t *self, const mm_recorded_t **ret_recorded);
    void (*ask)(store_t *self, const store_question_t *question);
    bool (*page)(store_t *self, store_page_t *ret_page);
    const mm_audit_head_t *(*head)(const store_t *self); // these five, NULL: it has no audit
    void (*epoch)(store_t *self, uint64_t epoch);        // NULL: it has no fence
    void (*lease)(store_t *self, const store_lease_ask_t *ask);
    size_t (*leases)(store_t *self,
                     const store_lease_t **ret_answers); // both NULL: it has no lease
    const char *(*error)(const store_t *self);
    const char *(*trouble)(const store_t *self); // NULL: it has none that passes
} store_ops_t;

// The first member of each kind's own struct.
struct store {
    const store_ops_t *ops;
};

// Opens the store that `db` names, and creates it when it does not exist: "SCHEME://..." by the
// registry, anything else as the path of a SQLite file. Returns 0, or a sysexits code with one
// sentence, which tells no password, in error and *ret_self untouched: 75 a database that does not
// answer now, so that it may be tried again.
int store_open(const char *db, store_t **ret_self, char error[MM_ERROR_MAX]);

// Commits what was put, then closes. Answers not yet taken are lost. Sets *self_p to NULL; NULL is
// fine. False: that last commit failed; no task of it was answered, so the consumer asks again.
static inline bool store_close(store_t **self_p)
{
    store_t *self = *self_p;
    *self_p = NULL;
    return self == NULL || self->ops->close(self);
}

// Queues a save or settle task; copies what it needs.
static inline void store_put(store_t *self, const mm_task_t *task)
{
    self->ops->put(self, task);
}

// The number of tasks put since the last flush.
static inline size_t store_pending(const store_t *self)
{
    return self->ops->pending(self);
}

// Starts the commit of all that was put, in one transaction; a store without a descriptor also ends
// it here. A batch that meets a full or busy database is rolled back, each of its tasks is answered
// FAILED, and the store works on. False: the store is broken (a failed write or fsync), nothing was
// answered, and the process must exit with 74 and store_error.
static inline bool store_flush(store_t *self)
{
    return self->ops->flush(self);
}

// Goes on with the commits that were started. To be called when the descriptor is readable;
// harmless at any other time. False: the store is broken, as with store_flush.
static inline bool store_step(store_t *self)
{
    return !self->ops->step || self->ops->step(self);
}

// The answers that are ready, in order of arrival of their tasks. To be called after store_flush
// and store_step. The store owns the array and what it points to, which live until the next call
// with this store; each answer is given once.
static inline size_t store_answers(store_t *self, const mm_result_t **ret_answers)
{
    return self->ops->answers(self, ret_answers);
}

// A descriptor that is readable when store_step has something to do, the same until the store is
// closed: an epoll, if the store waits for more than one thing (to write, a pause, a connection
// that is replaced). -1: there is none, and each flush ends with its answers.
static inline int store_descriptor(const store_t *self)
{
    return self->ops->descriptor ? self->ops->descriptor(self) : -1;
}

// Looks whether the record is still there. False: it was removed or replaced, and the store is
// broken, as with store_flush, which looks by itself before it answers.
static inline bool store_check(store_t *self)
{
    return !self->ops->check || self->ops->check(self);
}

// Whether it records orders, and has a state to ask for.
static inline bool store_takes_orders(const store_t *self)
{
    return self->ops->order != NULL;
}

// Starts the commit of orders, behind all that was put before, which is to be flushed first; copies
// what it needs. False: the store is broken, as with store_flush.
static inline bool store_order(store_t *self, const mm_order_t *orders, size_t count)
{
    return self->ops->order(self, orders, count);
}

// The orders that have ended, in their order, by their ids: each is in force and in the audit now.
// One whose id was on record has changed nothing. With an error: it is not on record. To be called
// after store_order and store_step; owned as the answers of store_answers are.
static inline size_t store_recorded(store_t *self, const mm_recorded_t **ret_recorded)
{
    return self->ops->recorded ? self->ops->recorded(self, ret_recorded) : 0;
}

// Asks for a page of what is committed, behind all that was put before: what is in force, who keeps
// a place, and then the outcomes of the run and what was resumed, in the order of the audit. What
// changes between two pages may be in neither, but nothing else is left out. A former question that
// has no page yet is forgotten.
static inline void store_ask(store_t *self, const store_question_t *question)
{
    self->ops->ask(self, question);
}

// The page that was asked for, once. To be called after store_ask and store_step; owned as the
// answers are. False: not yet, or never: it cannot be read now, or the store is broken, which
// store_check says.
static inline bool store_page(store_t *self, store_page_t *ret_page)
{
    return self->ops->page && self->ops->page(self, ret_page);
}

// The last row of the audit that is committed; seq 0: there is none.
static inline mm_audit_head_t store_head(const store_t *self)
{
    return self->ops->head ? *self->ops->head(self) : (mm_audit_head_t){0};
}

// What is put, ordered or read from now on is for the consumer of this epoch: a store with a lease
// writes and reads nothing unless the row has that epoch, unexpired, in the same statement (A6).
// What was put before is to be committed first. A task that is fenced is answered FAILED, an order
// with an error, a page of state is not given.
static inline void store_epoch(store_t *self, uint64_t epoch)
{
    if (self->ops->epoch)
        self->ops->epoch(self, epoch);
}

// Whether consumers may ask it for a lease: it has a descriptor then.
static inline bool store_has_lease(const store_t *self)
{
    return self->ops->lease != NULL;
}

// Asks for the lease; copies what it needs (of the ask, the asker's name is not kept). Of a store
// that has one. The answer comes by store_leases, when the descriptor was readable.
static inline void store_lease(store_t *self, const store_lease_ask_t *ask)
{
    self->ops->lease(self, ask);
}

// The answers about the lease that are ready. To be called after store_step. The store owns the
// array, which lives until the next call with this store; each answer is given once.
static inline size_t store_leases(store_t *self, const store_lease_t **ret_answers)
{
    return self->ops->leases ? self->ops->leases(self, ret_answers) : 0;
}

// Why the last commit or check failed, as one sentence; empty after one that succeeded, never NULL.
static inline const char *store_error(const store_t *self)
{
    return self->ops->error(self);
}

// Why nothing is answered at present, although the store is not broken, as one sentence that tells
// no password; empty: it answers. Never NULL.
static inline const char *store_trouble(const store_t *self)
{
    return self->ops->trouble ? self->ops->trouble(self) : "";
}

#endif
