// The lock on the host of a task, from its begin to its end, and what the host's record says of
// both. See exec_inside.h, host_lock.h.

#include "exec_inside.h"

#include "clock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// A restart of this task, now.
static host_restart_t restart_now(const exec_t *self, const run_t *run)
{
    return (host_restart_t){
        .at_ms = mm_clock_wall_ms(), .job = run->id, .dir = *host_locks_dir(self->locks)};
}

bool exec_lock(exec_t *self, run_t *run, const mm_task_t *task)
{
    char why[MM_ERROR_MAX];
    run->lock = host_locks_take(self->locks, run->host, why, &run->is_held);
    if (!run->lock) {
        run->unlocked = strdup(why);
        assert(run->unlocked);
        return false;
    }
    run->only_pays = task->real && task->real->end == MM_END_RESTARTED;
    const host_record_t *record = host_lock_record(run->lock);
    // What this job itself has sent counts, too, when the record knows nothing of it: that was
    // lost.
    static const mm_id_t nobodys;
    bool has_begun = task->real && (task->real->age_ms > 0 || task->leg != MM_LEG_PROBE);
    const host_restart_t *recent = host_record_recent(record, has_begun ? &run->id : &nobodys,
                                                      mm_clock_wall_ms(), self->cooldown_ms);
    if (recent && restart_skip(&run->restart, task))
        host_record_words(record, recent, self->cooldown_ms, run->cooled, sizeof run->cooled);
    return true;
}

// A start that waits for room is asked for again.
int exec_lock_send(exec_t *self, run_t *run)
{
    host_record_t *record = host_lock_record(run->lock);
    if (!run->unsent) {
        host_restart_t sent = restart_now(self, run);
        run->unsent = malloc(2 * sizeof *run->unsent);
        assert(run->unsent);
        run->unsent[0] = record->restarted;
        run->unsent[1] = record->sent;
        host_record_send(record, &sent);
    }
    return host_lock_write(run->lock);
}

void exec_lock_left(exec_t *self, run_t *run)
{
    host_record_t *record = host_lock_record(run->lock);
    record->left_pid = run->left.pid;
    record->left_started = run->left.started;
    record->left_dir = *host_locks_dir(self->locks);
    (void)host_lock_write(run->lock);
}

void exec_unlock(exec_t *self, run_t *run)
{
    if (!run->lock)
        return;
    const restart_t *restart = &run->restart;
    host_record_t *record = host_lock_record(run->lock);
    if (run->unsent && !restart->sent) { // it was not started
        record->restarted = run->unsent[0];
        record->sent = run->unsent[1];
    }
    if (!run->only_pays) {
        host_restart_t now = restart_now(self, run);
        host_record_end(record, &now, restart->status, restart->end);
    }
    (void)host_lock_write(run->lock); // as it is, it says no less
    host_lock_release(&run->lock);
}
