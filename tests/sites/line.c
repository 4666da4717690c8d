// Lines between machines: for each site a pair of TUN interfaces, one in the namespace of the hub
// and one in that of the site, and this program between them, which passes packets on. A line has a
// delay, loses packets at random, and may be cut in one direction. TCP at both ends is the
// kernel's.
//
// line HUB SEED SITE...     names of network namespaces (ip netns add)
//
// It makes the interface SITE in HUB and the interface hub in SITE, down and without an address,
// and prints "ready". Then it reads commands from standard input, one a line, and ends with it:
//
//   SITE delay MS JITTER_MS   each packet takes MS to MS + JITTER_MS, in order
//   SITE loss PERCENT         of the packets of each direction
//   SITE cut to|from|both     nothing arrives at the site, comes from it, or both
//   SITE heal                 nothing is cut
//
// Each is answered with "done". Needs root.

#include "clock.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#define SITES_MAX   16
#define PACKETS_MAX 4096 // on their way in one direction; more are lost
#define BYTES_MAX   65536

typedef struct {
    int64_t due_us;
    size_t size;
    char *bytes;
} packet_t;

typedef struct {
    int from; // descriptors of TUN interfaces
    int to;
    bool is_cut;
    int64_t last_us; // when the last packet arrives: none overtakes another
    packet_t packets[PACKETS_MAX];
    size_t first;
    size_t count;
} direction_t;

typedef struct {
    const char *name;
    int64_t delay_us;
    int64_t jitter_us;
    uint64_t loss_ppm;
    direction_t to_site;
    direction_t from_site;
} line_t;

static line_t lines[SITES_MAX];
static size_t line_count;
static uint64_t state;

static void stop(const char *what)
{
    (void)fprintf(stderr, "line: %s: %s\n", what, strerror(errno));
    exit(EX_OSERR);
}

// ---- interfaces

// Of this name, in a namespace; the program stays in it.
static int open_tun(const char *namespace, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int netns = open(path, O_RDONLY | O_CLOEXEC);
    if (netns < 0 || setns(netns, CLONE_NEWNET) != 0)
        stop(path);
    (void)close(netns);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
        stop("/dev/net/tun");
    return fd;
}

static void open_line(line_t *self, const char *hub, const char *site)
{
    self->name = site;
    int at_hub = open_tun(hub, site);
    int at_site = open_tun(site, "hub");
    self->to_site.from = self->from_site.to = at_hub;
    self->to_site.to = self->from_site.from = at_site;
}

// ---- packets

static void take(const line_t *self, direction_t *way, const char *bytes, size_t size)
{
    if (way->is_cut || way->count == PACKETS_MAX ||
        mm_random_below(&state, 1000000) < self->loss_ppm)
        return;
    int64_t due_us = mm_clock_us() + self->delay_us;
    if (self->jitter_us > 0)
        due_us += (int64_t)mm_random_below(&state, (uint64_t)self->jitter_us);
    packet_t *packet = &way->packets[(way->first + way->count++) % PACKETS_MAX];
    packet->due_us = way->last_us = due_us > way->last_us ? due_us : way->last_us;
    packet->size = size;
    packet->bytes = malloc(size);
    if (!packet->bytes)
        stop("malloc");
    memcpy(packet->bytes, bytes, size);
}

static void read_packets(const line_t *self, direction_t *way)
{
    static char bytes[BYTES_MAX];
    ssize_t size;
    while ((size = read(way->from, bytes, sizeof bytes)) > 0)
        take(self, way, bytes, (size_t)size);
}

// Passes on what is due; what the interface does not take is lost. Returns when the next one is.
static int64_t pass_on(direction_t *way, int64_t now_us)
{
    while (way->count > 0 && way->packets[way->first].due_us <= now_us) {
        packet_t *packet = &way->packets[way->first];
        if (!way->is_cut && write(way->to, packet->bytes, packet->size) < 0 && errno != EAGAIN &&
            errno != EIO && errno != EINVAL) // it is down
            stop("write");
        free(packet->bytes);
        way->first = (way->first + 1) % PACKETS_MAX;
        way->count--;
    }
    return way->count > 0 ? way->packets[way->first].due_us : INT64_MAX;
}

