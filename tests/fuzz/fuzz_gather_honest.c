// An honest saver, which keeps the rules of saver/store.h, and an honest restarter, whose hosts
// come back at once. See fuzz_core_gather.c.

#include "fuzz_gather.h"
#include "uuid.h"

#include <assert.h>

static fuzz_record_t *record_of(fuzz_honest_t *self, const mm_task_t *task)
{
    size_t index = fuzz_id_index(&task->id);
    assert(index < FUZZ_HOSTS);
    return &self->records[index];
}

void fuzz_honest_save(fuzz_honest_t *self, const mm_task_t *task, mm_result_t *result)
{
    static mm_real_t answer;
    fuzz_record_t *record = record_of(self, task);
    const mm_real_t *row = task->real;
    bool is_over = record->has_row && record->row.row == MM_ROW_ENDED && row &&
                   row->attempt <= record->row.attempt;
    if (record->has_row) {
        answer = record->row;
        answer.ended = record->ended;
        answer.interrupted = record->interrupted;
        result->real = &answer;
    }
    if (!row || is_over || (record->has_row && row->attempt < record->row.attempt))
        return;
    mm_id_t machine = record->row.machine, boot = record->row.boot;
    bool has_begun = record->has_row && record->row.first_ms > 0;
    record->row = *row;
    record->row.worker = record->row.words = (mm_str_t){0};
    record->row.health = record->row.attributes = (mm_str_t){0};
    if (has_begun) {
        record->row.machine = machine;
        record->row.boot = boot;
    }
    record->has_row = true;
    record->interrupted += row->row == MM_ROW_ENDED && row->end == MM_END_INTERRUPTED;
    record->ended += row->row == MM_ROW_ENDED && row->end != MM_END_INTERRUPTED;
}

void fuzz_honest_restart(fuzz_honest_t *self, const mm_task_t *task, mm_result_t *result)
{
    static mm_real_t found;
    fuzz_record_t *record = record_of(self, task);
    mm_id_t boot = {{1, [15] = record->boot}};
    found = (mm_real_t){.exit = MM_EXIT_NONE};
    result->real = &found;
    if (task->number % 4 == 1 && self->returned < 20) {
        self->returned++;
        result->status = MM_STATUS_RETURNED;
        found.pause_ms = 700;
        return;
    }
    if (self->identifies && task->real->command > 0 && mm_id_equal(&task->real->boot, &boot))
        boot.bytes[15] = ++record->boot;
    found.sent = task->real->command > 0;
    found.machine = (mm_id_t){{2}};
    found.boot = boot;
    found.end = MM_END_RESTARTED;
    found.proof = self->identifies ? MM_PROOF_PROVEN : MM_PROOF_UNVERIFIED;
    if (task->leg == MM_LEG_PROBE) {
        found.end = MM_END_NOT_STARTED;
        found.proof = MM_PROOF_NONE;
    } else if (self->identifies && mm_id_equal(&task->real->boot, &boot)) { // of a look
        result->status = MM_STATUS_FAILED;
        found.end = MM_END_SAME_BOOT;
        found.proof = MM_PROOF_NONE;
    }
}
