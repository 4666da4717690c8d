// See restart.h.

#include "duration.h"
#include "restart_inside.h"

#include <assert.h>
#include <string.h>

static bool has_code(const restart_config_t *config, int code)
{
    return code >= 0 && code < 256 && (config->ok_codes[code / 8] >> code % 8 & 1) != 0;
}

int64_t restart_after(int64_t from_ms, int64_t span_ms)
{
    return from_ms > INT64_MAX - span_ms ? INT64_MAX : from_ms + span_ms;
}

// ---- ends

void restart_finish_now(restart_t *self, mm_status_t status, mm_end_t end)
{
    self->phase = RESTART_PHASE_DONE;
    self->is_running = false;
    self->status = status;
    self->end = end;
}

// What is owed is paid first.
void restart_finish(restart_t *self, mm_status_t status, mm_end_t end)
{
    restart_finish_now(self, status, end);
    if (!debt_is_to_be_paid(&self->debt, restart_is_restarted(self), self->sent))
        return;
    self->phase = RESTART_PHASE_AFTER;
    self->next_ms = 0;
    if (self->is_stopped)
        restart_end_after(self);
}

// No command was sent, and nothing is to be charged for it.
void restart_give_back(restart_t *self)
{
    restart_finish(self, MM_STATUS_RETURNED, MM_END_NOT_STARTED);
}

// Somebody else looks on. The end is that of the command, if one was sent.
void restart_leave_open(restart_t *self)
{
    restart_finish_now(self, MM_STATUS_OPEN, self->sent ? self->end : MM_END_NOT_STARTED);
}

static void finish_proof(restart_t *self)
{
    switch (self->proof.outcome) {
    case PROOF_OPEN: return;
    case PROOF_PROVEN:
    case PROOF_VERIFIED:
        self->proven = self->proof.outcome == PROOF_PROVEN ? MM_PROOF_PROVEN : MM_PROOF_VERIFIED;
        restart_finish(self, MM_STATUS_OK, MM_END_RESTARTED);
        return;
    case PROOF_SAME_BOOT: restart_finish(self, MM_STATUS_FAILED, MM_END_SAME_BOOT); return;
    case PROOF_WRONG_HOST: restart_finish(self, MM_STATUS_FAILED, MM_END_WRONG_HOST); return;
    case PROOF_UNHEALTHY: restart_finish(self, MM_STATUS_FAILED, MM_END_UNHEALTHY); return;
    case PROOF_UNREACHABLE: restart_finish(self, MM_STATUS_FAILED, MM_END_UNREACHABLE); return;
    case PROOF_UNVERIFIED: restart_finish(self, MM_STATUS_FAILED, MM_END_UNVERIFIED); return;
    }
}

// ---- looks

static void begin_look(restart_t *self, int64_t now_ms)
{
    const restart_config_t *config = self->config;
    self->phase = RESTART_PHASE_LOOK;
    proof_begin(&self->proof,
                &(proof_config_t){.before = self->before,
                                  .begun_ms = self->first_ms,
                                  .deadline_ms = self->deadline_ms,
                                  .verify_ms = config->verify_ms,
                                  .settle_ms = mm_earlier(config->settle_ms, config->verify_ms),
                                  .has_health = config->has_health,
                                  .seed = self->seed},
                now_ms);
}

// Looks on from a read that was made for another reason.
static void look_on(restart_t *self, const identity_t *read)
{
    begin_look(self, self->began_ms);
    proof_take_read(&self->proof, self->began_ms, read);
    finish_proof(self);
}

// An answer that is no identity is somebody's, too.
static void keep_seen(restart_t *self, const restart_end_t *end)
{
    bool is_answer = end->identity || (end->how == RESTART_EXITED && end->number == 0);
    self->has_answer = self->has_answer || is_answer;
    // Of a host that did not answer before, any answer counts until the end: it gets no more
    // commands.
    self->has_seen = end->identity || (self->has_seen && identity_is_nobody(&self->before));
    if (end->identity)
        self->seen = *end->identity;
}

