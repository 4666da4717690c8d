// The attempts at a real restart of the jobs in flight, apart from the flights: the mock's jobs
// have none. An attempt is the row that the record has, or is to have, of the job's last one, and
// what the consumer must remember beside it. Pure data; the rules (H1 to H10) are in
// gather_attempts.c and the files beside it.

#ifndef ATTEMPTS_H
#define ATTEMPTS_H

#include "frame.h"
#include "pool.h"
#include "table.h"

typedef struct {
    mm_id_t job;
    // The row.
    mm_attempt_row_t row; // none: no attempt is on record
    uint32_t number;      // of the attempt; 0: none
    uint32_t command;     // of the driver's list, begun last; 0: none
    mm_id_t machine;      // before the restart, as `boot`; zeros: unknown
    mm_id_t boot;
    mm_id_t boot_after; // zeros: unknown
    int64_t first_ms;   // when the job's first attempt began (H2), CLOCK_BOOTTIME; 0: none has
    int64_t deadline_ms;
    mm_end_t end;
    uint32_t exit;
    mm_proof_t proof;
    const char *worker;             // that it was given to, or that told its end; interned, or NULL
    char *words;                    // owned, or NULL
    char health[MM_HEALTH_MAX + 1]; // of the host before the restart, as the probe was told
    bool owes;                      // what is to be done after the restart
    // Beside it.
    struct class *class;  // of its host (group_limits.h)
    int64_t begun_ms;     // when the command was begun last (H1)
    int64_t given_ms;     // of a row that was read: its command was given by then
    uint32_t interrupted; // attempts without an end, on record
    uint64_t task;        // of the last command; 0: none in this epoch
    const char *former;   // by the record, who was given it before this epoch (R18); or NULL
    uint64_t version;     // of the row, and the versions that the last save had, and that is on
    uint64_t sent;        // record
    uint64_t saved;
    struct {                // of another task, kept while one is out (H7)
        const char *worker; // interned; NULL: there was none
        mm_proof_t proof;
        mm_id_t boot;
        bool owes;
        bool is_claimed; // of an earlier epoch, as its worker says: the record tells (R18)
    } success;
    bool owed;       // it owed before it began
    bool is_asked;   // whether there is anything to do
    bool is_skipped; // there is not
    bool is_held;    // the last task was returned, since somebody else has the host
    bool is_known;   // the record was asked
    bool is_looking; // the task that is out sends no command
    bool is_unseen;  // the command before this one was sent, and nobody has answered since
} attempt_t;

// Zeroed: empty.
typedef struct {
    mm_table_t table; // by job
    mm_pool_t pool;
} attempts_t;

// A new one, of which nothing is known; the job has none here yet.
attempt_t *attempts_add(attempts_t *self, const mm_id_t *job);
// The one of a job that has one here; valid until it is removed.
attempt_t *attempts_get(const attempts_t *self, const mm_id_t *job);
void attempts_remove(attempts_t *self, const mm_id_t *job);
void attempts_clear(attempts_t *self);

// A copy is kept; empty clears them.
void attempt_set_words(attempt_t *self, mm_str_t words);
void attempt_set_health(attempt_t *self, mm_str_t health);
// Whether its row is on record as it is.
bool attempt_is_saved(const attempt_t *self);
void attempt_set_row(attempt_t *self, mm_attempt_row_t row);
// Its command was not sent, says the task that had it. A host that nobody had reached, and that
// answers by now, gets none any more (H3): it is looked at, as if it had been sent.
void attempt_set_unsent(attempt_t *self);
// Nothing was done for the command that has begun: it is begun anew, and made no debt.
void attempt_take_back(attempt_t *self);
// The host was read in this boot; zeros: nobody has answered.
void attempt_see(attempt_t *self, const mm_id_t *boot);
// Of a host that nobody had reached before the restart: it has answered since.
bool attempt_has_answer(const attempt_t *self);
// What a result says of its end.
void attempt_set_end(attempt_t *self, const char *worker, const mm_result_t *result);
// The number that is begun next. One that was begun, or a probe instead of one, has its number for
// good.
uint32_t attempt_next_number(const attempt_t *self);

#endif
