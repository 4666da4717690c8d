// See local_names.h.

#include "local_names.h"

#include <assert.h>
#include <stdlib.h>
#include <uthash.h>

typedef struct {
    mm_name_t name;
    size_t sessions; // at least 1
    UT_hash_handle hh;
} worker_t;

struct local_names {
    worker_t *workers;
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
    free(self);
}

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