// Only this is a host that a command may be sent to (H3).
static bool is_on_record(const restart_t *self, const identity_t *read)
{
    return read && identity_is_same(&self->before, read);
}

// ---- the command

void restart_begin_command(restart_t *self, int64_t now_ms)
{
    self->phase = RESTART_PHASE_COMMAND;
    self->next_ms = now_ms;
}

void restart_begin_read(restart_t *self, int64_t now_ms)
{
    self->phase = RESTART_PHASE_READ;
    self->next_ms = now_ms;
    self->until_ms = restart_after(now_ms, RESTART_LOOK_MS); // as one read may take
}

// The instant at which a command has ended, by itself or by the spawner. What looks for it counts
// on that: the timeout bounds a command from the attempt's begin on record.
static int64_t command_end(const restart_t *self)
{
    return self->deadline_ms - self->config->verify_ms;
}

// The read that has shown the boot on record is young (H3), or else the task and its begin (H1).
int64_t restart_latest_start(const restart_t *self)
{
    int64_t latest_ms =
        mm_earlier(restart_after(self->read_ms, self->config->lost_after_ms), command_end(self));
    bool has_read = self->config->identifies || self->debt.has_prepared;
    return has_read ? latest_ms : mm_earlier(latest_ms, self->start_ms - 1);
}

static void begin_verify(restart_t *self, int64_t now_ms)
{
    self->phase = RESTART_PHASE_VERIFY;
    self->next_ms = now_ms;
    self->until_ms = restart_after(now_ms, self->config->verify_ms);
}

// What its end says without a way to look.
static void judge_alone(restart_t *self, const restart_end_t *end)
{
    bool is_ok = end->how == RESTART_EXITED && has_code(self->config, end->number);
    if (is_ok)
        self->proven = MM_PROOF_UNVERIFIED;
    restart_finish(self, is_ok ? MM_STATUS_OK : MM_STATUS_FAILED,
                   is_ok ? MM_END_RESTARTED : self->end);
}

static void judge_command(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    // An end that may be that of the connection, or our own doing, is none of the restart.
    bool is_failure = end->how == RESTART_EXITED && !has_code(self->config, end->number);
    if (end->how == RESTART_LEFT) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_LEFT_RUNNING);
    } else if (self->config->identifies) {
        if (self->is_draining)
            restart_leave_open(self);
        else if (!is_failure)
            begin_look(self, now_ms);
        else {
            self->phase = RESTART_PHASE_CHECK;
            self->next_ms = now_ms;
        }
    } else if (self->config->has_verify && !is_failure && !self->is_stopped) {
        begin_verify(self, now_ms);
    } else {
        judge_alone(self, end);
    }
}

static void command_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    static const mm_end_t ends[] = {[RESTART_EXITED] = MM_END_EXIT,
                                    [RESTART_SIGNALED] = MM_END_SIGNAL,
                                    [RESTART_TIMED_OUT] = MM_END_TIMEOUT,
                                    [RESTART_STOPPED] = MM_END_STOPPED,
                                    [RESTART_LEFT] = MM_END_LEFT_RUNNING};
    self->sent = true;
    self->end = ends[end->how];
    if (end->how == RESTART_EXITED)
        self->exit = (uint32_t)end->number;
    else if (end->how == RESTART_SIGNALED)
        self->exit = 256 + (uint32_t)end->number;
    judge_command(self, end, now_ms);
}

// ---- other runs

// That nobody answers is what is known of the host.
static void find_nobody(restart_t *self)
{
    self->has_seen = true;
    self->seen = identity_nobody();
    restart_finish(self, MM_STATUS_OK, MM_END_NOT_STARTED);
}

