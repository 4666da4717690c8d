// Strangers at a consumer's listener, so many a second: each makes a whole CURVE handshake (RFC 26)
// with a key that is on no list, and is refused. It is cheap for whoever makes it, so that what is
// measured is the consumer: one pair of keys serves all connections, as their long-term and as
// their short-term one, and the first message is the same each time. That leaves one multiplication
// on the curve; the consumer has six.
//
// handshakes ADDRESS PORT SERVER-KEY RATE
//   ADDRESS: of IPv4; PORT: the first of the listener's four, which have their turns
//
// It ends by TERM, with one line of key=value: tried, begun (the consumer had accepted it), served
// (it was refused by name), given_up (there was no connection after CONNECT_MS, or nothing had come
// of one after GIVE_UP_MS), broken (the consumer had closed it), a second of each, and CPU.

#include "clock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#define PORTS        4
#define OPEN_MAX     16384 // at a time
#define CONNECT_MS   1000
#define GIVE_UP_MS   5000
#define LOOK_MS      100 // between two looks at who is late
#define TURN_MS      2   // between two looks at what is due
#define EVENTS_MAX   256
#define GREETING     64
#define WELCOME      168  // bytes of the command; its frame has two more
#define COMMAND      0x04 // flags of a frame
#define LONG_COMMAND 0x06

typedef enum { STAGE_CONNECT, STAGE_WELCOME, STAGE_REFUSAL } stage_t;

// Those that are open are in a ring, in the order of their starts.
typedef struct {
    int descriptor; // -1: over
    stage_t stage;
    uint16_t port; // from the first one
    int64_t begin_ms;
    size_t size;
    uint8_t input[GREETING + 2 + WELCOME];
} stranger_t;

typedef struct {
    struct sockaddr_in address;
    double rate;
    int poller, signals;
    uint8_t public_key[32], secret_key[32], server_key[32];
    uint8_t hello[GREETING + 2 + 200]; // and the greeting before it
    uint8_t hello_shared[32];          // of our key and the consumer's
    stranger_t ring[OPEN_MAX];
    size_t first, count;
    int64_t look_ms; // when it is looked next who is late
    uint64_t tried, begun, served, given_up, broken;
} flood_t;

static _Noreturn void fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "handshakes: %s: %s\n", what, why);
    exit(EX_UNAVAILABLE);
}

// ---- messages

static void put_text(uint8_t **at, const char *text)
{
    size_t size = strlen(text);
    memcpy(*at, text, size);
    *at += size;
}

// Counter nonces have 8 bytes behind their prefix.
static void make_nonce(uint8_t nonce[24], const char *prefix, uint64_t number)
{
    uint64_t big = htobe64(number);
    memcpy(nonce, prefix, 16);
    memcpy(nonce + 16, &big, sizeof big);
}

static void make_hello(flood_t *self)
{
    static const uint8_t zeros[64];
    uint8_t nonce[24], *at = self->hello;
    memset(self->hello, 0, sizeof self->hello);
    at[0] = 0xFF;
    at[9] = 0x7F;
    at[10] = 3; // ZMTP 3.0
    memcpy(at + 12, "CURVE", 5);
    at += GREETING;
    *at++ = COMMAND;
    *at++ = 200;
    put_text(&at, "\005HELLO\001");
    at += 1 + 72; // the version's second byte, and what makes it as long as its answer
    memcpy(at, self->public_key, 32);
    at += 32;
    make_nonce(nonce, "CurveZMQHELLO---", 1);
    memcpy(at, nonce + 16, 8);
    at += 8;
    if (crypto_box_beforenm(self->hello_shared, self->server_key, self->secret_key) != 0 ||
        crypto_box_easy_afternm(at, zeros, sizeof zeros, nonce, self->hello_shared) != 0)
        fail("the server's key", "it is no point of the curve");
}

#define VOUCH    (16 + 32 + 32)         // bytes of its box
#define PLAIN    (32 + 16 + VOUCH + 20) // at most
#define INITIATE (9 + 96 + 8 + 16 + PLAIN)

