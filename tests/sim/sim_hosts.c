// The simulator's hosts that are restarted for real, with boots that are counted, and the driver
// that does it: it reads who the host is, sends a command, and looks, as restarter/ does.

#include "sim.h"

#include "random.h"

#include <assert.h>
#include <string.h>

#define POLL_MS 1000 // of a probe
#define DOWN_MS 2500 // how long a host is down, at most

void sim_hosts_draw(sim_t *self)
{
    uint64_t random = self->seed ^ 0x686f7374;
    for (uint32_t i = 0; i < self->shape.hosts; i++) {
        sim_host_t *host = &self->hosts[i];
        bool is_well = mm_random_below(&random, 2) == 0;
        host->kind = is_well ? SIM_HOST_WELL : mm_random_below(&random, SIM_HOST_KINDS);
        host->boots = 1;
        host->boot_ms[0] = -(int64_t)mm_random_below(&random, 100000) - 1;
    }
}

sim_host_t *sim_host(sim_t *self, const sim_job_t *job)
{
    return &self->hosts[job->host_index];
}

// What has been due is done.
static void catch_up(sim_t *self, sim_host_t *host)
{
    if (host->down_ms == 0 || self->now_ms < host->up_ms)
        return;
    assert(host->boots < SIM_BOOTS);
    host->boot_ms[host->boots++] = host->up_ms;
    host->down_ms = 0;
    if (host->down_by > 0)
        self->jobs[host->down_by - 1].effects++;
}

void sim_host_reboot(sim_t *self, sim_host_t *host, uint8_t by)
{
    catch_up(self, host);
    if (host->down_ms > 0 || host->kind == SIM_HOST_NOOP || host->kind == SIM_HOST_GONE)
        return;
    bool is_slow = host->kind == SIM_HOST_SLOW;
    int64_t longest_ms = is_slow ? 2 * self->shape.gather.attempt_ms : 300;
    host->down_ms = self->now_ms + 1 + (int64_t)sim_below(self, (uint64_t)longest_ms);
    host->up_ms = host->down_ms + sim_between(self, 100, DOWN_MS);
    host->down_by = by;
    sim_trace(self, "host %u goes down at %lld, is up at %lld", (unsigned)(host - self->hosts),
              (long long)host->down_ms, (long long)host->up_ms);
}

bool sim_host_is_silent(sim_t *self, sim_host_t *host)
{
    catch_up(self, host);
    bool is_down = host->down_ms > 0 && self->now_ms >= host->down_ms;
    bool is_hung = host->kind == SIM_HOST_HUNG && host->boots == 1;
    return is_down || is_hung || host->kind == SIM_HOST_GONE;
}

bool sim_host_read(sim_t *self, sim_host_t *host, identity_t *ret_identity)
{
    if (sim_host_is_silent(self, host) || (host->kind == SIM_HOST_FLAPS && sim_below(self, 3) > 0))
        return false;
    *ret_identity = (identity_t){.uptime_ms = self->now_ms - host->boot_ms[host->boots - 1]};
    ret_identity->machine[15] = (uint8_t)(host - self->hosts + 1);
    ret_identity->boot[14] = (uint8_t)(host - self->hosts + 1);
    ret_identity->boot[15] = (uint8_t)host->boots;
    return true;
}

// ---- the driver

static int64_t boot_ms(const sim_t *self, const sim_process_t *process)
{
    return sim_clock(self, process);
}

static identity_t before(const sim_running_t *running)
{
    identity_t identity = {.uptime_ms = IDENTITY_UPTIME_NONE};
    memcpy(identity.machine, running->real.machine.bytes, sizeof identity.machine);
    memcpy(identity.boot, running->real.boot.bytes, sizeof identity.boot);
    return identity;
}

static void wait(sim_t *self, sim_running_t *running, int64_t span_ms)
{
    running->end_ms = self->now_ms + span_ms;
}

void sim_real_start(sim_t *self, sim_process_t *process, sim_running_t *running)
{
    (void)process;
    running->started_ms = self->now_ms;
    running->exit = MM_EXIT_NONE;
    running->debt = debt_begin(self->shape.hooks, &running->real);
    running->phase = running->leg == MM_LEG_PROBE ? SIM_PROBE : SIM_READ;
    wait(self, running, sim_between(self, 5, 200));
}

static void begin_look(sim_t *self, const sim_process_t *process, sim_running_t *running)
{
    running->phase = SIM_LOOK;
    proof_begin(&running->proof,
                &(proof_config_t){.before = before(running),
                                  .begun_ms = running->real.first_ms,
                                  .deadline_ms = running->real.deadline_ms,
                                  .verify_ms = self->shape.verify_ms,
                                  .settle_ms = self->shape.settle_ms,
                                  .has_health = true,
                                  .seed = running->number},
                boot_ms(self, process));
    running->end_ms = self->now_ms;
}

