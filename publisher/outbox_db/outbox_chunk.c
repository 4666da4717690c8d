// See outbox_chunk.h. No character of a host needs an escape, so that the arrays that are written
// here can be read by looking for quotes. One that has escapes, by whatever hand, is left to
// jansson.

#include "outbox_chunk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *make_room(outbox_bytes_t *bytes, size_t size)
{
    if (bytes->count + size > bytes->capacity) {
        bytes->capacity = 2 * (bytes->count + size) + 4096;
        bytes->data = realloc(bytes->data, bytes->capacity);
        assert(bytes->data != NULL);
    }
    return bytes->data + bytes->count;
}

void outbox_append(outbox_bytes_t *bytes, const void *data, size_t size)
{
    char *next = make_room(bytes, size);
    if (size > 0)
        memcpy(next, data, size);
    bytes->count += size;
}

void outbox_put_host(outbox_bytes_t *hosts, mm_str_t host, bool is_first)
{
    char *start = make_room(hosts, 6 * host.size + 3), *next = start;
    *next++ = is_first ? '[' : ',';
    *next++ = '"';
    for (size_t i = 0; i < host.size; i++) {
        unsigned char c = (unsigned char)host.data[i];
        if (c < 0x20) {
            next += sprintf(next, "\\u%04x", c);
            continue;
        }
        if (c == '"' || c == '\\')
            *next++ = '\\';
        *next++ = (char)c;
    }
    *next++ = '"';
    hosts->count += (size_t)(next - start);
}

void outbox_end_hosts(outbox_bytes_t *hosts)
{
    outbox_append(hosts, "]", 1);
}

// Reads an array without escapes or blanks; false: it may be another one.
static bool find_plain(mm_str_t text, size_t count, mm_str_t *ret_hosts)
{
    if (text.size < 2 || memchr(text.data, '\\', text.size) != NULL)
        return false;
    const char *next = text.data, *end = text.data + text.size;
    for (size_t i = 0; i < count; i++) {
        if (end - next < 3 || next[0] != (i == 0 ? '[' : ',') || next[1] != '"')
            return false;
        next += 2;
        const char *quote = memchr(next, '"', (size_t)(end - next));
        if (quote == NULL)
            return false;
        ret_hosts[i] = (mm_str_t){next, (size_t)(quote - next)};
        next = quote + 1;
    }
    return end - next == 1 && *next == ']';
}

bool outbox_find_hosts(mm_str_t text, size_t count, mm_str_t *ret_hosts, json_t **ret_parsed)
{
    *ret_parsed = NULL;
    if (count > 0 && find_plain(text, count, ret_hosts))
        return true;
    json_t *parsed = json_loadb(text.data, text.size, 0, NULL);
    bool is_good = json_is_array(parsed) && json_array_size(parsed) == count;
    for (size_t i = 0; is_good && i < count; i++) {
        const json_t *host = json_array_get(parsed, i);
        is_good = json_is_string(host);
        if (is_good)
            ret_hosts[i] = (mm_str_t){json_string_value(host), json_string_length(host)};
    }
    if (!is_good) {
        json_decref(parsed);
        return false;
    }
    *ret_parsed = parsed;
    return true;
}
