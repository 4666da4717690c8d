// The store in a database of PostgreSQL. What it decides there is in postgresql.sql; here requests
// are sent, one at a time, and answered. The fate of one that is not known stays open: it is sent
// again on the next connection, before any later one, and answers nothing meanwhile. What the
// database has refused is on record nowhere, and is answered as failed. The lease has a connection
// of its own.

#include "stores.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "crash.h"
#include "pg_answers.h"
#include "pg_commands.h"
#include "pg_lease.h"
#include "pg_link.h"
#include "pg_queue.h"
#include "pg_record.h"
#include "span.h"

#define NAME        "mayhem-saver" // by which the database knows its sessions
#define DEADLINE_MS 10000          // of a command
#define CLOSE_MS    3000           // for what is still to be committed
#define FENCED      "another consumer leads"

typedef struct {
    store_t base;
    int epoll; // of both connections
    mm_pg_link_t *link;
    pg_lease_t *lease;
    bool is_fenced; // it serves a consumer: every request names the epoch of that
    pg_queue_t queue;
    pg_request_t *sent; // under way: the queue's first; NULL: none
    bool is_applied;    // it goes task by task
    int64_t sent_ms;    // Unix time
    pg_params_t params;
    mm_audit_head_t head;

    answers_t answers;
    mm_recorded_t *recorded;
    size_t recorded_count;
    size_t recorded_capacity;
    char order_error[MM_ERROR_MAX]; // of those that were not recorded
    state_page_t page;
    store_question_t asked; // of the page
    bool has_page;
    char error[MM_ERROR_MAX];
} postgresql_t;

static postgresql_t *postgresql_of(store_t *base)
{
    return (postgresql_t *)(void *)base;
}

// ---- sending

// Plain saves and settles are written at once, unless one of them was left.
static bool is_plain(const pg_request_t *request)
{
    for (size_t i = 0; i < request->batch.row_count; i++)
        if (request->batch.rows[i].has_attempts)
            return false;
    return !request->is_left;
}

// Sets the parameters of a request. Returns the name of the command; NULL: there is none to send.
static const char *prepare(postgresql_t *self, const pg_request_t *request)
{
    pg_call_t call = {
        .has_epoch = self->is_fenced, .epoch = (int64_t)request->epoch, .now_ms = self->sent_ms};
    size_t good = 0;
    switch (request->kind) {
    case PG_REQUEST_TASKS:
        self->is_applied = !is_plain(request);
        (self->is_applied ? pg_apply : pg_write)(&self->params, call, &request->batch);
        return self->is_applied ? PG_APPLY : PG_WRITE;
    case PG_REQUEST_ORDERS:
        for (size_t i = 0; i < request->order_count; i++)
            good += pg_order_complaint(&request->orders[i]) == NULL;
        pg_order(&self->params, call, request->orders, request->order_count);
        return good > 0 ? PG_ORDER : NULL;
    case PG_REQUEST_QUESTION: pg_state(&self->params, call, &request->question); return PG_STATE;
    }
    return NULL;
}

static void record_orders(postgresql_t *self, const pg_request_t *request, const char *error);

// Sends the next request, if there is one and the database is there.
static void send_next(postgresql_t *self)
{
    pg_request_t *request = NULL;
    const char *command = NULL;
    while (self->sent == NULL && mm_pg_is_ready(self->link) && command == NULL &&
           (request = pg_queue_begin(&self->queue)) != NULL) {
        MM_SPAN("send request");
        self->sent_ms = mm_clock_wall_ms();
        command = prepare(self, request);
        if (command == NULL) {
            record_orders(self, request, NULL);
            pg_queue_remove(&self->queue);
            continue;
        }
        MM_CRASH_POINT("store: before commit");
        mm_pg_send(self->link, command, self->params.count, self->params.values,
                   self->params.sizes);
        self->sent = request;
    }
}

// ---- answers