static bool give_back(const sim_running_t *running, mm_result_t *ret_result)
{
    *ret_result =
        (mm_result_t){.number = running->number, .leg = running->leg, .status = MM_STATUS_RETURNED};
    return true;
}

static bool end(const sim_running_t *running, mm_status_t status, mm_end_t why,
                mm_result_t *ret_result)
{
    static mm_real_t found; // until the next one ends
    found = (mm_real_t){
        .end = why, .boot = running->seen, .exit = running->exit, .sent = running->sent};
    *ret_result = (mm_result_t){
        .number = running->number, .leg = running->leg, .status = status, .real = &found};
    return true;
}

// Its own machine is out of processes, say.
static bool is_unable(sim_t *self, const sim_running_t *running, mm_result_t *ret_result)
{
    if (!self->faulty || !sim_chance(self, self->faults.unable))
        return false;
    (void)end(running, MM_STATUS_RETURNED, MM_END_NOT_STARTED, ret_result);
    ret_result->error = mm_str("no processes left");
    ret_result->real->pause_ms = sim_between(self, 1, 5000);
    ret_result->real->is_held = sim_coin(self); // or another pipeline has the host
    return true;
}

// Another pipeline has restarted the host since the probe, says the host's record.
static bool is_cooled(sim_t *self, const sim_running_t *running, mm_result_t *ret_result)
{
    if (!self->shape.skips || running->debt.has_prepared || sim_below(self, 8) > 0)
        return false;
    running->job->is_cooled = true;
    return end(running, MM_STATUS_OK, MM_END_SKIPPED, ret_result);
}

static bool end_probe(const sim_running_t *running, const identity_t *found,
                      mm_result_t *ret_result)
{
    (void)end(running, MM_STATUS_OK, MM_END_NOT_STARTED, ret_result);
    memcpy(ret_result->real->machine.bytes, found->machine, sizeof found->machine);
    memcpy(ret_result->real->boot.bytes, found->boot, sizeof found->boot);
    return true;
}

static bool step_probe(sim_t *self, sim_running_t *running, mm_result_t *ret_result)
{
    identity_t identity, nobody = identity_nobody();
    sim_host_t *host = sim_host(self, running->job);
    if (is_unable(self, running, ret_result))
        return true;
    if (self->shape.skips && running->job->needs_nothing && running->real.age_ms == 0)
        return end(running, MM_STATUS_OK, MM_END_SKIPPED, ret_result);
    if (self->shape.blind)
        return end(running, MM_STATUS_OK, MM_END_NOT_STARTED, ret_result);
    if (sim_host_read(self, host, &identity))
        return end_probe(running, &identity, ret_result);
    bool is_over = self->now_ms >= running->started_ms + self->shape.verify_ms;
    if (is_over && self->shape.unreachable && sim_host_is_silent(self, host))
        return end_probe(running, &nobody, ret_result);
    if (is_over)
        return end(running, MM_STATUS_FAILED, MM_END_UNREACHABLE, ret_result);
    wait(self, running, POLL_MS);
    return false;
}

// H3: nothing is sent to a host that is not in the boot on record, or does not answer, on record.
static bool may_send(sim_t *self, const sim_running_t *running)
{
    identity_t old = before(running), identity;
    sim_host_t *host = sim_host(self, running->job);
    if (self->shape.blind)
        return true;
    if (identity_is_nobody(&old))
        return sim_host_is_silent(self, host);
    return sim_host_read(self, host, &identity) && identity_is_same(&old, &identity);
}

// What is done before the command, as restarter/core/restart_hooks.c does it. True: it is done.
static bool prepare(sim_t *self, sim_running_t *running)
{
    debt_t *debt = &running->debt;
    if (!self->shape.hooks || debt->has_prepared || (debt->was_owed && running->real.command > 1))
        return true;
    sim_check_cordoned(self, running);
    debt->has_prepared = running->job->is_cordoned = true;
    running->phase = SIM_BEFORE;
    wait(self, running, sim_between(self, 1, SIM_BEFORE_MS));
    return false;
}

static bool end_before(sim_t *self, const sim_process_t *process, sim_running_t *running,
                       mm_result_t *ret_result)
{
    if (running->is_timeout)
        return end(running, MM_STATUS_OPEN, MM_END_NOT_STARTED, ret_result);
    if (sim_below(self, 8) == 0)
        return end(running, MM_STATUS_FAILED, MM_END_UNPREPARED, ret_result);
    if (process->draining)
        return give_back(running, ret_result);
    running->phase = SIM_READ;
    wait(self, running, sim_between(self, 5, 200));
    return false;
}

