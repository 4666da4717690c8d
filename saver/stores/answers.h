// The answers of a store until they are given out: results, and what they are made of. It knows no
// database.

#ifndef ANSWERS_H
#define ANSWERS_H

#include "frame.h"

// Zeroed memory has none.
typedef struct {
    mm_result_t *items;
    size_t count;
    size_t capacity;
    void **kept; // what they point to
    size_t kept_count;
    size_t kept_capacity;
    bool is_taken; // they were given out: the next call of the store drops them
} answers_t;

// Forgets those that were given out.
void answers_drop_taken(answers_t *self);
// Zeroed memory that lives as long as the answers.
void *answers_keep(answers_t *self, size_t size);
// The same with a copy of a text and a NUL.
const char *answers_keep_text(answers_t *self, mm_str_t text);
// Adds an answer to the task, with what `from` (NULL: nothing) says beside number, leg and id.
mm_result_t *answers_add(answers_t *self, const mm_task_t *task, const mm_result_t *from);
// Gives all out.
size_t answers_take(answers_t *self, const mm_result_t **ret_answers);
// Frees all that it owns.
void answers_clear(answers_t *self);

#endif
