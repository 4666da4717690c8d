// The trace of bench/instructions.h and its main program. The outcome of every job is checked
// against the trace, so that nothing gets cheap by being wrong.
//
//   instructions [JOBS]        JOBS to warm up, then JOBS more inside of play_measured()
//   instructions -w WINDOW DIR  for bench/cachemisses.sh: fills a window of jobs, and counts in its
//                               midst, with a real store in this folder

#include "instructions.h"
#include "random.h"
#include "store.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else // without valgrind nothing is counted, but the trace can be played
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#endif

#define MIX        0x9e3779b1u // odd: times this, an index looks like chance
#define UNMIX      0x0e8b2f51u // and times that it is back
#define ROUNDS_MAX 100000
#define JOBS_MAX   50000
#define WINDOW     10000
#define WINDOW_MAX 100000
#define CACHE_JOBS 2000               // to warm the caches up, when a window is filled
#define COUNT_JOBS 10000              // to be counted then
#define LOG_BYTES  ((size_t)16 << 20) // holds the lines of all jobs

void expect(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "instructions: %s\n", what);
    exit(1);
}

// ---- what each job is

static uint64_t draw(uint32_t index, uint64_t what)
{
    uint64_t state = (uint64_t)index << 8 | what;
    return mm_random_next(&state);
}

// Like an id of mm_id_next; the last four bytes carry the index.
static mm_id_t make_id(const world_t *self, uint32_t index)
{
    uint64_t high = (uint64_t)(WALL_MS + self->now_ms) << 16 | 0x7000 | index % FRESH_MAX;
    uint64_t low = UINT64_C(1) << 63 | draw(index, 0) >> 34 << 32 | (uint32_t)(index * MIX);
    mm_id_t id;
    for (int i = 0; i < 8; i++) {
        id.bytes[i] = (uint8_t)(high >> (56 - 8 * i));
        id.bytes[8 + i] = (uint8_t)(low >> (56 - 8 * i));
    }
    return id;
}

job_t *job_of(const world_t *self, const mm_id_t *id)
{
    uint32_t mixed = 0;
    for (int i = 12; i < 16; i++)
        mixed = mixed << 8 | id->bytes[i];
    uint32_t index = mixed * UNMIX;
    expect(index < self->accepted && memcmp(&self->jobs[index].id, id, sizeof *id) == 0,
           "a job that nobody has accepted");
    return &self->jobs[index];
}

const job_t *accept_job(world_t *self)
{
    uint32_t index = self->accepted++;
    job_t *job = &self->jobs[index];
    job->id = make_id(self, index);
    uint32_t host = index % 64 == 63 ? index - 32 : index; // the same host again: it has to wait
    int size = snprintf(job->host, sizeof job->host, "cattle-%06" PRIu32 ".example.net", host);
    job->host_size = (uint32_t)size;
    return job;
}

bool attempt_fails(const world_t *self, const job_t *job, uint32_t attempt)
{
    uint32_t index = (uint32_t)(job - self->jobs);
    return index % 512 == 100 || draw(index, attempt) % 16 == 0;
}

uint32_t attempt_rounds(const world_t *self, const job_t *job, uint32_t attempt)
{
    return 10 + (uint32_t)(draw((uint32_t)(job - self->jobs), ATTEMPTS + attempt) % 21);
}

// ---- what becomes of it

void settle_job(world_t *self, const outbox_action_t *action)
{
    job_t *job = job_of(self, &action->id);
    uint32_t attempts = 1;
    while (attempts < ATTEMPTS && attempt_fails(self, job, attempts))
        attempts++;
    mm_outcome_t outcome =
        attempt_fails(self, job, attempts) ? MM_OUTCOME_DEAD : MM_OUTCOME_RESTARTED;
    expect(!job->settled, "a job was settled twice");
    expect(job->attempts == attempts && action->attempts == attempts, "wrong attempts");
    expect(job->outcome == outcome, "a wrong outcome is on record");
    expect(action->outcome == outcome, "the publisher was told a wrong outcome");
    job->settled = true;
    self->settled++;
}

// ---- start and end

