// See restart.h: how a task is cut short, and what its result says.

#include "restart_inside.h"

#include <assert.h>
#include <string.h>

void restart_drain(restart_t *self, int64_t now_ms)
{
    (void)now_ms;
    self->is_draining = true;
    switch (self->phase) {
    case RESTART_PHASE_SKIP_IF:
    case RESTART_PHASE_PROBE:
    case RESTART_PHASE_PROBE_HEALTH: restart_give_back(self); return;
    case RESTART_PHASE_READ:
        if (!self->debt.has_prepared) // else it ends first: --after follows
            restart_give_back(self);
        return;
    case RESTART_PHASE_BEFORE:
    case RESTART_PHASE_COMMAND:
        if (!self->is_running)
            restart_give_back(self);
        return;
    case RESTART_PHASE_AFTER:
        if (!self->is_running && self->debt.tries > 0)
            restart_end_after(self);
        return;
    case RESTART_PHASE_CHECK:
    case RESTART_PHASE_LOOK: restart_leave_open(self); return;
    case RESTART_PHASE_VERIFY: // nobody else can go on with it
    case RESTART_PHASE_DONE: return;
    }
}

void restart_stop(restart_t *self, int64_t now_ms)
{
    self->is_stopped = true;
    restart_drain(self, now_ms);
    if (self->phase == RESTART_PHASE_VERIFY && !self->is_running)
        restart_finish(self, MM_STATUS_FAILED, MM_END_STOPPED);
    if (self->phase == RESTART_PHASE_AFTER && !self->is_running)
        restart_end_after(self);
    if (self->phase == RESTART_PHASE_READ && !self->is_running)
        restart_leave_open(self);
}

void restart_fill(const restart_t *self, mm_result_t *ret_result)
{
    assert(self->phase == RESTART_PHASE_DONE);
    mm_real_t *real = ret_result->real;
    ret_result->status = self->status;
    real->end = self->end;
    real->exit = self->exit;
    real->proof = self->proven;
    if (self->has_seen) {
        memcpy(real->machine.bytes, self->seen.machine, sizeof self->seen.machine);
        memcpy(real->boot.bytes, self->seen.boot, sizeof self->seen.boot);
    }
    real->health = mm_str(self->health);
    real->sent = self->sent;
    real->owes = debt_is_owed(&self->debt, restart_is_restarted(self), self->sent);
    real->more = self->command > 0 && self->command < self->config->commands &&
                 (self->end == MM_END_SAME_BOOT || self->end == MM_END_UNREACHABLE);
}