static void fail_tasks(postgresql_t *self, const batch_t *batch, const char *error)
{
    mm_str_t kept = mm_str(answers_keep_text(&self->answers, mm_str(error)));
    for (size_t i = 0; i < batch->item_count; i++)
        (void)answers_add(&self->answers, &batch->items[i].task,
                          &(mm_result_t){.status = MM_STATUS_FAILED, .error = kept});
}

// Each row is what its job has on record now; before, there was no outcome.
static void answer_written(postgresql_t *self, const batch_t *batch)
{
    for (size_t i = 0; i < batch->item_count; i++) {
        const batch_item_t *item = &batch->items[i];
        const batch_item_t *settle = item->row->settle;
        bool is_early = settle == NULL || item < settle;
        mm_outcome_t outcome = is_early ? MM_OUTCOME_NONE : settle->task.outcome;
        mm_result_t answer = {.outcome = outcome};
        bool is_told = !is_early && item != settle &&
                       (outcome == MM_OUTCOME_DEAD || outcome == MM_OUTCOME_WITHDRAWN);
        if (is_told)
            answer.error = mm_str(answers_keep_text(&self->answers, settle->task.error));
        (void)answers_add(&self->answers, &item->task, &answer);
    }
}

static void answer_applied(postgresql_t *self, const batch_t *batch, const PGresult *result)
{
    for (size_t i = 0; i < batch->item_count; i++) {
        mm_result_t answer = pg_answers_task(&self->answers, result, (int)i, self->sent_ms);
        (void)answers_add(&self->answers, &batch->items[i].task, &answer);
    }
    pg_answers_head(result, (int)batch->item_count - 1, PG_APPLY_HEAD, &self->head);
}

// error: of all that have no complaint of their own; NULL: they are on record.
static void record_orders(postgresql_t *self, const pg_request_t *request, const char *error)
{
    if (error != NULL)
        (void)snprintf(self->order_error, sizeof self->order_error, "%s", error);
    for (size_t i = 0; i < request->order_count; i++) {
        const char *complaint = pg_order_complaint(&request->orders[i]);
        if (complaint == NULL && error != NULL)
            complaint = self->order_error;
        *MM_ARRAY_ADD(self->recorded, self->recorded_count, self->recorded_capacity) =
            (mm_recorded_t){request->orders[i].id, mm_str(complaint)};
    }
}

// Nothing of it is on record.
static void fail(postgresql_t *self, const pg_request_t *request, const char *error)
{
    (void)snprintf(self->error, sizeof self->error, "%s", error);
    switch (request->kind) {
    case PG_REQUEST_TASKS: fail_tasks(self, &request->batch, error); break;
    case PG_REQUEST_ORDERS: record_orders(self, request, error); break;
    case PG_REQUEST_QUESTION: break; // it is asked again
    }
}

// What has completed. False: it is to be sent again, in another way.
static bool complete(postgresql_t *self, pg_request_t *request, const PGresult *result)
{
    *self->error = '\0';
    if (PQntuples(result) == 0) {
        fail(self, request, FENCED);
        return true;
    }
    switch (request->kind) {
    case PG_REQUEST_TASKS:
        if (self->is_applied) {
            assert((size_t)PQntuples(result) == request->batch.item_count);
            answer_applied(self, &request->batch, result);
        } else if (pg_answers_is_written(result)) {
            answer_written(self, &request->batch);
        } else {
            request->is_left = true;
            return false;
        }
        break;
    case PG_REQUEST_ORDERS:
        pg_answers_head(result, 0, PG_ORDER_HEAD, &self->head);
        record_orders(self, request, NULL);
        break;
    case PG_REQUEST_QUESTION:
        pg_answers_page(result, &self->page);
        self->asked = request->question;
        self->has_page = !request->is_forgotten;
        break;
    }
    return true;
}

// Whether the same may work at once: others were in its way (40001, 40P01).
static bool is_in_the_way(const mm_pg_answer_t *answer)
{
    return strcmp(answer->sqlstate, "40001") == 0 || strcmp(answer->sqlstate, "40P01") == 0;
}

