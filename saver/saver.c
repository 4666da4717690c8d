// See saver.h.

#include "saver.h"
#include "askers.h"
#include "clock.h"
#include "inject.h"
#include "log_limit.h"
#include "log_messages.h"
#include "service.h"
#include "span.h"
#include "worker_client.h"

#include <string.h>
#include <sysexits.h>
#include <zmq.h>

#define CHECK_MS 1000  // between two looks at the record, when nothing is committed
#define HEAD_MS  60000 // between two lines about the head of the audit
#define FAILED   "Could not save"

typedef struct {
    const mm_options_t *options;
    mm_loop_t *loop;
    mm_worker_client_t *client;
    store_t *store;
    inject_t *inject; // NULL: nothing is injected
    int exit_code;
    int64_t check_ms;  // when to look at the record
    int64_t head_ms;   // when to log the head of the audit, if it has moved
    uint64_t head_seq; // that was logged last, or found
    bool is_stopped;   // the drain limit has come
    bool is_broken;
    bool has_lease;       // the store has
    uint64_t epoch;       // of the consumer, as such a store knows it
    askers_t askers;      // for the lease, if the store has one
    mm_log_limit_t limit; // of what cannot be saved
} saver_t;

// After a failed write or fsync nothing that the store says can be trusted, so the process ends.
static void break_down(saver_t *self)
{
    mm_log(MM_LOG_ERROR, "The store is broken", MM_STRING("error", store_error(self->store)));
    self->is_broken = true;
    self->exit_code = EX_IOERR;
    mm_loop_stop(self->loop);
}

static void commit(saver_t *self)
{
    if (!self->is_broken && store_pending(self->store) > 0 && !store_flush(self->store))
        break_down(self);
}

// A consumer of another epoch: what it asks for is fenced by that (A6).
static void see_epoch(saver_t *self)
{
    uint64_t epoch = self->has_lease ? mm_worker_client_epoch(self->client) : 0;
    if (epoch == self->epoch || epoch == 0)
        return;
    commit(self);
    self->epoch = epoch;
    store_epoch(self->store, epoch);
}

static void put(saver_t *self, const mm_task_t *task)
{
    see_epoch(self);
    if (store_pending(self->store) >= (size_t)self->options->batch)
        commit(self);
    if (!self->is_broken)
        store_put(self->store, task);
}

// A heartbeat is due twice in that time, so this needs no deadline of its own.
static void check_due(saver_t *self)
{
    int64_t now_ms = mm_clock_ms();
    if (self->is_broken || now_ms < self->check_ms)
        return;
    self->check_ms = now_ms + CHECK_MS;
    if (!store_check(self->store))
        break_down(self);
}

// What the log says of the audit cannot be cut off together with it.
static void log_head(saver_t *self)
{
    char hash[MM_AUDIT_TEXT];
    mm_audit_head_t head = store_head(self->store);
    if (self->is_broken || head.seq == self->head_seq)
        return;
    self->head_seq = head.seq;
    mm_log(MM_LOG_INFO, MM_MESSAGE_AUDIT_HEAD, MM_INT("seq", head.seq),
           MM_STRING("hash", mm_audit_print(head.hash, hash)));
}

// As check_due: a heartbeat is due more often.
static void log_head_due(saver_t *self)
{
    int64_t now_ms = mm_clock_ms();
    if (now_ms < self->head_ms)
        return;
    self->head_ms = now_ms + HEAD_MS;
    log_head(self);
}

static void start_task(void *arg, const mm_task_t *task, int64_t now_ms)
{
    saver_t *self = arg;
    if (self->inject)
        inject_put(self->inject, task, now_ms);
    else
        put(self, task);
}

static void stop_tasks(void *arg)
{
    saver_t *self = arg;
    self->is_stopped = true;
    if (self->inject)
        inject_stop(self->inject);
}

static void log_finished(const mm_result_t *result)
{
    if (result->status != MM_STATUS_OK)
        mm_log(MM_LOG_ERROR, FAILED, MM_JOB(&result->id), MM_STR("error", result->error));
    else if (result->leg == MM_LEG_SAVE)
        mm_log(MM_LOG_INFO, MM_MESSAGE_SAVED, MM_JOB(&result->id));
    else
        mm_log(MM_LOG_DEBUG, MM_MESSAGE_SETTLED, MM_JOB(&result->id),
               MM_STRING("outcome", mm_outcome_name(result->outcome)));
}

static bool is_logged(saver_t *self, const mm_result_t *result)
{
    return result->status == MM_STATUS_OK ||
           mm_log_limit_pass(&self->limit, MM_LOG_ERROR, FAILED, mm_clock_ms());
}

static void finish(saver_t *self, const mm_result_t *results, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_logged(self, &results[i]))
            log_finished(&results[i]);
    mm_worker_client_finish(self->client, results, count);
}

// Passes the answers of the store on to the consumer. A saver starts no task in the call that
// finishes one, so the answers live to its end.
static void finish_all(saver_t *self)
{
    MM_SPAN("finish");
    const mm_result_t *answers;
    size_t count = store_answers(self->store, &answers);
    finish(self, answers, count);
}

// What was put before is committed and answered first.
static void take_orders(void *arg, const mm_orders_body_t *orders)
{
    MM_SPAN("take orders");
    saver_t *self = arg;
    mm_recorded_t recorded[MM_BATCH_ITEMS];
    see_epoch(self);
    commit(self);
    finish_all(self);
    if (self->is_broken)
        return;
    if (orders->count > 0 && !store_order(self->store, orders->items, orders->count, recorded)) {
        break_down(self);
        return;
    }
    if (orders->count > 0)
        mm_worker_client_recorded(self->client, recorded, orders->count);
    store_page_t page;
    if (orders->question > 0 && store_state(self->store, orders->run, orders->from, &page))
        mm_worker_client_state(self->client, &(mm_state_body_t){.run = orders->run,
                                                                .question = orders->question,
                                                                .from = orders->from,
                                                                .next = page.next,
                                                                .items = page.items,
                                                                .count = page.count});
}

