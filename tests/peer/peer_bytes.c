// Messages that are no frame at all: bytes that are not MessagePack or promise what they do not
// hold, kinds and versions that do not exist, frames for somebody else, and messages of more than
// one frame. Each goes to jobs and to inbox.

#include "peer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define MANY_FRAMES 1000

typedef struct {
    const char *name;
    const char *bytes;
    size_t size;
} literal_t;

#define LITERAL(NAME, BYTES)                                                                       \
    {                                                                                              \
        NAME, BYTES, sizeof(BYTES) - 1                                                             \
    }

static const literal_t literals[] = {
    LITERAL("empty", ""),
    LITERAL("nul", "\0"),
    LITERAL("text", "GET / HTTP/1.1\r\n\r\n"),
    LITERAL("never-used", "\xC1"),
    LITERAL("nil", "\xC0"),
    LITERAL("map", "\x82\x01\x02\x03\x04"),
    LITERAL("ext", "\x93\x02\x03\xD4\x01\x02"),
    LITERAL("array-empty", "\x90"),
    LITERAL("array-cut", "\x94\x02\x01"),
    LITERAL("array-4-billion", "\xDD\xFF\xFF\xFF\xFF"),
    LITERAL("map-4-billion", "\x91\xDF\xFF\xFF\xFF\xFF"),
    LITERAL("str-4-billion", "\x91\xDB\xFF\xFF\xFF\xFF"),
    LITERAL("bin-4-billion", "\x91\xC6\xFF\xFF\xFF\xFF"),
    LITERAL("ext-4-billion", "\x91\xC9\xFF\xFF\xFF\xFF\x01"),
    LITERAL("str-one-short", "\x91\xA3"
                             "ab"),
    LITERAL("deep", "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"),
    LITERAL("trailing", "\x94\x02\x0D\xA1"
                        "a\x01\xC0"),
    LITERAL("two-arrays", "\x91\x01\x91\x01"),
    LITERAL("version-missing", "\x91\xC0"),
    LITERAL("version-text", "\x92\xA1"
                            "1\x01"),
    LITERAL("version-0", "\x95\x00\x01\xA4peer\x00\x90"),
    LITERAL("version-1", "\x95\x01\x01\xA4peer\x00\x90"),
    LITERAL("version-3", "\x95\x03\x01\xA4peer\x00\x90"),
    LITERAL("version-huge", "\x92\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
    LITERAL("version-1-hello", "\x94\x01\x03\xA4peer\x07"),
    LITERAL("version-1-hello-bad-name", "\x94\x01\x03\xA3-rf\x07"),
    LITERAL("version-1-hello-nothing", "\x92\x01\x03"),
    LITERAL("kind-missing", "\x91\x02"),
    LITERAL("kind-text", "\x92\x02\xA1x"),
    LITERAL("kind-0", "\x92\x02\x00"),
    LITERAL("kind-16", "\x92\x02\x10"),
    LITERAL("kind-negative", "\x92\x02\xFF"),
    LITERAL("kind-huge", "\x92\x02\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    LITERAL("kind-float", "\x92\x02\xCB\x3F\xF0\x00\x00\x00\x00\x00\x00"),
    LITERAL("for-worker-tasks", "\x97\x02\x02\x01\x00\x00\xC2\x90"),
    LITERAL("for-publisher-notices", "\x95\x02\x08\xA4peer\x01\x90"),
    LITERAL("for-worker-welcome", "\x98\x02\x09\xA4peer\x01\xA4peer\x01\x01\xA4"
                                  "1234"),
    LITERAL("for-worker-refused", "\x98\x02\x0A\xA4peer\x01\xA4peer\x01\x00\xA0"),
    LITERAL("for-worker-rejoin", "\x97\x02\x0B\xA4peer\x01\xA4peer\x01\x00"),
    LITERAL("for-all-beat", "\x97\x02\x0C\xA4peer\x01\xC2\xC2\x90"),
    LITERAL("for-all-leaving", "\x94\x02\x0D\xA4peer\x01"),
};

// ---- messages that are made

static void send_zeros(peer_t *self, mm_socket_role_t place, uint8_t head, size_t size)
{
    uint8_t *bytes = calloc(1, size);
    assert(bytes);
    bytes[0] = head;
    peer_send(self, place, bytes, size);
    free(bytes);
}

// An array of 65,535 elements, each a byte.
static void send_elements(peer_t *self, mm_socket_role_t place)
{
    uint8_t bytes[3 + 65535] = {0xDC, 0xFF, 0xFF};
    peer_send(self, place, bytes, sizeof bytes);
}

// Arrays in arrays, as many as a frame holds bytes.
static void send_nest(peer_t *self, mm_socket_role_t place)
{
    uint8_t *bytes = malloc(MM_FRAME_BYTES);
    assert(bytes);
    memset(bytes, 0x91, MM_FRAME_BYTES);
    peer_send(self, place, bytes, MM_FRAME_BYTES);
    free(bytes);
}

static void send_most(peer_t *self, mm_socket_role_t place)
{
    send_zeros(self, place, 0x90, MM_FRAME_BYTES);
}

// libzmq cuts the connection: nothing of it is seen.
static void send_too_much(peer_t *self, mm_socket_role_t place)
{
    send_zeros(self, place, 0x90, MM_FRAME_BYTES + 1);
    peer_reset(self);
}

static void send_frames(peer_t *self, mm_socket_role_t place, int count)
{
    void *socket = mm_socket_zmq(peer_push(self, place));
    for (int i = 0; i < count - 1; i++) {
        int rc = zmq_send(socket, "\x94\x02\x0D", 3, ZMQ_SNDMORE);
        assert(rc == 3);
    }
    peer_send(self, place, "", 0);
}

static void send_two(peer_t *self, mm_socket_role_t place)
{
    send_frames(self, place, 2);
}

static void send_many(peer_t *self, mm_socket_role_t place)
{
    send_frames(self, place, MANY_FRAMES);
}

static const struct {
    const char *name;
    void (*send)(peer_t *self, mm_socket_role_t place);
    unsigned drops;
} made[] = {
    {"65535-elements", send_elements, 1},
    {"million-deep", send_nest, 1},
    {"1-MiB", send_most, 1},
    {"1-MiB-and-1", send_too_much, 0},
    {"two-frames", send_two, 1},
    {"thousand-frames", send_many, 1},
};

#define LITERALS (sizeof literals / sizeof *literals)
#define MADE     (sizeof made / sizeof *made)

bool peer_bytes(peer_t *self, size_t number, bool send, peer_item_t *ret_item)
{
    static const char *const names[] = {"jobs", "inbox"};
    if (number >= 2 * (LITERALS + MADE))
        return false;
    mm_socket_role_t place = number % 2 == 0 ? MM_SOCKET_JOBS : MM_SOCKET_INBOX;
    size_t index = number / 2;
    bool is_made = index >= LITERALS;
    index -= is_made ? LITERALS : 0;
    (void)snprintf(ret_item->name, sizeof ret_item->name, "%s.%s", names[place],
                   is_made ? made[index].name : literals[index].name);
    ret_item->drops = is_made ? made[index].drops : 1;
    if (send && is_made)
        made[index].send(self, place);
    else if (send)
        peer_send(self, place, literals[index].bytes, literals[index].size);
    return true;
}