static void end_request(postgresql_t *self, const mm_pg_answer_t *answer)
{
    MM_SPAN("end request");
    pg_request_t *request = self->sent;
    bool has_ended = false;
    self->sent = NULL;
    MM_CRASH_POINT("store: committed, not answered");
    switch (answer->outcome) {
    case MM_PG_DONE: has_ended = complete(self, request, answer->result); break;
    case MM_PG_FAILED:
        has_ended = !is_in_the_way(answer);
        if (has_ended)
            fail(self, request, answer->error);
        break;
    case MM_PG_UNKNOWN: break;
    }
    if (has_ended)
        pg_queue_remove(&self->queue);
}

// ---- the table of functions

static void postgresql_put(store_t *base, const mm_task_t *task)
{
    postgresql_t *self = postgresql_of(base);
    assert(task->leg == MM_LEG_SAVE || task->leg == MM_LEG_SETTLE);
    assert(task->leg == MM_LEG_SAVE || task->outcome != MM_OUTCOME_NONE);
    MM_SPAN_COUNTED("keep task");
    answers_drop_taken(&self->answers);
    pg_queue_put(&self->queue, task);
}

static size_t postgresql_pending(const store_t *base)
{
    return ((const postgresql_t *)(const void *)base)->queue.pending;
}

static bool postgresql_flush(store_t *base)
{
    postgresql_t *self = postgresql_of(base);
    answers_drop_taken(&self->answers);
    pg_queue_flush(&self->queue);
    send_next(self);
    return true;
}

static bool postgresql_step(store_t *base)
{
    postgresql_t *self = postgresql_of(base);
    mm_pg_answer_t answer;
    answers_drop_taken(&self->answers);
    while (mm_pg_step(self->link, &answer)) {
        end_request(self, &answer);
        send_next(self);
    }
    send_next(self);
    pg_lease_step(self->lease);
    return true;
}

static int postgresql_descriptor(const store_t *base)
{
    return ((const postgresql_t *)(const void *)base)->epoll;
}

static size_t postgresql_answers(store_t *base, const mm_result_t **ret_answers)
{
    return answers_take(&postgresql_of(base)->answers, ret_answers);
}

static bool postgresql_order(store_t *base, const mm_order_t *orders, size_t count)
{
    postgresql_t *self = postgresql_of(base);
    answers_drop_taken(&self->answers);
    pg_queue_put_orders(&self->queue, orders, count);
    send_next(self);
    return true;
}

static size_t postgresql_recorded(store_t *base, const mm_recorded_t **ret_recorded)
{
    postgresql_t *self = postgresql_of(base);
    size_t count = self->recorded_count;
    answers_drop_taken(&self->answers);
    self->recorded_count = 0;
    *ret_recorded = self->recorded;
    return count;
}

static void postgresql_ask(store_t *base, const store_question_t *question)
{
    postgresql_t *self = postgresql_of(base);
    answers_drop_taken(&self->answers);
    self->has_page = false;
    pg_queue_put_question(&self->queue, question);
    send_next(self);
}

static bool postgresql_page(store_t *base, store_page_t *ret_page)
{
    postgresql_t *self = postgresql_of(base);
    bool has_page = self->has_page;
    answers_drop_taken(&self->answers);
    self->has_page = false;
    *ret_page = (store_page_t){.asked = self->asked,
                               .items = self->page.items,
                               .count = self->page.count,
                               .next = state_page_next(&self->page)};
    return has_page;
}

static const mm_audit_head_t *postgresql_head(const store_t *base)
{
    return &((const postgresql_t *)(const void *)base)->head;
}

static void postgresql_epoch(store_t *base, uint64_t epoch)
{
    postgresql_t *self = postgresql_of(base);
    self->is_fenced = true;
    self->queue.epoch = epoch;
}

static void postgresql_lease(store_t *base, const store_lease_ask_t *ask)
{
    pg_lease_ask(postgresql_of(base)->lease, ask);
}

