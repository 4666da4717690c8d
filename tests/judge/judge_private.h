// What the parts of the judge share.

#ifndef JUDGE_PRIVATE_H
#define JUDGE_PRIVATE_H

#include "judge.h"

#define RAMP_MAX       64
#define BREAKERS_MAX   16
#define LAST_MAX       4096 // outcomes that a breaker looks back at
#define GROUPS_MAX     64   // of a host, with the whole run
#define GUARD_MS       10000
#define OBJECTIONS_MAX 32
#define WHOLE_RUN      0U // the group of all hosts
#define NOT_RECORDED   SIZE_MAX
#define NOBODY         SIZE_MAX
#define NO_GROUP       UINT32_MAX

typedef enum {
    END_NONE,
    END_RESTARTED,
    END_SKIPPED,
    END_DEAD,
    END_WITHDRAWN,
    END_FAILED // of an attempt
} end_t;

typedef struct {
    uint32_t value;
    bool is_set;
    bool is_percent;
} amount_t;

typedef struct {
    uint32_t failures;
    uint32_t of_last;
} breaker_t;

typedef struct {
    int64_t opens_ms;
    int64_t closes_ms;
} opening_t;

typedef struct {
    char name[JUDGE_NAME_MAX + 1];
    uint32_t hosts;
    amount_t cap;
    amount_t max_unavailable;
    amount_t ramp[RAMP_MAX];
    size_t ramp_count;
    int64_t bake_ms;
    breaker_t breakers[BREAKERS_MAX];
    size_t breaker_count;
    bool has_window;
    opening_t *openings;
    size_t opening_count;
    int64_t last_start_ms;
    // what has happened
    uint32_t places;        // hosts that have one
    uint32_t unavailable;   // and casualties
    uint32_t in_step;       // started, and neither proven nor back
    size_t step;            // of the ramp, from 0
    uint32_t proven;        // in this step
    bool is_baking;         // the step has all its proofs
    int64_t baking_ms;      // since then
    bool is_dead[LAST_MAX]; // the last outcomes, by their number
    size_t outcomes;        // since the last resume
    bool is_due;            // it should have tripped
    bool is_tripped;
    int64_t held_ms; // one of them, since then
} group_t;

typedef struct {
    char name[JUDGE_NAME_MAX + 1];
    uint32_t groups[GROUPS_MAX]; // the first one is the whole run
    size_t group_count;
    size_t next; // of the same hash
    bool is_in_progress;
    bool is_open;
    bool is_in_step;
    bool is_proven;
    bool has_outcome;
    bool is_casualty;
    bool is_denied;
    int64_t denied_ms;
    int64_t until_ms;
    int64_t start_ms; // the last one
} host_t;

// What takes effect when it happens, and again for each consumer that reads it from the record.
typedef enum {
    FACT_END,
    FACT_HALT,
    FACT_RESUME,
    FACT_TRIP,
    FACT_DENY,
    FACT_ABSOLVE,
    FACT_NEW_RUN
} fact_kind_t;

typedef struct {
    fact_kind_t kind;
    int64_t at_ms;
    uint32_t group;
    size_t host; // NOBODY: none
    end_t end;
    bool is_casualty;
    bool is_absolved; // since
    bool is_up;
    int64_t until_ms;
    bool is_known;   // of what is on record: it was in force before that, or since
    size_t recorded; // of what is in force: where it is on record
} fact_t;

typedef struct {
    fact_t *items;
    size_t count;
    size_t size;
} facts_t;

struct judge {
    uint64_t line;
    uint64_t starts;
    int64_t now_ms;
    char error[256];
    group_t *groups;
    size_t group_count, group_size;
    host_t *hosts;
    size_t host_count, host_size;
    size_t *buckets; // of hosts; a power of two
    size_t bucket_count;
    int64_t *start_ms; // each start that was not given back
    size_t start_count, start_size;
    facts_t record; // all that is on it, in order
    size_t known;   // the first ones, which were read from it
    facts_t heard;  // in force since this consumer began
    judgement_t *found;
    size_t found_count, found_size;
    uint32_t rate;
    int64_t rate_ms;
    int64_t permit_ms;
    int64_t before_ms;
    int64_t late_ms;
    bool is_late; // the event of a host may be written so long behind its admission
    bool has_guard;
    bool has_state;
    bool is_halted;
    int64_t halted_ms;
    bool has_yes; // of the guard
    int64_t guard_ms;
};

// Why a host may not start, or send a command.
typedef struct {
    struct {
        judge_rule_t rule;
        uint32_t group; // NO_GROUP: none
        char words[128];
    } items[OBJECTIONS_MAX];
    size_t count;
} objections_t;

// ---- judge.c
bool judge_fail(judge_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Room for one more item: the array's new place.
void *judge_grow(void *items, size_t count, size_t *size, size_t item_size);
size_t judge_find_host(const judge_t *self, const char *name);    // NOBODY: none
uint32_t judge_find_group(const judge_t *self, const char *name); // NO_GROUP: none

// ---- judge_run.c
void judge_start(judge_t *self, host_t *host);
// A command, or a task with one.
void judge_command(judge_t *self, host_t *host, int64_t tolerance_ms);
void judge_give_back(judge_t *self, host_t *host);
void judge_leave(judge_t *self, host_t *host);
void judge_open(judge_t *self, host_t *host);
void judge_expire(judge_t *self, host_t *host);
// It has neither a place nor part in a step.
void judge_leave_all(judge_t *self, host_t *host);
void judge_set_casualty(judge_t *self, host_t *host, bool is_casualty);
void judge_waiting(judge_t *self);
// The place that the host has left without an outcome was free before that was written: what was
// found meanwhile was none. It is that of one other host in each group.
void judge_excuse_place(judge_t *self, const host_t *host);
void judge_find(judge_t *self, judge_rule_t rule, const host_t *host, uint32_t group,
                const char *words);

// ---- judge_facts.c
// It takes effect, or is on record.
void judge_take_fact(judge_t *self, const fact_t *fact);
// The same, and it is the last one of this kind on record.
void judge_take_known(judge_t *self, const fact_t *fact);
void judge_record_fact(judge_t *self, const fact_t *fact);
void judge_lapse_fact(judge_t *self, const fact_t *fact);
// A new consumer begins; and it has what the record says, the first facts of it.
void judge_begin_epoch(judge_t *self);
void judge_take_state(judge_t *self, size_t known);

// ---- judge_policy.c
// The words behind `limit` and `host`, which strtok_r has begun.
bool judge_read_limit(judge_t *self, char **rest);
bool judge_read_host(judge_t *self, char **rest);
bool judge_read_number(const char *text, int64_t *ret_number);

// ---- judge_limits.c
uint32_t judge_amount(const group_t *group, const amount_t *amount);
// What speaks against a start, and what against a command, or a task with one, of a host that has
// begun. tolerance_ms: for how long it may follow what holds it back.
void judge_weigh_start(judge_t *self, const host_t *host, objections_t *ret_objections);
// What holds back one that waits.
void judge_weigh_waiting(judge_t *self, const host_t *host, objections_t *ret_objections);
void judge_weigh_command(const judge_t *self, const host_t *host, int64_t tolerance_ms,
                         objections_t *ret_objections);
// An end is counted: ramps and breakers.
void judge_count_end(judge_t *self, host_t *host, end_t end, bool is_casualty);

#endif