static void probe_ended(restart_t *self, const identity_t *read, int64_t now_ms)
{
    if (read && self->config->has_health) {
        self->phase = RESTART_PHASE_PROBE_HEALTH;
        self->next_ms = now_ms;
    } else if (read) {
        restart_finish(self, MM_STATUS_OK, MM_END_NOT_STARTED);
    } else if (now_ms >= self->until_ms && self->config->allows_unreachable && !self->has_answer) {
        find_nobody(self);
    } else if (now_ms >= self->until_ms) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_UNREACHABLE);
    } else {
        self->next_ms = mm_earlier(now_ms + self->pause_ms, self->until_ms);
        self->pause_ms = mm_earlier(2 * self->pause_ms, PROOF_POLL_HIGH_MS);
    }
}

static void keep_health(restart_t *self, mm_str_t line)
{
    size_t size = line.size < MM_HEALTH_MAX ? line.size : MM_HEALTH_MAX;
    if (size > 0)
        memcpy(self->health, line.data, size);
    self->health[size] = '\0';
}

// Whether it is well is not asked, but what it says when it is not. A code of 255 is not the
// host's: so end connections that fail.
static void probe_health_ended(restart_t *self, const restart_end_t *end)
{
    bool is_told = end->how == RESTART_EXITED && end->number != 0 && end->number != 255;
    keep_health(self, is_told ? end->line : (mm_str_t){0});
    restart_finish(self, MM_STATUS_OK, MM_END_NOT_STARTED);
}

static void read_ended(restart_t *self, const identity_t *read, int64_t now_ms)
{
    self->read_ms = now_ms;
    if (self->is_stopped)
        restart_leave_open(self);
    else if (self->is_draining)
        restart_give_back(self);
    else if (is_on_record(self, read))
        restart_begin_before(self, now_ms);
    else if (self->config->allows_unreachable && identity_is_nobody(&self->before) &&
             !self->has_answer)
        restart_begin_before(self, now_ms);
    else if (!read && now_ms < self->until_ms)
        self->next_ms = now_ms + PROOF_POLL_LOW_MS; // an answer that was lost is no reason to wait
    else
        look_on(self, read);
}

static void check_ended(restart_t *self, const identity_t *read)
{
    if (is_on_record(self, read))
        restart_finish(self, MM_STATUS_FAILED, MM_END_EXIT);
    else
        look_on(self, read);
}

// Well, or no worse than before the restart.
static bool is_healthy(const restart_t *self, const restart_end_t *end)
{
    mm_str_t before = mm_str(self->health);
    return end->how == RESTART_EXITED &&
           (end->number == 0 || (before.size > 0 && mm_str_equal(end->line, before)));
}

static void look_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    if (self->proof.asks_health) {
        proof_take_health(&self->proof, now_ms, is_healthy(self, end));
    } else {
        proof_take_read(&self->proof, self->began_ms, end->identity);
    }
    finish_proof(self);
}

static void verify_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    if (end->how == RESTART_EXITED && end->number == 0) {
        self->proven = MM_PROOF_VERIFIED;
        restart_finish(self, MM_STATUS_OK, MM_END_RESTARTED);
    } else if (self->is_stopped) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_STOPPED);
    } else if (now_ms >= self->until_ms) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_UNVERIFIED);
    } else {
        self->next_ms = mm_earlier(self->began_ms + RESTART_VERIFY_MS, self->until_ms);
    }
}

void restart_command_not_started(restart_t *self, int64_t now_ms)
{
    if (self->config->identifies && now_ms >= command_end(self))
        begin_look(self, now_ms);
    else if (!restart_is_permitted(self, now_ms))
        restart_refuse(self);
    else
        restart_give_back(self);
}

// It says nothing of the host. One more try, later, so that the task does not go round and round.
static void look_not_started(restart_t *self, int64_t now_ms)
{
    if (self->is_unable) {
        restart_leave_open(self);
    } else {
        self->is_unable = true;
        self->next_ms = now_ms + RESTART_AGAIN_MS;
    }
}