static size_t postgresql_leases(store_t *base, const store_lease_t **ret_answers)
{
    return pg_lease_answers(postgresql_of(base)->lease, ret_answers);
}

static const char *postgresql_error(const store_t *base)
{
    return ((const postgresql_t *)(const void *)base)->error;
}

static const char *postgresql_trouble(const store_t *base)
{
    const postgresql_t *self = (const postgresql_t *)(const void *)base;
    const char *trouble = mm_pg_trouble(self->link);
    return *trouble != '\0' ? trouble : pg_lease_trouble(self->lease);
}

// ---- opening and closing

// Waits for the end of what is under way, and of all behind it. False: it takes too long.
static bool wait_for_all(postgresql_t *self)
{
    int64_t ends_ms = mm_clock_ms() + CLOSE_MS, left_ms;
    while (self->queue.first != NULL && (left_ms = ends_ms - mm_clock_ms()) > 0) {
        struct pollfd readable = {.fd = self->epoll, .events = POLLIN};
        (void)poll(&readable, 1, (int)left_ms);
        (void)postgresql_step(&self->base);
    }
    return self->queue.first == NULL;
}

static bool has_failed(const answers_t *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        if (answers->items[i].status != MM_STATUS_OK)
            return true;
    return false;
}

static void destroy(postgresql_t *self)
{
    pg_lease_close(&self->lease);
    mm_pg_close(&self->link);
    if (self->epoll >= 0)
        (void)close(self->epoll);
    pg_queue_clear(&self->queue);
    pg_params_clear(&self->params);
    answers_clear(&self->answers);
    free(self->recorded);
    free(self);
}

static bool postgresql_close(store_t *base)
{
    postgresql_t *self = postgresql_of(base);
    (void)postgresql_flush(base);
    bool is_kept = wait_for_all(self) && !has_failed(&self->answers);
    destroy(self);
    return is_kept;
}

static const store_ops_t postgresql_ops = {.close = postgresql_close,
                                           .put = postgresql_put,
                                           .pending = postgresql_pending,
                                           .flush = postgresql_flush,
                                           .step = postgresql_step,
                                           .descriptor = postgresql_descriptor,
                                           .answers = postgresql_answers,
                                           .order = postgresql_order,
                                           .recorded = postgresql_recorded,
                                           .ask = postgresql_ask,
                                           .page = postgresql_page,
                                           .head = postgresql_head,
                                           .epoch = postgresql_epoch,
                                           .lease = postgresql_lease,
                                           .leases = postgresql_leases,
                                           .error = postgresql_error,
                                           .trouble = postgresql_trouble};

static bool watch(const postgresql_t *self, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(self->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static int connect_to(postgresql_t *self, const char *uri, char error[MM_ERROR_MAX])
{
    mm_pg_config_t config = {
        .uri = uri, .name = NAME, .deadline_ms = DEADLINE_MS, .prepares = pg_commands};
    int code = pg_record_open(uri, NAME, DEADLINE_MS, &self->head, error);
    if (code == 0)
        code = mm_pg_open(&config, &self->link, error);
    if (code == 0)
        code = pg_lease_open(uri, NAME, &self->lease, error);
    if (code != 0)
        return code == EX_UNAVAILABLE ? EX_TEMPFAIL : code;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll >= 0 && watch(self, mm_pg_descriptor(self->link)) &&
        watch(self, pg_lease_descriptor(self->lease)))
        return 0;
    (void)snprintf(error, MM_ERROR_MAX, "cannot wait for PostgreSQL: %s", strerror(errno));
    return EX_OSERR;
}

int store_postgresql_open(const char *uri, store_t **ret_self, char error[MM_ERROR_MAX])
{
    postgresql_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->base.ops = &postgresql_ops;
    self->epoll = -1;
    int code = connect_to(self, uri, error);
    if (code == 0)
        *ret_self = &self->base;
    else
        destroy(self);
    return code;
}
