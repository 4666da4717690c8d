// Below ZeroMQ: bytes on the consumer's own sockets that are no ZMTP, or ZMTP (rfc.zeromq.org,
// 23/ZMTP) that does not keep its rules. libzmq is to end such a connection; the consumer must not
// notice. Nothing of it counts as dropped but a whole message.

#include "peer.h"

#include "clock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SILENCE_MS 3000 // within which half a greeting is cut off
#define SETTLE_MS  20   // for bytes to be read before the connection ends

#define ZEROS_8   "\0\0\0\0\0\0\0\0"
#define ZEROS_16  ZEROS_8 ZEROS_8
#define ZEROS_32  ZEROS_16 ZEROS_16
#define SIGNATURE "\xFF\0\0\0\0\0\0\0\x01\x7F"
#define GREETING  SIGNATURE "\x03\0NULL" ZEROS_32 ZEROS_8 ZEROS_8
#define CURVE     SIGNATURE "\x03\0CURVE" ZEROS_32 ZEROS_8 "\0\0\0\0\0\0\0"

#define READY_OF(TYPE, SIZE, TYPE_SIZE)                                                            \
    "\x04" SIZE "\x05READY\x0B"                                                                    \
    "Socket-Type\0\0\0" TYPE_SIZE TYPE
#define PUSH READY_OF("PUSH", "\x1A", "\x04")
#define SUB  READY_OF("SUB", "\x19", "\x03")

typedef struct {
    const char *name;
    const char *bytes;
    size_t size;
    unsigned drops; // when it goes to jobs or inbox
} raw_t;

#define RAW(NAME, BYTES, DROPS)                                                                    \
    {                                                                                              \
        NAME, BYTES, sizeof(BYTES) - 1, DROPS                                                      \
    }

