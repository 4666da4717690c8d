// The database of the simulator's shared record: a clock, the row of the lease, and the record that
// sim_record.c and sim_orders.c keep. It does one request after the other, each in one step, with
// the fence of saver/stores/postgresql.sql. What becomes of a request, and whether its saver learns
// of it, is drawn: the answer is lost with the connection, the commit comes later or never, or the
// database fails over, and with an asynchronous standby goes back to a former revision.

#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DROPPED_MS 1000 // an ask that waits for so long is dropped (A10)
#define BROKEN_MS  3000 // until it is found out that a connection is cut (tcp_user_timeout)
#define CONNECT_MS 300  // at most

struct sim_request {
    sim_request_t *next;
    sim_process_t *saver;
    uint64_t connection; // of the saver
    int64_t apply_ms;    // MM_NEVER: it is done
    int64_t answer_ms;   // MM_NEVER: no answer comes
    // an ask
    sim_process_t *consumer; // NULL: it is a batch
    mm_lease_ask_body_t ask;
    mm_lease_body_t lease;
    // a batch
    uint64_t epoch;
    uint32_t count;
    bool is_fenced;
    bool is_asked; // for the state
    uint64_t asked_run, asked_session, asked_from, question;
    sim_running_t tasks[SIM_RUNNING];
    mm_result_t answers[SIM_RUNNING];
    mm_real_t reals[SIM_RUNNING];
    mm_name_t workers[SIM_RUNNING];
};

static int64_t clock_now(const sim_t *self)
{
    return sim_clock_at(&self->database.clock, self->now_ms);
}

static void remove_request(sim_t *self, sim_request_t *request)
{
    sim_request_t **at = &self->database.requests;
    while (*at != request)
        at = &(*at)->next;
    *at = request->next;
    free(request);
}

void sim_database_destroy(sim_t *self)
{
    while (self->database.requests)
        remove_request(self, self->database.requests);
    free(self->database.revisions);
}

// ---- connections

// The same batch again, before any later one.
void sim_database_connect(sim_t *self, sim_process_t *saver)
{
    saver->broken_ms = 0;
    saver->is_due_known = false;
    saver->connection++;
    saver->ready_ms = self->now_ms + sim_between(self, 1, CONNECT_MS);
    if (saver->ready_ms < self->database.down_ms)
        saver->ready_ms = self->database.down_ms + sim_between(self, 1, CONNECT_MS);
    sim_trace(self, "%s: connects to the database anew", saver->name.text);
    saver->commit_ms = saver->running_count > 0 || saver->is_asked ? saver->ready_ms : 0;
}

static void break_connection(sim_process_t *saver, int64_t found_out_ms)
{
    bool is_known = saver->broken_ms > 0 && saver->broken_ms <= found_out_ms;
    saver->broken_ms = is_known ? saver->broken_ms : found_out_ms;
    saver->is_due_known = false;
}

// What becomes of what is sent now. False: it never arrives.
static bool draw_fate(sim_t *self, sim_request_t *request)
{
    uint32_t saver = sim_index(self, request->saver);
    request->apply_ms = self->now_ms + sim_between(self, 0, 3);
    request->answer_ms = request->apply_ms + sim_between(self, 0, 3);
    bool is_unknown = self->faulty && sim_chance(self, self->faults.unknown);
    if (is_unknown && self->faults.late_ms > 0 && sim_coin(self))
        request->apply_ms += sim_between(self, 0, self->faults.late_ms);
    if (is_unknown || sim_shared_is_cut(self, SIM_DATABASE, saver))
        request->answer_ms = MM_NEVER;
    bool arrives = !sim_shared_is_cut(self, saver, SIM_DATABASE) && !request->saver->cut_out &&
                   (!is_unknown || sim_below(self, 3) > 0);
    if (request->saver->cut_in)
        request->answer_ms = MM_NEVER;
    if (request->answer_ms == MM_NEVER || !arrives)
        break_connection(request->saver,
                         self->now_ms + sim_between(self, 1, sim_coin(self) ? 20 : BROKEN_MS));
    self->statistics.unknown += request->answer_ms == MM_NEVER && !request->consumer;
    return arrives;
}

