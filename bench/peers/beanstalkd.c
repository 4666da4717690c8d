// The same work over beanstalkd, as a good user of it would do it: the producer puts each job into
// the tubes "save" and "restart"; a worker each answers in the tube "results"; a gatherer counts
// them per job and puts acks, which the producer reserves. A command takes one job only, so
// everybody pipelines them. The server keeps a binlog, and is started and ended here; its CPU time
// counts.
//
// beanstalkd [-n JOBS] [-w WINDOW] [-f FSYNC_MS] DIR     (-f 0: sync each write)

#include "clock.h"
#include "roles.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BATCH_MAX     256
#define PAYLOAD_BYTES 120
#define BUFFER_BYTES  (1 << 18)
#define TIME_LIMIT_S  300

typedef struct {
    uint64_t jobs, window;
    const char *fsync_ms, *dir;
    roles_result_t *result;
} bench_t;

static bench_t bench = {.jobs = 100000, .window = 10000, .fsync_ms = "0"};

// ---- the connection ----------------------------------------------------------------------------

typedef struct {
    int fd;
    char out[BUFFER_BYTES], in[BUFFER_BYTES];
    size_t out_size, in_start, in_end;
} wire_t;

static int connect_once(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", bench.dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static wire_t *connect_server(void)
{
    wire_t *self = calloc(1, sizeof *self);
    if (!self)
        roles_fail("beanstalkd", strerror(errno));
    for (int tries = 0; tries < 500; tries++) {
        self->fd = connect_once();
        if (self->fd >= 0)
            return self;
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    roles_fail("beanstalkd", "it does not answer");
}

static void flush(wire_t *self)
{
    for (size_t done = 0; done < self->out_size;) {
        ssize_t count = write(self->fd, self->out + done, self->out_size - done);
        if (count <= 0)
            roles_fail("beanstalkd", strerror(errno));
        done += (size_t)count;
    }
    self->out_size = 0;
}

__attribute__((format(printf, 2, 3))) static void append(wire_t *self, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int size = vsnprintf(self->out + self->out_size, BUFFER_BYTES - self->out_size, format, values);
    va_end(values);
    self->out_size += (size_t)size;
    if (self->out_size >= BUFFER_BYTES)
        roles_fail("beanstalkd", "a batch is larger than the buffer");
}

static void append_job(wire_t *self, uint64_t job)
{
    append(self, "put 0 0 120 %d\r\n%0*" PRIu64 "\r\n", PAYLOAD_BYTES, PAYLOAD_BYTES, job);
}

static void read_more(wire_t *self)
{
    memmove(self->in, self->in + self->in_start, self->in_end - self->in_start);
    self->in_end -= self->in_start;
    self->in_start = 0;
    ssize_t count = read(self->fd, self->in + self->in_end, BUFFER_BYTES - self->in_end);
    if (count <= 0)
        roles_fail("beanstalkd", "the connection is lost");
    self->in_end += (size_t)count;
}

// The next `size` bytes and their line end; valid until the next call.
static const char *take_bytes(wire_t *self, size_t size)
{
    while (self->in_end - self->in_start < size + 2)
        read_more(self);
    char *bytes = self->in + self->in_start;
    bytes[size] = '\0';
    self->in_start += size + 2;
    return bytes;
}

static const char *take_line(wire_t *self)
{
    for (;;) {
        const char *from = self->in + self->in_start;
        const char *end = memmem(from, self->in_end - self->in_start, "\r\n", 2);
        if (end)
            return take_bytes(self, (size_t)(end - from));
        read_more(self);
    }
}

static void expect(wire_t *self, const char *word)
{
    const char *line = take_line(self);
    if (strncmp(line, word, strlen(word)) != 0)
        roles_fail("beanstalkd says", line);
}

typedef struct {
    uint64_t id, job;
} reserved_t;

// The reply to a reserve; false when there was nothing.
static bool take_reserved(wire_t *self, reserved_t *ret_reserved)
{
    const char *line = take_line(self);
    if (strncmp(line, "TIMED_OUT", 9) == 0)
        return false;
    uint64_t id;
    size_t size;
    if (sscanf(line, "RESERVED %" SCNu64 " %zu", &id, &size) != 2)
        roles_fail("beanstalkd says", line);
    *ret_reserved = (reserved_t){.id = id, .job = strtoull(take_bytes(self, size), NULL, 10)};
    return true;
}

// Asks for twice as many as came last, since each that is not there costs a reply; or waits for one
// when there is nothing else to do.
static void append_reserves(wire_t *self, bool waits, size_t came, size_t *ret_count)
{
    *ret_count = waits ? 1 : came * 2 < BATCH_MAX ? came * 2 + 1 : BATCH_MAX;
    for (size_t i = 0; i < *ret_count; i++)
        append(self, "%s", waits ? "reserve\r\n" : "reserve-with-timeout 0\r\n");
}

static size_t take_batch(wire_t *self, size_t asked, reserved_t *ret_batch)
{
    size_t count = 0;
    for (size_t i = 0; i < asked; i++)
        if (take_reserved(self, &ret_batch[count]))
            count++;
    return count;
}

static void watch(wire_t *self, const char *tube)
{
    append(self, "watch %s\r\nignore default\r\n", tube);
    flush(self);
    expect(self, "WATCHING");
    expect(self, "WATCHING");
}

// ---- producer ----------------------------------------------------------------------------------

static void put_batch(wire_t *self, const char *tube, uint64_t first, size_t count)
{
    append(self, "use %s\r\n", tube);
    for (size_t i = 0; i < count; i++)
        append_job(self, first + i);
}

static void expect_inserted(wire_t *self, size_t count)
{
    expect(self, "USING");
    for (size_t i = 0; i < count; i++)
        expect(self, "INSERTED");
}

static int run_producer(void *arg)
{
    (void)arg;
    wire_t *wire = connect_server();
    watch(wire, "acks");
    uint64_t sent = 0, acked = 0;
    reserved_t batch[BATCH_MAX];
    size_t reserved = 0;
    int64_t start_us = mm_clock_us();
    while (acked < bench.jobs) {
        uint64_t room = bench.window - (sent - acked), left = bench.jobs - sent, most = BATCH_MAX;
        most = room < most ? room : most;
        size_t count = (size_t)(left < most ? left : most), asked, deleted = reserved;
        for (size_t i = 0; i < deleted; i++)
            append(wire, "delete %" PRIu64 "\r\n", batch[i].id);
        put_batch(wire, "save", sent, count);
        put_batch(wire, "restart", sent, count);
        append_reserves(wire, count == 0 && deleted == 0, deleted, &asked);
        flush(wire);
        for (size_t i = 0; i < deleted; i++)
            expect(wire, "DELETED");
        expect_inserted(wire, count);
        expect_inserted(wire, count);
        reserved = take_batch(wire, asked, batch);
        sent += count;
        acked += reserved;
    }
    bench.result->seconds = (double)(mm_clock_us() - start_us) / 1e6;
    bench.result->jobs = acked;
    return 0;
}

// ---- those who read a tube ---------------------------------------------------------------------

typedef struct {
    const char *from, *to;
    bool gathers; // hands on what it has seen twice, instead of everything
} stage_t;

static const stage_t saver = {.from = "save", .to = "results"};
static const stage_t restarter = {.from = "restart", .to = "results"};
static const stage_t gatherer = {.from = "results", .to = "acks", .gathers = true};

_Noreturn static int run_stage(void *arg)
{
    const stage_t *stage = arg;
    wire_t *wire = connect_server();
    uint8_t *seen = calloc(bench.jobs, 1);
    watch(wire, stage->from);
    append(wire, "use %s\r\n", stage->to);
    flush(wire);
    expect(wire, "USING");
    reserved_t batch[BATCH_MAX];
    for (size_t count = 0;;) {
        size_t put = 0, asked;
        for (size_t i = 0; i < count; i++)
            if (!stage->gathers || ++seen[batch[i].job] == 2) {
                append_job(wire, batch[i].job);
                put++;
            }
        for (size_t i = 0; i < count; i++)
            append(wire, "delete %" PRIu64 "\r\n", batch[i].id);
        append_reserves(wire, count == 0, count, &asked);
        flush(wire);
        for (size_t i = 0; i < put; i++)
            expect(wire, "INSERTED");
        for (size_t i = 0; i < count; i++)
            expect(wire, "DELETED");
        count = take_batch(wire, asked, batch);
    }
}

// ---- main --------------------------------------------------------------------------------------

static void usage(void)
{
    (void)fputs("usage: beanstalkd [-n JOBS] [-w WINDOW] [-f FSYNC_MS] DIR\n", stderr);
    exit(EX_USAGE);
}

static void start_server(roles_t *roles)
{
    static char address[256];
    (void)snprintf(address, sizeof address, "unix:%s/socket", bench.dir);
    const char *argv[] = {"beanstalkd", "-l", address, "-b", bench.dir, "-f", bench.fsync_ms, NULL};
    (void)roles_execute(roles, "server", (char *const *)argv);
}

int main(int argc, char **argv)
{
    for (int option; (option = getopt(argc, argv, "n:w:f:")) != -1;) {
        switch (option) {
        case 'n': bench.jobs = strtoull(optarg, NULL, 10); break;
        case 'w': bench.window = strtoull(optarg, NULL, 10); break;
        case 'f': bench.fsync_ms = optarg; break;
        default: usage();
        }
    }
    if (optind != argc - 1 || bench.jobs == 0)
        usage();
    bench.dir = argv[optind];
    bench.result = roles_share(sizeof *bench.result);
    static roles_t roles;
    (void)alarm(TIME_LIMIT_S);
    start_server(&roles);
    (void)roles_fork(&roles, "saver", run_stage, (void *)&saver);
    (void)roles_fork(&roles, "restarter", run_stage, (void *)&restarter);
    (void)roles_fork(&roles, "gatherer", run_stage, (void *)&gatherer);
    size_t producer = roles_fork(&roles, "producer", run_producer, NULL);
    if (!roles_await(&roles, producer))
        return EX_UNAVAILABLE;
    roles_end(&roles);
    roles_print(&roles, bench.result);
    return 0;
}
