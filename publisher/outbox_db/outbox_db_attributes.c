// See outbox_db.h: other attributes of jobs that are recorded.

#include "outbox_db_inside.h"

int outbox_db_prepare_attributes(outbox_db_t *self, char error[MM_ERROR_MAX])
{
    int code = mm_sqlite_prepare(self->sqlite,
                                 "SELECT chunk, jobs, hosts, attributes FROM chunks"
                                 " WHERE chunk > ?1 ORDER BY chunk LIMIT 1",
                                 &self->read_texts, error);
    return code == 0 ? mm_sqlite_prepare(self->sqlite,
                                         "UPDATE chunks SET attributes = ?2 WHERE chunk = ?1",
                                         &self->put_attributes, error)
                     : code;
}

// Makes the attributes of a chunk, settled jobs too. False: they stay what they are. A damaged
// chunk stays, too: whoever loads it says so.
static bool make_attributes(sqlite3_stmt *row, const outbox_relist_t *change, outbox_bytes_t *array)
{
    mm_str_t hosts[OUTBOX_CHUNK_MAX], attributes[OUTBOX_CHUNK_MAX];
    json_t *parsed[2] = {NULL, NULL};
    size_t jobs = (size_t)sqlite3_column_int64(row, 1);
    bool has_none = sqlite3_column_type(row, 3) == SQLITE_NULL, is_changed = false;
    memset(attributes, 0, sizeof attributes);
    bool is_good = jobs <= OUTBOX_CHUNK_MAX &&
                   outbox_find_texts(mm_sqlite_column_text(row, 2), jobs, hosts, &parsed[0]) &&
                   (has_none ||
                    outbox_find_texts(mm_sqlite_column_text(row, 3), jobs, attributes, &parsed[1]));
    array->count = 0;
    for (size_t i = 0; is_good && i < jobs; i++) {
        char buffer[MM_ATTRIBUTES_BYTES];
        mm_str_t now = change->attributes_of(change->arg, hosts[i], attributes[i], buffer);
        is_changed = is_changed || !mm_str_equal(now, attributes[i]);
        outbox_put_text(array, now, i == 0);
    }
    outbox_end_texts(array);
    json_decref(parsed[0]);
    json_decref(parsed[1]);
    return is_changed;
}

mm_sqlite_status_t outbox_db_write_attributes(outbox_db_t *self, const outbox_relist_t *change)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    outbox_bytes_t array = {0};
    bool has_row = change->attributes_of != NULL;
    for (int64_t chunk = 0; status == MM_SQLITE_OK && has_row;) {
        (void)sqlite3_bind_int64(self->read_texts, 1, chunk);
        status = mm_sqlite_row(self->sqlite, self->read_texts, &has_row);
        if (status != MM_SQLITE_OK || !has_row)
            break;
        chunk = sqlite3_column_int64(self->read_texts, 0);
        bool is_changed = make_attributes(self->read_texts, change, &array);
        (void)sqlite3_reset(self->read_texts);
        if (!is_changed)
            continue;
        mm_sqlite_bind_text(self->put_attributes, 2, (mm_str_t){array.data, array.count});
        status = outbox_db_run_with(self, self->put_attributes, chunk);
    }
    free(array.data);
    return status;
}