// This machine could not start what is next; or it was too late for the command.
static void not_started(restart_t *self, int64_t now_ms)
{
    switch (self->phase) {
    case RESTART_PHASE_BEFORE:
        self->debt.has_prepared = false;
        restart_command_not_started(self, now_ms);
        return;
    case RESTART_PHASE_SKIP_IF:
    case RESTART_PHASE_PROBE:
    case RESTART_PHASE_PROBE_HEALTH:
    case RESTART_PHASE_READ: restart_give_back(self); return;
    case RESTART_PHASE_COMMAND: restart_command_not_started(self, now_ms); return;
    case RESTART_PHASE_CHECK:
    case RESTART_PHASE_LOOK: look_not_started(self, now_ms); return;
    case RESTART_PHASE_VERIFY:
        verify_ended(self, &(restart_end_t){.how = RESTART_NOT_STARTED}, now_ms);
        return;
    case RESTART_PHASE_AFTER:
        restart_after_ended(self, &(restart_end_t){.how = RESTART_NOT_STARTED}, now_ms);
        return;
    case RESTART_PHASE_DONE: break;
    }
    assert(false);
}

// ---- the interface

void restart_begin(restart_t *self, const restart_config_t *config, const mm_task_t *task,
                   uint64_t seed, int64_t now_ms)
{
    static const mm_real_t unlimited = {.command = 1};
    const mm_real_t *real = task->real ? task->real : &unlimited;
    bool is_limited = task->real != NULL;
    bool has_before = !mm_id_is_none(&real->boot);
    *self = (restart_t){.config = config,
                        .seed = seed,
                        .command = real->command,
                        .before.uptime_ms = IDENTITY_UPTIME_NONE,
                        .first_ms = is_limited ? real->first_ms : now_ms,
                        .deadline_ms = is_limited ? real->deadline_ms
                                                  : now_ms + config->timeout_ms + config->verify_ms,
                        .start_ms = is_limited ? real->start_ms : INT64_MAX,
                        .read_ms = now_ms,
                        .next_ms = now_ms,
                        .pause_ms = PROOF_POLL_LOW_MS,
                        .debt = debt_begin(config->has_after, task->real),
                        .exit = MM_EXIT_NONE};
    memcpy(self->before.machine, real->machine.bytes, sizeof self->before.machine);
    memcpy(self->before.boot, real->boot.bytes, sizeof self->before.boot);
    keep_health(self, real->health);
    if (real->end == MM_END_RESTARTED) {
        restart_finish(self, MM_STATUS_OK, MM_END_RESTARTED); // it only pays
    } else if (task->leg == MM_LEG_PROBE) {
        self->phase = RESTART_PHASE_SKIP_IF;
        if (!config->has_skip || real->age_ms > 0) // something has begun: it is gone on with
            restart_skip_if_ended(self, &(restart_end_t){.how = RESTART_NOT_STARTED}, now_ms);
    } else if (config->identifies && !has_before) {
        restart_finish(self, MM_STATUS_FAILED,
                       MM_END_NOT_STARTED); // without ids nothing can be proven
    } else if (self->command > config->commands) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_NOT_STARTED); // of a longer list
    } else if (self->command == 0 && config->identifies) {
        begin_look(self, now_ms);
    } else if (self->command == 0) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_INTERRUPTED); // nobody can look
    } else if (config->identifies) {
        restart_begin_read(self, now_ms);
    } else {
        restart_begin_before(self, now_ms);
    }
}

static restart_what_t what_is_next(const restart_t *self)
{
    switch (self->phase) {
    case RESTART_PHASE_PROBE:
    case RESTART_PHASE_READ:
    case RESTART_PHASE_CHECK:
    case RESTART_PHASE_DONE: return RESTART_IDENTIFY;
    case RESTART_PHASE_PROBE_HEALTH: return RESTART_HEALTH;
    case RESTART_PHASE_COMMAND: return RESTART_COMMAND;
    case RESTART_PHASE_LOOK: return self->proof.asks_health ? RESTART_HEALTH : RESTART_IDENTIFY;
    case RESTART_PHASE_VERIFY: return RESTART_VERIFY;
    case RESTART_PHASE_SKIP_IF: return RESTART_SKIP_IF;
    case RESTART_PHASE_BEFORE: return RESTART_BEFORE;
    case RESTART_PHASE_AFTER: return RESTART_AFTER;
    }
    assert(false);
}