// ---- commands

static bool apply(const char *text)
{
    char name[64], word[16], argument[16];
    double a = 0, b = 0;
    if (sscanf(text, "%63s %15s", name, word) != 2)
        return false;
    line_t *line = lines;
    while (line < lines + line_count && strcmp(line->name, name) != 0)
        line++;
    if (line == lines + line_count)
        return false;
    if (strcmp(word, "delay") == 0 && sscanf(text, "%*s %*s %lf %lf", &a, &b) == 2) {
        line->delay_us = (int64_t)(a * 1000);
        line->jitter_us = (int64_t)(b * 1000);
    } else if (strcmp(word, "loss") == 0 && sscanf(text, "%*s %*s %lf", &a) == 1) {
        line->loss_ppm = (uint64_t)(a * 10000);
    } else if (strcmp(word, "cut") == 0 && sscanf(text, "%*s %*s %15s", argument) == 1) {
        line->to_site.is_cut |= strcmp(argument, "from") != 0;
        line->from_site.is_cut |= strcmp(argument, "to") != 0;
    } else if (strcmp(word, "heal") == 0) {
        line->to_site.is_cut = line->from_site.is_cut = false;
    } else {
        return false;
    }
    return true;
}

// False at the end of the input.
static bool read_commands(void)
{
    static char text[4096];
    static size_t size;
    ssize_t more = read(STDIN_FILENO, text + size, sizeof text - 1 - size);
    if (more <= 0)
        return false;
    size += (size_t)more;
    text[size] = '\0';
    for (char *end; (end = strchr(text, '\n')) != NULL;) {
        *end = '\0';
        (void)puts(apply(text) ? "done" : "no such command");
        size -= (size_t)(end + 1 - text);
        memmove(text, end + 1, size + 1);
    }
    (void)fflush(stdout);
    return true;
}

int main(int argc, char **argv)
{
    struct pollfd polled[2 * SITES_MAX + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    if (argc < 4 || argc - 3 > SITES_MAX) {
        (void)fputs("usage: line HUB SEED SITE...\n", stderr);
        return EX_USAGE;
    }
    state = strtoull(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) {
        line_t *line = &lines[line_count++];
        open_line(line, argv[1], argv[i]);
        polled[2 * line_count - 1] = (struct pollfd){.fd = line->to_site.from, .events = POLLIN};
        polled[2 * line_count] = (struct pollfd){.fd = line->from_site.from, .events = POLLIN};
    }
    (void)puts("ready");
    (void)fflush(stdout);
    for (;;) {
        int64_t now_us = mm_clock_us(), next_us = INT64_MAX;
        for (size_t i = 0; i < line_count; i++) {
            int64_t to_us = pass_on(&lines[i].to_site, now_us);
            int64_t from_us = pass_on(&lines[i].from_site, now_us);
            to_us = from_us < to_us ? from_us : to_us;
            next_us = to_us < next_us ? to_us : next_us;
        }
        struct timespec wait = {.tv_nsec = 0};
        if (next_us != INT64_MAX) {
            wait.tv_sec = (next_us - now_us) / 1000000;
            wait.tv_nsec = (next_us - now_us) % 1000000 * 1000;
        }
        if (ppoll(polled, 2 * line_count + 1, next_us == INT64_MAX ? NULL : &wait, NULL) < 0)
            stop("poll");
        if (polled[0].revents != 0 && !read_commands())
            return 0;
        for (size_t i = 0; i < line_count; i++) {
            read_packets(&lines[i], &lines[i].to_site);
            read_packets(&lines[i], &lines[i].from_site);
        }
    }
}
