// mayhem-saver: keeps the record of all jobs. It takes save and settle tasks from the consumer,
// commits what has come together in one transaction, and answers after the commit (I2).

#include "clock.h"
#include "host.h"
#include "inject.h"
#include "service.h"
#include "span.h"
#include "store.h"
#include "uuid_source.h"
#include "worker_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define FINISH_MAX 32 // answers that are given to the worker in one call
#define LINGER_MS  3  // for how long the first save of a job may wait for company

typedef struct {
    mm_options_t options;
    mm_loop_t *loop;
    mm_worker_client_t *link;
    store_t *store;
    inject_t *inject; // NULL: nothing is injected
    int exit_code;
    int64_t commit_ms; // at the latest, of what is pending
    bool is_urgent;    // somebody waits for it
    bool drains;
    bool broken;
} saver_t;

static void commit(saver_t *self)
{
    if (self->broken || store_pending(self->store) == 0)
        return;
    if (!store_flush(self->store)) {
        // After a failed write or fsync nothing that SQLite says can be trusted: never carry on.
        mm_log(MM_LOG_ERROR, "The store is broken", MM_STRING("error", store_error(self->store)));
        self->broken = true;
        self->exit_code = EX_IOERR;
        mm_loop_stop(self->loop);
    }
}

// Nobody waits for the first save of a job but its settle, which may be near and do for both. For a
// settle the publisher waits, and for another save the restart (R6).
static void put(saver_t *self, const mm_task_t *task, int64_t now_ms)
{
    if (store_pending(self->store) >= (size_t)self->options.batch)
        commit(self);
    if (self->broken)
        return;
    if (store_pending(self->store) == 0) {
        self->commit_ms = now_ms + LINGER_MS;
        self->is_urgent = self->drains;
    }
    self->is_urgent = self->is_urgent || task->leg == MM_LEG_SETTLE || task->deliveries > 1;
    store_put(self->store, task);
}

// When what is pending is to be committed; MM_NEVER: nothing is.
static int64_t commit_deadline(const saver_t *self)
{
    return store_pending(self->store) == 0 ? MM_NEVER : self->is_urgent ? 0 : self->commit_ms;
}

static void commit_due(saver_t *self)
{
    if (store_pending(self->store) > 0 && mm_clock_ms() >= commit_deadline(self))
        commit(self);
}

static void start_task(void *arg, const mm_task_t *task, int64_t now_ms)
{
    saver_t *self = arg;
    if (self->inject)
        inject_put(self->inject, task, now_ms);
    else
        put(self, task, now_ms);
}

static void stop_tasks(void *arg)
{
    saver_t *self = arg;
    if (self->inject)
        inject_stop(self->inject); // what was put off is not going to be
}

static void log_finished(const mm_result_t *result)
{
    if (result->status != MM_STATUS_OK)
        mm_log(MM_LOG_ERROR, "Could not save", MM_JOB(&result->id), MM_STR("error", result->error));
    else if (result->leg == MM_LEG_SAVE)
        mm_log(MM_LOG_INFO, "Saved into database", MM_JOB(&result->id));
    else
        mm_log(MM_LOG_DEBUG, "Settled", MM_JOB(&result->id),
               MM_STRING("outcome", result->outcome == MM_OUTCOME_DEAD ? "dead" : "restarted"));
}

static void finish(saver_t *self, const store_answer_t *answers, size_t count)
{
    mm_result_t results[FINISH_MAX];
    for (size_t i = 0; i < count; i++) {
        results[i] = (mm_result_t){.number = answers[i].number,
                                   .leg = answers[i].leg,
                                   .id = answers[i].id,
                                   .status = answers[i].status,
                                   .outcome = answers[i].outcome,
                                   .error = answers[i].error};
        log_finished(&results[i]);
    }
    mm_worker_client_finish(self->link, results, count);
}

// Gives the consumer what the commits since the last call have answered. A worker that finishes a
// task of the store starts none, so that the answers stay until the end.
static void finish_all(saver_t *self)
{
    MM_SPAN("finish");
    const store_answer_t *answers;
    size_t count = store_answers(self->store, &answers);
    for (size_t done = 0, size; done < count; done += size) {
        size = count - done < FINISH_MAX ? count - done : FINISH_MAX;
        finish(self, answers + done, size);
    }
}