bool restart_next(const restart_t *self, restart_step_t *ret_step)
{
    if (self->phase == RESTART_PHASE_DONE || self->is_running)
        return false;
    *ret_step = (restart_step_t){.what = what_is_next(self),
                                 .at_ms = self->next_ms,
                                 .not_after_ms = INT64_MAX,
                                 .limit_ms = RESTART_LOOK_MS,
                                 .end_ms = INT64_MAX};
    if (self->phase == RESTART_PHASE_LOOK) {
        (void)proof_next(&self->proof, &ret_step->at_ms);
        if (self->is_unable)
            ret_step->at_ms = self->next_ms;
    } else if (self->phase == RESTART_PHASE_COMMAND || self->phase == RESTART_PHASE_BEFORE) {
        // They share the time.
        ret_step->not_after_ms = restart_not_after(self);
        ret_step->limit_ms = self->config->timeout_ms;
        ret_step->end_ms = command_end(self);
    } else if (self->phase == RESTART_PHASE_VERIFY) {
        ret_step->end_ms = self->until_ms;
    } else if (self->phase == RESTART_PHASE_AFTER) {
        ret_step->limit_ms = self->config->timeout_ms;
    }
    return true;
}

bool restart_run(restart_t *self, int64_t now_ms)
{
    assert(!self->is_running && self->phase != RESTART_PHASE_DONE);
    if (self->phase == RESTART_PHASE_VERIFY && self->polls > 0 && now_ms >= self->until_ms) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_UNVERIFIED);
        return false;
    }
    if (!restart_is_permitted(self, now_ms)) {
        restart_wait_for_permit(self, now_ms);
        return false;
    }
    self->is_waiting = false;
    self->is_running = true;
    if (self->phase != RESTART_PHASE_COMMAND)
        self->began_ms = now_ms;
    self->polls += self->phase == RESTART_PHASE_VERIFY;
    self->debt.has_prepared = self->debt.has_prepared || self->phase == RESTART_PHASE_BEFORE;
    return true;
}

void restart_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    assert(self->is_running);
    self->is_running = false;
    if (end->how == RESTART_NOT_STARTED || end->how == RESTART_TOO_LATE) {
        not_started(self, now_ms);
        return;
    }
    bool is_hook = self->phase == RESTART_PHASE_SKIP_IF || self->phase == RESTART_PHASE_BEFORE ||
                   self->phase == RESTART_PHASE_AFTER;
    if (end->how == RESTART_UNABLE && !self->sent && !is_hook) {
        restart_finish(self, MM_STATUS_FAILED, MM_END_UNABLE);
        return;
    }
    self->is_unable = false;
    if (what_is_next(self) == RESTART_IDENTIFY)
        keep_seen(self, end);
    switch (self->phase) {
    case RESTART_PHASE_SKIP_IF: restart_skip_if_ended(self, end, now_ms); return;
    case RESTART_PHASE_BEFORE: restart_before_ended(self, end, now_ms); return;
    case RESTART_PHASE_AFTER: restart_after_ended(self, end, now_ms); return;
    case RESTART_PHASE_PROBE: probe_ended(self, end->identity, now_ms); return;
    case RESTART_PHASE_PROBE_HEALTH: probe_health_ended(self, end); return;
    case RESTART_PHASE_READ: read_ended(self, end->identity, now_ms); return;
    case RESTART_PHASE_COMMAND: command_ended(self, end, now_ms); return;
    case RESTART_PHASE_CHECK: check_ended(self, end->identity); return;
    case RESTART_PHASE_LOOK: look_ended(self, end, now_ms); return;
    case RESTART_PHASE_VERIFY: verify_ended(self, end, now_ms); return;
    case RESTART_PHASE_DONE: break;
    }
    assert(false);
}
