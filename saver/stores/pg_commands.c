// See pg_commands.h. The parameters are in the order of those of the functions.

#include "pg_commands.h"

#include <assert.h>
#include <stdlib.h>

#include "audit_text.h"
#include "host_fold.h"
#include "state_page.h"

#define WRITTEN                                                                                    \
    "$3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[],"      \
    " $10::bigint[], $11::bigint[], $12::text[], $13::text[]"
#define TOLD                                                                                       \
    "$14::text[], $15::text[], $16::bigint[], $17::text[], $18::text[], $19::boolean[],"           \
    " $20::text[], $21::bigint[], $22::text[], $23::boolean[], $24::text[], $25::text[],"          \
    " $26::text[], $27::text[], $28::bigint[], $29::text[], $30::text[], $31::bigint[],"           \
    " $32::bigint[], $33::bigint[], $34::text[], $35::boolean[], $36::text[]"

const char *const pg_commands[] = {
    PG_WRITE,
    "SELECT * FROM mayhem_write($1::bigint, $2::bigint, " WRITTEN ")",
    PG_APPLY,
    "SELECT * FROM mayhem_apply($1::bigint, $2::bigint, " WRITTEN ", " TOLD ")",
    PG_ORDER,
    "SELECT * FROM mayhem_order($1::bigint, $2::bigint, $3::uuid[], $4::text[], $5::text[],"
    " $6::text[], $7::boolean[], $8::bigint[], $9::bigint[], $10::text[], $11::text[])",
    PG_STATE,
    "SELECT * FROM mayhem_state($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint,"
    " $6::bigint, $7::bigint)",
    NULL};

#define LEASE(VERB) "SELECT * FROM mayhem_lease('" VERB "', $1::bigint, $2::bigint, $3::bigint)"

const char *const pg_lease_commands[] = {"mayhem_take",  LEASE("take"),    "mayhem_renew",
                                         LEASE("renew"), "mayhem_release", LEASE("release"),
                                         "mayhem_look",  LEASE("look"),    NULL};

static void begin(pg_params_t *params, pg_call_t call)
{
    pg_params_empty(params);
    pg_params_number(params, call.has_epoch, call.epoch);
    pg_params_number(params, true, call.now_ms);
}

// ---- jobs

// What becomes a row of a job: a task, and what the batch has merged into it.
typedef struct {
    const mm_task_t *task;
    uint32_t deliveries;
    int64_t received_ms;
} line_t;

typedef struct {
    const line_t *lines;
    size_t count;
} lines_t;

// For each line, with `task` and `real` (NULL: it has none), by a statement that puts an item.
#define EACH(TYPE, PUT)                                                                            \
    do {                                                                                           \
        pg_params_array(params, TYPE, lines->count);                                               \
        for (const line_t *line = lines->lines; line < lines->lines + lines->count; line++) {      \
            const mm_task_t *task = line->task;                                                    \
            const mm_real_t *real = task->real;                                                    \
            (void)task, (void)real;                                                                \
            PUT;                                                                                   \
        }                                                                                          \
    } while (0)
#define TEXTS(VALUE)         EACH(PG_TEXT, pg_params_put_text(params, VALUE))
#define TEXTS_OR_NULL(VALUE) EACH(PG_TEXT, pg_params_put_text_or_null(params, VALUE))
#define NUMBERS(VALUE)       EACH(PG_INT8, pg_params_put_number(params, (int64_t)(VALUE)))
#define BOOLS(VALUE)         EACH(PG_BOOL, pg_params_put_bool(params, VALUE))

static bool is_settle(const mm_task_t *task)
{
    return task->leg == MM_LEG_SETTLE;
}

static mm_str_t if_settle(const mm_task_t *task, mm_str_t text)
{
    return is_settle(task) ? text : (mm_str_t){0};
}

static void put_jobs(pg_params_t *params, const lines_t *lines)
{
    EACH(PG_UUID, pg_params_put_id(params, &task->id));
    TEXTS(task->host);
    TEXTS(mm_host_label(task->host));
    TEXTS(task->publisher);
    NUMBERS(line->received_ms);
    NUMBERS(line->deliveries);
    TEXTS_OR_NULL(if_settle(task, mm_str(mm_outcome_name(task->outcome))));
    NUMBERS(is_settle(task) ? task->attempts : 0);
    NUMBERS(is_settle(task) ? task->extended : 0);
    TEXTS_OR_NULL(if_settle(task, task->worker));
    TEXTS_OR_NULL(if_settle(task, task->error));
}

