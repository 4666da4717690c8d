// The table of what is held (R2): credit is counted from it, and hosts are busy by it. See
// workers.h.

#include "workers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define SPARE_MAX      8192  // holdings that are kept to be used again
#define LOST_TASKS_MAX 65536 // tasks that were with them

// Puts the worker into, or takes it out of, the ring of those with credit.
void workers_refresh_credit(workers_t *self, worker_t *worker)
{
    bool has = worker->state == WORKER_JOINED && worker->session != 0 && !worker->reserved &&
               worker->out < worker->slots;
    if (has == worker->listed)
        return;
    worker->listed = has;
    if (has)
        DL_APPEND(self->with_credit[worker->role], worker);
    else
        DL_DELETE(self->with_credit[worker->role], worker);
}

holding_t *holdings_add(workers_t *self, worker_t *worker, uint64_t number, mm_leg_t leg,
                        const mm_id_t *id, host_t *host)
{
    holding_t *holding = self->spare;
    if (holding) {
        LL_DELETE(self->spare, holding);
        self->spare_count--;
    } else {
        holding = malloc(sizeof *holding);
    }
    assert(holding);
    *holding = (holding_t){.number = number,
                           .leg = leg,
                           .id = *id,
                           .worker = worker,
                           .host = host,
                           .stamp_ms = worker->stamp_ms};
    if (host) {
        host->references++;
        host->busy++;
    }
    mm_table_add(&self->by_number, mm_table_number(number), holding);
    DL_APPEND(worker->holdings, holding);
    worker->out++;
    workers_refresh_credit(self, worker);
    return holding;
}

static bool has_number(const void *holding, const void *number)
{
    return ((const holding_t *)holding)->number == *(const uint64_t *)number;
}

holding_t *holdings_find(const workers_t *self, uint64_t number)
{
    return mm_table_find(&self->by_number, mm_table_number(number), has_number, &number);
}

ended_t holdings_remove(workers_t *self, holding_t *holding, ended_why_t why)
{
    worker_t *worker = holding->worker;
    ended_t ended = {.why = why,
                     .number = holding->number,
                     .leg = holding->leg,
                     .id = holding->id,
                     .host = holding->host};
    mm_table_remove(&self->by_number, mm_table_number(holding->number), holding);
    DL_DELETE(worker->holdings, holding);
    if (holding->host) {
        assert(holding->host->busy > 0);
        holding->host->busy--;
    }
    if (self->spare_count < SPARE_MAX) {
        LL_PREPEND(self->spare, holding);
        self->spare_count++;
    } else {
        free(holding); // after a peak, others need the memory
    }
    assert(worker->out > 0);
    worker->out--;
    workers_refresh_credit(self, worker);
    return ended;
}

void holdings_add_lost(workers_t *self, uint64_t number)
{
    lost_task_t *task = self->lost_tasks;
    if (HASH_COUNT(self->lost_tasks) >= LOST_TASKS_MAX)
        HASH_DELETE(hh, self->lost_tasks, task);
    else
        task = malloc(sizeof *task);
    assert(task);
    task->number = number;
    HASH_ADD(hh, self->lost_tasks, number, sizeof task->number, task);
}

bool holdings_remove_lost(workers_t *self, uint64_t number)
{
    lost_task_t *task = NULL;
    HASH_FIND(hh, self->lost_tasks, &number, sizeof number, task);
    if (!task)
        return false;
    HASH_DELETE(hh, self->lost_tasks, task);
    free(task);
    return true;
}
