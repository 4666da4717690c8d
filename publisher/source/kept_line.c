// See kept_line.h.

#include "kept_line.h"
#include "host.h"

#include <string.h>

bool kept_line_parse(const char *line, size_t size, mm_str_t *ret_host, mm_str_t *ret_attributes)
{
    if (size <= 1 || line[size - 1] != '\n')
        return false;
    const char *blank = memchr(line, ' ', size - 1);
    mm_str_t host = {line, blank ? (size_t)(blank - line) : size - 1}, attributes = {0};
    if (blank)
        attributes = (mm_str_t){blank + 1, size - host.size - 2};
    if (mm_host_complaint(host) || !mm_attributes_are_valid(attributes))
        return false;
    *ret_host = host;
    *ret_attributes = attributes;
    return true;
}
