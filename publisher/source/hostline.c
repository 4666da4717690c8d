// See hostline.h.

#include "hostline.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host.h"

#define QUOTE_MAX 60 // bytes of a bad line that are shown

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static mm_str_t trim(mm_str_t text)
{
    while (text.size > 0 && is_blank(text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    return text;
}

// A comment begins with a # at the start of the line or behind a blank.
static mm_str_t without_comment(mm_str_t line)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] == '#' && (i == 0 || is_blank(line.data[i - 1])))
            line.size = i;
    return line;
}

static mm_str_t without_mark(mm_str_t line)
{
    if (line.size >= 3 && memcmp(line.data, "\xEF\xBB\xBF", 3) == 0)
        return (mm_str_t){line.data + 3, line.size - 3};
    return line;
}

// The text as it can stand in a log line or on a terminal.
static const char *quote(mm_str_t text, char buffer[4 * QUOTE_MAX + 4])
{
    char *next = buffer;
    for (size_t i = 0; i < text.size && i < QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= ' ' && c < 0x7f)
            *next++ = (char)c;
        else
            next += sprintf(next, "\\x%02X", c);
    }
    strcpy(next, text.size > QUOTE_MAX ? "..." : "");
    return buffer;
}

static bool check_host(mm_str_t host, char why[HOSTLINE_ERROR_MAX])
{
    const char *complaint = mm_host_complaint(host);
    char buffer[4 * QUOTE_MAX + 4];
    if (complaint != NULL)
        snprintf(why, HOSTLINE_ERROR_MAX, "'%s' is not a host: %s", quote(host, buffer), complaint);
    return complaint == NULL;
}

// Text: the object, behind `indent` bytes of its line. jansson refuses doubled keys, bad UTF-8 and
// NUL bytes.
static bool parse_json(mm_str_t text, int indent, hostline_buffer_t *buffer, mm_str_t *ret_host,
                       char why[HOSTLINE_ERROR_MAX])
{
    json_error_t error;
    json_t *object = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        for (char *c = error.text; *c != '\0'; c++)
            if (*c < ' ' || *c == 0x7f)
                *c = '?';
        snprintf(why, HOSTLINE_ERROR_MAX, "column %d: %s", indent + error.column, error.text);
        return false;
    }
    const json_t *value = json_object_get(object, "host");
    mm_str_t host = {json_string_value(value), json_string_length(value)};
    bool is_good = json_is_string(value) && check_host(host, why);
    if (!json_is_string(value))
        snprintf(why, HOSTLINE_ERROR_MAX, "the object has no \"host\" that is a text");
    if (is_good) {
        memcpy(buffer->bytes, host.data, host.size);
        *ret_host = (mm_str_t){buffer->bytes, host.size};
    }
    json_decref(object);
    return is_good;
}

bool hostline_parse(mm_str_t line, bool is_first, hostline_buffer_t *buffer, mm_str_t *ret_host,
                    char why[HOSTLINE_ERROR_MAX])
{
    mm_str_t text = trim(is_first ? without_mark(line) : line);
    if (text.size > 0 && text.data[0] == '{')
        return parse_json(text, (int)(text.data - line.data), buffer, ret_host, why);
    text = trim(without_comment(text));
    if (text.size > 0 && !check_host(text, why))
        return false;
    *ret_host = text;
    return true;
}
