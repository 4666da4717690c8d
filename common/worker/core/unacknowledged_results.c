// See unacknowledged_results.h: a ring that grows, indexed by serial.

#include "unacknowledged_results.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    mm_result_t result;
    int64_t added_ms;
    void *owned; // what the result points to; NULL when it points to nothing
} kept_t;

struct mm_results {
    size_t history;
    kept_t *ring;
    size_t size; // a power of two
    uint64_t first;
    uint64_t last;
    uint64_t acknowledged_through;
};

mm_results_t *mm_results_new(size_t history)
{
    mm_results_t *self = calloc(1, sizeof *self);
    assert(self);
    self->history = history;
    self->size = 256;
    self->ring = calloc(self->size, sizeof *self->ring);
    assert(self->ring);
    self->first = 1;
    return self;
}

static kept_t *kept_at(const mm_results_t *self, uint64_t serial)
{
    assert(serial >= self->first && serial <= self->last);
    return &self->ring[serial & (self->size - 1)];
}

void mm_results_destroy(mm_results_t **self_p)
{
    mm_results_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (; self->first <= self->last; self->first++)
        free(kept_at(self, self->first)->owned);
    free(self->ring);
    free(self);
}

// Drops acknowledged results beyond the history, oldest first; then there is room for one more.
static void make_room(mm_results_t *self)
{
    for (; self->first + self->history <= self->acknowledged_through; self->first++)
        free(kept_at(self, self->first)->owned);
    if (self->last + 1 - self->first < self->size)
        return;
    size_t size = 2 * self->size;
    kept_t *ring = calloc(size, sizeof *ring);
    assert(ring);
    for (uint64_t serial = self->first; serial <= self->last; serial++)
        ring[serial & (size - 1)] = *kept_at(self, serial);
    free(self->ring);
    self->ring = ring;
    self->size = size;
}

// Copies what the result points to: its evidence, what is real, then all texts.
static void own(kept_t *kept)
{
    mm_result_t *result = &kept->result;
    const mm_real_t *real = result->real;
    size_t pairs = result->evidence_count, size = pairs * sizeof *result->evidence;
    kept->owned = NULL;
    if (result->error.size == 0 && pairs == 0 && !real) {
        result->error = (mm_str_t){0};
        result->evidence = NULL;
        return;
    }
    size += result->error.size;
    if (real)
        size += sizeof *real + real->words.size + real->health.size + real->worker.size;
    for (size_t i = 0; i < pairs; i++)
        size += result->evidence[i].key.size + result->evidence[i].value.size;
    kept->owned = malloc(size);
    assert(kept->owned);
    mm_real_t *own_real = kept->owned;
    mm_pair_t *evidence = (mm_pair_t *)(real ? own_real + 1 : own_real);
    char *end = (char *)(evidence + pairs);
    result->error = mm_str_copy(&end, result->error);
    if (real) {
        *own_real = *real;
        own_real->words = mm_str_copy(&end, real->words);
        own_real->health = mm_str_copy(&end, real->health);
        own_real->worker = mm_str_copy(&end, real->worker);
        result->real = own_real;
    }
    for (size_t i = 0; i < pairs; i++) {
        evidence[i].key = mm_str_copy(&end, result->evidence[i].key);
        evidence[i].value = mm_str_copy(&end, result->evidence[i].value);
    }
    result->evidence = pairs > 0 ? evidence : NULL;
}

uint64_t mm_results_add(mm_results_t *self, const mm_result_t *result, mm_leg_t leg,
                        const mm_id_t *id, int64_t now_ms)
{
    make_room(self);
    kept_t *kept = &self->ring[++self->last & (self->size - 1)];
    kept->result = *result;
    kept->result.serial = self->last;
    kept->result.leg = leg;
    kept->result.id = *id;
    kept->added_ms = now_ms;
    own(kept);
    return self->last;
}

void mm_results_acknowledge(mm_results_t *self, uint64_t serial)
{
    if (serial > self->acknowledged_through && serial <= self->last)
        self->acknowledged_through = serial;
}

uint64_t mm_results_last(const mm_results_t *self)
{
    return self->last;
}

uint64_t mm_results_acknowledged_through(const mm_results_t *self)
{
    return self->acknowledged_through;
}

const mm_result_t *mm_results_get(const mm_results_t *self, uint64_t serial)
{
    return &kept_at(self, serial)->result;
}

uint64_t mm_results_history(const mm_results_t *self, size_t limit, size_t overlap)
{
    uint64_t begin = self->first;
    if (begin + limit <= self->last)
        begin = self->last + 1 - limit;
    uint64_t next = self->acknowledged_through + 1;
    if (begin + overlap > next)
        begin = next > overlap ? next - overlap : 1;
    return begin > self->first ? begin : self->first;
}

int64_t mm_results_waiting_since(const mm_results_t *self)
{
    return self->acknowledged_through < self->last
               ? kept_at(self, self->acknowledged_through + 1)->added_ms
               : MM_NEVER;
}
