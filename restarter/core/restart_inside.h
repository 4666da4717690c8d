// What the parts of restart.h share: restart.c and the files of its name with an addition.

#ifndef RESTART_INSIDE_H
#define RESTART_INSIDE_H

#include "restart.h"

// restart.c. The first one pays what is owed before all is done, the second one does not.
void restart_finish(restart_t *self, mm_status_t status, mm_end_t end);
void restart_finish_now(restart_t *self, mm_status_t status, mm_end_t end);
// No command was sent, and nothing is to be charged for it.
void restart_give_back(restart_t *self);
// Somebody else looks on. The end is that of the command, if one was sent.
void restart_leave_open(restart_t *self);
void restart_begin_read(restart_t *self, int64_t now_ms);
void restart_begin_command(restart_t *self, int64_t now_ms);
// An instant behind another one; INT64_MAX: never.
int64_t restart_after(int64_t from_ms, int64_t span_ms);
// The last instant at which what acts on the host may be started, whatever is permitted.
int64_t restart_latest_start(const restart_t *self);
// What is next acts on the host, and is not started.
void restart_command_not_started(restart_t *self, int64_t now_ms);

// restart_permit.c
bool restart_is_permitted(const restart_t *self, int64_t now_ms);
// With the permit as it is.
int64_t restart_not_after(const restart_t *self);
// It waits until that is too late, which it may be already.
void restart_wait_for_permit(restart_t *self, int64_t now_ms);
// The task ends without its command for lack of a permit.
void restart_refuse(restart_t *self);

// restart_hooks.c
void restart_begin_before(restart_t *self, int64_t now_ms);
void restart_before_ended(restart_t *self, const restart_end_t *end, int64_t now_ms);
void restart_skip_if_ended(restart_t *self, const restart_end_t *end, int64_t now_ms);
void restart_after_ended(restart_t *self, const restart_end_t *end, int64_t now_ms);
void restart_end_after(restart_t *self);

static inline bool restart_is_restarted(const restart_t *self)
{
    return self->status == MM_STATUS_OK && self->end == MM_END_RESTARTED;
}

#endif