// In a frame, whose size is returned. server_key: the consumer's short-term one; type: that of our
// socket, which is looked at before the key.
static size_t make_initiate(const flood_t *self, const uint8_t server_key[32],
                            const uint8_t cookie[96], const char *type,
                            uint8_t ret_frame[9 + INITIATE])
{
    uint8_t nonce[24] = "VOUCH---", shared[32], both[64], plain[PLAIN], *at = plain;
    if (crypto_box_beforenm(shared, server_key, self->secret_key) != 0)
        fail("a WELCOME", "its key is no point of the curve");
    memcpy(at, self->public_key, 32);
    memset(at + 32, 1, 16); // of the vouch's nonce
    memcpy(nonce + 8, at + 32, 16);
    memcpy(both, self->public_key, 32);
    memcpy(both + 32, self->server_key, 32);
    (void)crypto_box_easy_afternm(at + 48, both, sizeof both, nonce, shared);
    at += 48 + VOUCH;
    put_text(&at, "\013Socket-Type");
    memcpy(at, &(uint32_t){htobe32((uint32_t)strlen(type))}, 4);
    at += 4;
    put_text(&at, type);
    size_t plain_size = (size_t)(at - plain), size = INITIATE - PLAIN + plain_size;
    at = ret_frame;
    *at++ = LONG_COMMAND;
    memcpy(at, &(uint64_t){htobe64(size)}, 8);
    at += 8;
    put_text(&at, "\010INITIATE");
    memcpy(at, cookie, 96);
    make_nonce(nonce, "CurveZMQINITIATE", 2);
    memcpy(at + 96, nonce + 16, 8);
    (void)crypto_box_easy_afternm(at + 96 + 8, plain, plain_size, nonce, shared);
    return 9 + size;
}

// ---- one handshake

// A reset, so that its port is free at once.
static void end(stranger_t *stranger)
{
    (void)setsockopt(stranger->descriptor, SOL_SOCKET, SO_LINGER,
                     &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
    (void)close(stranger->descriptor);
    stranger->descriptor = -1;
}

static void end_broken(flood_t *self, stranger_t *stranger)
{
    self->broken++;
    end(stranger);
}

static void watch(const flood_t *self, stranger_t *stranger, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = stranger};
    if (epoll_ctl(self->poller, how, stranger->descriptor, &event) != 0)
        fail("epoll", strerror(errno));
}

static void greet(flood_t *self, stranger_t *stranger)
{
    int error = 0;
    socklen_t size = sizeof error;
    (void)getsockopt(stranger->descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0 || send(stranger->descriptor, self->hello, sizeof self->hello, MSG_NOSIGNAL) !=
                          (ssize_t)sizeof self->hello) {
        end_broken(self, stranger);
        return;
    }
    stranger->stage = STAGE_WELCOME;
    watch(self, stranger, EPOLL_CTL_MOD, EPOLLIN);
}

