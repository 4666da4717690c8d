// See host.h.

#include "host.h"

#include "descendants_of.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { KNOCK_MS = 10, KILL_LIMIT_MS = 10000, FOR_EVER = -1 };

typedef enum { HOST_DOWN, HOST_BOOTING, HOST_UP, HOST_GOING, HOST_HUNG } life_t;

typedef struct {
    char address[40];
    char sick[20];    // what systemctl says after a reboot; empty: running
    int64_t port;     // 0: nothing listens
    int64_t delay_ms; // from a request until it goes down
    int64_t down_ms;  // until it boots
    int64_t again;    // reboots of its own after the first one; FOR_EVER
    int64_t again_ms; // after it has come up
    int64_t other;    // somebody else reboots it after so many reads of its ids; 0: nobody
    int64_t hang;     // 1: sessions neither end nor answer when it goes down
    int64_t hung;     // 1: in its first boot nobody answers
    int64_t noop;     // 1: a request does nothing
    int64_t stranger; // 1: it comes back with another machine id
} conf_t;

typedef struct {
    conf_t conf;
    const char *sshd;
    int ready;
    int log;
    pid_t listener;
    life_t life;
    int64_t due_ms; // when life goes on; INT64_MAX: not by itself
    int64_t again_left;
    int64_t reads;
    char why[32];     // of the reboot that is due
    char boot_id[37]; // empty before the first boot
} host_t;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t boot_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

static void tell(const host_t *host, const char *event, const char *text)
{
    char line[4400];
    int size =
        snprintf(line, sizeof line, "%" PRId64 " %" PRId64 " %s %s%s%.4000s\n", boot_ms(),
                 clock_ms(CLOCK_REALTIME), host->boot_id, event, *text != '\0' ? " " : "", text);
    if (write(host->log, line, (size_t)size) != size)
        exit(EX_IOERR);
}

// A reader sees the old text or the new one.
static void put_file(const char *name, const char *text)
{
    FILE *file = fopen("new", "we");
    if (file == NULL || fprintf(file, "%s\n", text) < 0 || fclose(file) != 0 ||
        rename("new", name) != 0)
        exit(EX_IOERR);
}

// 32 random hex digits.
static void draw_digits(char ret_digits[33])
{
    uint32_t draw[4];
    if (getrandom(draw, sizeof draw, 0) != (ssize_t)sizeof draw)
        exit(EX_OSERR);
    (void)snprintf(ret_digits, 33, "%08" PRIx32 "%08" PRIx32 "%08" PRIx32 "%08" PRIx32, draw[0],
                   draw[1], draw[2], draw[3]);
}

// ---- conf ---------------------------------------------------------------------------------------

static void read_conf(conf_t *ret_conf)
{
    char line[200];
    FILE *file = fopen("conf", "re");
    if (file == NULL)
        exit(EX_NOINPUT);
    while (fgets(line, sizeof line, file) != NULL) {
        char *value = strchr(line, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        value[strcspn(value, "\n")] = '\0';
        const struct {
            const char *key;
            int64_t *number;
        } keys[] = {{"port", &ret_conf->port},         {"delay_ms", &ret_conf->delay_ms},
                    {"down_ms", &ret_conf->down_ms},   {"again", &ret_conf->again},
                    {"again_ms", &ret_conf->again_ms}, {"other", &ret_conf->other},
                    {"hang", &ret_conf->hang},         {"hung", &ret_conf->hung},
                    {"noop", &ret_conf->noop},         {"stranger", &ret_conf->stranger}};
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (strcmp(line, keys[i].key) == 0)
                *keys[i].number = strtoll(value, NULL, 10);
        if (strcmp(line, "address") == 0)
            (void)snprintf(ret_conf->address, sizeof ret_conf->address, "%.39s", value);
        if (strcmp(line, "sick") == 0)
            (void)snprintf(ret_conf->sick, sizeof ret_conf->sick, "%.19s", value);
    }
    (void)fclose(file);
}

// ---- up and down --------------------------------------------------------------------------------

static void start_sshd(host_t *host)
{
    pid_t supervisor = getpid();
    host->listener = fork();
    if (host->listener < 0)
        exit(EX_OSERR);
    if (host->listener > 0)
        return;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int log = open("sshd.log", O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != supervisor || log < 0 ||
        dup2(log, STDERR_FILENO) < 0)
        _exit(EX_OSERR);
    (void)execl(host->sshd, host->sshd, "-D", "-e", "-f", "sshd_config", (char *)NULL);
    _exit(EX_UNAVAILABLE);
}

static void boot(host_t *host)
{
    char since[32], old[sizeof host->boot_id], digits[33];
    (void)snprintf(old, sizeof old, "%s", host->boot_id);
    draw_digits(digits);
    (void)snprintf(host->boot_id, sizeof host->boot_id, "%.8s-%.4s-4%.3s-a%.3s-%.12s", digits,
                   digits + 8, digits + 12, digits + 15, digits + 18);
    (void)snprintf(since, sizeof since, "%" PRId64, boot_ms());
    tell(host, "up", *old != '\0' ? old : "-");
    if (*old != '\0' && host->conf.stranger) {
        draw_digits(digits);
        put_file("machine-id", digits);
    }
    put_file("state", *old != '\0' && *host->conf.sick != '\0' ? host->conf.sick : "running");
    put_file("up-since", since);
    put_file("boot-id", host->boot_id);
    start_sshd(host);
    host->life = HOST_BOOTING;
    host->due_ms = boot_ms() + KNOCK_MS;
}

static bool is_listening(const host_t *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)host->conf.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listening = fd >= 0 && inet_pton(AF_INET, host->conf.address, &address.sin_addr) == 1 &&
                     connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        (void)close(fd);
    return listening;
}