static void send_request(sim_t *self, sim_request_t *request)
{
    request->connection = request->saver->connection;
    if (!draw_fate(self, request)) {
        free(request);
        return;
    }
    request->next = self->database.requests;
    self->database.requests = request;
}

static sim_request_t *new_request(sim_process_t *saver)
{
    sim_request_t *request = calloc(1, sizeof *request);
    assert(request);
    request->saver = saver;
    return request;
}

static bool is_connected(const sim_t *self, const sim_process_t *saver)
{
    return saver->broken_ms == 0 && saver->ready_ms <= self->now_ms;
}

// ---- a saver asks

void sim_database_ask(sim_t *self, sim_process_t *saver, sim_process_t *consumer,
                      const mm_lease_ask_body_t *ask)
{
    askers_hear(&saver->askers, ask->asker, ask->hears_restarters, sim_clock(self, saver) + 1);
    if (!is_connected(self, saver)) // as if it had waited for too long
        return;
    sim_request_t *request = new_request(saver);
    request->consumer = consumer;
    request->ask = *ask;
    send_request(self, request);
}

static uint64_t epoch_of(const sim_running_t *task)
{
    return task->number >> 32;
}

// The tasks of one epoch: those that were put before, if their fate is unknown.
static void fill(sim_process_t *saver, sim_request_t *request)
{
    if (!saver->has_put)
        for (uint32_t i = 0; i < saver->running_count; i++)
            saver->running[i].is_put = epoch_of(&saver->running[i]) == epoch_of(saver->running);
    for (uint32_t i = 0; i < saver->running_count; i++)
        if (saver->running[i].is_put)
            request->tasks[request->count++] = saver->running[i];
    request->epoch = request->count > 0 ? epoch_of(request->tasks) : saver->asked_session >> 32;
    if (saver->is_asked && saver->asked_session >> 32 == request->epoch) {
        request->is_asked = true;
        request->asked_run = saver->asked_run;
        request->asked_session = saver->asked_session;
        request->asked_from = saver->asked_from;
        request->question = saver->question;
        saver->is_asked = false;
    }
}

void sim_database_put(sim_t *self, sim_process_t *saver)
{
    saver->commit_ms = saver->ready_ms > self->now_ms ? saver->ready_ms : 0;
    saver->is_due_known = false;
    assert(saver->order_count == 0); // without a policy nobody orders by the consumer
    if (saver->commit_ms > 0 || saver->broken_ms > 0)
        return;
    sim_request_t *request = new_request(saver);
    fill(saver, request);
    saver->has_put = request->count > 0;
    if (request->count == 0 && !request->is_asked)
        free(request);
    else
        send_request(self, request);
}

// ---- the database does it

static void keep_revision(sim_t *self)
{
    sim_database_t *database = &self->database;
    if (self->faults.revisions == 0)
        return;
    if (!database->revisions)
        database->revisions = calloc(SIM_REVISIONS, sizeof *database->revisions);
    assert(database->revisions);
    sim_revision_t *revision = &database->revisions[database->revision_count++ % SIM_REVISIONS];
    revision->row = database->row;
    revision->audit_count = self->audit_count;
    revision->take_count = database->take_count;
    for (uint32_t i = 0; i < self->job_count; i++) {
        const sim_job_t *job = &self->jobs[i];
        revision->jobs[i].has_row = job->has_row;
        revision->jobs[i].is_casualty = job->is_casualty;
        revision->jobs[i].outcome = job->outcome;
        revision->jobs[i].settled_ms = job->settled_ms;
        revision->jobs[i].seq = job->seq;
        revision->jobs[i].row = job->row;
    }
}

static void lose_revisions(sim_t *self, uint64_t count)
{
    sim_database_t *database = &self->database;
    count = count < database->revision_count ? count : database->revision_count;
    if (count == 0)
        return;
    database->revision_count -= count;
    const sim_revision_t *revision = &database->revisions[database->revision_count % SIM_REVISIONS];
    database->has_lost = true;
    database->has_lost_take |= database->row.epoch != revision->row.epoch;
    database->row = revision->row;
    database->take_count = revision->take_count;
    database->halt_ms = revision->row.is_halted ? self->now_ms : 0;
    self->audit_count = revision->audit_count;
    for (uint32_t i = 0; i < self->job_count; i++) {
        sim_job_t *job = &self->jobs[i];
        job->has_row = revision->jobs[i].has_row;
        job->is_casualty = revision->jobs[i].is_casualty;
        job->outcome = revision->jobs[i].outcome;
        job->settled_ms = revision->jobs[i].settled_ms;
        job->seq = revision->jobs[i].seq;
        job->row = revision->jobs[i].row;
    }
}