// Takes from the injection what is due: to be put, or to fail.
static void receive_injected(saver_t *self)
{
    inject_item_t item;
    while (self->inject && inject_next(self->inject, mm_clock_ms(), &item)) {
        if (!item.fails) {
            put(self, &item.task, mm_clock_ms());
            continue;
        }
        commit(self); // answers in order of arrival
        finish_all(self);
        store_answer_t answer = {.number = item.task.number,
                                 .leg = item.task.leg,
                                 .id = item.task.id,
                                 .status = MM_STATUS_FAILED,
                                 .error = mm_str("injected failure (--inject-fail)")};
        finish(self, &answer, 1);
    }
}

static int64_t turn(void *arg)
{
    MM_SPAN("turn");
    saver_t *self = arg;
    receive_injected(self);
    commit_due(self);
    finish_all(self);
    int64_t deadline = mm_worker_client_turn(self->link);
    commit_due(self); // what that turn has started or stopped
    finish_all(self);
    if (mm_worker_client_is_done(self->link))
        mm_loop_stop(self->loop);
    int64_t inject = self->inject ? inject_deadline(self->inject) : MM_NEVER;
    int64_t due = commit_deadline(self);
    deadline = inject < deadline ? inject : deadline;
    return due < deadline ? due : deadline;
}

static void on_signal(void *arg, int number)
{
    MM_SPAN("on_signal");
    saver_t *self = arg;
    mm_service_log_signal(number);
    mm_log(MM_LOG_INFO, "Serving until the consumer has left");
    self->drains = self->is_urgent = true;
    mm_worker_client_drain(self->link);
}

static mm_worker_client_t *new_link(saver_t *self, const mm_endpoint_t *base)
{
    const mm_options_t *options = &self->options;
    mm_worker_client_config_t config = {.worker = {.role = MM_ROLE_SAVER,
                                                   .instance = mm_instance_draw(),
                                                   .slots = MM_SLOTS_MAX,
                                                   .heartbeat_ms = options->heartbeat_ms,
                                                   .lost_after_ms = options->lost_after_ms,
                                                   .drain_ms = options->drain_timeout_ms,
                                                   .leaves_last = true},
                                        .base = *base,
                                        .start = start_task,
                                        .stop = stop_tasks,
                                        .arg = self};
    bool valid = mm_name_from(mm_str(options->id), &config.worker.name);
    assert(valid);
    return mm_worker_client_new(self->loop, &config);
}

static void close_store(saver_t *self)
{
    mm_log(MM_LOG_INFO, "Closing database connections");
    if (!store_close(&self->store) && self->exit_code == 0)
        self->exit_code = EX_IOERR;
}

int main(int argc, char **argv)
{
    saver_t self = {0};
    mm_endpoint_t base;
    if (!mm_service_start(MM_PROGRAM_SAVER, argc, argv, NULL, &self.options, &base,
                          &self.exit_code))
        return self.exit_code;
    char error[MM_ERROR_MAX];
    self.exit_code = store_open(self.options.db, &self.store, error);
    if (self.exit_code != 0) {
        (void)fprintf(stderr, "%s: %s\n", self.options.id, error);
        return mm_service_quit(&self.options, self.exit_code);
    }
    if (self.options.inject_fail_ppm > 0 || self.options.inject_time.high_ms > 0)
        self.inject =
            inject_new(&(inject_config_t){.time_from_ms = self.options.inject_time.low_ms,
                                          .time_to_ms = self.options.inject_time.high_ms,
                                          .fail_ppm = (uint32_t)self.options.inject_fail_ppm,
                                          .seed = mm_service_seed(&self.options)});
    self.loop = mm_loop_new(turn, &self);
    self.link = new_link(&self, &base);
    mm_loop_on_signal(self.loop, on_signal, &self);
    mm_log(MM_LOG_INFO, "Ready", MM_STRING("db", self.options.db));
    mm_loop_run(self.loop);
    mm_log(MM_LOG_INFO, "Cancelling outstanding tasks",
           MM_INT("tasks", mm_worker_client_running(self.link)));
    if (self.exit_code == 0)
        self.exit_code = mm_worker_client_exit_code(self.link);
    mm_worker_client_destroy(&self.link);
    mm_loop_destroy(&self.loop);
    close_store(&self);
    inject_destroy(&self.inject);
    return mm_service_end(&self.options, self.exit_code);
}
