// The yardstick of the benchmark: the pipeline's five hops in bare libzmq, and nothing else.
//
//   publisher ─PUSH─► consumer ─PUSH─► saver     ─PUSH─► consumer ─PUB─► publisher
//                              ─PUSH─► restarter ─PUSH─►   (ack when both results are there)
//
// One message of 120 bytes per job and hop; no batches, no msgpack, no disk, no log, no decision
// but counting both results of a job. It never loses a message: nothing is dropped without a
// high-water mark, and the window bounds what is queued. Each role is a process. It is as fast as
// we could make it: a role reads up to 256 messages before it looks elsewhere, polls only when
// there is nothing to read, and hands a frame that it has received on instead of making another.
//
// skeleton [-n JOBS] [-w WINDOW] [-r RESTARTERS] [-t] [-p RATE -s SECONDS]
//   -t: tcp over loopback instead of ipc; -p: so many jobs a second, and how long each took
//
// CPU counts as in pipeline.c: from when all have joined to the last ack, and of a paced run
// neither it nor the time of a job in the first WARM_UP_S seconds.

#include "clock.h"
#include "roles.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#define FRAME_BYTES    120
#define DRAIN_MAX      256
#define RESTARTERS_MAX 64
#define WORKERS_MAX    (RESTARTERS_MAX + 1)
#define WINDOW_DEFAULT 10000
#define TIME_LIMIT_S   300
#define ENDPOINT_MAX   128
#define WARM_UP_S      1

// How far the publisher is, and what the main process tells it.
typedef enum { STAGE_START, STAGE_READY, STAGE_GO, STAGE_WARM, STAGE_OVER, STAGE_END } stage_t;

typedef enum { FRAME_JOB, FRAME_HELLO, FRAME_READY, FRAME_END } frame_kind_t;

typedef struct {
    uint64_t job; // from 0
    int64_t sent_us;
    frame_kind_t kind;
    char rest[FRAME_BYTES - 20];
} frame_t;

_Static_assert(sizeof(frame_t) == FRAME_BYTES, "a frame has 120 bytes");

typedef struct {
    char name[ENDPOINT_MAX];
    atomic_bool is_bound;
} endpoint_t;

typedef struct {
    uint64_t jobs;
    uint64_t warm_up; // of these, the first that do not count
    uint64_t window;
    size_t restarters;
    double rate; // 0: as fast as it goes
    bool is_tcp;
    atomic_int stage;                                      // stage_t
    endpoint_t inbox, accepts, events, tasks[WORKERS_MAX]; // task 0 is the saver's
    roles_result_t result;
} bench_t;

typedef struct {
    bench_t *bench;
    size_t number; // of a worker
} role_arg_t;

// ---- sockets -----------------------------------------------------------------------------------

static void *new_socket(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    assert(socket);
    int unlimited = 0, linger_ms = 1000;
    int rc = zmq_setsockopt(socket, ZMQ_SNDHWM, &unlimited, sizeof unlimited);
    assert(rc == 0);
    rc = zmq_setsockopt(socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited);
    assert(rc == 0);
    rc = zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    assert(rc == 0);
    return socket;
}

static void *bind_socket(void *context, int type, const bench_t *bench, endpoint_t *endpoint,
                         const char *name)
{
    void *socket = new_socket(context, type);
    char wanted[ENDPOINT_MAX] = "tcp://127.0.0.1:*";
    size_t size = sizeof endpoint->name;
    if (!bench->is_tcp)
        (void)snprintf(wanted, sizeof wanted, "ipc://@mayhem-skeleton-%d-%s", (int)getppid(), name);
    if (zmq_bind(socket, wanted) != 0)
        roles_fail(wanted, zmq_strerror(zmq_errno()));
    int rc = zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint->name, &size);
    assert(rc == 0);
    atomic_store(&endpoint->is_bound, true);
    return socket;
}

static void await_stage(const bench_t *bench, stage_t stage)
{
    while (atomic_load(&bench->stage) < (int)stage)
        roles_nap(1);
}

