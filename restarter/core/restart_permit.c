// See restart.h: the permit that what acts on a host waits for (G10).

#include "restart_inside.h"

#include "duration.h"

static bool acts(const restart_t *self)
{
    return self->phase == RESTART_PHASE_BEFORE || self->phase == RESTART_PHASE_COMMAND;
}

void restart_permit(restart_t *self, int64_t until_ms)
{
    if (self->is_waiting && until_ms != self->permit_ms)
        self->next_ms = 0;
    self->permit_ms = until_ms;
}

bool restart_is_permitted(const restart_t *self, int64_t now_ms)
{
    return !acts(self) || now_ms < self->permit_ms;
}

int64_t restart_not_after(const restart_t *self)
{
    return mm_earlier(restart_latest_start(self), self->permit_ms - 1);
}

void restart_wait_for_permit(restart_t *self, int64_t now_ms)
{
    self->next_ms = restart_latest_start(self);
    self->is_waiting = now_ms < self->next_ms;
    if (!self->is_waiting)
        restart_command_not_started(self, now_ms);
}

// Nothing of the job was sent before a first command: that is returned. Behind one that was, the
// end of its attempt and what is owed go on record.
void restart_refuse(restart_t *self)
{
    self->is_refused = true;
    if (self->command > 1)
        restart_finish(self, MM_STATUS_OPEN, MM_END_NOT_STARTED);
    else
        restart_give_back(self);
}