static int compare_lines(const void *a, const void *b)
{
    return mm_id_compare(&((const line_t *)a)->task->id, &((const line_t *)b)->task->id);
}

// Sorted by id: savers side by side lock rows in one order.
void pg_write(pg_params_t *params, pg_call_t call, const batch_t *batch)
{
    line_t *lines = calloc(batch->row_count, sizeof *lines);
    assert(lines != NULL);
    for (size_t i = 0; i < batch->row_count; i++) {
        const batch_row_t *row = &batch->rows[i];
        lines[i] = (line_t){batch_row_task(row), row->deliveries, row->received_ms};
    }
    qsort(lines, batch->row_count, sizeof *lines, compare_lines);
    begin(params, call);
    put_jobs(params, &(lines_t){lines, batch->row_count});
    pg_params_end(params);
    free(lines);
}

// ---- attempts

static bool has_row(const mm_real_t *real)
{
    return real != NULL && real->row != MM_ROW_NONE;
}

static bool has_begun(const mm_real_t *real)
{
    return has_row(real) && (real->row == MM_ROW_BEGUN || real->row == MM_ROW_OPEN ||
                             (real->row == MM_ROW_ENDED && real->command > 0));
}

// "": the task does not say it.
static void put_proof(pg_params_t *params, const mm_real_t *real)
{
    if (real == NULL || (real->row == MM_ROW_NONE && real->proof == MM_PROOF_NONE))
        pg_params_put_text(params, (mm_str_t){0});
    else if (real->proof == MM_PROOF_NONE)
        pg_params_put_null(params);
    else
        pg_params_put_text(params, mm_str(mm_proof_name(real->proof)));
}

static void put_host(pg_params_t *params, mm_str_t host)
{
    char folded[MM_HOST_MAX];
    pg_params_put_text(params, mm_host_fold(host, folded));
}

static void put_ids(pg_params_t *params, const mm_real_t *real)
{
    char ids[AUDIT_IDS_BYTES];
    pg_params_put_text(params, audit_ids(real, ids));
}

static void put_machine(pg_params_t *params, const mm_real_t *real)
{
    char text[MM_HEX_TEXT];
    bool is_known = real != NULL && !mm_id_is_none(&real->machine);
    pg_params_put_text_or_null(params, mm_str(is_known ? mm_hex_print(&real->machine, text) : ""));
}

static void put_uuid(pg_params_t *params, const mm_id_t *id)
{
    char text[MM_UUID_TEXT];
    bool is_known = id != NULL && !mm_id_is_none(id);
    pg_params_put_text_or_null(params, mm_str(is_known ? mm_uuid_print(id, text) : ""));
}

static void put_exit(pg_params_t *params, const mm_real_t *real)
{
    if (real != NULL && real->end != MM_END_NONE && real->exit != MM_EXIT_NONE)
        pg_params_put_number(params, real->exit);
    else
        pg_params_put_null(params);
}

static mm_str_t end_name(const mm_real_t *real)
{
    return mm_str(real != NULL && real->end != MM_END_NONE ? mm_end_name(real->end) : "");
}

#define OF_REAL(MEMBER) (real ? real->MEMBER : 0)
#define TEXT_OF(MEMBER) (real ? real->MEMBER : (mm_str_t){0})

static void put_told(pg_params_t *params, const lines_t *lines)
{
    EACH(PG_TEXT, put_host(params, task->host));
    EACH(PG_TEXT, put_proof(params, real));
    NUMBERS(OF_REAL(run));
    TEXTS(audit_groups(real));
    EACH(PG_TEXT, put_ids(params, real));
    BOOLS(OF_REAL(is_casualty));
    TEXTS_OR_NULL(mm_str(has_row(real) ? mm_row_name(real->row) : ""));
    NUMBERS(OF_REAL(attempt));
    TEXTS_OR_NULL(TEXT_OF(worker));
    BOOLS(has_begun(real));
    EACH(PG_TEXT, put_machine(params, real));
    EACH(PG_TEXT, put_uuid(params, real ? &real->boot : NULL));
    EACH(PG_TEXT, put_uuid(params, real ? &real->boot_after : NULL));
    EACH(PG_TEXT, put_uuid(params, real ? &real->control : NULL));
    EACH(PG_INT8, put_exit(params, real));
    TEXTS_OR_NULL(end_name(real));
    TEXTS_OR_NULL(TEXT_OF(words));
    NUMBERS(OF_REAL(command));
    NUMBERS(OF_REAL(first_ms));
    NUMBERS(OF_REAL(deadline_ms));
    TEXTS_OR_NULL(TEXT_OF(health));
    BOOLS(OF_REAL(owes));
    TEXTS_OR_NULL(OF_REAL(owes) ? TEXT_OF(attributes) : (mm_str_t){0});
}

