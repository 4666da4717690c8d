// The same work over beanstalkd. It has no fan-out: the producer puts each job into the tubes
// "save" and "restart". A command takes one message only, so everybody pipelines them: puts, then
// deletes and reserves. The server keeps a binlog.
//
// beanstalkd [-n JOBS] [-w WINDOW] [-b JOBS] [-f 0|1000] DIR     (-f: ms between syncs; 0: each
// write)

#include "work.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER_BYTES (1 << 20)

struct link {
    int fd;
    char out[BUFFER_BYTES], in[BUFFER_BYTES];
    size_t out_size, in_start, in_end;
    size_t put, deleted;          // answers that have not come
    uint64_t ids[PEER_BATCH_MAX]; // of what was reserved
    size_t count;
};

// ---- the connection ----------------------------------------------------------------------------

static int connect_once(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", peer.dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static link_t *connect_server(void)
{
    link_t *self = calloc(1, sizeof *self);
    if (!self)
        roles_fail("beanstalkd", strerror(errno));
    while ((self->fd = connect_once()) < 0)
        peer_try_again("beanstalkd");
    return self;
}

static void append_bytes(link_t *self, const void *bytes, size_t size)
{
    if (size > BUFFER_BYTES - self->out_size)
        roles_fail("beanstalkd", "a batch is larger than the buffer");
    memcpy(self->out + self->out_size, bytes, size);
    self->out_size += size;
}

__attribute__((format(printf, 2, 3))) static void append(link_t *self, const char *format, ...)
{
    char line[128];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    append_bytes(self, line, (size_t)size);
}

static void read_more(link_t *self)
{
    memmove(self->in, self->in + self->in_start, self->in_end - self->in_start);
    self->in_end -= self->in_start;
    self->in_start = 0;
    ssize_t count = read(self->fd, self->in + self->in_end, BUFFER_BYTES - self->in_end);
    if (count <= 0)
        roles_fail("beanstalkd", "the connection is lost");
    self->in_end += (size_t)count;
}

// Who only writes may wait for a server that waits for somebody to read its replies.
static void flush(link_t *self)
{
    for (size_t done = 0; done < self->out_size;) {
        ssize_t count = send(self->fd, self->out + done, self->out_size - done, MSG_DONTWAIT);
        if (count < 0 && errno != EAGAIN)
            roles_fail("beanstalkd", strerror(errno));
        if (count > 0)
            done += (size_t)count;
        struct pollfd ready = {.fd = self->fd, .events = POLLIN | POLLOUT};
        if (count < 0 && poll(&ready, 1, -1) == 1 && ready.revents & POLLIN)
            read_more(self);
    }
    self->out_size = 0;
}

// The next `size` bytes and their line end; valid until the next call.
static const char *take_bytes(link_t *self, size_t size)
{
    while (self->in_end - self->in_start < size + 2)
        read_more(self);
    char *bytes = self->in + self->in_start;
    bytes[size] = '\0';
    self->in_start += size + 2;
    return bytes;
}

static const char *take_line(link_t *self)
{
    for (;;) {
        const char *from = self->in + self->in_start;
        const char *end = memmem(from, self->in_end - self->in_start, "\r\n", 2);
        if (end)
            return take_bytes(self, (size_t)(end - from));
        read_more(self);
    }
}

static void expect(link_t *self, const char *word, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *line = take_line(self);
        if (strncmp(line, word, strlen(word)) != 0)
            roles_fail("beanstalkd says", line);
    }
}

// ---- the broker --------------------------------------------------------------------------------

static link_t *open_link(const char *name, const char *from, bool is_group)
{
    link_t *self = connect_server();
    if (strcmp(from, "jobs") == 0)
        from = is_group ? "restart" : "save";
    (void)name;
    append(self, "watch %s\r\nignore default\r\n", from);
    flush(self);
    expect(self, "WATCHING", 2);
    return self;
}

static void put(link_t *self, const char *tube, const void *bytes, size_t size)
{
    append(self, "use %s\r\nput 0 0 120 %zu\r\n", tube, size);
    append_bytes(self, bytes, size);
    append_bytes(self, "\r\n", 2);
    self->put++;
}

static void expect_inserted(link_t *self)
{
    flush(self);
    expect(self, "DELETED", self->deleted);
    for (; self->put > 0; self->put--) {
        expect(self, "USING", 1);
        expect(self, "INSERTED", 1);
    }
    self->deleted = 0;
}

static void publish(link_t *self, const char *to, const void *bytes, size_t size)
{
    if (strcmp(to, "jobs") != 0) {
        put(self, to, bytes, size);
        return;
    }
    put(self, "save", bytes, size);
    put(self, "restart", bytes, size);
}

// A whole batch at a time, as far as it may be without.
static void confirm(link_t *self, size_t most)
{
    if (most == 0 || self->put >= PEER_BATCH_MAX)
        expect_inserted(self);
}

// The reply to a reserve; false when there was nothing.
static bool take_reserved(link_t *self, work_inbox_t *inbox)
{
    const char *line = take_line(self);
    uint64_t id;
    size_t size;
    if (strncmp(line, "TIMED_OUT", 9) == 0)
        return false;
    if (sscanf(line, "RESERVED %" SCNu64 " %zu", &id, &size) != 2)
        roles_fail("beanstalkd says", line);
    work_take(inbox, take_bytes(self, size), size);
    self->ids[self->count++] = id;
    return true;
}

// Asks for twice as many as came last, since each that is not there costs a reply; or waits for one
// when none came.
static void receive(link_t *self, size_t most, work_inbox_t *inbox)
{
    size_t came = self->deleted;
    do {
        size_t asked = came == 0 ? 1 : came * 2 < most ? came * 2 : most;
        for (size_t i = 0; i < asked; i++)
            append(self, "%s", came == 0 ? "reserve\r\n" : "reserve-with-timeout 0\r\n");
        expect_inserted(self);
        for (came = 0; asked > 0; asked--)
            came += take_reserved(self, inbox);
    } while (came == 0);
}

static void accept_all(link_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        append(self, "delete %" PRIu64 "\r\n", self->ids[i]);
    self->deleted += self->count;
    self->count = 0;
}

static void close_link(link_t *self)
{
    expect_inserted(self);
    (void)close(self->fd);
    free(self);
}

// ---- main --------------------------------------------------------------------------------------

// Nothing is left, and nothing came back from a connection that has ended without its deletes.
static void check(void)
{
    static const char *const states[] = {"urgent", "ready", "reserved", "delayed", "buried"};
    link_t *link = connect_server();
    size_t size = 0;
    append(link, "stats\r\n");
    flush(link);
    if (sscanf(take_line(link), "OK %zu", &size) != 1)
        roles_fail("beanstalkd", "it tells no statistics");
    const char *stats = take_bytes(link, size);
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "current-jobs-%s: 0\n", states[i]);
        if (!strstr(stats, line))
            roles_fail(states[i], "jobs are left in a tube");
    }
}

int main(int argc, char **argv)
{
    static const broker_t broker = {.open = open_link,
                                    .publish = publish,
                                    .confirm = confirm,
                                    .receive = receive,
                                    .accept = accept_all,
                                    .close = close_link};
    static char address[256];
    peer_start(argc, argv, (const char *const[]){"0", "1000", NULL});
    (void)snprintf(address, sizeof address, "unix:%s/socket", peer.dir);
    peer_serve(
        (const char *[]){"beanstalkd", "-l", address, "-b", peer.dir, "-f", peer.durability, NULL});
    return work_run(&broker, check);
}