static void open_worker(world_t *self, int index)
{
    member_t *member = &self->members[index];
    member->is_saver = index == 0;
    member->instance = 100 + (uint64_t)index;
    mm_worker_config_t config = {.role = member->is_saver ? MM_ROLE_SAVER : MM_ROLE_RESTARTER,
                                 .instance = member->instance,
                                 .slots = member->is_saver ? MM_SLOTS_MAX : SLOTS,
                                 .heartbeat_ms = 500,
                                 .lost_after_ms = 1500,
                                 .drain_ms = 25000,
                                 .leaves_last = member->is_saver};
    (void)snprintf(member->name.text, sizeof member->name.text, "worker-%d", index);
    config.name = member->name;
    member->core = mm_worker_new(&config, self->now_ms);
    member->tasks = mm_encoder_new();
    member->results = mm_encoder_new();
    for (int i = 0; i < SLOTS; i++) {
        member->runs[i].next = member->spare;
        member->spare = &member->runs[i];
    }
}

// The options' defaults; but the memory of settled jobs is small enough to be full in the warm-up.
static void open_world(world_t *self, uint32_t window)
{
    self->outbox = outbox_new(&(outbox_config_t){.window = window,
                                                 .ack_deadline_ms = 3000,
                                                 .heartbeat_ms = 500,
                                                 .drain_ms = 25000,
                                                 .seed = 1},
                              self->now_ms);
    self->gather = gather_new(&(gather_config_t){.epoch = LIFE,
                                                 .first_number = (uint64_t)LIFE << 32,
                                                 .first_session = (uint64_t)LIFE << 32,
                                                 .seed = 2,
                                                 .attempts = ATTEMPTS,
                                                 .backoff_low_ms = 100,
                                                 .backoff_high_ms = 10000,
                                                 .heartbeat_ms = 500,
                                                 .lost_after_ms = 1500,
                                                 .extend_every_ms = 1000,
                                                 .max_lease_ms = 3600000,
                                                 .save_after_ms = 1000,
                                                 .drain_ms = 24000,
                                                 .max_in_flight = 100000,
                                                 .settled_max = 4096,
                                                 .nacked_max = 100000,
                                                 .savers_max = 1,
                                                 .restarters_max = RESTARTERS},
                              self->now_ms);
    self->batch = mm_encoder_new();
    self->notices = mm_encoder_new();
    self->encoder = mm_encoder_new();
    self->decoder = mm_decoder_new();
    for (int i = 0; i < WORKERS; i++)
        open_worker(self, i);
}

static void close_world(world_t *self)
{
    for (int i = 0; i < WORKERS; i++) {
        member_t *member = &self->members[i];
        mm_worker_destroy(&member->core);
        mm_encoder_destroy(&member->tasks);
        mm_encoder_destroy(&member->results);
        free(member->inbox.bytes);
    }
    mm_worker_actions_clear(&self->worker_actions);
    gather_destroy(&self->gather);
    gather_actions_clear(&self->gather_actions);
    outbox_destroy(&self->outbox);
    outbox_actions_clear(&self->outbox_actions);
    mm_encoder_destroy(&self->batch);
    mm_encoder_destroy(&self->notices);
    mm_encoder_destroy(&self->encoder);
    mm_decoder_destroy(&self->decoder);
    (void)store_close(&self->store);
    free(self->inbox.bytes);
    free(self->events.bytes);
    free(self->jobs);
    free(self);
}

// ---- the run

// Until so many jobs are settled, of `jobs` that there are.
static void play_until(world_t *self, uint32_t settled, uint32_t jobs)
{
    for (int i = 0; i < ROUNDS_MAX && self->settled < settled; i++)
        roles_play_round(self, jobs);
    expect(self->settled >= settled, "jobs were not settled");
}

static void play(world_t *self, uint32_t jobs)
{
    play_until(self, jobs, jobs);
    expect(self->accepted == jobs && self->settled == jobs, "jobs were not settled");
    expect(outbox_count(self->outbox) == 0, "the outbox holds a job that is settled");
    expect(gather_statistics(self->gather).in_flight == 0, "a settled job is in flight");
    for (int i = 0; i < WORKERS; i++)
        expect(mm_worker_running(self->members[i].core) == 0, "a worker holds a task");
}