static void *connect_socket(void *context, int type, endpoint_t *endpoint)
{
    while (!atomic_load(&endpoint->is_bound))
        roles_nap(1);
    void *socket = new_socket(context, type);
    if (type == ZMQ_SUB) {
        int rc = zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
        assert(rc == 0);
    }
    if (zmq_connect(socket, endpoint->name) != 0)
        roles_fail(endpoint->name, zmq_strerror(zmq_errno()));
    return socket;
}

static void send_frame(void *socket, const frame_t *frame)
{
    int size = zmq_send(socket, frame, sizeof *frame, 0);
    assert(size == sizeof *frame);
}

// Hands a received frame on; the message is empty after it.
static void forward(void *socket, zmq_msg_t *message)
{
    int size = zmq_msg_send(message, socket, 0);
    assert(size == sizeof(frame_t));
}

static bool receive(void *socket, zmq_msg_t *message)
{
    int size = zmq_msg_recv(message, socket, ZMQ_DONTWAIT);
    assert(size == sizeof(frame_t) || (size < 0 && zmq_errno() == EAGAIN));
    return size >= 0;
}

static const frame_t *frame_of(zmq_msg_t *message)
{
    return zmq_msg_data(message);
}

static void wait_for(void *one, void *other, long timeout_ms)
{
    zmq_pollitem_t items[2] = {{.socket = one, .events = ZMQ_POLLIN},
                               {.socket = other, .events = ZMQ_POLLIN}};
    (void)zmq_poll(items, other ? 2 : 1, timeout_ms);
}

// ---- publisher ---------------------------------------------------------------------------------

typedef struct {
    bench_t *bench;
    void *jobs, *events;
    uint64_t sent, acked;
    int64_t start_us, count_us;
    zmq_msg_t message;
} publisher_t;

// How many jobs may be out by now.
static uint64_t allowance(const publisher_t *self)
{
    const bench_t *bench = self->bench;
    uint64_t most = self->acked + bench->window;
    if (bench->rate > 0) {
        double due = (double)(mm_clock_us() - self->start_us) * bench->rate / 1e6;
        most = (uint64_t)due + 1 < most ? (uint64_t)due + 1 : most;
    }
    return most < bench->jobs ? most : bench->jobs;
}

static size_t send_some(publisher_t *self)
{
    uint64_t most = allowance(self), begin = self->sent;
    while (self->sent < most && self->sent - begin < DRAIN_MAX) {
        frame_t frame = {.kind = FRAME_JOB, .job = self->sent++};
        if (self->bench->rate > 0)
            frame.sent_us = mm_clock_us();
        send_frame(self->jobs, &frame);
    }
    return (size_t)(self->sent - begin);
}

// The main process looks at the stage.
static void end_warm_up(publisher_t *self)
{
    self->count_us = mm_clock_us();
    atomic_store(&self->bench->stage, STAGE_WARM);
}

static size_t take_acks(publisher_t *self)
{
    size_t count = 0;
    while (count < DRAIN_MAX && receive(self->events, &self->message)) {
        const frame_t *frame = frame_of(&self->message);
        count++;
        if (frame->kind != FRAME_JOB)
            continue;
        self->acked++;
        if (self->bench->rate > 0 && self->acked > self->bench->warm_up)
            mm_histogram_record(&self->bench->result.times, mm_clock_us() - frame->sent_us);
        if (self->acked == self->bench->warm_up)
            end_warm_up(self);
    }
    return count;
}

static int run_publisher(void *arg)
{
    bench_t *bench = ((role_arg_t *)arg)->bench;
    void *context = zmq_ctx_new();
    publisher_t self = {.bench = bench};
    self.events = connect_socket(context, ZMQ_SUB, &bench->events);
    self.jobs = connect_socket(context, ZMQ_PUSH, &bench->accepts);
    zmq_msg_init(&self.message);
    wait_for(self.events, NULL, -1); // ready: from here on no event is missed
    atomic_store(&bench->stage, STAGE_READY);
    await_stage(bench, STAGE_GO);
    self.start_us = self.count_us = mm_clock_us();
    while (self.acked < bench->jobs) {
        size_t count = send_some(&self) + take_acks(&self);
        if (count == 0)
            wait_for(self.events, NULL, bench->rate > 0 && self.sent < bench->jobs ? 1 : -1);
    }
    bench->result.seconds = (double)(mm_clock_us() - self.count_us) / 1e6;
    bench->result.jobs = self.acked - bench->warm_up;
    atomic_store(&bench->stage, STAGE_OVER);
    await_stage(bench, STAGE_END);
    send_frame(self.jobs, &(frame_t){.kind = FRAME_END});
    zmq_msg_close(&self.message);
    (void)zmq_close(self.events);
    (void)zmq_close(self.jobs);
    (void)zmq_ctx_term(context);
    return 0;
}