// What is there is the greeting and WELCOME. False when they are not.
static bool initiate(flood_t *self, stranger_t *stranger)
{
    const uint8_t *welcome = stranger->input + GREETING + 2;
    uint8_t nonce[24] = "WELCOME-", plain[128], frame[9 + INITIATE];
    if (memcmp(welcome, "\007WELCOME", 8) != 0)
        return false;
    memcpy(nonce + 8, welcome + 8, 16);
    if (crypto_box_open_easy_afternm(plain, welcome + 24, 144, nonce, self->hello_shared) != 0)
        return false;
    const char *type = stranger->port < 2 ? "PUSH" : "SUB"; // jobs and inbox; events and viewers
    size_t size = make_initiate(self, plain, plain + 32, type, frame);
    stranger->size = 0;
    stranger->stage = STAGE_REFUSAL;
    return send(stranger->descriptor, frame, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void read_more(flood_t *self, stranger_t *stranger)
{
    ssize_t got = recv(stranger->descriptor, stranger->input + stranger->size,
                       sizeof stranger->input - stranger->size, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        end_broken(self, stranger);
        return;
    }
    bool is_first = stranger->stage == STAGE_WELCOME && stranger->size == 0;
    stranger->size += (size_t)got;
    self->begun += is_first;
    if (stranger->stage == STAGE_WELCOME) {
        if (stranger->size == sizeof stranger->input && !initiate(self, stranger))
            end_broken(self, stranger);
    } else if (stranger->size >= 8) {
        bool is_refused = memcmp(stranger->input + 2, "\005ERROR", 6) == 0;
        self->served += is_refused;
        self->broken += !is_refused;
        end(stranger);
    }
}

// ---- all of them

static void begin(flood_t *self, int64_t now_ms)
{
    stranger_t *stranger = &self->ring[(self->first + self->count++) % OPEN_MAX];
    *stranger = (stranger_t){.begin_ms = now_ms, .port = (uint16_t)(self->tried++ % PORTS)};
    struct sockaddr_in address = self->address;
    address.sin_port = htons((uint16_t)(ntohs(address.sin_port) + stranger->port));
    stranger->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stranger->descriptor < 0)
        fail("socket", strerror(errno));
    if (connect(stranger->descriptor, (struct sockaddr *)&address, sizeof address) != 0 &&
        errno != EINPROGRESS) {
        end_broken(self, stranger);
        return;
    }
    watch(self, stranger, EPOLL_CTL_ADD, EPOLLOUT);
}

// Ends those that are late, and frees the places of all that are over, from the oldest one on.
static void give_up(flood_t *self, int64_t now_ms)
{
    if (now_ms < self->look_ms)
        return;
    self->look_ms = now_ms + LOOK_MS;
    for (size_t i = 0; i < self->count; i++) {
        stranger_t *stranger = &self->ring[(self->first + i) % OPEN_MAX];
        int64_t limit_ms = stranger->stage == STAGE_CONNECT ? CONNECT_MS : GIVE_UP_MS;
        if (stranger->descriptor < 0 || now_ms - stranger->begin_ms < limit_ms)
            continue;
        self->given_up++;
        end(stranger);
    }
    while (self->count > 0 && self->ring[self->first].descriptor < 0) {
        self->first = (self->first + 1) % OPEN_MAX;
        self->count--;
    }
}

// Until a signal comes. What was due while there was no room is not made up for.
static void flood(flood_t *self)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t last_us = mm_clock_us();
    double due = 0;
    for (;;) {
        int count = epoll_wait(self->poller, events, EVENTS_MAX, TURN_MS);
        for (int i = 0; i < count; i++) {
            stranger_t *stranger = events[i].data.ptr;
            if (!stranger)
                return;
            if (stranger->stage == STAGE_CONNECT)
                greet(self, stranger);
            else
                read_more(self, stranger);
        }
        int64_t now_us = mm_clock_us();
        give_up(self, now_us / 1000);
        due += (double)(now_us - last_us) / 1e6 * self->rate;
        last_us = now_us;
        for (; due >= 1 && self->count < OPEN_MAX; due--)
            begin(self, now_us / 1000);
        due = due >= 1 ? 0 : due;
    }
}

static void print(const flood_t *self, double seconds)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    (void)printf("seconds=%.1f tried=%" PRIu64 " begun=%" PRIu64 " served=%" PRIu64
                 " given_up=%" PRIu64 " broken=%" PRIu64
                 " tried_per_s=%.0f begun_per_s=%.0f served_per_s=%.0f cpu_percent=%.0f\n",
                 seconds, self->tried, self->begun, self->served, self->given_up, self->broken,
                 (double)self->tried / seconds, (double)self->begun / seconds,
                 (double)self->served / seconds, 100 * cpu / seconds);
}

static void prepare(flood_t *self)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigaddset(&ends, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){OPEN_MAX + 64, OPEN_MAX + 64}) != 0)
        fail("descriptors", strerror(errno));
    self->poller = epoll_create1(EPOLL_CLOEXEC);
    self->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (self->poller < 0 || self->signals < 0 ||
        epoll_ctl(self->poller, EPOLL_CTL_ADD, self->signals, &event) != 0)
        fail("epoll", strerror(errno));
    (void)crypto_box_keypair(self->public_key, self->secret_key);
    make_hello(self);
}

int main(int argc, char **argv)
{
    static flood_t self;
    self.address.sin_family = AF_INET;
    if (argc != 5 || sodium_init() < 0 || strlen(argv[3]) != 40 ||
        inet_pton(AF_INET, argv[1], &self.address.sin_addr) != 1 ||
        !zmq_z85_decode(self.server_key, argv[3])) {
        (void)fprintf(stderr, "usage: handshakes ADDRESS PORT SERVER-KEY RATE\n");
        return EX_USAGE;
    }
    self.address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    self.rate = strtod(argv[4], NULL);
    prepare(&self);
    int64_t begin_us = mm_clock_us();
    flood(&self);
    print(&self, (double)(mm_clock_us() - begin_us) / 1e6);
    return 0;
}
