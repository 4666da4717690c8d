// See peer.h.

#include "peer.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define STAGES     3
#define TRIES_MAX  6000
#define CLIENT_MAX (STAGES + 1)

peer_options_t peer = {.jobs = 100000, .window = 10000, .per_message = 1};

static const peer_stage_t stages[STAGES] = {
    {.name = "saver", .from = "jobs", .to = "results"},
    {.name = "restarter", .from = "jobs", .to = "results", .is_group = true},
    {.name = "gatherer", .from = "results", .to = "acks", .gathers = true}};

// Memory of all roles.
typedef struct {
    roles_result_t result;
    atomic_uint joined;
    double begin_us,
        server_us; // when the clock started; CPU of the server: then, later of the work
} shared_t;

static shared_t *shared;
static roles_t roles;
static size_t server;
static pid_t server_pid;

// ---- options -----------------------------------------------------------------------------------

_Noreturn static void usage(const char *program, const char *const *durabilities)
{
    (void)fprintf(stderr, "usage: %s [-n JOBS] [-w WINDOW] [-b JOBS] [-f %s", program,
                  durabilities[0]);
    for (size_t i = 1; durabilities[i]; i++)
        (void)fprintf(stderr, "|%s", durabilities[i]);
    (void)fputs("] DIR\n", stderr);
    exit(EX_USAGE);
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

void peer_start(int argc, char **argv, const char *const *durabilities)
{
    peer.durability = durabilities[0];
    for (int option; (option = getopt(argc, argv, "n:w:b:f:")) != -1;) {
        switch (option) {
        case 'n': peer.jobs = strtoull(optarg, NULL, 10); break;
        case 'w': peer.window = strtoull(optarg, NULL, 10); break;
        case 'b': peer.per_message = strtoull(optarg, NULL, 10); break;
        case 'f': peer.durability = optarg; break;
        default: usage(argv[0], durabilities);
        }
    }
    if (optind != argc - 1 || peer.jobs == 0 || peer.window == 0 || peer.per_message == 0 ||
        peer.per_message > PEER_MESSAGE_JOBS || !is_one_of(peer.durability, durabilities))
        usage(argv[0], durabilities);
    peer.dir = argv[optind];
    shared = roles_share(sizeof *shared);
    (void)alarm(PEER_TIME_LIMIT_S);
}

// ---- the server --------------------------------------------------------------------------------

int peer_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0)
        roles_fail("port", strerror(errno));
    (void)close(fd);
    return ntohs(address.sin_port);
}

static void nap(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

void peer_try_again(const char *name)
{
    static int tries;
    if (++tries > TRIES_MAX)
        roles_fail(name, "it does not answer");
    nap();
}

void peer_assist(const char *const *argv)
{
    (void)roles_execute(&roles, "server", (char *const *)argv);
}

void peer_serve(const char *const *argv)
{
    server = roles_execute(&roles, "server", (char *const *)argv);
    server_pid = roles.all[server].pid;
}

void peer_prepare(int (*prepare)(void *arg))
{
    if (!roles_await(&roles, roles_fork(&roles, "preparation", prepare, NULL)))
        exit(EX_UNAVAILABLE);
    roles.count--; // its CPU time does not count
}

static double server_cpu_us(void)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(server_pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        roles_fail("server", "it is lost");
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

// ---- the measurement ---------------------------------------------------------------------------

void peer_join(void)
{
    (void)atomic_fetch_add(&shared->joined, 1);
}

void peer_begin(void)
{
    while (atomic_load(&shared->joined) < STAGES)
        nap();
    shared->server_us = server_cpu_us();
    shared->begin_us = (double)mm_clock_us();
}

void peer_end(void)
{
    shared->result.seconds = ((double)mm_clock_us() - shared->begin_us) / 1e6;
    shared->result.jobs = peer.jobs;
    shared->server_us = server_cpu_us() - shared->server_us;
}

int peer_measure(int (*stage)(void *arg), int (*producer)(void *arg), void (*check)(void))
{
    size_t clients[CLIENT_MAX], count = 0;
    for (; count < STAGES; count++)
        clients[count] = roles_fork(&roles, stages[count].name, stage, (void *)&stages[count]);
    clients[count++] = roles_fork(&roles, "producer", producer, NULL);
    while (count > 0)
        if (!roles_await(&roles, clients[--count]))
            return EX_UNAVAILABLE; // what still runs dies with this process
    check();
    roles_end(&roles);
    roles.all[server].cpu_us = shared->server_us;
    roles_print(&roles, &shared->result);
    return 0;
}

// ---- each job once -----------------------------------------------------------------------------

struct peer_seen {
    uint64_t count; // of jobs
    uint8_t times[];
};

peer_seen_t *peer_seen_create(void)
{
    peer_seen_t *self = calloc(1, sizeof *self + peer.jobs);
    if (!self)
        roles_fail("memory", strerror(errno));
    return self;
}

unsigned peer_see(peer_seen_t *self, uint64_t job)
{
    if (job >= peer.jobs)
        roles_fail("check", "a job came that nobody has published");
    self->count += self->times[job] == 0;
    return ++self->times[job];
}

void peer_see_ack(peer_seen_t *self, uint64_t job)
{
    if (peer_see(self, job) != 1)
        roles_fail("check", "a job was acknowledged twice");
}

void peer_see_all(const peer_seen_t *self, const char *what)
{
    if (self->count == peer.jobs)
        return;
    char text[96];
    (void)snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64 " jobs", self->count, peer.jobs);
    roles_fail(what, text);
}
