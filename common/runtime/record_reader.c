// See record_reader.h.

#include "record_reader.h"
#include "record_reader_ops.h"
#include "record_uri.h"
#include "uuid.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// A path that has no file is there for mm_reader_open, which says what is wrong with it.
static int open_any(const mm_reader_config_t *config, bool *ret_is_there, mm_reader_t **ret_self,
                    char error[MM_ERROR_MAX])
{
    const char *complaint = mm_record_complaint(config->where);
    if (complaint) {
        (void)snprintf(error, MM_ERROR_MAX, "the URI of the record: %s", complaint);
        return EX_USAGE;
    }
    if (mm_record_is_postgresql(config->where))
        return mm_reader_open_postgresql(config, ret_is_there, ret_self, error);
    if (mm_record_is_uri(config->where)) {
        (void)snprintf(error, MM_ERROR_MAX,
                       "no record is read from %.*s://; it is a file, or postgresql://…",
                       (int)strcspn(config->where, ":"), config->where);
        return EX_USAGE;
    }
    *ret_is_there = access(config->where, F_OK) == 0;
    return mm_reader_open_sqlite(config, ret_self, error);
}

int mm_reader_open(const mm_reader_config_t *config, mm_reader_t **ret_self,
                   char error[MM_ERROR_MAX])
{
    bool is_there;
    return open_any(config, &is_there, ret_self, error);
}

int mm_reader_open_if_there(const mm_reader_config_t *config, mm_reader_t **ret_self,
                            char error[MM_ERROR_MAX])
{
    char words[MM_ERROR_MAX];
    bool is_there = true;
    *ret_self = NULL;
    int code = open_any(config, &is_there, ret_self, words);
    if (code != 0 && is_there)
        (void)snprintf(error, MM_ERROR_MAX, "%s", words);
    return is_there ? code : 0;
}

char *mm_reader_sql(const char *sql, const char *parameter, const char *ids, int *ret_count)
{
    char *text = NULL;
    size_t size;
    bool is_quoted = false;
    FILE *file = open_memstream(&text, &size);
    assert(file);
    *ret_count = 0;
    for (const char *at = sql; *at; at++) {
        is_quoted = is_quoted != (*at == '\'');
        bool is_parameter = !is_quoted && (*at == '?' || *at == '@') && isdigit(at[1]);
        if (!is_parameter) {
            (void)fputc(*at, file);
            continue;
        }
        int number = at[1] - '0'; // no statement has ten
        for (const char *word = *at == '?' ? parameter : ids; *word; word++)
            (void)fputc(*word == '#' ? at[1] : *word, file);
        *ret_count = number > *ret_count ? number : *ret_count;
        at++;
    }
    (void)fclose(file);
    assert(text);
    return text;
}

void mm_reader_close(mm_reader_t **self_p)
{
    mm_reader_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    while (self->rows) {
        mm_rows_t *rows = self->rows;
        mm_rows_end(&rows);
    }
    self->ops->close(self);
}

int mm_reader_version(const mm_reader_t *self)
{
    return self->version;
}

const char *mm_reader_error(const mm_reader_t *self)
{
    return self->ops->error(self);
}

int mm_reader_rows(mm_reader_t *self, const char *sql, mm_rows_t **ret_rows,
                   char error[MM_ERROR_MAX])
{
    int code = self->ops->rows(self, sql, ret_rows, error);
    if (code == 0) {
        (*ret_rows)->reader = self;
        (*ret_rows)->next = self->rows;
        self->rows = *ret_rows;
    }
    return code;
}

void mm_rows_end(mm_rows_t **self_p)
{
    mm_rows_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    mm_rows_t **place = &self->reader->rows;
    while (*place != self)
        place = &(*place)->next;
    *place = self->next;
    self->ops->end(self);
}

void mm_rows_bind_number(mm_rows_t *self, int parameter, int64_t number)
{
    self->ops->bind_number(self, parameter, number);
}

void mm_rows_bind_text(mm_rows_t *self, int parameter, mm_str_t text)
{
    self->ops->bind_text(self, parameter, text);
}

void mm_rows_bind_id(mm_rows_t *self, int parameter, const mm_id_t *id)
{
    self->ops->bind_id(self, parameter, id);
}

void mm_rows_bind_ids(mm_rows_t *self, int parameter, const mm_id_t *ids, size_t count)
{
    self->ops->bind_ids(self, parameter, ids, count);
}

int mm_rows_next(mm_rows_t *self, bool *ret_row)
{
    return self->ops->next(self, ret_row);
}

int mm_rows_each(mm_rows_t **self_p, mm_row_fn *take, void *arg, char error[MM_ERROR_MAX])
{
    mm_rows_t *self = *self_p;
    bool has_row = true;
    int code = 0;
    while (code == 0 && has_row) {
        code = mm_rows_next(self, &has_row);
        if (code == 0 && has_row && !take(arg, self))
            break;
    }
    if (code != 0)
        (void)snprintf(error, MM_ERROR_MAX, "%s", mm_reader_error(self->reader));
    mm_rows_end(self_p);
    return code;
}

mm_column_type_t mm_rows_type(const mm_rows_t *self, int column)
{
    return self->ops->type(self, column);
}

int64_t mm_rows_number(const mm_rows_t *self, int column)
{
    return self->ops->number(self, column);
}

mm_str_t mm_rows_text(const mm_rows_t *self, int column)
{
    return self->ops->text(self, column);
}

mm_str_t mm_rows_bytes(const mm_rows_t *self, int column)
{
    return self->ops->bytes(self, column);
}

char *mm_rows_copy(const mm_rows_t *self, int column)
{
    mm_str_t text = mm_rows_text(self, column);
    char *copy = strndup(text.size > 0 ? text.data : "", text.size);
    assert(copy);
    return copy;
}

mm_id_t mm_rows_id(const mm_rows_t *self, int column)
{
    mm_id_t id = {0};
    mm_str_t bytes = mm_rows_bytes(self, column);
    if (bytes.size > 0)
        memcpy(id.bytes, bytes.data, bytes.size < sizeof id.bytes ? bytes.size : sizeof id.bytes);
    return id;
}

mm_id_t mm_rows_uuid(const mm_rows_t *self, int column)
{
    mm_id_t id = {0};
    (void)mm_uuid_parse(mm_rows_text(self, column), &id);
    return id;
}
