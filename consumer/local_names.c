// See local_names.h.

#include "local_names.h"

#include <assert.h>
#include <stdlib.h>
#include <uthash.h>

#define PUBLISHERS_MAX 64

typedef struct {
    mm_name_t name;
    size_t sessions; // at least 1
    UT_hash_handle hh;
} worker_t;

typedef struct {
    mm_name_t name;
    int64_t heard_ms;
    UT_hash_handle hh;
} publisher_t;

struct local_names {
    worker_t *workers;
    publisher_t *publishers; // in the order in which they were heard first
};

local_names_t *local_names_new(void)
{
    local_names_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void local_names_destroy(local_names_t **self_p)
{
    local_names_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    worker_t *worker, *next;
    HASH_ITER (hh, self->workers, worker, next) {
        HASH_DELETE(hh, self->workers, worker);
        free(worker);
    }
    publisher_t *publisher, *next_publisher;
    HASH_ITER (hh, self->publishers, publisher, next_publisher) {
        HASH_DELETE(hh, self->publishers, publisher);
        free(publisher);
    }
    free(self);
}

// ---- workers

static worker_t *find_worker(const local_names_t *self, mm_str_t name)
{
    worker_t *worker;
    HASH_FIND(hh, self->workers, name.data, name.size, worker);
    return worker;
}

void local_names_open(local_names_t *self, mm_str_t name)
{
    worker_t *worker = find_worker(self, name);
    if (!worker) {
        worker = calloc(1, sizeof *worker);
        assert(worker);
        bool is_valid = mm_name_from(name, &worker->name);
        assert(is_valid);
        HASH_ADD(hh, self->workers, name.text, name.size, worker);
    }
    worker->sessions++;
}

void local_names_close(local_names_t *self, mm_str_t name)
{
    worker_t *worker = find_worker(self, name);
    assert(worker);
    if (--worker->sessions > 0)
        return;
    HASH_DELETE(hh, self->workers, worker);
    free(worker);
}

bool local_names_has_worker(const local_names_t *self, mm_str_t name)
{
    return find_worker(self, name) != NULL;
}

// ---- publishers

static publisher_t *find_publisher(const local_names_t *self, mm_str_t name)
{
    publisher_t *publisher;
    HASH_FIND(hh, self->publishers, name.data, name.size, publisher);
    return publisher;
}

static publisher_t *add_publisher(local_names_t *self, mm_str_t name)
{
    publisher_t *publisher = self->publishers;
    if (HASH_COUNT(self->publishers) >= PUBLISHERS_MAX) {
        HASH_DELETE(hh, self->publishers, publisher);
    } else {
        publisher = calloc(1, sizeof *publisher);
        assert(publisher);
    }
    bool is_valid = mm_name_from(name, &publisher->name);
    assert(is_valid);
    HASH_ADD(hh, self->publishers, name.text, name.size, publisher);
    return publisher;
}

void local_names_hear(local_names_t *self, mm_str_t name, int64_t now_ms)
{
    publisher_t *publisher = find_publisher(self, name);
    if (!publisher)
        publisher = add_publisher(self, name);
    publisher->heard_ms = now_ms;
}

bool local_names_has_publisher(const local_names_t *self, mm_str_t name, int64_t now_ms)
{
    const publisher_t *publisher = find_publisher(self, name);
    return publisher && now_ms < publisher->heard_ms + LOCAL_SILENT_MS;
}
