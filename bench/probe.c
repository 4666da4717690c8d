// See probe.h.

#include "probe.h"
#include "clock.h"
#include "log.h"
#include "uuid_source.h"
#include "worker_client.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define SLOTS         256 // those of the mock
#define HEARTBEAT_MS  500
#define LOST_AFTER_MS 1500
#define DRAIN_MS      5000
#define LINES_MAX     64 // in one write

void probe_init(probe_t *self, uint64_t jobs, double rate, const char *address)
{
    *self = (probe_t){.jobs = jobs, .rate = rate};
    (void)snprintf(self->address, sizeof self->address, "%s", address);
    self->fed_us = roles_share(jobs * sizeof *self->fed_us);
    self->started_us = roles_share(jobs * sizeof *self->started_us);
}

void probe_host(uint64_t job, char ret_host[PROBE_HOST_MAX])
{
    (void)snprintf(ret_host, PROBE_HOST_MAX, "web-%08" PRIu64 ".example.net", job);
}

// ---- a restarter

typedef struct {
    probe_t *probe;
    mm_loop_t *loop;
    mm_worker_client_t *link;
    uint64_t started[SLOTS]; // to be finished at the end of the turn
    size_t count;
} restarter_t;

static void start(void *arg, const mm_task_t *task, int64_t now_ms)
{
    restarter_t *self = arg;
    (void)now_ms;
    assert(task->host.size > strlen("web-") && self->count < SLOTS);
    uint64_t job = strtoull(task->host.data + strlen("web-"), NULL, 10);
    assert(job < self->probe->jobs);
    self->probe->started_us[job] = mm_clock_us();
    self->started[self->count++] = task->number;
}

static void finish_all(restarter_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        mm_worker_client_finish(
            self->link, &(mm_result_t){.number = self->started[i], .status = MM_STATUS_OK}, 1);
    self->count = 0;
}

static void stop(void *arg)
{
    (void)arg; // what has started has ended
}

static int64_t turn(void *arg)
{
    restarter_t *self = arg;
    finish_all(self);
    int64_t deadline = mm_worker_client_turn(self->link);
    if (mm_worker_client_is_done(self->link))
        mm_loop_stop(self->loop);
    return self->count > 0 ? 0 : deadline;
}

static void on_signal(void *arg, int number)
{
    restarter_t *self = arg;
    (void)number;
    mm_worker_client_drain(self->link);
}

static int run_restarter(void *arg)
{
    restarter_t self = {.probe = arg};
    mm_worker_client_config_t config = {.worker = {.role = MM_ROLE_RESTARTER,
                                                   .instance = mm_instance_draw(),
                                                   .slots = SLOTS,
                                                   .heartbeat_ms = HEARTBEAT_MS,
                                                   .lost_after_ms = LOST_AFTER_MS,
                                                   .drain_ms = DRAIN_MS},
                                        .tells_started = true,
                                        .start = start,
                                        .stop = stop,
                                        .arg = &self};
    (void)snprintf(config.worker.name.text, sizeof config.worker.name.text, "probe-%d",
                   (int)getpid());
    config.addresses.count = 1;
    if (!mm_endpoint_parse(self.probe->address, &config.addresses.items[0]))
        roles_fail(self.probe->address, "not an address");
    mm_log_threshold = MM_LOG_ERROR;
    mm_loop_block_signals();
    self.loop = mm_loop_new(turn, &self);
    self.link = mm_worker_client_new(self.loop, &config);
    mm_loop_on_signal(self.loop, on_signal, &self);
    mm_loop_run(self.loop);
    (void)mm_worker_client_end(&self.link);
    mm_loop_destroy(&self.loop);
    return 0;
}

void probe_restarter(probe_t *self, roles_t *roles)
{
    (void)roles_fork(roles, "restarter", run_restarter, self);
    self->restarters++;
}

// ---- the feeder

static void write_all(int descriptor, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(descriptor, data, size);
        if (written < 0)
            roles_fail("the publisher's input", strerror(errno));
        data += written;
        size -= (size_t)written;
    }
}

static void sleep_until(int64_t time_us)
{
    int64_t left_us = time_us - mm_clock_us();
    if (left_us > 0)
        (void)nanosleep(
            &(struct timespec){.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000},
            NULL);
}

void probe_feed(probe_t *self, int descriptor)
{
    char lines[LINES_MAX * (PROBE_HOST_MAX + 1)], host[PROBE_HOST_MAX];
    int64_t begin_us = mm_clock_us();
    for (uint64_t job = 0; job < self->jobs;) {
        sleep_until(begin_us + (int64_t)((double)job * 1e6 / self->rate));
        int64_t now_us = mm_clock_us();
        uint64_t due = (uint64_t)((double)(now_us - begin_us) * self->rate / 1e6) + 1;
        size_t size = 0;
        for (size_t i = 0; i < LINES_MAX && job < due && job < self->jobs; i++) {
            probe_host(job, host);
            size += (size_t)snprintf(lines + size, sizeof lines - size, "%s\n", host);
            self->fed_us[job++] = now_us;
        }
        write_all(descriptor, lines, size);
    }
    (void)close(descriptor);
}

void probe_result(const probe_t *self, uint64_t first, mm_histogram_t *ret_times)
{
    memset(ret_times, 0, sizeof *ret_times);
    for (uint64_t job = first; job < self->jobs; job++)
        if (self->started_us[job] > 0)
            mm_histogram_record(ret_times, self->started_us[job] - self->fed_us[job]);
}
