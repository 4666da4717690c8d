// See sender.h.

#include "sender.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

typedef struct waiting {
    struct waiting *prev, *next;
    size_t size;
    char data[];
} waiting_t;

struct mm_sender {
    mm_loop_t *loop;
    const char *name;
    mm_socket_t *socket;
    waiting_t *waiting;
    size_t count;
};

mm_sender_t *mm_sender_new(mm_loop_t *loop, const char *name, mm_socket_t *socket)
{
    mm_sender_t *self = calloc(1, sizeof *self);
    assert(self);
    *self = (mm_sender_t){.loop = loop, .name = name, .socket = socket};
    return self;
}

static void remove_first(mm_sender_t *self)
{
    waiting_t *first = self->waiting;
    DL_DELETE(self->waiting, first);
    free(first);
    if (--self->count == 0)
        mm_loop_remove_socket(self->loop, self->socket);
}

void mm_sender_destroy(mm_sender_t **self_p)
{
    mm_sender_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    while (self->waiting)
        remove_first(self);
    mm_socket_destroy(&self->socket);
    free(self);
}

static void on_writable(void *arg)
{
    mm_sender_t *self = arg;
    while (self->waiting &&
           mm_socket_send(self->socket, (mm_str_t){self->waiting->data, self->waiting->size}))
        remove_first(self);
}

void mm_sender_send(mm_sender_t *self, mm_str_t frame)
{
    if (!self->waiting && mm_socket_send(self->socket, frame))
        return;
    waiting_t *last = malloc(sizeof *last + frame.size);
    assert(last);
    last->size = frame.size;
    memcpy(last->data, frame.data, frame.size);
    DL_APPEND(self->waiting, last);
    if (self->count++ == 0)
        mm_loop_add_socket(self->loop, self->name, self->socket, ZMQ_POLLOUT, on_writable, self);
}

size_t mm_sender_waiting(const mm_sender_t *self)
{
    return self->count;
}

mm_socket_t *mm_sender_socket(mm_sender_t *self)
{
    return self->socket;
}