static void say_ready(host_t *host)
{
    if (host->ready >= 0 && (write(host->ready, "", 1) != 1 || close(host->ready) != 0))
        exit(EX_OSERR);
    host->ready = -1;
}

static void end_listener(host_t *host)
{
    (void)kill(host->listener, SIGKILL);
    (void)waitpid(host->listener, NULL, 0);
    host->listener = 0;
}

static void knock(host_t *host)
{
    if (!is_listening(host)) {
        host->due_ms = boot_ms() + KNOCK_MS;
        return;
    }
    tell(host, "listening", "");
    say_ready(host);
    host->life = HOST_UP;
    host->due_ms = INT64_MAX;
    if (host->conf.hung && *host->why == '\0') {
        end_listener(host);
        host->life = HOST_HUNG;
    }
    if (*host->why != '\0' && host->again_left != 0) {
        host->again_left -= host->again_left > 0;
        host->due_ms = boot_ms() + host->conf.again_ms;
        (void)snprintf(host->why, sizeof host->why, "itself");
    }
}

static void go_down(host_t *host)
{
    tell(host, "down", host->why);
    if (host->listener > 0)
        end_listener(host);
    if (host->conf.hang)
        stop_descendants();
    else if (!kill_descendants(KILL_LIMIT_MS))
        exit(EX_SOFTWARE);
    host->life = HOST_DOWN;
    host->due_ms = boot_ms() + host->conf.down_ms;
}

static void request_reboot(host_t *host, const char *why)
{
    if (host->life != HOST_UP && host->life != HOST_HUNG)
        return; // it goes down already
    (void)snprintf(host->why, sizeof host->why, "%.31s", why);
    host->life = HOST_GOING;
    host->due_ms = boot_ms() + host->conf.delay_ms;
}

static void go_on(host_t *host)
{
    switch (host->life) {
    case HOST_DOWN: boot(host); break;
    case HOST_BOOTING: knock(host); break;
    case HOST_UP:
    case HOST_GOING:
    case HOST_HUNG: go_down(host); break;
    }
}

// ---- requests -----------------------------------------------------------------------------------

// A line of the FIFO: "EVENT TEXT", as it is logged. Two of them ask for something: `asked` (one of
// the programs that reboot was run) and `reboot WHO` (by the test: somebody else).
static void obey(host_t *host, char *line)
{
    char *text = strchr(line, ' ');
    if (text != NULL)
        *text++ = '\0';
    else
        text = line + strlen(line);
    tell(host, line, text);
    if (strcmp(line, "asked") == 0 && !host->conf.noop)
        request_reboot(host, "asked");
    else if (strcmp(line, "reboot") == 0)
        request_reboot(host, text);
    else if (strcmp(line, "read") == 0 && ++host->reads == host->conf.other)
        request_reboot(host, "other");
}

static void read_control(host_t *host, int control)
{
    static char buffer[65536];
    static size_t used;
    ssize_t got = read(control, buffer + used, sizeof buffer - 1 - used);
    if (got <= 0)
        return;
    used += (size_t)got;
    char *line = buffer;
    for (char *end; (end = memchr(line, '\n', used)) != NULL; line = end + 1) {
        *end = '\0';
        used -= (size_t)(end + 1 - line);
        obey(host, line);
    }
    memmove(buffer, line, used);
    if (used == sizeof buffer - 1)
        used = 0; // no line is so long
}

// Ends that are not awaited elsewhere. A listener that ends by itself is a fault of the fleet.
static void reap(const host_t *host)
{
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
        if (pid == host->listener && host->life != HOST_DOWN) {
            tell(host, "sshd-ended", "");
            (void)kill_descendants(KILL_LIMIT_MS);
            exit(EX_UNAVAILABLE);
        }
    }
}

static int wait_ms(const host_t *host)
{
    int64_t left_ms = host->due_ms - boot_ms();
    return host->due_ms == INT64_MAX ? -1
           : left_ms < 0             ? 0
           : left_ms > 60000         ? 60000
                                     : (int)left_ms;
}

int host_run(const char *folder, const char *sshd, int ready)
{
    host_t host = {.sshd = sshd, .ready = ready, .due_ms = INT64_MAX};
    sigset_t awaited;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGTERM);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &awaited, NULL);
    int signals = signalfd(-1, &awaited, SFD_CLOEXEC);
    if (chdir(folder) != 0 || signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return EX_OSERR;
    read_conf(&host.conf);
    host.again_left = host.conf.again;
    int control = open("control", O_RDWR | O_CLOEXEC);
    host.log = open("log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (control < 0 || host.log < 0)
        return EX_CANTCREAT;
    if (host.conf.port != 0)
        boot(&host);
    else
        say_ready(&host);
    for (;;) {
        struct pollfd ready_fds[] = {{signals, POLLIN, 0}, {control, POLLIN, 0}};
        int count = poll(ready_fds, 2, wait_ms(&host));
        struct signalfd_siginfo info;
        if (count > 0 && ready_fds[0].revents != 0) {
            if (read(signals, &info, sizeof info) == (ssize_t)sizeof info &&
                info.ssi_signo == SIGTERM)
                return kill_descendants(KILL_LIMIT_MS) ? EX_OK : EX_SOFTWARE;
            reap(&host);
        }
        if (count > 0 && ready_fds[1].revents != 0)
            read_control(&host, control);
        if (boot_ms() >= host.due_ms)
            go_on(&host);
    }
}
