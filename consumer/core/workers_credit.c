// Who gets the next task. A joined worker with credit is in the ring of its role: tasks go round
// robin. One that pauses, or that is reserved for one task alone, has none. See workers.h.

#include "workers_private.h"

#include <assert.h>
#include <utlist.h>

#define PAUSE_MAX_MS 60000 // that a worker can ask for

void workers_refresh_credit(workers_t *self, worker_t *worker)
{
    bool has = worker->state == WORKER_JOINED && worker->session != 0 && !worker->is_cut &&
               !worker->reserved && worker->paused_ms == 0 && worker->out < worker->slots;
    bool had = worker->credit > 0;
    uint32_t credit = has ? worker->slots - worker->out : 0;
    self->credit[worker->role] += credit - worker->credit;
    worker->credit = credit;
    if (has == had)
        return;
    if (has)
        DL_APPEND(self->with_credit[worker->role], worker);
    else
        DL_DELETE(self->with_credit[worker->role], worker);
}

worker_t *workers_pick(const workers_t *self, mm_role_t role)
{
    return self->with_credit[role];
}

worker_t *workers_pick_named(workers_t *self, const char *name)
{
    worker_t *worker = workers_find_name(self, mm_str(name));
    return worker && worker->role == MM_ROLE_RESTARTER && worker->credit > 0 ? worker : NULL;
}

void workers_pass(workers_t *self, worker_t *worker)
{
    if (worker->credit == 0)
        return;
    DL_DELETE(self->with_credit[worker->role], worker);
    DL_APPEND(self->with_credit[worker->role], worker);
}

uint32_t workers_credit(const workers_t *self, mm_role_t role)
{
    return self->credit[role];
}

uint64_t workers_hand_out(workers_t *self, worker_t *worker, mm_leg_t leg, const mm_id_t *id,
                          host_t *host, struct flight *flight)
{
    assert(worker->state == WORKER_JOINED && worker->out < worker->slots);
    assignments_add(self, worker, ++self->number, leg, id, host, flight);
    workers_pass(self, worker);
    return self->number;
}

// ---- pauses

void workers_pause(workers_t *self, worker_t *worker, int64_t now_ms, int64_t pause_ms)
{
    worker->paused_ms = now_ms + mm_earlier(pause_ms, PAUSE_MAX_MS);
    self->pause_end_ms = mm_earlier(self->pause_end_ms, worker->paused_ms);
    workers_refresh_credit(self, worker);
}

void workers_end_pauses(workers_t *self, int64_t now_ms)
{
    worker_t *worker;
    self->pause_end_ms = MM_NEVER;
    DL_FOREACH2 (self->joined, worker, heard_next) {
        if (worker->paused_ms > 0 && worker->paused_ms <= now_ms) {
            worker->paused_ms = 0;
            workers_refresh_credit(self, worker);
        }
        if (worker->paused_ms > 0)
            self->pause_end_ms = mm_earlier(self->pause_end_ms, worker->paused_ms);
    }
}

// ---- the quarantine

static void reserve(workers_t *self, worker_t *worker, bool reserved)
{
    worker->reserved = reserved;
    self->quarantine = reserved ? worker : NULL;
    workers_refresh_credit(self, worker);
}

// Whether it can be reserved: it neither drains nor pauses, and its session is not cut.
static bool is_able(const worker_t *worker)
{
    return worker->slots > 0 && worker->paused_ms == 0 && !worker->is_cut;
}

worker_t *workers_pick_quarantine(const workers_t *self)
{
    worker_t *worker = self->quarantine;
    return worker && worker->out == 0 && is_able(worker) ? worker : NULL;
}

void workers_release_quarantine(workers_t *self)
{
    if (self->quarantine)
        reserve(self, self->quarantine, false);
}

void workers_reserve_quarantine(workers_t *self)
{
    if (self->quarantine && !is_able(self->quarantine))
        workers_release_quarantine(self);
    if (self->quarantine)
        return;
    worker_t *worker, *best = NULL;
    DL_FOREACH2 (self->joined, worker, heard_next)
        if (worker->role == MM_ROLE_RESTARTER && is_able(worker) &&
            (!best || worker->out < best->out))
            best = worker;
    if (best)
        reserve(self, best, true);
}