static const raw_t raws[] = {
    RAW("nothing", "", 0),
    RAW("http", "GET / HTTP/1.1\r\nHost: mayhem\r\n\r\n", 0),
    RAW("tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 0),
    RAW("ones", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 0),
    RAW("half-signature", "\xFF\0\0\0", 0),
    RAW("version-1",
        "\x01\0\x06"
        "abcdef",
        0),
    RAW("version-2", SIGNATURE "\x01\x08\0\0", 0),
    RAW("version-9", SIGNATURE "\x09\x09NULL" ZEROS_16, 0),
    RAW("curve", CURVE, 0),
    RAW("unknown-mechanism", SIGNATURE "\x03\0NONE" ZEROS_32 ZEROS_16, 0),
    RAW("ready-of-pub", GREETING READY_OF("PUB", "\x19", "\x03"), 0),
    RAW("ready-of-req", GREETING READY_OF("REQ", "\x19", "\x03"), 0),
    RAW("ready-of-nobody", GREETING READY_OF("WXYZ", "\x1A", "\x04"), 0),
    RAW("ready-without-type", GREETING "\x04\x06\x05READY", 0),
    RAW("ready-empty", GREETING "\x04\x00", 0),
    RAW("ready-garbage", GREETING "\x04\x10\x05READY\xFFgarbage..", 0),
    RAW("ready-property-4-GB", GREETING "\x04\x18\x05READY\x0BSocket-Type\xFF\xFF\xFF\xFFPU", 0),
    RAW("ready-twice", GREETING PUSH PUSH, 0),
    RAW("error-command",
        GREETING "\x04\x0A\x05"
                 "ERROR\x03"
                 "400",
        0),
    RAW("message-before-ready", GREETING "\x00\x02\x91\x01", 0),
    RAW("length-max", GREETING PUSH "\x02\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 0),
    RAW("length-negative", GREETING PUSH "\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 0),
    RAW("length-1-MiB-and-1",
        GREETING PUSH "\x02\0\0\0\0\0\x10\0\x01"
                      "abc",
        0),
    RAW("reserved-flags", GREETING PUSH "\xF8\x02\x91\x01", 1),
    RAW("message-cut",
        GREETING PUSH "\x00\x7F"
                      "abc",
        0),
    RAW("more-and-gone",
        GREETING PUSH "\x01\x03"
                      "abc",
        0),
    RAW("unknown-command",
        GREETING PUSH "\x04\x07\x06"
                      "MAYHEM",
        0),
    RAW("ping",
        GREETING PUSH "\x04\x09\x04PING\x00\x0A"
                      "ab",
        0),
    RAW("pong-unasked", GREETING PUSH "\x04\x05\x04PONG", 0),
    RAW("command-empty", GREETING PUSH "\x04\x00", 0),
    RAW("subscribe-command", GREETING SUB "\x04\x0F\x09SUBSCRIBEtopic", 0),
    RAW("cancel-of-nothing", GREETING SUB "\x00\x06\x00topic", 0),
    RAW("message-of-a-sub", GREETING SUB "\x00\x06\x07topic", 0),
};

#define RAWS (sizeof raws / sizeof *raws)

// Begins a connection; with SOCK_NONBLOCK it may still be made. -1: not now.
static int begin_dial(const peer_t *self, mm_socket_role_t place, int flags)
{
    int fd = -1, rc;
    if (self->base.is_ipc) {
        char endpoint[MM_ENDPOINT_MAX];
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        (void)snprintf(to.sun_path, sizeof to.sun_path, "%s",
                       mm_endpoint_of(&self->base, place, endpoint) + strlen("ipc://"));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        rc = connect(fd, (const struct sockaddr *)&to, sizeof to);
    } else {
        struct sockaddr_in to = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)(self->base.port + place)),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        rc = connect(fd, (const struct sockaddr *)&to, sizeof to);
    }
    if (rc == 0 || (fd >= 0 && errno == EINPROGRESS))
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int dial(const peer_t *self, mm_socket_role_t place)
{
    int fd = begin_dial(self, place, 0);
    if (fd >= 0)
        return fd;
    perror("peer: cannot connect");
    exit(EXIT_FAILURE);
}

// Whatever it answers is read, until it ends the connection or the time is up.
static bool is_ended(int fd, int64_t wait_ms)
{
    char answer[4096];
    int64_t limit_ms = mm_clock_ms() + wait_ms;
    for (int64_t left; (left = limit_ms - mm_clock_ms()) > 0;) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (poll(&item, 1, (int)left) > 0 && read(fd, answer, sizeof answer) <= 0)
            return true;
    }
    return false;
}

static void send_raw(const peer_t *self, mm_socket_role_t place, const void *bytes, size_t size)
{
    int fd = dial(self, place);
    (void)send(fd, bytes, size, MSG_NOSIGNAL);
    (void)is_ended(fd, SETTLE_MS);
    (void)close(fd);
}

static void send_random(const peer_t *self, mm_socket_role_t place)
{
    uint32_t state = 2463534242;
    uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    send_raw(self, place, bytes, sizeof bytes);
}

// A greeting that stops half way must not hold its connection for ever (HANDSHAKE_IVL).
static void stay_silent(const peer_t *self)
{
    int fds[PEER_SOCKETS];
    for (mm_socket_role_t place = 0; place < PEER_SOCKETS; place++) {
        fds[place] = dial(self, place);
        (void)send(fds[place], GREETING, 32, MSG_NOSIGNAL);
    }
    bool ended = true;
    for (size_t i = 0; i < PEER_SOCKETS; i++) {
        ended = is_ended(fds[i], SILENCE_MS) && ended;
        (void)close(fds[i]);
    }
    if (ended)
        return;
    (void)fprintf(stderr, "peer: half a greeting holds its connection for ever\n");
    exit(EXIT_FAILURE);
}

// Connections that come and go, 100 at a time.
static void come_and_go(const peer_t *self)
{
    for (int round = 0; round < 5; round++) {
        int fds[100];
        for (size_t i = 0; i < 100; i++)
            fds[i] = dial(self, (mm_socket_role_t)(i % PEER_SOCKETS));
        for (size_t i = 0; i < 100; i++)
            (void)close(fds[i]);
    }
}

// Makes a connection that has ended anew. Whatever it was sent is read; what it says itself is sent
// when it is there.
static void keep(const peer_t *self, struct pollfd *item, mm_socket_role_t place, bool is_silent)
{
    char answer[4096];
    ssize_t got = 1;
    while (item->fd >= 0 && got > 0)
        got = recv(item->fd, answer, sizeof answer, MSG_DONTWAIT);
    bool is_there = item->fd >= 0 && got < 0 && errno == EAGAIN;
    if (!is_there) {
        if (item->fd >= 0)
            (void)close(item->fd);
        item->fd = begin_dial(self, place, SOCK_NONBLOCK);
        item->events = is_silent ? POLLIN : POLLIN | POLLOUT;
    }
    const char *hello = place == MM_SOCKET_EVENTS ? GREETING SUB : GREETING PUSH;
    size_t size = place == MM_SOCKET_EVENTS ? sizeof(GREETING SUB) : sizeof(GREETING PUSH);
    if (item->fd >= 0 && item->events & POLLOUT &&
        send(item->fd, hello, size - 1, MSG_NOSIGNAL) > 0)
        item->events = POLLIN;
}

void peer_crowd(peer_t *self, size_t count, bool is_silent, int64_t span_ms)
{
    struct pollfd *items = calloc(count, sizeof *items);
    assert(items);
    for (size_t i = 0; i < count; i++)
        items[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    for (int64_t end_ms = mm_clock_ms() + span_ms; mm_clock_ms() < end_ms;) {
        for (size_t i = 0; i < count; i++)
            keep(self, &items[i], (mm_socket_role_t)(i % PEER_SOCKETS), is_silent);
        (void)poll(NULL, 0, 20);
    }
    for (size_t i = 0; i < count; i++)
        if (items[i].fd >= 0)
            (void)close(items[i].fd);
    free(items);
}

bool peer_raw(peer_t *self, size_t number, bool send, peer_item_t *ret_item)
{
    static const char *const names[PEER_SOCKETS] = {"jobs", "inbox", "events"};
    mm_socket_role_t place = (mm_socket_role_t)(number % PEER_SOCKETS);
    size_t index = number / PEER_SOCKETS;
    const char *name = index < RAWS ? raws[index].name : "random";
    *ret_item = (peer_item_t){.drops = 0};
    if (index > RAWS) {
        bool is_silence = number == PEER_SOCKETS * (RAWS + 1);
        if (!is_silence && number != PEER_SOCKETS * (RAWS + 1) + 1)
            return false;
        (void)snprintf(ret_item->name, sizeof ret_item->name, "raw.%s",
                       is_silence ? "half-a-greeting-and-silence" : "come-and-go");
        if (send)
            is_silence ? stay_silent(self) : come_and_go(self);
        return true;
    }
    (void)snprintf(ret_item->name, sizeof ret_item->name, "raw.%s.%s", names[place], name);
    if (index < RAWS && place != MM_SOCKET_EVENTS)
        ret_item->drops = raws[index].drops;
    if (send && index < RAWS)
        send_raw(self, place, raws[index].bytes, raws[index].size);
    else if (send)
        send_random(self, place);
    return true;
}