// ---- saver and restarters ----------------------------------------------------------------------

static int run_worker(void *arg)
{
    const role_arg_t *role = arg;
    bench_t *bench = role->bench;
    void *context = zmq_ctx_new();
    void *tasks = connect_socket(context, ZMQ_PULL, &bench->tasks[role->number]);
    void *inbox = connect_socket(context, ZMQ_PUSH, &bench->inbox);
    zmq_msg_t message;
    zmq_msg_init(&message);
    send_frame(inbox, &(frame_t){.kind = FRAME_HELLO});
    for (bool is_over = false; !is_over;) {
        size_t count = 0;
        while (count < DRAIN_MAX && !is_over && receive(tasks, &message)) {
            count++;
            is_over = frame_of(&message)->kind == FRAME_END;
            if (!is_over)
                forward(inbox, &message);
        }
        if (count == 0)
            wait_for(tasks, NULL, -1);
    }
    zmq_msg_close(&message);
    (void)zmq_close(tasks);
    (void)zmq_close(inbox);
    (void)zmq_ctx_term(context);
    return 0;
}

// ---- consumer ----------------------------------------------------------------------------------

typedef struct {
    bench_t *bench;
    void *jobs, *inbox, *events, *tasks[WORKERS_MAX];
    uint8_t *results; // of each job
    size_t workers, next;
    uint64_t acked;
    bool is_over;
    zmq_msg_t message, copy;
} consumer_t;

static size_t take_jobs(consumer_t *self)
{
    size_t count = 0;
    while (count < DRAIN_MAX && receive(self->jobs, &self->message)) {
        count++;
        if (frame_of(&self->message)->kind == FRAME_END) {
            self->is_over = true;
            break;
        }
        (void)zmq_msg_copy(&self->copy, &self->message);
        forward(self->tasks[0], &self->message);
        forward(self->tasks[self->next], &self->copy);
        self->next = self->next % (self->workers - 1) + 1;
    }
    return count;
}

static size_t take_results(consumer_t *self)
{
    size_t count = 0;
    while (count < DRAIN_MAX && receive(self->inbox, &self->message)) {
        uint64_t job = frame_of(&self->message)->job;
        count++;
        assert(job < self->bench->jobs && self->results[job] < 2);
        if (++self->results[job] == 2) {
            forward(self->events, &self->message);
            self->acked++;
        }
    }
    return count;
}

// All workers have said hello, and the publisher hears us once it sends jobs.
static void open_consumer(consumer_t *self, void *context)
{
    bench_t *bench = self->bench;
    self->inbox = bind_socket(context, ZMQ_PULL, bench, &bench->inbox, "inbox");
    self->jobs = bind_socket(context, ZMQ_PULL, bench, &bench->accepts, "jobs");
    self->events = bind_socket(context, ZMQ_PUB, bench, &bench->events, "events");
    for (size_t i = 0; i < self->workers; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "task-%zu", i);
        self->tasks[i] = bind_socket(context, ZMQ_PUSH, bench, &bench->tasks[i], name);
    }
    for (size_t heard = 0; heard < self->workers;) {
        wait_for(self->inbox, NULL, -1);
        while (receive(self->inbox, &self->message))
            heard++;
    }
    zmq_pollitem_t item = {.socket = self->jobs, .events = ZMQ_POLLIN};
    do
        send_frame(self->events, &(frame_t){.kind = FRAME_READY});
    while (zmq_poll(&item, 1, 10) == 0);
}

