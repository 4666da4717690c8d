// See addresses.h.

#include "addresses.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool begins_address(const char *text)
{
    return strncmp(text, "ipc://", 6) == 0 || strncmp(text, "tcp://", 6) == 0;
}

// The comma behind the first address, or the end.
static const char *end_of_first(const char *text)
{
    const char *comma = strchr(text, ',');
    while (comma && comma[1] != ',' && comma[1] != '\0' && comma != text &&
           !begins_address(comma + 1))
        comma = strchr(comma + 1, ',');
    return comma ? comma : text + strlen(text);
}

size_t mm_addresses_split(const char *text, mm_str_t ret_items[MM_ADDRESSES_MAX])
{
    for (size_t count = 0;; count++) {
        const char *end = end_of_first(text);
        if (count < MM_ADDRESSES_MAX)
            ret_items[count] = (mm_str_t){text, (size_t)(end - text)};
        if (*end == '\0')
            return count + 1;
        text = end + 1;
    }
}

__attribute__((format(printf, 2, 3))) static bool refuse(char error[MM_ERROR_MAX],
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, MM_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

static bool parse_one(mm_str_t text, mm_endpoint_t *ret_base, char error[MM_ERROR_MAX])
{
    char item[MM_ENDPOINT_MAX + 16];
    int size = text.size < sizeof item ? (int)text.size : (int)sizeof item - 1;
    (void)snprintf(item, sizeof item, "%.*s", size, text.data);
    // No host has a comma: it is an address without its beginning.
    bool has_comma = strncmp(item, "tcp://", 6) == 0 && strchr(item, ',');
    if (text.size == 0)
        return refuse(error, "an address is missing before or behind a comma: leave the comma out");
    if (text.size >= sizeof item || has_comma || !mm_endpoint_parse(item, ret_base))
        return refuse(error,
                      "'%.100s' is no address; one is ipc://PATH or tcp://HOST:PORT, with "
                      "a port from 1 to %d, and a comma before each further one",
                      item, MM_PORT_MAX);
    return true;
}

static bool is_same(const mm_endpoint_t *a, const mm_endpoint_t *b)
{
    return a->is_ipc == b->is_ipc && a->port == b->port && strcmp(a->path, b->path) == 0 &&
           strcmp(a->host, b->host) == 0;
}

bool mm_addresses_parse(const char *text, mm_addresses_t *ret_self, char error[MM_ERROR_MAX])
{
    mm_str_t items[MM_ADDRESSES_MAX];
    mm_addresses_t parsed = {.count = mm_addresses_split(text, items)};
    char twice[MM_ENDPOINT_MAX + 16];
    if (parsed.count > MM_ADDRESSES_MAX)
        return refuse(error, "there are %zu addresses, and at most %d can be followed",
                      parsed.count, MM_ADDRESSES_MAX);
    for (size_t i = 0; i < parsed.count; i++) {
        if (!parse_one(items[i], &parsed.items[i], error))
            return false;
        for (size_t j = 0; j < i; j++)
            if (is_same(&parsed.items[i], &parsed.items[j]))
                return refuse(error, "%.200s is there twice: name each consumer once",
                              mm_addresses_print(&parsed.items[i], twice));
    }
    *ret_self = parsed;
    return true;
}

bool mm_addresses_are_ipc(const mm_addresses_t *self)
{
    size_t count = 0;
    while (count < self->count && self->items[count].is_ipc)
        count++;
    return count == self->count;
}

const char *mm_addresses_print(const mm_endpoint_t *base, char buffer[MM_ENDPOINT_MAX + 16])
{
    if (base->is_ipc)
        (void)snprintf(buffer, MM_ENDPOINT_MAX + 16, "ipc://%s", base->path);
    else
        (void)snprintf(buffer, MM_ENDPOINT_MAX + 16, "tcp://%s:%u", base->host, base->port);
    return buffer;
}
