// The table of the tasks at workers (R2). A worker's credit and what is busy of resources change
// with its entries only. Beside it, the numbers of tasks that lost workers had. See workers.h.

#include "workers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define LOST_TASKS_MAX 65536 // tasks of lost workers kept

assignment_t *assignments_add(workers_t *self, worker_t *worker, uint64_t number, mm_leg_t leg,
                              const mm_id_t *id, host_t *host)
{
    assignment_t *assignment = mm_pool_get(&self->pool, sizeof *assignment);
    *assignment = (assignment_t){.number = number,
                                 .leg = leg,
                                 .id = *id,
                                 .worker = worker,
                                 .host = host,
                                 .stamp_ms = worker->stamp_ms};
    if (host)
        resources_occupy(self->resources, host);
    mm_table_add(&self->by_number, mm_table_number(number), assignment);
    DL_APPEND(worker->assignments, assignment);
    worker->out++;
    workers_refresh_credit(self, worker);
    return assignment;
}

static bool has_number(const void *assignment, const void *number)
{
    return ((const assignment_t *)assignment)->number == *(const uint64_t *)number;
}

assignment_t *assignments_find(const workers_t *self, uint64_t number)
{
    return mm_table_find(&self->by_number, mm_table_number(number), has_number, &number);
}

ended_t assignments_remove(workers_t *self, assignment_t *assignment, ended_why_t why)
{
    worker_t *worker = assignment->worker;
    ended_t ended = {.why = why,
                     .number = assignment->number,
                     .leg = assignment->leg,
                     .id = assignment->id,
                     .host = assignment->host};
    mm_table_remove(&self->by_number, mm_table_number(assignment->number), assignment);
    DL_DELETE(worker->assignments, assignment);
    if (assignment->host)
        resources_vacate(self->resources, assignment->host);
    mm_pool_put(&self->pool, assignment, sizeof *assignment);
    assert(worker->out > 0);
    worker->out--;
    workers_refresh_credit(self, worker);
    return ended;
}

void assignments_add_lost(workers_t *self, uint64_t number)
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

bool assignments_remove_lost(workers_t *self, uint64_t number)
{
    lost_task_t *task = NULL;
    HASH_FIND(hh, self->lost_tasks, &number, sizeof number, task);
    if (!task)
        return false;
    HASH_DELETE(hh, self->lost_tasks, task);
    free(task);
    return true;
}
