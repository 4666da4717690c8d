// The table of the tasks at workers (R2). A worker's credit and what is busy of resources change
// with its entries only. Beside it, the numbers of tasks that lost workers had. See workers.h.

#include "workers_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LOST_TASKS_MAX 65536 // tasks of lost workers kept
#define RING_FIRST     64    // places of the first ring

static_assert(sizeof(assignment_t) <= 64, "an assignment is one cache line");

// ---- by number

static assignment_t **place_of(const workers_t *self, uint64_t number)
{
    return &self->ring[number & (self->ring_size - 1)];
}

// No two numbers get to the same place of a ring that is twice as long.
static void make_longer(workers_t *self)
{
    size_t former = self->ring_size;
    self->ring_size = former > 0 ? 2 * former : RING_FIRST;
    self->ring = realloc(self->ring, self->ring_size * sizeof(assignment_t *));
    assert(self->ring);
    memset(self->ring + former, 0, (self->ring_size - former) * sizeof(assignment_t *));
    for (size_t i = 0; i < former; i++) {
        assignment_t *assignment = self->ring[i];
        self->ring[i] = NULL;
        if (assignment)
            *place_of(self, assignment->number) = assignment;
    }
}

static void put(workers_t *self, assignment_t *assignment)
{
    if (2 * self->ring_count >= self->ring_size)
        make_longer(self);
    assignment_t **place = place_of(self, assignment->number);
    assignment_t *older = *place;
    if (older && older->number > assignment->number) // adopted
        older = assignment;
    else
        *place = assignment;
    if (older)
        mm_table_add(&self->older, mm_table_number(older->number), older);
    else
        self->ring_count++;
}

typedef struct {
    uint64_t number;
    const worker_t *worker; // NULL: any
} sought_t;

static bool is_sought(const void *assignment, const void *sought)
{
    const assignment_t *it = assignment;
    const sought_t *what = sought;
    return it->number == what->number && (!what->worker || it->worker == what->worker);
}

assignment_t *assignments_find(const workers_t *self, uint64_t number, const worker_t *worker)
{
    assignment_t *newer = self->ring ? *place_of(self, number) : NULL;
    if (newer && newer->number == number && (!worker || newer->worker == worker))
        return newer;
    const sought_t sought = {number, worker};
    return mm_table_find(&self->older, mm_table_number(number), is_sought, &sought);
}

static void take_out(workers_t *self, assignment_t *assignment)
{
    assignment_t **place = place_of(self, assignment->number);
    if (*place != assignment) {
        mm_table_remove(&self->older, mm_table_number(assignment->number), assignment);
        return;
    }
    *place = NULL;
    self->ring_count--;
}

// ---- those of a worker

assignment_t *assignments_first(const worker_t *worker)
{
    return MM_QUEUE_OWNER(mm_queue_first(&worker->assignments), assignment_t, node);
}

assignment_t *assignments_next(const assignment_t *assignment)
{
    const worker_t *worker = assignment->worker;
    return MM_QUEUE_OWNER(mm_queue_next(&worker->assignments, &assignment->node), assignment_t,
                          node);
}

assignment_t *assignments_add(workers_t *self, worker_t *worker, uint64_t number, mm_leg_t leg,
                              const mm_id_t *id, host_t *host, struct flight *flight)
{
    assignment_t *assignment = mm_pool_get(&self->pool, sizeof *assignment);
    *assignment = (assignment_t){.number = number,
                                 .leg = (uint8_t)leg,
                                 .id = *id,
                                 .worker = worker,
                                 .flight = flight,
                                 .host = host,
                                 .stamp_ms = worker->stamp_ms};
    if (host)
        resources_occupy(self->resources, host);
    put(self, assignment);
    mm_queue_add(&worker->assignments, &assignment->node);
    worker->out++;
    workers_refresh_credit(self, worker);
    return assignment;
}

ended_t assignments_remove(workers_t *self, assignment_t *assignment, ended_why_t why)
{
    worker_t *worker = assignment->worker;
    ended_t ended = {.why = why,
                     .number = assignment->number,
                     .leg = (mm_leg_t)assignment->leg,
                     .id = assignment->id,
                     .flight = assignment->flight,
                     .host = assignment->host};
    take_out(self, assignment);
    mm_queue_remove(&worker->assignments, &assignment->node);
    if (assignment->host)
        resources_vacate(self->resources, assignment->host);
    mm_pool_put(&self->pool, assignment, sizeof *assignment);
    assert(worker->out > 0);
    worker->out--;
    workers_refresh_credit(self, worker);
    return ended;
}

void assignments_clear(workers_t *self)
{
    assert(self->ring_count == 0 && self->older.count == 0);
    free(self->ring);
    mm_table_clear(&self->older);
    mm_pool_clear(&self->pool);
}

// ---- those of lost workers

void assignments_add_lost(workers_t *self, const assignment_t *assignment)
{
    if (HASH_COUNT(self->lost_tasks) >= LOST_TASKS_MAX)
        assignments_remove_lost(self, self->lost_tasks);
    lost_task_t *task = malloc(sizeof *task);
    assert(task);
    *task = (lost_task_t){.number = assignment->number,
                          .instance = assignment->worker->instance,
                          .worker = assignment->worker->name,
                          .id = assignment->id,
                          .leg = (mm_leg_t)assignment->leg,
                          .host = hosts_get(self->hosts, host_name(assignment->host))};
    HASH_ADD(hh, self->lost_tasks, number, sizeof task->number, task);
}

lost_task_t *assignments_find_lost(const workers_t *self, uint64_t number)
{
    lost_task_t *task = NULL;
    HASH_FIND(hh, self->lost_tasks, &number, sizeof number, task);
    return task;
}

void assignments_remove_lost(workers_t *self, lost_task_t *task)
{
    HASH_DELETE(hh, self->lost_tasks, task);
    hosts_put(self->hosts, &task->host);
    free(task);
}
