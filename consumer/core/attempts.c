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

void attempt_set_row(attempt_t *self, mm_attempt_row_t row)
{
    self->row = row;
    self->version++;
}

void attempt_set_unsent(attempt_t *self)
{
    attempt_set_row(self, attempt_has_answer(self) ? MM_ROW_OPEN : MM_ROW_NOT_STARTED);
}

void attempt_take_back(attempt_t *self)
{
    attempt_set_row(self, MM_ROW_NOT_STARTED);
    self->owes = self->owed;
}

void attempt_see(attempt_t *self, const mm_id_t *boot)
{
    if (mm_id_is_none(boot) || mm_id_equal(boot, &self->boot) ||
        mm_id_equal(boot, &self->boot_after))
        return;
    self->boot_after = *boot;
    self->version++;
}

bool attempt_has_answer(const attempt_t *self)
{
    return mm_id_is_max(&self->boot) && !mm_id_is_none(&self->boot_after);
}

void attempt_set_end(attempt_t *self, const char *worker, const mm_result_t *result)
{
    self->end = result->real->end;
    self->proof = result->real->proof;
    self->worker = worker;
    attempt_see(self, &result->real->boot);
    if (result->real->exit != MM_EXIT_NONE)
        self->exit = result->real->exit;
    if (result->real->words.size > 0)
        attempt_set_words(self, result->real->words);
}

uint32_t attempt_next_number(const attempt_t *self)
{
    bool is_new = self->row == MM_ROW_NONE || self->row == MM_ROW_ENDED;
    return is_new && self->number < UINT32_MAX ? self->number + 1 : self->number;
}
