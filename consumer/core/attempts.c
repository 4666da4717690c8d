// See attempts.h.

#include "attempts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(sizeof(attempt_t) <= MM_POOL_MAX, "the pool takes it");

static bool is_of(const void *attempt, const void *job)
{
    return mm_id_equal(&((const attempt_t *)attempt)->job, job);
}

attempt_t *attempts_add(attempts_t *self, const mm_id_t *job)
{
    attempt_t *attempt = mm_pool_take(&self->pool, sizeof *attempt);
    *attempt = (attempt_t){.job = *job, .exit = MM_EXIT_NONE};
    mm_table_add(&self->table, mm_id_hash(job), attempt);
    return attempt;
}

attempt_t *attempts_get(const attempts_t *self, const mm_id_t *job)
{
    attempt_t *attempt = mm_table_find(&self->table, mm_id_hash(job), is_of, job);
    assert(attempt);
    return attempt;
}

void attempts_remove(attempts_t *self, const mm_id_t *job)
{
    attempt_t *attempt = attempts_get(self, job);
    mm_table_remove(&self->table, mm_id_hash(job), attempt);
    free(attempt->words);
    mm_pool_put(&self->pool, attempt, sizeof *attempt);
}

void attempts_clear(attempts_t *self)
{
    assert(self->table.count == 0);
    mm_table_clear(&self->table);
    mm_pool_clear(&self->pool);
}

void attempt_set_words(attempt_t *self, mm_str_t words)
{
    mm_str_replace(&self->words, words);
}

void attempt_set_health(attempt_t *self, mm_str_t health)
{
    size_t size = health.size <= MM_HEALTH_MAX ? health.size : 0;
    if (size > 0)
        memcpy(self->health, health.data, size);
    self->health[size] = '\0';
}

bool attempt_is_saved(const attempt_t *self)
{
    return self->row == MM_ROW_NONE || self->version == self->saved;
}
