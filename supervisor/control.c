// See control.h.

#include "control.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#define CLIENTS_MAX 8 // that have said nothing yet; one more is refused
#define ANSWER_MS   5000

typedef struct {
    control_t *control;
    int socket; // -1: free
} client_t;

struct control {
    mm_loop_t *loop;
    control_fn *fn;
    void *arg;
    struct sockaddr_un address;
    int socket;
    client_t clients[CLIENTS_MAX];
    char answer[CONTROL_ANSWER_MAX + 8];
};

static bool set_address(struct sockaddr_un *address, const char *dir)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int size = snprintf(address->sun_path, sizeof address->sun_path, "%s/control", dir);
    errno = ENAMETOOLONG;
    return size > 0 && (size_t)size < sizeof address->sun_path;
}

// ---- the supervisor's side

static void drop(client_t *client)
{
    mm_loop_remove_descriptor(client->control->loop, client->socket);
    close(client->socket);
    client->socket = -1;
}

static void on_request(void *arg)
{
    client_t *client = arg;
    control_t *self = client->control;
    char request[CONTROL_REQUEST_MAX], lines[CONTROL_ANSWER_MAX];
    ssize_t size = recv(client->socket, request, sizeof request - 1, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size > 0) {
        request[size] = '\0';
        *lines = '\0';
        int exit_code = self->fn(self->arg, request, lines);
        int length = snprintf(self->answer, sizeof self->answer, "%d %s", exit_code, lines);
        (void)send(client->socket, self->answer, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    drop(client);
}

// False: others are asking, and say nothing.
static bool take_client(control_t *self, int socket)
{
    for (int i = 0; i < CLIENTS_MAX; i++) {
        client_t *client = &self->clients[i];
        if (client->socket >= 0)
            continue;
        *client = (client_t){self, socket};
        mm_loop_add_descriptor(self->loop, "request", socket, ZMQ_POLLIN, on_request, client);
        return true;
    }
    return false;
}

static void on_client(void *arg)
{
    control_t *self = arg;
    int socket = accept4(self->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0 || take_client(self, socket))
        return;
    for (int i = 0; i < CLIENTS_MAX; i++)
        on_request(&self->clients[i]); // some may have hung up, which is not told yet
    if (!take_client(self, socket))
        close(socket);
}

control_t *control_new(mm_loop_t *loop, const char *dir, control_fn *fn, void *arg)
{
    control_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (control_t){.loop = loop, .fn = fn, .arg = arg, .socket = -1};
    for (int i = 0; i < CLIENTS_MAX; i++)
        self->clients[i].socket = -1;
    if (set_address(&self->address, dir)) {
        (void)unlink(self->address.sun_path);
        self->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    if (self->socket < 0 ||
        bind(self->socket, (struct sockaddr *)&self->address, sizeof self->address) != 0 ||
        chmod(self->address.sun_path, 0600) != 0 || listen(self->socket, CLIENTS_MAX) != 0) {
        int error = errno;
        control_destroy(&self);
        errno = error;
        return NULL;
    }
    mm_loop_add_descriptor(loop, "control", self->socket, ZMQ_POLLIN, on_client, self);
    return self;
}

void control_destroy(control_t **self_p)
{
    control_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (self->clients[i].socket >= 0)
            drop(&self->clients[i]);
    if (self->socket >= 0) {
        mm_loop_remove_descriptor(self->loop, self->socket);
        close(self->socket);
        (void)unlink(self->address.sun_path);
    }
    free(self);
}

// ---- the user's side

static ssize_t ask(int socket, const struct sockaddr_un *address, const char *request, char *answer)
{
    // One that is stopped takes nobody, once its queue is full.
    const struct timeval limit = {.tv_sec = ANSWER_MS / 1000};
    (void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(socket, (const struct sockaddr *)address, sizeof *address) != 0 ||
        send(socket, request, strlen(request), MSG_NOSIGNAL) < 0) {
        errno = errno == EAGAIN ? ETIMEDOUT : errno;
        return -1;
    }
    struct pollfd item = {.fd = socket, .events = POLLIN};
    int ready = poll(&item, 1, ANSWER_MS);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0 ? recv(socket, answer, CONTROL_ANSWER_MAX + 7, 0) : -1;
}

bool control_ask(const char *dir, const char *request, int *ret_exit_code,
                 char ret_lines[CONTROL_ANSWER_MAX])
{
    struct sockaddr_un address;
    char answer[CONTROL_ANSWER_MAX + 8], *lines;
    if (!set_address(&address, dir))
        return false;
    int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (client < 0)
        return false;
    ssize_t size = ask(client, &address, request, answer);
    int error = size == 0 ? ECONNRESET : errno;
    close(client);
    errno = error;
    if (size <= 0)
        return false;
    answer[size] = '\0';
    *ret_exit_code = (int)strtol(answer, &lines, 10);
    (void)snprintf(ret_lines, CONTROL_ANSWER_MAX, "%s", *lines ? lines + 1 : lines);
    return true;
}
