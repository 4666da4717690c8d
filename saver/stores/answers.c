// See answers.h.

#include "answers.h"

#include "array.h"

static void drop(answers_t *self)
{
    for (size_t i = 0; i < self->kept_count; i++)
        free(self->kept[i]);
    self->kept_count = 0;
    self->count = 0;
    self->is_taken = false;
}

void answers_drop_taken(answers_t *self)
{
    if (self->is_taken)
        drop(self);
}

void *answers_keep(answers_t *self, size_t size)
{
    void *memory = calloc(1, size);
    assert(memory != NULL);
    *MM_ARRAY_ADD(self->kept, self->kept_count, self->kept_capacity) = memory;
    return memory;
}

const char *answers_keep_text(answers_t *self, mm_str_t text)
{
    return memcpy(answers_keep(self, text.size + 1), text.data, text.size);
}

mm_result_t *answers_add(answers_t *self, const mm_task_t *task, const mm_result_t *from)
{
    mm_result_t *answer = MM_ARRAY_ADD(self->items, self->count, self->capacity);
    *answer = from != NULL ? *from : (mm_result_t){0};
    answer->number = task->number;
    answer->leg = task->leg;
    answer->id = task->id;
    return answer;
}

size_t answers_take(answers_t *self, const mm_result_t **ret_answers)
{
    answers_drop_taken(self);
    self->is_taken = true;
    *ret_answers = self->items;
    return self->count;
}

void answers_clear(answers_t *self)
{
    drop(self);
    free(self->items);
    free(self->kept);
    *self = (answers_t){0};
}
