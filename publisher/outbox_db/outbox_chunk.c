// See outbox_chunk.h. No character of a host or an attribute needs an escape, so the arrays that
// are written here are read by looking for quotes. An array with escapes, from elsewhere, is left
// to jansson.

#include "outbox_chunk.h"

#include "array.h"

#include <stdio.h>
#include <string.h>

static char *reserve(outbox_bytes_t *bytes, size_t size)
{
    bytes->data = mm_array_reserve(bytes->data, &bytes->capacity, bytes->count + size, 1);
    return bytes->data + bytes->count;
}

void outbox_append(outbox_bytes_t *bytes, const void *data, size_t size)
{
    char *next = reserve(bytes, size);
    if (size > 0)
        memcpy(next, data, size);
    bytes->count += size;
}

void outbox_put_text(outbox_bytes_t *array, mm_str_t text, bool is_first)
{
    char *start = reserve(array, 6 * text.size + 3), *next = start;
    *next++ = is_first ? '[' : ',';
    *next++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20) {
            next += sprintf(next, "\\u%04x", c);
            continue;
        }
        if (c == '"' || c == '\\')
            *next++ = '\\';
        *next++ = (char)c;
    }
    *next++ = '"';
    array->count += (size_t)(next - start);
}

void outbox_end_texts(outbox_bytes_t *array)
{
    outbox_append(array, "]", 1);
}

// Reads an array without escapes or blanks; false: it may be another one.
static bool find_plain(mm_str_t array, size_t count, mm_str_t *ret_texts)
{
    if (array.size < 2 || memchr(array.data, '\\', array.size) != NULL)
        return false;
    const char *next = array.data, *end = array.data + array.size;
    for (size_t i = 0; i < count; i++) {
        if (end - next < 3 || next[0] != (i == 0 ? '[' : ',') || next[1] != '"')
            return false;
        next += 2;
        const char *quote = memchr(next, '"', (size_t)(end - next));
        if (quote == NULL)
            return false;
        ret_texts[i] = (mm_str_t){next, (size_t)(quote - next)};
        next = quote + 1;
    }
    return end - next == 1 && *next == ']';
}

bool outbox_find_texts(mm_str_t array, size_t count, mm_str_t *ret_texts, json_t **ret_parsed)
{
    *ret_parsed = NULL;
    if (count > 0 && find_plain(array, count, ret_texts))
        return true;
    json_t *parsed = json_loadb(array.data, array.size, 0, NULL);
    bool is_good = json_is_array(parsed) && json_array_size(parsed) == count;
    for (size_t i = 0; is_good && i < count; i++) {
        const json_t *text = json_array_get(parsed, i);
        is_good = json_is_string(text);
        if (is_good)
            ret_texts[i] = (mm_str_t){json_string_value(text), json_string_length(text)};
    }
    if (!is_good) {
        json_decref(parsed);
        return false;
    }
    *ret_parsed = parsed;
    return true;
}
