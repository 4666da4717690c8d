// See restart.h: what is asked and done beside a restart, --skip-if, --before and --after.

#include "restart_inside.h"

// The first command of an attempt is prepared for. A debt that is not on record is not made;
// without
// --after there is none.
void restart_begin_before(restart_t *self, int64_t now_ms)
{
    bool has_after = self->config->has_after;
    bool was_prepared = self->command > 1 && (self->debt.was_owed || !has_after);
    if (!self->config->has_before || self->debt.has_prepared || was_prepared) {
        restart_begin_command(self, now_ms);
    } else if (has_after && !self->debt.is_on_record) {
        restart_give_back(self);
    } else {
        self->phase = RESTART_PHASE_BEFORE;
        self->next_ms = now_ms;
    }
}

void restart_skip_if_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    if (end->how == RESTART_EXITED && end->number == 0) {
        restart_finish(self, MM_STATUS_OK, MM_END_SKIPPED);
    } else if (self->config->identifies) {
        self->phase = RESTART_PHASE_PROBE;
        self->next_ms = now_ms;
        self->until_ms = restart_after(now_ms, self->config->verify_ms);
    } else {
        restart_finish(self, MM_STATUS_OK, MM_END_NOT_STARTED); // there is nothing to know
    }
}

// Before a command it is asked again: since the probe another pipeline may have had the host. What
// was sent before has an end then, and was no restart.
bool restart_skip(restart_t *self, const mm_task_t *task)
{
    bool has_begun = task->real && task->real->age_ms > 0;
    bool asks = task->leg == MM_LEG_PROBE && !has_begun;
    bool sends = self->phase == RESTART_PHASE_READ || self->phase == RESTART_PHASE_BEFORE ||
                 self->phase == RESTART_PHASE_COMMAND;
    if (!asks && !sends)
        return false;
    restart_finish(self, MM_STATUS_OK, MM_END_SKIPPED);
    return true;
}

void restart_before_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    bool is_good = end->how == RESTART_EXITED && end->number == 0;
    self->read_ms = now_ms; // without ids this is as fresh as can be
    self->debt.has_prepared = end->how != RESTART_UNABLE;
    if (end->how == RESTART_UNABLE)
        restart_finish(self, MM_STATUS_FAILED, MM_END_UNABLE);
    else if (self->is_stopped)
        restart_leave_open(self);
    else if (!is_good)
        restart_finish(self, MM_STATUS_FAILED, MM_END_UNPREPARED);
    else if (self->is_draining)
        restart_give_back(self);
    else if (self->config->identifies)
        restart_begin_read(self, now_ms);
    else
        restart_begin_command(self, now_ms);
}

// A restart that is returned leaves no debt.
void restart_end_after(restart_t *self)
{
    bool is_open = self->status == MM_STATUS_RETURNED && !self->debt.is_paid;
    restart_finish_now(self, is_open ? MM_STATUS_OPEN : self->status, self->end);
}

void restart_after_ended(restart_t *self, const restart_end_t *end, int64_t now_ms)
{
    bool is_good = end->how == RESTART_EXITED && end->number == 0;
    int64_t pause_ms;
    if (debt_tried(&self->debt, is_good, self->config->tries, &pause_ms) && !self->is_draining &&
        end->how != RESTART_UNABLE)
        self->next_ms = now_ms + pause_ms;
    else
        restart_end_after(self);
}