// What is owed is paid, or told.
static void pay(sim_t *self, const sim_process_t *process, sim_running_t *running,
                mm_result_t *ret_result)
{
    static mm_real_t open;
    bool is_returned = ret_result->status == MM_STATUS_RETURNED;
    bool is_restarted =
        ret_result->status == MM_STATUS_OK && ret_result->real->end == MM_END_RESTARTED;
    int64_t pause_ms;
    if (ret_result->status != MM_STATUS_OPEN &&
        debt_is_to_be_paid(&running->debt, is_restarted, running->sent) && !process->draining) {
        (void)debt_tried(&running->debt, sim_below(self, 8) > 0, 1, &pause_ms);
        running->job->is_cordoned = running->job->is_cordoned && !running->debt.is_paid;
    }
    bool owes = debt_is_owed(&running->debt, is_restarted, running->sent);
    if (is_returned && running->debt.has_prepared && !running->debt.is_paid) {
        open = (mm_real_t){.end = MM_END_NOT_STARTED, .exit = MM_EXIT_NONE};
        ret_result->status = MM_STATUS_OPEN;
        ret_result->real = &open;
    }
    if (ret_result->status != MM_STATUS_RETURNED)
        ret_result->real->owes = owes;
}

// Without a permit of its consumer nothing is sent: it waits, as long as its task is young, then it
// is returned, as restarter/core/restart_permit.c does it. True: it has ended.
static bool lacks_permit(sim_t *self, const sim_process_t *process, sim_running_t *running,
                         bool *ret_has_ended, mm_result_t *ret_result)
{
    int64_t now_ms = boot_ms(self, process);
    // Without a read the task is as old as its begin (H1).
    bool is_young = self->shape.blind
                        ? now_ms < running->real.start_ms
                        : self->now_ms < running->started_ms + self->shape.gather.lost_after_ms;
    *ret_has_ended = false;
    if (is_young && now_ms < mm_worker_permit(process->worker))
        return false;
    if (is_young) {
        wait(self, running, 50);
        return true;
    }
    *ret_has_ended = true;
    if (running->real.command > 1)
        (void)end(running, MM_STATUS_OPEN, MM_END_NOT_STARTED, ret_result);
    else
        (void)give_back(running, ret_result);
    return true;
}

static bool step_read(sim_t *self, sim_process_t *process, sim_running_t *running,
                      mm_result_t *ret_result)
{
    sim_host_t *host = sim_host(self, running->job);
    // A command that could not end in time is not sent: who looks for it counts on that.
    int64_t left_ms = running->real.deadline_ms - self->shape.verify_ms - boot_ms(self, process);
    if (running->debt.has_prepared && running->is_timeout)
        return end(running, MM_STATUS_OPEN, MM_END_NOT_STARTED, ret_result);
    if ((left_ms <= 0 && self->shape.blind) || (process->draining && running->debt.has_prepared))
        return give_back(running, ret_result);
    if (running->real.command == 0 || left_ms <= 0 || !may_send(self, running)) {
        begin_look(self, process, running);
        return false;
    }
    bool has_ended;
    if (lacks_permit(self, process, running, &has_ended, ret_result))
        return has_ended;
    if (is_unable(self, running, ret_result) || is_cooled(self, running, ret_result))
        return true;
    if (!prepare(self, running))
        return false;
    running->phase = SIM_COMMAND;
    running->sent = true;
    sim_check_command(self, process, running);
    int64_t longest_ms = left_ms;
    if (host->kind == SIM_HOST_REFUSES) {
        running->exit = 1;
        longest_ms = longest_ms > 200 ? 200 : longest_ms;
    } else {
        running->exit = sim_coin(self) ? 255 : sim_coin(self) ? 0 : MM_EXIT_NONE;
        if (host->kind != SIM_HOST_STUBBORN || running->real.command == self->shape.commands)
            sim_host_reboot(self, host, (uint8_t)sim_number_of(self, running->job));
    }
    wait(self, running, 1 + (int64_t)sim_below(self, (uint64_t)longest_ms));
    return false;
}

// Its exit code is all there is.
static bool end_blind(const sim_running_t *running, mm_result_t *ret_result)
{
    if (running->is_timeout)
        return end(running, MM_STATUS_FAILED, MM_END_STOPPED, ret_result);
    if (running->exit == MM_EXIT_NONE)
        return end(running, MM_STATUS_FAILED, MM_END_TIMEOUT, ret_result);
    if (running->exit > 0)
        return end(running, MM_STATUS_FAILED, MM_END_EXIT, ret_result);
    (void)end(running, MM_STATUS_OK, MM_END_RESTARTED, ret_result);
    ret_result->real->proof = MM_PROOF_UNVERIFIED;
    return true;
}

