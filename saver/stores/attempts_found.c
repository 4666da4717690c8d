// See attempts_found.h.

#include "attempts_found.h"

static mm_attempt_row_t state_of(mm_str_t text)
{
    mm_attempt_row_t state = MM_ROW_NOT_STARTED;
    while (state > MM_ROW_BEGUN && !mm_str_equal(text, mm_str(mm_row_name(state))))
        state--;
    return state;
}

static mm_end_t end_of(mm_str_t text)
{
    mm_end_t end = MM_END_LAST;
    while (end > MM_END_NONE && !mm_str_equal(text, mm_str(mm_end_name(end))))
        end--;
    return end;
}

static mm_proof_t proof_of(mm_str_t text)
{
    mm_proof_t proof = MM_PROOF_REHEARSED;
    while (proof > MM_PROOF_NONE && !mm_str_equal(text, mm_str(mm_proof_name(proof))))
        proof--;
    return proof;
}

static int64_t within(int64_t number, int64_t low, int64_t high)
{
    return number < low ? low : number > high ? high : number;
}

static mm_id_t id_of(mm_str_t text)
{
    mm_id_t id = {{0}};
    (void)mm_uuid_parse(text, &id);
    return id;
}

// A text, cut to what fits.
static mm_str_t copy(mm_str_t text, char *buffer, size_t capacity)
{
    size_t size = text.size < capacity ? text.size : capacity;
    if (size > 0)
        memcpy(buffer, text.data, size);
    return (mm_str_t){buffer, size};
}

void attempts_found_none(attempts_found_t *self)
{
    self->real = (mm_real_t){.row = MM_ROW_NONE};
}

void attempts_found_set(attempts_found_t *self, const attempt_columns_t *columns)
{
    mm_real_t *real = &self->real;
    mm_name_t name; // the wire takes no other
    real->row = state_of(columns->state);
    real->attempt = (uint32_t)within(columns->attempt, 1, UINT32_MAX);
    real->command = (uint32_t)within(columns->command, 0, MM_COMMANDS_MAX);
    real->machine = id_of(columns->machine);
    real->boot = id_of(columns->boot_before);
    real->boot_after = id_of(columns->boot_after);
    real->control = id_of(columns->control);
    real->first_ms = within(columns->first_ms, 0, INT64_MAX);
    real->deadline_ms = within(columns->deadline_ms, 0, INT64_MAX);
    real->end = end_of(columns->end);
    real->exit = (uint32_t)within(columns->exit, 0, MM_EXIT_NONE);
    real->proof = proof_of(columns->proof);
    real->words = copy(columns->words, self->words, sizeof self->words);
    real->health = copy(columns->health, self->health, sizeof self->health);
    real->owes = columns->owes != 0;
    real->worker = (mm_str_t){0};
    if (mm_name_from(columns->worker, &name))
        real->worker = copy(columns->worker, self->worker, sizeof self->worker);
}

// The stamps of an answer are one row's, the last attempt's. One that does not know the first begin
// leaves what the first one says, by a clock that nobody has any more.
void attempts_found_finish(attempts_found_t *self, attempts_first_t first, int64_t now_ms)
{
    mm_real_t *real = &self->real;
    if (!first.is_found) {
        real->first_ms = 0;
        real->machine = real->boot = (mm_id_t){{0}};
        real->health.size = 0;
        return;
    }
    if (real->first_ms == 0) {
        real->first_ms = within(first.first_ms, 0, INT64_MAX);
        real->control = (mm_id_t){{0}};
    }
    if (first.began_ms < now_ms)
        real->age_ms = now_ms - first.began_ms;
}
