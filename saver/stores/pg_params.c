// See pg_params.h.

#include "pg_params.h"

#include "array.h"
#include "big_endian.h"
#include "utf8.h"

void pg_params_empty(pg_params_t *self)
{
    self->size = 0;
    self->count = 0;
}

void pg_params_clear(pg_params_t *self)
{
    free(self->bytes);
    *self = (pg_params_t){0};
}

static char *grow(pg_params_t *self, size_t size)
{
    self->bytes = mm_array_reserve(self->bytes, &self->capacity, self->size + size, 1);
    char *end = self->bytes + self->size;
    self->size += size;
    return end;
}

static void put(pg_params_t *self, uint64_t number, size_t width)
{
    mm_big_endian_put(number, width, (uint8_t *)grow(self, width));
}

static void begin(pg_params_t *self, bool is_null)
{
    assert(self->count < PG_PARAMS_MAX);
    self->begins[self->count] = self->size;
    self->is_null[self->count++] = is_null;
}

void pg_params_number(pg_params_t *self, bool is_known, int64_t number)
{
    begin(self, !is_known);
    if (is_known)
        put(self, (uint64_t)number, 8);
}

// One dimension, items that may be NULL, their type, how many, and the number of the first one.
void pg_params_array(pg_params_t *self, pg_type_t type, size_t count)
{
    begin(self, false);
    put(self, 1, 4);
    put(self, 1, 4);
    put(self, (uint64_t)type, 4);
    put(self, count, 4);
    put(self, 1, 4);
}

void pg_params_put_null(pg_params_t *self)
{
    put(self, UINT32_MAX, 4);
}

void pg_params_put_bool(pg_params_t *self, bool value)
{
    put(self, 1, 4);
    put(self, value, 1);
}

void pg_params_put_number(pg_params_t *self, int64_t number)
{
    put(self, 8, 4);
    put(self, (uint64_t)number, 8);
}

void pg_params_put_id(pg_params_t *self, const mm_id_t *id)
{
    put(self, sizeof id->bytes, 4);
    memcpy(grow(self, sizeof id->bytes), id->bytes, sizeof id->bytes);
}

void pg_params_put_text(pg_params_t *self, mm_str_t text)
{
    put(self, text.size, 4);
    char *to = grow(self, text.size);
    while (text.size > 0) {
        size_t good = mm_utf8_prefix(text, text.size);
        memcpy(to, text.data, good);
        to += good;
        if (good == text.size)
            return;
        *to++ = '?';
        text = (mm_str_t){text.data + good + 1, text.size - good - 1};
    }
}

void pg_params_put_text_or_null(pg_params_t *self, mm_str_t text)
{
    if (text.size > 0)
        pg_params_put_text(self, text);
    else
        pg_params_put_null(self);
}

void pg_params_end(pg_params_t *self)
{
    for (int i = 0; i < self->count; i++) {
        size_t end = i + 1 < self->count ? self->begins[i + 1] : self->size;
        self->values[i] = self->is_null[i] ? NULL : self->bytes + self->begins[i];
        self->sizes[i] = (int)(end - self->begins[i]);
    }
}