// ---- the lease

static void ask_lease(void *arg, uint32_t from, const mm_lease_ask_body_t *ask)
{
    saver_t *self = arg;
    askers_hear(&self->askers, ask->asker, ask->hears_restarters, mm_clock_ms());
    if (!self->is_broken)
        store_lease(self->store, &(store_lease_ask_t){.from = from, .ask = *ask});
}

static void answer_leases(saver_t *self)
{
    const store_lease_t *leases;
    size_t count = store_leases(self->store, &leases);
    for (size_t i = 0; i < count; i++) {
        mm_lease_body_t answer = leases[i].answer;
        answer.restarters_elsewhere =
            askers_hear_elsewhere(&self->askers, answer.asker, mm_clock_ms());
        mm_worker_client_lease(self->client, leases[i].from, &answer);
    }
}

// Puts the injected tasks that are due, or fails them.
static void receive_injected(saver_t *self)
{
    inject_item_t item;
    while (self->inject && inject_next(self->inject, mm_clock_ms(), &item)) {
        if (!item.fails) {
            put(self, &item.task);
            continue;
        }
        commit(self); // the tasks before it are answered first, by a store without a descriptor
        finish_all(self);
        finish(self,
               &(mm_result_t){.number = item.task.number,
                              .leg = item.task.leg,
                              .id = item.task.id,
                              .status = MM_STATUS_FAILED,
                              .error = mm_str("injected failure (--inject-fail)")},
               1);
    }
}

static void on_store(void *arg)
{
    MM_SPAN("on_store");
    saver_t *self = arg;
    if (!self->is_broken && !store_step(self->store))
        break_down(self);
    answer_leases(self);
}

// At the drain limit a store that has not answered is not waited for: the consumer asks again.
static bool has_left(const saver_t *self)
{
    return mm_worker_client_is_done(self->client) ||
           (self->is_stopped && mm_worker_client_running(self->client) > 0 &&
            (!self->inject || inject_deadline(self->inject) == MM_NEVER));
}

static int64_t turn(void *arg)
{
    MM_SPAN("turn");
    saver_t *self = arg;
    check_due(self);
    log_head_due(self);
    int64_t tell_ms = mm_log_limit_tell(&self->limit, mm_clock_ms());
    receive_injected(self);
    commit(self);
    finish_all(self);
    int64_t deadline = mm_worker_client_turn(self->client);
    commit(self); // what that call has started or stopped
    finish_all(self);
    if (has_left(self))
        mm_loop_stop(self->loop);
    if (self->inject)
        deadline = mm_earlier(deadline, inject_deadline(self->inject));
    return mm_earlier(deadline, tell_ms);
}

static void on_signal(void *arg, int number)
{
    MM_SPAN("on_signal");
    saver_t *self = arg;
    mm_service_log_signal(number);
    mm_log(MM_LOG_INFO, "Serving until the consumer has left");
    mm_worker_client_drain(self->client);
}

static inject_t *new_inject(const mm_options_t *options)
{
    if (options->inject_fail_ppm == 0 && options->inject_time.high_ms == 0)
        return NULL;
    return inject_new(&(inject_config_t){.time_from_ms = options->inject_time.low_ms,
                                         .time_to_ms = options->inject_time.high_ms,
                                         .fail_ppm = (uint32_t)options->inject_fail_ppm,
                                         .seed = mm_service_seed(options)});
}

static mm_worker_client_t *new_client(saver_t *self, const mm_addresses_t *addresses)
{
    mm_worker_client_config_t config = mm_worker_client_config(self->options, addresses);
    config.worker.role = MM_ROLE_SAVER;
    config.worker.slots = MM_SLOTS_MAX;
    config.worker.leaves_last = true;
    config.start = start_task;
    config.stop = stop_tasks;
    config.orders = take_orders;
    config.lease = self->has_lease ? ask_lease : NULL;
    config.arg = self;
    return mm_worker_client_new(self->loop, &config);
}

int saver_run(const mm_options_t *options, const mm_addresses_t *addresses, store_t **store_p)
{
    saver_t self = {.options = options,
                    .store = *store_p,
                    .has_lease = store_has_lease(*store_p),
                    .inject = new_inject(options),
                    .head_ms = mm_clock_ms() + HEAD_MS,
                    .head_seq = store_head(*store_p).seq};
    self.loop = mm_loop_new(turn, &self);
    self.client = new_client(&self, addresses);
    mm_loop_on_signal(self.loop, on_signal, &self);
    if (store_descriptor(self.store) >= 0)
        mm_loop_add_descriptor(self.loop, "store", store_descriptor(self.store), ZMQ_POLLIN,
                               on_store, &self);
    const char *url = strstr(options->db, "://"); // may hold a password behind its scheme
    size_t shown = url ? (size_t)(url - options->db) : strlen(options->db);
    mm_log(MM_LOG_INFO, "Ready", MM_STR("db", ((mm_str_t){options->db, shown})));
    mm_loop_run(self.loop);
    (void)mm_log_limit_tell(&self.limit, INT64_MAX);
    int exit_code = mm_worker_client_end(&self.client);
    if (self.exit_code == 0)
        self.exit_code = exit_code;
    mm_loop_destroy(&self.loop);
    log_head(&self);
    mm_log(MM_LOG_INFO, "Closing database connections");
    if (!store_close(store_p) && self.exit_code == 0)
        self.exit_code = EX_IOERR;
    inject_destroy(&self.inject);
    return self.exit_code;
}