static void close_consumer(consumer_t *self, void *context)
{
    zmq_msg_close(&self->message);
    zmq_msg_close(&self->copy);
    (void)zmq_close(self->jobs);
    (void)zmq_close(self->inbox);
    (void)zmq_close(self->events);
    for (size_t i = 0; i < self->workers; i++) {
        send_frame(self->tasks[i], &(frame_t){.kind = FRAME_END});
        (void)zmq_close(self->tasks[i]);
    }
    (void)zmq_ctx_term(context);
    free(self->results);
}

static int run_consumer(void *arg)
{
    bench_t *bench = ((role_arg_t *)arg)->bench;
    void *context = zmq_ctx_new();
    consumer_t self = {.bench = bench, .workers = bench->restarters + 1, .next = 1};
    self.results = calloc(bench->jobs, 1);
    assert(self.results);
    zmq_msg_init(&self.message);
    zmq_msg_init(&self.copy);
    open_consumer(&self, context);
    while (!self.is_over)
        if (take_jobs(&self) + take_results(&self) == 0)
            wait_for(self.jobs, self.inbox, -1);
    bool is_whole = self.acked == bench->jobs;
    close_consumer(&self, context);
    return is_whole ? 0 : EX_SOFTWARE;
}

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: skeleton [-n JOBS] [-w WINDOW] [-r RESTARTERS] [-t] [-p RATE -s SECONDS]\n",
                stderr);
    exit(EX_USAGE);
}

static void parse(int argc, char **argv, bench_t *bench)
{
    double seconds = 3;
    for (int option; (option = getopt(argc, argv, "n:w:r:tp:s:")) != -1;) {
        switch (option) {
        case 'n': bench->jobs = strtoull(optarg, NULL, 10); break;
        case 'w': bench->window = strtoull(optarg, NULL, 10); break;
        case 'r': bench->restarters = strtoull(optarg, NULL, 10); break;
        case 't': bench->is_tcp = true; break;
        case 'p': bench->rate = strtod(optarg, NULL); break;
        case 's': seconds = strtod(optarg, NULL); break;
        default: usage();
        }
    }
    if (bench->rate > 0) {
        bench->warm_up = (uint64_t)(bench->rate * WARM_UP_S);
        bench->jobs = bench->warm_up + (uint64_t)(bench->rate * seconds);
    }
    if (optind != argc || bench->jobs == 0 || bench->window == 0 || bench->restarters == 0 ||
        bench->restarters > RESTARTERS_MAX)
        usage();
}

// CPU counts from the present stage of the publisher on.
static void count_from(const bench_t *bench, roles_t *roles, stage_t stage)
{
    await_stage(bench, stage);
    for (size_t i = 0; i < roles->count; i++)
        roles_count_from(roles, i);
}

int main(int argc, char **argv)
{
    bench_t *bench = roles_share(sizeof *bench);
    *bench = (bench_t){.jobs = 500000, .window = WINDOW_DEFAULT, .restarters = 1};
    parse(argc, argv, bench);
    (void)alarm(TIME_LIMIT_S);
    static role_arg_t args[WORKERS_MAX];
    static roles_t roles;
    role_arg_t plain = {.bench = bench};
    (void)roles_fork(&roles, "publisher", run_publisher, &plain);
    (void)roles_fork(&roles, "consumer", run_consumer, &plain);
    for (size_t i = 0; i <= bench->restarters; i++) {
        args[i] = (role_arg_t){.bench = bench, .number = i};
        (void)roles_fork(&roles, i == 0 ? "saver" : "restarter", run_worker, &args[i]);
    }
    count_from(bench, &roles, STAGE_READY);
    atomic_store(&bench->stage, STAGE_GO);
    if (bench->warm_up > 0)
        count_from(bench, &roles, STAGE_WARM);
    await_stage(bench, STAGE_OVER);
    roles_count_to(&roles);
    atomic_store(&bench->stage, STAGE_END);
    if (!roles_await_all(&roles))
        return EX_SOFTWARE; // the others die with this process
    roles_print(&roles, &bench->result);
    return 0;
}
