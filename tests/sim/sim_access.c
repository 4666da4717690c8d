// What keys bring into the simulator: a worker whose key is revoked and replaced, a session whose
// connection breaks, and a worker with a valid key that lies. It joins, is given nothing, since it
// has no slots, and claims what others were given, what nobody was, and what is of former consumers
// (R18).

#include "sim.h"

#include "gather_private.h"
#include "string_view.h"

#include <string.h>

#define LIAR      "liar"
#define LIES      3
#define NUMBERS   200 // of each epoch, that it tries
#define RENEWED   3000
#define FOUND_OUT 2000

static sim_process_t *any_worker(sim_t *self)
{
    sim_process_t *process = &self->processes[sim_below(self, self->process_count)];
    bool is_worker = process->role == SIM_RESTARTER || process->role == SIM_SAVER;
    return is_worker && process->alive ? process : NULL;
}

// ---- keys and connections

void sim_access_revoke(sim_t *self)
{
    sim_process_t *process = any_worker(self);
    if (!process || process->renewed_ms > 0)
        return;
    sim_trace(self, "%s: its key is revoked", process->name.text);
    process->renewed_ms = self->now_ms + sim_between(self, 1, RENEWED);
    gather_event_t event = {.kind = GATHER_REVOKED};
    event.as.revoked.worker = mm_str(process->name.text);
    event.as.revoked.role = process->role == SIM_SAVER ? MM_ROLE_SAVER : MM_ROLE_RESTARTER;
    sim_consumer_step(self, event);
}

void sim_access_cut(sim_t *self)
{
    sim_process_t *process = any_worker(self);
    if (!process || process->session == 0 || process->cut_ms > 0)
        return;
    sim_trace(self, "%s: the connection to its session is broken", process->name.text);
    process->broken = process->session;
    process->cut_ms = self->now_ms + sim_between(self, 0, FOUND_OUT);
}

// A revoked process ends, and comes back with another key; a broken connection is found out.
void sim_access_time(sim_t *self)
{
    for (uint32_t i = 0; i < self->process_count; i++) {
        sim_process_t *process = &self->processes[i];
        bool is_due = !self->faulty || self->now_ms >= process->renewed_ms;
        if (process->renewed_ms > 0 && is_due) {
            sim_crash(self, process, "gets another key");
            process->renewed_ms = 0;
        }
        is_due = !self->faulty || self->now_ms >= process->cut_ms;
        if (process->cut_ms == 0 || !is_due)
            continue;
        process->cut_ms = 0;
        gather_event_t event = {.kind = GATHER_CUT};
        event.as.cut.session = process->broken;
        sim_consumer_step(self, event);
    }
}

// ---- the liar

bool sim_access_is_liar(mm_str_t name)
{
    return mm_str_equal(name, mm_str(LIAR));
}

void sim_access_welcome(sim_t *self, uint64_t session)
{
    self->liar.session = session;
}

typedef struct {
    uint64_t number;
    mm_leg_t leg;
    const sim_job_t *job;
} lie_t;

// What a restarter runs.
static bool find_running(sim_t *self, lie_t *ret_lie)
{
    const sim_process_t *process = any_worker(self);
    if (!process || process->role != SIM_RESTARTER || process->running_count == 0)
        return false;
    const sim_running_t *running = &process->running[sim_below(self, process->running_count)];
    *ret_lie = (lie_t){running->number, running->leg, running->job};
    return true;
}

// Without a record a new consumer believes what is said of former ones: that is a rehearsal's, and
// of a job that was delivered before.
static bool is_believed(const sim_t *self, const lie_t *lie)
{
    const flight_t *flight = flights_find(&self->consumer->gather->flights, &lie->job->id);
    return lie->number >> 32 != self->epoch && !self->shape.real &&
           (!flight || flight->redelivered);
}

static lie_t draw_lie(sim_t *self)
{
    lie_t lie;
    bool is_known = sim_coin(self) && find_running(self, &lie);
    if (!is_known) {
        uint64_t epoch = self->epoch - (self->epoch > 1 && sim_coin(self));
        lie = (lie_t){.number = (epoch << 32) + 1 + sim_below(self, NUMBERS),
                      .leg = MM_LEG_RESTART,
                      .job = &self->jobs[sim_below(self, self->job_count)]};
    }
    if (is_believed(self, &lie))
        lie.number = (self->epoch << 32) | (lie.number & UINT32_MAX);
    return lie;
}