void pg_apply(pg_params_t *params, pg_call_t call, const batch_t *batch)
{
    line_t *each = calloc(batch->item_count, sizeof *each);
    assert(each != NULL);
    for (size_t i = 0; i < batch->item_count; i++) {
        const mm_task_t *task = &batch->items[i].task;
        each[i] = (line_t){task, task->deliveries, task->received_ms};
    }
    begin(params, call);
    put_jobs(params, &(lines_t){each, batch->item_count});
    put_told(params, &(lines_t){each, batch->item_count});
    pg_params_end(params);
    free(each);
}

// ---- orders, and the state

const char *pg_order_complaint(const mm_order_t *order)
{
    bool is_bad = mm_action_is_of_host(order->action) && mm_host_complaint(order->name);
    return is_bad ? "it names no host" : NULL;
}

static void put_folded(pg_params_t *params, const mm_order_t *order)
{
    if (mm_action_is_of_host(order->action))
        put_host(params, order->name);
    else
        pg_params_put_null(params);
}

void pg_order(pg_params_t *params, pg_call_t call, const mm_order_t *orders, size_t count)
{
    size_t good = 0;
    for (size_t i = 0; i < count; i++)
        good += pg_order_complaint(&orders[i]) == NULL;
#define ORDERS(TYPE, PUT)                                                                          \
    do {                                                                                           \
        pg_params_array(params, TYPE, good);                                                       \
        for (const mm_order_t *order = orders; order < orders + count; order++)                    \
            if (pg_order_complaint(order) == NULL)                                                 \
                PUT;                                                                               \
    } while (0)
    begin(params, call);
    ORDERS(PG_UUID, pg_params_put_id(params, &order->id));
    ORDERS(PG_TEXT, pg_params_put_text(params, mm_str(mm_action_name(order->action))));
    ORDERS(PG_TEXT, pg_params_put_text(params, order->name));
    ORDERS(PG_TEXT, put_folded(params, order));
    ORDERS(PG_BOOL, pg_params_put_bool(params, mm_action_is_of_host(order->action)));
    ORDERS(PG_INT8, pg_params_put_number(params, (int64_t)order->run));
    ORDERS(PG_INT8, pg_params_put_number(params, order->until_ms));
    ORDERS(PG_TEXT, pg_params_put_text(params, order->why));
    ORDERS(PG_TEXT, pg_params_put_text(params, order->actor));
#undef ORDERS
    pg_params_end(params);
}

void pg_state(pg_params_t *params, pg_call_t call, const store_question_t *question)
{
    begin(params, call);
    pg_params_number(params, true, (int64_t)question->run);
    for (state_part_t part = STATE_HOLDS; part <= STATE_OUTCOMES; part++) {
        uint64_t behind = state_page_row(question->from, part);
        bool is_none = behind == UINT64_MAX || (part == STATE_OUTCOMES && question->run == 0);
        pg_params_number(params, !is_none, (int64_t)behind);
    }
    pg_params_number(params, true, MM_BATCH_ITEMS + 1);
    pg_params_end(params);
}

// ---- the lease

const char *pg_lease_command(pg_params_t *params, const mm_lease_ask_body_t *ask)
{
    pg_params_empty(params);
    pg_params_number(params, true, (int64_t)ask->asker);
    pg_params_number(params, true, (int64_t)ask->epoch);
    pg_params_number(params, true, ask->ttl_ms);
    pg_params_end(params);
    switch (ask->verb) {
    case MM_LEASE_TAKE: return "mayhem_take";
    case MM_LEASE_RENEW: return "mayhem_renew";
    case MM_LEASE_RELEASE: return "mayhem_release";
    case MM_LEASE_LOOK: break;
    }
    return "mayhem_look";
}