static bool end_command(sim_t *self, sim_process_t *process, sim_running_t *running,
                        mm_result_t *ret_result)
{
    identity_t old = before(running), identity;
    sim_host_t *host = sim_host(self, running->job);
    if (self->shape.blind)
        return end_blind(running, ret_result);
    if (running->is_timeout) // stopped at the drain limit
        return end(running, MM_STATUS_OPEN, MM_END_STOPPED, ret_result);
    bool is_old = sim_host_read(self, host, &identity) && identity_is_same(&old, &identity);
    if (running->exit == 1 && is_old) {
        running->job->open_until_ms = 0;
        return end(running, MM_STATUS_FAILED, MM_END_EXIT, ret_result);
    }
    if (process->draining)
        return end(running, MM_STATUS_OPEN, MM_END_EXIT, ret_result);
    begin_look(self, process, running);
    return false;
}

static bool end_look(const sim_t *self, const sim_running_t *running, mm_result_t *ret_result)
{
    static const mm_end_t ends[] = {[PROOF_SAME_BOOT] = MM_END_SAME_BOOT,
                                    [PROOF_WRONG_HOST] = MM_END_WRONG_HOST,
                                    [PROOF_UNHEALTHY] = MM_END_UNHEALTHY,
                                    [PROOF_UNREACHABLE] = MM_END_UNREACHABLE};
    proof_outcome_t outcome = running->proof.outcome;
    if (outcome != PROOF_PROVEN && outcome != PROOF_VERIFIED) {
        (void)end(running, MM_STATUS_FAILED, ends[outcome], ret_result);
        ret_result->real->more = running->real.command > 0 &&
                                 running->real.command < self->shape.commands &&
                                 (outcome == PROOF_SAME_BOOT || outcome == PROOF_UNREACHABLE);
        return true;
    }
    (void)end(running, MM_STATUS_OK, MM_END_RESTARTED, ret_result);
    ret_result->real->proof = outcome == PROOF_PROVEN ? MM_PROOF_PROVEN : MM_PROOF_VERIFIED;
    memcpy(ret_result->real->boot.bytes, running->proof.candidate.boot,
           sizeof ret_result->real->boot.bytes);
    return true;
}

static bool step_look(sim_t *self, const sim_process_t *process, sim_running_t *running,
                      mm_result_t *ret_result)
{
    int64_t at_ms, now_ms = boot_ms(self, process);
    sim_host_t *host = sim_host(self, running->job);
    proof_step_t next = proof_next(&running->proof, &at_ms);
    if (next == PROOF_END)
        return end_look(self, running, ret_result);
    if (at_ms <= now_ms) {
        identity_t identity;
        bool is_known = next == PROOF_READ && sim_host_read(self, host, &identity);
        if (is_known && mm_id_is_max(&running->real.boot))
            memcpy(running->seen.bytes, identity.boot, sizeof identity.boot);
        if (next == PROOF_READ)
            proof_take_read(&running->proof, now_ms, is_known ? &identity : NULL);
        else
            proof_take_health(&running->proof, now_ms, host->kind != SIM_HOST_SICK);
        next = proof_next(&running->proof, &at_ms);
    }
    if (next == PROOF_END)
        return end_look(self, running, ret_result);
    wait(self, running, at_ms > now_ms ? at_ms - now_ms : 1);
    return false;
}

static bool step(sim_t *self, sim_process_t *process, sim_running_t *running,
                 mm_result_t *ret_result)
{
    if (running->is_timeout && running->phase != SIM_COMMAND && sim_real_open(running, ret_result))
        return true;
    switch (running->phase) {
    case SIM_PROBE: return step_probe(self, running, ret_result);
    case SIM_READ: return step_read(self, process, running, ret_result);
    case SIM_BEFORE: return end_before(self, process, running, ret_result);
    case SIM_COMMAND: return end_command(self, process, running, ret_result);
    case SIM_LOOK: return step_look(self, process, running, ret_result);
    }
    return false;
}

bool sim_real_step(sim_t *self, sim_process_t *process, sim_running_t *running,
                   mm_result_t *ret_result)
{
    if (!step(self, process, running, ret_result))
        return false;
    if (running->leg == MM_LEG_RESTART)
        pay(self, process, running, ret_result);
    return true;
}

bool sim_real_open(const sim_running_t *running, mm_result_t *ret_result)
{
    switch (running->phase) {
    case SIM_PROBE:
    case SIM_READ: return !running->debt.has_prepared && give_back(running, ret_result);
    case SIM_BEFORE:
    case SIM_COMMAND: return false;
    case SIM_LOOK:
        (void)end(running, MM_STATUS_OPEN, running->sent ? MM_END_EXIT : MM_END_NOT_STARTED,
                  ret_result);
        ret_result->real->owes = debt_is_owed(&running->debt, false, running->sent);
        return true;
    }
    return false;
}
