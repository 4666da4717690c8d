// What the functions of postgresql.sql have answered, read into what the store gives out. It knows
// no connection.

#ifndef PG_ANSWERS_H
#define PG_ANSWERS_H

#include <libpq-fe.h>

#include "answers.h"
#include "audit_chain.h"
#include "state_page.h"

// Whether the result of mayhem_write says that all is on record; else it is to be written task by
// task. Of a result with a row.
bool pg_answers_is_written(const PGresult *result);
// The row of mayhem_apply as the answer to its task; what it is made of is kept with the answers.
// now_ms: when it was asked, Unix time.
mm_result_t pg_answers_task(answers_t *self, const PGresult *result, int row, int64_t now_ms);
// The head of the audit, if the row of mayhem_apply or mayhem_order, whose `column` it begins in,
// tells it.
#define PG_APPLY_HEAD 23
#define PG_ORDER_HEAD 0
void pg_answers_head(const PGresult *result, int row, int column, mm_audit_head_t *head);
// The rows of mayhem_state as a page.
void pg_answers_page(const PGresult *result, state_page_t *page);
// The row of mayhem_lease: verdict, epoch, left_ms, is_halted and orders_seq of the answer.
void pg_answers_lease(const PGresult *result, mm_lease_body_t *answer);

#endif