static mm_result_t tell_lie(sim_t *self, const lie_t *lie, mm_real_t *real)
{
    static const mm_status_t statuses[] = {MM_STATUS_OK, MM_STATUS_OK, MM_STATUS_FAILED,
                                           MM_STATUS_RETURNED, MM_STATUS_OPEN};
    mm_status_t status = statuses[sim_below(self, self->shape.real ? 5 : 4)];
    mm_result_t result = {.serial = ++self->liar.serial,
                          .number = lie->number,
                          .leg = lie->leg,
                          .id = lie->job->id,
                          .status = status};
    if (!self->shape.real || status == MM_STATUS_RETURNED)
        return result;
    bool is_ok = status == MM_STATUS_OK;
    *real = (mm_real_t){.end = is_ok ? MM_END_RESTARTED : MM_END_EXIT,
                        .exit = is_ok ? 0 : 1,
                        .sent = true,
                        .proof = is_ok ? sim_coin(self) ? MM_PROOF_PROVEN : MM_PROOF_UNVERIFIED
                                       : MM_PROOF_NONE};
    real->boot.bytes[0] = (uint8_t)sim_between(self, 0, 2);
    result.real = real;
    return result;
}

static void report(sim_t *self, bool is_hello)
{
    lie_t lies[LIES];
    mm_assignment_t held[LIES];
    size_t count = (size_t)sim_below(self, LIES + 1);
    for (size_t i = 0; i < count; i++) {
        lies[i] = draw_lie(self);
        held[i] = (mm_assignment_t){.number = lies[i].number,
                                    .leg = lies[i].leg,
                                    .id = lies[i].job->id,
                                    .started = true,
                                    .host = mm_str(lies[i].job->host)};
    }
    mm_report_t said = {.is_hello = is_hello,
                        .worker = mm_str(LIAR),
                        .instance = 1,
                        .role = MM_ROLE_RESTARTER,
                        .session = self->liar.session,
                        .sequence = ++self->liar.sequence,
                        .stamp_ms = self->now_ms,
                        .last_serial = self->liar.serial,
                        .parts = 1,
                        .held = held,
                        .held_count = count};
    if (self->shape.real) {
        said.driver = mm_str("real");
        said.verbs = sim_verbs(self);
    }
    gather_event_t event = {.kind = GATHER_REPORT};
    event.as.report = &said;
    sim_consumer_step(self, event);
}

void sim_access_check_task(sim_t *self, const mm_task_t *task)
{
    bool is_told = task->real && sim_access_is_liar(task->real->worker);
    if (sim_access_is_liar(task->worker) || is_told)
        sim_violated(self, "R18 never given", "#%llu is to record what was never given",
                     (unsigned long long)task->number);
}

void sim_access_check(sim_t *self, const sim_process_t *consumer)
{
    const worker_t *liar = workers_find(consumer->gather->workers, mm_str(LIAR), 1);
    for (const assignment_t *task = liar ? assignments_first(liar) : NULL; task;
         task = assignments_next(task))
        if (task->number >> 32 == self->epoch)
            sim_violated(self, "R18 never given", "#%llu is adopted of who was not given it",
                         (unsigned long long)task->number);
}

void sim_access_lie(sim_t *self)
{
    if (!self->consumer->alive || self->consumer->paused_until > 0)
        return;
    bool is_new = self->liar.epoch != self->epoch || sim_below(self, 8) == 0;
    if (self->liar.epoch != self->epoch)
        self->liar.serial = 0; // the consumer counts from there
    self->liar.epoch = self->epoch;
    report(self, is_new);
    mm_real_t real;
    lie_t lie = draw_lie(self);
    mm_result_t result = tell_lie(self, &lie, &real);
    gather_event_t event = {.kind = GATHER_RESULT};
    event.as.from.worker = mm_str(LIAR);
    event.as.from.instance = 1;
    event.as.from.session = self->liar.session;
    event.as.from.result = &result;
    sim_consumer_step(self, event);
}
