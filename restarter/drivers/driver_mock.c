// The mock driver, as in the article: a restart is a wait of --mock-time, and --mock-fail of them
// fail. Which fail and how long they take follows from the seed and the order of the starts alone.
// With no time at all a restart has finished in the turn in which it was started. The driver never
// waits, reads no clock, and allocates nothing per task once its heap has grown.

#include "drivers.h"
#include "heap.h"
#include "host.h"
#include "random.h"
#include "service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STARTS_BITS 20 // of a heap's key, below the time

typedef struct {
    mm_heap_node_t node; // when it ends: a key (key_of)
    uint64_t number;
    int64_t started_ms;
    bool fails;
    bool is_real; // its attempt is on record, as with a policy
    uint8_t host_size;
    char host[MM_HOST_MAX]; // kept only when it fails: the error names it
} run_t;

typedef struct {
    driver_t base;
    const mm_options_t *options;
    double fail;     // the share of restarts that fail, 0.0 to 1.0
    uint64_t random; // state of mm_random_next
    uint64_t starts;
    bool stopped;
    int64_t stopped_ms; // when, if stopped
    mm_heap_t running;
    run_t *runs;       // `slots` of them
    run_t **free_runs; // those not running
    size_t free_count;
    char error[sizeof "Could not restart " + MM_HOST_MAX];
    mm_real_t real; // of the last result
} mock_t;

static mock_t *mock_of(driver_t *self)
{
    return (mock_t *)(void *)self;
}

// Evenly from [0, 1).
static double draw(mock_t *self)
{
    return (double)(mm_random_next(&self->random) >> 11) * 0x1.0p-53;
}

// Those that end at the same time end in the order of their starts, as their rows are then written.
static int64_t key_of(int64_t due_ms, uint64_t start)
{
    return due_ms << STARTS_BITS | (int64_t)(start & ((1u << STARTS_BITS) - 1));
}

static int64_t due_ms_of(int64_t key)
{
    return key == MM_NEVER ? MM_NEVER : key >> STARTS_BITS;
}

static void mock_start(driver_t *base, const mm_task_t *task, int64_t now_ms)
{
    mock_t *self = mock_of(base);
    assert(self->free_count > 0);
    assert(!self->stopped);
    assert(task->host.size <= MM_HOST_MAX);

    double range_ms =
        (double)(self->options->mock_time.high_ms - self->options->mock_time.low_ms + 1);
    int64_t takes_ms = self->options->mock_time.low_ms + (int64_t)(draw(self) * range_ms);
    run_t *run = self->free_runs[--self->free_count];
    run->number = task->number;
    run->started_ms = now_ms;
    run->fails = draw(self) < self->fail;
    run->is_real = task->real != NULL;
    if (run->fails) {
        run->host_size = (uint8_t)task->host.size;
        memcpy(run->host, task->host.data, task->host.size);
    }
    mm_heap_put(&self->running, &run->node, key_of(now_ms + takes_ms, self->starts++));
}

static bool mock_next_finished(driver_t *base, int64_t now_ms, mm_result_t *ret_result)
{
    mock_t *self = mock_of(base);
    mm_heap_node_t *node = mm_heap_first(&self->running);
    if (!node || (!self->stopped && due_ms_of(node->due_ms) > now_ms))
        return false;

    mm_heap_remove(&self->running, node);
    run_t *run = MM_HEAP_OWNER(node, run_t, node);
    self->free_runs[self->free_count++] = run; // read below: nothing is started before we return
    bool is_cut_off = self->stopped && due_ms_of(node->due_ms) > self->stopped_ms;

    *ret_result =
        (mm_result_t){.number = run->number,
                      .status = is_cut_off || run->fails ? MM_STATUS_FAILED : MM_STATUS_OK,
                      .took_ms = now_ms - run->started_ms};
    if (run->is_real) {
        bool is_ok = ret_result->status == MM_STATUS_OK;
        self->real = (mm_real_t){.end = is_ok        ? MM_END_RESTARTED
                                        : is_cut_off ? MM_END_STOPPED
                                                     : MM_END_EXIT,
                                 .exit = is_ok || is_cut_off ? MM_EXIT_NONE : 1,
                                 .proof = is_ok ? MM_PROOF_REHEARSED : MM_PROOF_NONE,
                                 .sent = true};
        ret_result->real = &self->real;
    }
    if (is_cut_off) {
        ret_result->error = mm_str("stopped");
    } else if (run->fails) {
        int size = snprintf(self->error, sizeof self->error, "Could not restart %.*s",
                            (int)run->host_size, run->host);
        ret_result->error = (mm_str_t){self->error, (size_t)size};
    }
    return true;
}

static int64_t mock_deadline(const driver_t *base)
{
    const mock_t *self = (const mock_t *)(const void *)base;
    int64_t due_ms = due_ms_of(mm_heap_deadline(&self->running));
    return self->stopped && due_ms > self->stopped_ms && due_ms != MM_NEVER ? self->stopped_ms
                                                                            : due_ms;
}

static void mock_stop(driver_t *base, int64_t now_ms)
{
    mock_t *self = mock_of(base);
    if (!self->stopped) {
        self->stopped = true;
        self->stopped_ms = now_ms;
    }
}

static bool mock_look(const driver_t *base, size_t *cursor, driver_view_t *ret_view)
{
    const mock_t *self = (const mock_t *)(const void *)base;
    if (*cursor >= self->running.count)
        return false;
    const run_t *run = MM_HEAP_OWNER(self->running.nodes[++*cursor], run_t, node);
    *ret_view = (driver_view_t){
        .number = run->number, .doing = "mock", .command = 1, .since_ms = run->started_ms};
    return true;
}

static void mock_destroy(driver_t *base)
{
    mock_t *self = mock_of(base);
    mm_heap_clear(&self->running);
    free(self->runs);
    free(self->free_runs);
    free(self);
}

static const driver_ops_t mock_ops = {
    .destroy = mock_destroy,
    .start = mock_start,
    .next_finished = mock_next_finished,
    .deadline = mock_deadline,
    .stop = mock_stop,
    .look = mock_look,
};

static driver_t *mock_new(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX])
{
    (void)ret_complaint;
    size_t slots = (size_t)options->slots;
    mock_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &mock_ops;
    self->options = options;
    self->fail = (double)options->mock_fail_ppm / 1e6;
    self->random = mm_service_seed(options);
    self->runs = calloc(slots, sizeof *self->runs);
    self->free_runs = calloc(slots, sizeof *self->free_runs);
    assert(self->runs && self->free_runs);
    for (; self->free_count < slots; self->free_count++)
        self->free_runs[self->free_count] = &self->runs[self->free_count];
    return &self->base;
}

static const char *mock_name(const mm_options_t *options)
{
    (void)options;
    return "mock";
}

const driver_kind_t driver_mock_kind = {.name = mock_name, .new = mock_new};