// Epochs are Unix seconds at least: one that was lost with an asynchronous standby is not had
// again.
static void see_take(sim_t *self, uint64_t former, bool was_released)
{
    sim_database_t *database = &self->database;
    uint64_t second = (uint64_t)(SIM_UNIX_MS + self->now_ms) / 1000;
    if (database->row.epoch == former)
        return;
    if (database->row.epoch < second)
        database->row.epoch = second;
    assert(database->take_count < SIM_TAKES);
    database->takes[database->take_count].epoch = database->row.epoch;
    database->takes[database->take_count].at_ms = self->now_ms;
    database->takes[database->take_count++].was_released = was_released;
    self->statistics.takes++;
}

static void apply_ask(sim_t *self, sim_request_t *request)
{
    lease_row_t *row = &self->database.row;
    uint64_t former = row->epoch;
    bool was_released = row->holder == 0;
    keep_revision(self);
    request->lease = lease_row_ask(row, &request->ask, clock_now(self));
    see_take(self, former, was_released);
    request->lease.epoch = row->epoch;
    sim_trace(self, "database: %s asks %d of epoch %llu: %d, epoch %llu, left %lld",
              request->consumer->name.text, (int)request->ask.verb,
              (unsigned long long)request->ask.epoch, (int)request->lease.verdict,
              (unsigned long long)row->epoch, (long long)request->lease.left_ms);
}

static void put_task(sim_t *self, sim_request_t *request, uint32_t index, bool is_full)
{
    mm_result_t *answer = &request->answers[index];
    const sim_running_t *task = &request->tasks[index];
    *answer = (mm_result_t){.number = task->number, .leg = task->leg};
    if (request->is_fenced || is_full) {
        answer->status = MM_STATUS_FAILED;
        answer->error = mm_str(is_full ? "disk full" : "another consumer leads");
        return;
    }
    request->workers[index] = task->job->row.worker; // the answer is of before
    sim_record_answer(self, task, &request->reals[index], answer);
    sim_record_write(self, task);
    answer->outcome = sim_record_outcome(self, task);
    request->reals[index].seq = task->job->seq;
    request->reals[index].worker = mm_str(request->workers[index].text);
}

static void apply_batch(sim_t *self, sim_request_t *request)
{
    bool is_full = self->now_ms < self->store_full_until;
    request->is_fenced = !lease_row_admits(&self->database.row, request->epoch, clock_now(self));
    self->statistics.fenced += request->is_fenced;
    sim_trace(self, "database: a batch of %s, %u tasks of epoch %llu%s%s",
              request->saver->name.text, request->count, (unsigned long long)request->epoch,
              request->is_fenced ? ", fenced" : "", is_full ? ", full" : "");
    if (!request->is_fenced && !is_full) {
        keep_revision(self);
        sim_check_write(self, request->epoch);
    }
    for (uint32_t i = 0; i < request->count; i++)
        put_task(self, request, i, is_full);
}

// ---- and answers

static void answer_ask(sim_t *self, const sim_request_t *request)
{
    mm_frame_t frame = {.kind = MM_FRAME_LEASE, .as.lease = request->lease};
    frame.as.lease.worker = mm_str(request->saver->name.text);
    frame.as.lease.restarters_elsewhere = askers_hear_elsewhere(
        &request->saver->askers, request->ask.asker, sim_clock(self, request->saver) + 1);
    sim_send(self, request->saver, request->consumer, 0, &frame);
}

// False: it has been given back, or is of an earlier life of the saver.
static bool take_out(sim_process_t *saver, uint64_t number)
{
    for (uint32_t i = 0; i < saver->running_count; i++) {
        if (saver->running[i].number != number || !saver->running[i].is_put)
            continue;
        saver->running[i] = saver->running[--saver->running_count];
        return true;
    }
    return false;
}

