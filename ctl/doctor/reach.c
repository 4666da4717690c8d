// See reach.h.

#include "reach.h"
#include "clock.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool refuse(char error[MM_ERROR_MAX], const char *why)
{
    (void)snprintf(error, MM_ERROR_MAX, "%s", why);
    return false;
}

// The address of a port: IPv4, or IPv6 in brackets, as in an endpoint. False: it is none. Asks no
// name server.
static bool find(const char *address, unsigned port, struct sockaddr_storage *ret_to,
                 socklen_t *ret_size)
{
    char host[REACH_ADDRESS] = "", service[8];
    struct addrinfo *found,
        hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    size_t size = strlen(address);
    bool is_bracketed = size > 2 && address[0] == '[' && address[size - 1] == ']';
    hints.ai_family = is_bracketed ? AF_INET6 : AF_INET;
    if (size >= sizeof host)
        return false;
    memcpy(host, address + is_bracketed, size - 2 * is_bracketed);
    (void)snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &found) != 0)
        return false;
    *ret_size = found->ai_addrlen;
    memcpy(ret_to, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

static bool take_literal(const char *host, char ret_address[REACH_ADDRESS],
                         char error[MM_ERROR_MAX])
{
    struct sockaddr_storage to;
    socklen_t size;
    if (!find(host, 0, &to, &size))
        return refuse(error, "it is no IPv6 address");
    strcpy(ret_address, host);
    return true;
}

// The question outlives a call that does not wait for it any more, so it is never freed.
bool reach_resolve(const char *host, int64_t end_ms, char ret_address[REACH_ADDRESS],
                   char error[MM_ERROR_MAX])
{
    struct {
        struct gaicb gai;
        struct addrinfo hints;
        char host[256];
    } * asked;
    if (host[0] == '[')
        return take_literal(host, ret_address, error);
    asked = calloc(1, sizeof *asked);
    assert(asked);
    asked->hints = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    (void)snprintf(asked->host, sizeof asked->host, "%s", host);
    asked->gai = (struct gaicb){.ar_name = asked->host, .ar_request = &asked->hints};
    struct gaicb *list[] = {&asked->gai};
    int rc = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL);
    assert(rc == 0);
    while ((rc = gai_error(&asked->gai)) == EAI_INPROGRESS) {
        int64_t left_ms = end_ms - mm_clock_ms();
        struct timespec left = {left_ms / 1000, left_ms % 1000 * 1000000};
        if (left_ms <= 0)
            return refuse(error, "the name server does not answer");
        (void)gai_suspend((const struct gaicb *const *)list, 1, &left);
    }
    if (rc != 0) {
        free(asked);
        return refuse(error, gai_strerror(rc));
    }
    const struct sockaddr_in *found = (const struct sockaddr_in *)asked->gai.ar_result->ai_addr;
    const char *text = inet_ntop(AF_INET, &found->sin_addr, ret_address, REACH_ADDRESS);
    assert(text);
    freeaddrinfo(asked->gai.ar_result);
    free(asked);
    return true;
}

// A socket that connects; -1, with errno.
static int begin(const char *address, unsigned port)
{
    struct sockaddr_storage to;
    socklen_t size;
    bool is_address = find(address, port, &to, &size);
    assert(is_address);
    int descriptor = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (const struct sockaddr *)&to, size) == 0 ||
        errno == EINPROGRESS)
        return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

void reach_ports(const char *address, const unsigned *ports, size_t count, int64_t end_ms,
                 int *ret_errors)
{
    struct pollfd waits[REACH_PORTS];
    size_t open = 0;
    assert(count <= REACH_PORTS);
    for (size_t i = 0; i < count; i++) {
        waits[i] = (struct pollfd){.fd = begin(address, ports[i]), .events = POLLOUT};
        ret_errors[i] = waits[i].fd < 0 ? errno : ETIMEDOUT;
        open += waits[i].fd >= 0;
    }
    for (int64_t left_ms; open > 0 && (left_ms = end_ms - mm_clock_ms()) > 0;) {
        (void)poll(waits, count, (int)left_ms);
        for (size_t i = 0; i < count; i++) {
            socklen_t size = sizeof ret_errors[i];
            if (waits[i].fd < 0 || waits[i].revents == 0)
                continue;
            (void)getsockopt(waits[i].fd, SOL_SOCKET, SO_ERROR, &ret_errors[i], &size);
            close(waits[i].fd);
            waits[i].fd = -1;
            open--;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (waits[i].fd >= 0)
            close(waits[i].fd);
}

// Waits for what comes or goes; false: not in time.
static bool wait_for(int descriptor, short events, int64_t end_ms)
{
    struct pollfd item = {.fd = descriptor, .events = events};
    int64_t left_ms = end_ms - mm_clock_ms();
    return left_ms > 0 && poll(&item, 1, (int)left_ms) == 1;
}

// Our own greeting ends behind the version. A peer answers that with all of its own; behind our
// mechanism it might close the connection before it has sent it.
void reach_mechanism(const char *address, unsigned port, int64_t end_ms,
                     char ret_mechanism[REACH_MECHANISM])
{
    static const char ours[] = "\xFF\0\0\0\0\0\0\0\x01\x7F\x03";
    char theirs[12 + REACH_MECHANISM - 1]; // signature, version, mechanism
    size_t size = 0;
    *ret_mechanism = '\0';
    int descriptor = begin(address, port);
    if (descriptor < 0)
        return;
    bool is_sent = wait_for(descriptor, POLLOUT, end_ms) &&
                   send(descriptor, ours, sizeof ours - 1, MSG_NOSIGNAL) == sizeof ours - 1;
    while (is_sent && size < sizeof theirs && wait_for(descriptor, POLLIN, end_ms)) {
        ssize_t got = recv(descriptor, theirs + size, sizeof theirs - size, 0);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    close(descriptor);
    if (size == sizeof theirs && memcmp(theirs, ours, sizeof ours - 1) == 0)
        (void)snprintf(ret_mechanism, REACH_MECHANISM, "%.20s", theirs + 12);
}

size_t reach_sample(unsigned low, unsigned high, size_t max, unsigned *ret_ports)
{
    size_t all = high - low + 1, count = all < max ? all : max;
    for (size_t i = 0; i < count; i++)
        ret_ports[i] = low + (unsigned)(count == 1 ? 0 : i * (all - 1) / (count - 1));
    return count;
}
