// See name_rows.h. What a transaction has written and what was on record before are known alike:
// a rollback, which is rare, forgets both, and what is on record is found again.

#include "name_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_MAX 4096 // with more all are forgotten, so that new names for ever use no memory

typedef struct {
    int64_t number;
    size_t size;
    char text[];
} name_t;

int name_rows_prepare(name_rows_t *self, mm_sqlite_t *sqlite, char error[MM_ERROR_MAX])
{
    *self = (name_rows_t){.sqlite = sqlite};
    int code = mm_sqlite_prepare(sqlite, "SELECT number FROM job_names WHERE name = ?1",
                                 &self->find, error);
    return code != 0 ? code
                     : mm_sqlite_prepare(sqlite, "INSERT INTO job_names (name) VALUES (?1)",
                                         &self->add, error);
}

static bool is_name(const void *item, const void *key)
{
    const name_t *name = item;
    return mm_str_equal((mm_str_t){name->text, name->size}, *(const mm_str_t *)key);
}

static void keep(name_rows_t *self, uint64_t hash, mm_str_t text, int64_t number)
{
    if (self->known.count == KNOWN_MAX)
        name_rows_forget(self);
    name_t *name = malloc(sizeof *name + text.size);
    assert(name != NULL);
    *name = (name_t){.number = number, .size = text.size};
    memcpy(name->text, text.data, text.size);
    mm_table_add(&self->known, hash, name);
}

static mm_sqlite_status_t find_or_add(name_rows_t *self, mm_str_t text, int64_t *ret_number)
{
    bool has_row = false;
    mm_sqlite_bind_text(self->find, 1, text);
    mm_sqlite_status_t status = mm_sqlite_row(self->sqlite, self->find, &has_row);
    if (status == MM_SQLITE_OK && has_row) {
        *ret_number = sqlite3_column_int64(self->find, 0);
        (void)sqlite3_reset(self->find);
    } else if (status == MM_SQLITE_OK) {
        mm_sqlite_bind_text(self->add, 1, text);
        status = mm_sqlite_run(self->sqlite, self->add);
        *ret_number = sqlite3_last_insert_rowid(mm_sqlite_handle(self->sqlite));
    }
    return status;
}

mm_sqlite_status_t name_rows_number(name_rows_t *self, mm_str_t text, int64_t *ret_number)
{
    uint64_t hash = mm_str_hash(text);
    const name_t *name = mm_table_find(&self->known, hash, is_name, &text);
    if (name != NULL) {
        *ret_number = name->number;
        return MM_SQLITE_OK;
    }
    mm_sqlite_status_t status = find_or_add(self, text, ret_number);
    if (status == MM_SQLITE_OK)
        keep(self, hash, text, *ret_number);
    return status;
}

void name_rows_forget(name_rows_t *self)
{
    size_t at = 0;
    for (name_t *name; (name = mm_table_next(&self->known, &at)) != NULL;)
        free(name);
    mm_table_empty(&self->known);
}

void name_rows_clear(name_rows_t *self)
{
    name_rows_forget(self);
    mm_table_clear(&self->known);
}