static void answer_batch(sim_t *self, const sim_request_t *request)
{
    sim_process_t *saver = request->saver;
    saver->has_put = false;
    saver->is_due_known = false;
    for (uint32_t i = 0; i < request->count && saver->alive; i++)
        if (take_out(saver, request->answers[i].number))
            sim_worker_answer(self, saver, &request->answers[i]);
    bool is_read =
        request->is_asked && lease_row_admits(&self->database.row, request->epoch, clock_now(self));
    if (saver->alive && is_read && !saver->is_asked) {
        saver->is_asked = true;
        saver->asked_run = request->asked_run;
        saver->asked_session = request->asked_session;
        saver->asked_from = request->asked_from;
        saver->question = request->question;
        sim_orders_answer(self, saver);
    }
    if (saver->alive && saver->commit_ms == 0 && (saver->running_count > 0 || saver->is_asked))
        saver->commit_ms = self->now_ms + 1;
}

static bool is_heard(const sim_request_t *request)
{
    const sim_process_t *saver = request->saver;
    return saver->alive && saver->connection == request->connection && saver->broken_ms == 0;
}

static int64_t due(const sim_request_t *request)
{
    int64_t answer_ms = request->answer_ms;
    if (request->apply_ms != MM_NEVER)
        return request->apply_ms;
    return answer_ms < request->saver->paused_until ? request->saver->paused_until : answer_ms;
}

int64_t sim_database_deadline(const sim_t *self)
{
    int64_t next_ms = MM_NEVER;
    for (const sim_request_t *request = self->database.requests; request; request = request->next)
        next_ms = due(request) < next_ms ? due(request) : next_ms;
    return next_ms;
}

// True: it is over.
static bool go_on(sim_t *self, sim_request_t *request)
{
    if (request->apply_ms != MM_NEVER) {
        request->apply_ms = MM_NEVER;
        if (request->consumer)
            apply_ask(self, request);
        else
            apply_batch(self, request);
        return request->answer_ms == MM_NEVER;
    }
    if (is_heard(request) && request->consumer)
        answer_ask(self, request);
    else if (is_heard(request))
        answer_batch(self, request);
    return true;
}

void sim_database_time(sim_t *self)
{
    for (sim_request_t *request = self->database.requests, *next; request; request = next) {
        next = request->next;
        if (due(request) <= self->now_ms && go_on(self, request))
            remove_request(self, request);
    }
}

// ---- faults

// All connections break; what was not committed never is.
void sim_database_fail_over(sim_t *self)
{
    sim_database_t *database = &self->database;
    self->statistics.failovers++;
    sim_trace(self, "database: fails over");
    database->down_ms = self->now_ms + sim_between(self, 50, 4000);
    while (database->requests)
        remove_request(self, database->requests);
    for (uint32_t i = 0; i < self->process_count; i++)
        if (self->processes[i].role == SIM_SAVER && self->processes[i].alive)
            break_connection(&self->processes[i], self->now_ms + sim_between(self, 1, BROKEN_MS));
    if (self->faults.revisions > 0)
        lose_revisions(self, sim_below(self, self->faults.revisions + 1));
}

void sim_database_halt(sim_t *self)
{
    lease_row_t *row = &self->database.row;
    row->is_halted = !row->is_halted;
    sim_order_t order = {.action = row->is_halted ? MM_ACTION_HALT : MM_ACTION_RESUME};
    row->orders_seq = sim_orders_record(self, &order);
    self->database.halt_ms = row->is_halted ? self->now_ms : 0;
    sim_trace(self, "database: %s", row->is_halted ? "halted beside the leader" : "resumed");
}

// ---- for the checks

mm_outcome_t sim_database_pending(const sim_t *self, const sim_job_t *job, uint64_t epoch,
                                  const sim_process_t *but)
{
    for (const sim_request_t *request = self->database.requests; request; request = request->next)
        for (uint32_t i = 0; request->apply_ms != MM_NEVER && i < request->count; i++)
            if (request->saver != but && request->epoch == epoch && request->tasks[i].job == job &&
                request->tasks[i].leg == MM_LEG_SETTLE)
                return request->tasks[i].outcome;
    return MM_OUTCOME_NONE;
}