// The log goes into a pipe that is full and that nobody reads. So its writer waits there for good,
// and what a line costs the loop does not depend on when the writer runs.
static void start_log(void)
{
    int ends[2];
    char path[32], text[MM_ERROR_MAX];
    int error = pipe(ends);
    expect(error == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0, "there is no pipe");
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    error = mm_log_start(&(mm_log_config_t){
        .process = "instructions", .path = path, .level = MM_LOG_INFO, .ring_bytes = LOG_BYTES});
    expect(error == 0, "the log cannot be started");
    memset(text, 'x', sizeof text);
    mm_field_t fields[MM_LOG_FIELDS];
    for (int i = 0; i < MM_LOG_FIELDS; i++)
        fields[i] = MM_STR("text", ((mm_str_t){text, sizeof text}));
    do {
        mm_log_line(MM_LOG_INFO, "more than the pipe holds", fields, MM_LOG_FIELDS);
        (void)usleep(10000);
    } while (poll(&(struct pollfd){.fd = ends[1], .events = POLLOUT}, 1, 0) > 0);
}

static void log_jobs(const world_t *self, uint32_t from, uint32_t to)
{
    static char line[MM_LOG_LINE_MAX];
    mm_log_format_t format;
    // The pid is not longer in one run than in another.
    mm_log_format_init(&format, (mm_name_t){"instructions"}, 12345, false);
    for (uint32_t i = from; i < to; i++) {
        part_log_line(&self->jobs[i]);
        size_t size = part_log_format(&format, &self->jobs[i], line);
        expect(size > 60 && line[size - 1] == '\n', "a log line that is none");
    }
}

// What callgrind collects in: bench/instructions.sh knows its name.
__attribute__((noinline)) void play_measured(world_t *self, uint32_t jobs)
{
    play(self, 2 * jobs);
    log_jobs(self, jobs, 2 * jobs);
}

// The same for the midst of a filled window.
__attribute__((noinline)) void play_window(world_t *self, uint32_t settled, uint32_t jobs)
{
    play_until(self, settled, jobs);
}

static world_t *new_world(uint32_t window, uint32_t fresh_max, uint32_t jobs)
{
    world_t *self = calloc(1, sizeof *self);
    assert(self);
    self->fresh_max = fresh_max;
    self->jobs = calloc(jobs, sizeof *self->jobs);
    assert(self->jobs);
    open_world(self, window);
    return self;
}

// Callgrind begins to look when the window is full: to fill it takes long.
static int count_window(uint32_t window, const char *dir)
{
    char path[4096], error[MM_ERROR_MAX];
    uint32_t jobs = 8 * WINDOW_MAX; // more than are accepted
    expect(window > 0 && window <= WINDOW_MAX, "WINDOW is 1 to 100000");
    world_t *self = new_world(window, FILL_MAX, jobs);
    (void)snprintf(path, sizeof path, "%s/mayhem.db", dir);
    expect(store_open(path, &self->store, error) == 0, "the store cannot be opened");
    for (int i = 0; i < ROUNDS_MAX && self->most_in_flight < window / 10 * 9; i++)
        roles_play_round(self, jobs);
    CALLGRIND_START_INSTRUMENTATION;
    play_until(self, self->settled + CACHE_JOBS, jobs);
    uint32_t before = self->settled;
    play_window(self, before + COUNT_JOBS, jobs);
    CALLGRIND_STOP_INSTRUMENTATION;
    (void)printf("%" PRIu32 " jobs settled, %zu in flight\n", self->settled - before,
                 gather_statistics(self->gather).in_flight);
    close_world(self);
    return 0;
}

static int count_jobs(uint32_t jobs)
{
    expect(jobs > 0 && jobs <= JOBS_MAX, "JOBS is 1 to 50000");
    world_t *self = new_world(WINDOW, FRESH_MAX, 2 * jobs);
    play(self, jobs);
    log_jobs(self, 0, 1);
    play_measured(self, jobs);
    expect(mm_log_dropped() == 0, "log lines were dropped");
    (void)printf("%" PRIu32 " jobs settled twice over, at most %zu in flight, %" PRIu64 " frames\n",
                 jobs, self->most_in_flight, self->frames);
    close_world(self);
    return 0;
}

int main(int argc, char **argv)
{
    start_log();
    if (argc == 4 && strcmp(argv[1], "-w") == 0)
        return count_window((uint32_t)strtoul(argv[2], NULL, 10), argv[3]);
    return count_jobs(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 6144);
}
