// What the store asks of the functions of postgresql.sql: each command with its parameters, made
// from a batch, from orders, or from a question. It knows no connection.

#ifndef PG_COMMANDS_H
#define PG_COMMANDS_H

#include "batch.h"
#include "pg_params.h"
#include "store.h"

// Their names, by which they are prepared.
#define PG_WRITE "mayhem_write"
#define PG_APPLY "mayhem_apply"
#define PG_ORDER "mayhem_order"
#define PG_STATE "mayhem_state"
// Name and SQL of each, and NULL behind the last one.
extern const char *const pg_commands[];
// The same of the lease, for a connection of its own.
extern const char *const pg_lease_commands[];

// For whom a command is sent, and when.
typedef struct {
    bool has_epoch; // the record has a lease: who does not lead writes nothing
    int64_t epoch;
    int64_t now_ms; // Unix time
} pg_call_t;

// Of a batch that is sorted. Without attempts and without a policy: a row for each job.
void pg_write(pg_params_t *params, pg_call_t call, const batch_t *batch);
// Of any batch: task by task.
void pg_apply(pg_params_t *params, pg_call_t call, const batch_t *batch);
// NULL, or what keeps an order from being recorded; those with a complaint are left out.
const char *pg_order_complaint(const mm_order_t *order);
void pg_order(pg_params_t *params, pg_call_t call, const mm_order_t *orders, size_t count);
void pg_state(pg_params_t *params, pg_call_t call, const store_question_t *question);

// Sets the parameters of an ask for the lease; returns the name of its command.
const char *pg_lease_command(pg_params_t *params, const mm_lease_ask_body_t *ask);

#endif
