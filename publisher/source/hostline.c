// See hostline.h.

#include "hostline.h"

#include <assert.h>
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

// The names of what could stand in a command.
static void list_names(const json_t *object, char ret_names[HOSTLINE_NAMES_MAX])
{
    size_t size = (size_t)snprintf(ret_names, HOSTLINE_NAMES_MAX, "host, address");
    const char *name;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        bool is_told = strcmp(name, "host") == 0 || strcmp(name, "address") == 0;
        bool is_value = json_is_string(value) || json_is_integer(value);
        if (is_told || !is_value || !mm_attribute_is_key(mm_str(name)))
            continue;
        bool is_room = size + strlen(name) + strlen(", , ...") < HOSTLINE_NAMES_MAX;
        size += (size_t)snprintf(ret_names + size, HOSTLINE_NAMES_MAX - size, ", %s",
                                 is_room ? name : "...");
        if (!is_room)
            return;
    }
}

// Says that a host has not all that the command needs. False.
static bool complain_lacking(mm_str_t host, mm_str_t key, const json_t *object,
                             hostline_buffer_t *buffer, char why[HOSTLINE_ERROR_MAX])
{
    bool is_object = object != NULL;
    list_names(object, buffer->names);
    snprintf(why, HOSTLINE_ERROR_MAX, "host %.*s has no %.*s, which the command names: %s%.*s%s",
             (int)host.size, host.data, (int)key.size, key.data,
             is_object ? "add \"" : "make its line {\"host\": \"...\", \"", (int)key.size, key.data,
             is_object ? "\": \"...\" to its line" : "\": \"...\"}");
    return false;
}

// A text or a whole number as the value of an attribute. The message does not show it: it may be a
// secret.
static bool check_value(const json_t *json, mm_str_t host, mm_str_t key, char number[24],
                        mm_str_t *ret_value, char why[HOSTLINE_ERROR_MAX])
{
    const char *complaint = "it is neither a text nor a whole number";
    if (json_is_string(json)) {
        *ret_value = (mm_str_t){json_string_value(json), json_string_length(json)};
        complaint = mm_attribute_complaint(*ret_value);
    } else if (json_is_integer(json)) {
        snprintf(number, 24, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        *ret_value = mm_str(number);
        complaint = mm_attribute_complaint(*ret_value);
    }
    if (complaint != NULL)
        snprintf(why, HOSTLINE_ERROR_MAX,
                 "\"%.*s\" of host %.*s cannot stand in a command: %s; correct it", (int)key.size,
                 key.data, (int)host.size, host.data, complaint);
    return complaint == NULL;
}

static const json_t *get(const json_t *object, mm_str_t key)
{
    char name[MM_ATTRIBUTE_KEY_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)key.size, key.data);
    return json_object_get(object, name);
}

static bool read_attributes(const json_t *object, mm_str_t host, const mm_attribute_keys_t *wanted,
                            hostline_buffer_t *buffer, size_t *size, char why[HOSTLINE_ERROR_MAX])
{
    const json_t *values[MM_ATTRIBUTES_MAX];
    for (size_t i = 0; i < wanted->count; i++) {
        values[i] = get(object, wanted->keys[i]);
        buffer->has |= values[i] ? 1U << i : 0U;
        if (!values[i] && !wanted->is_optional[i] && buffer->lacking < 0)
            buffer->lacking = (int)i;
    }
    if (buffer->lacking >= 0)
        return complain_lacking(host, wanted->keys[buffer->lacking], object, buffer, why);
    for (size_t i = 0; i < wanted->count; i++) {
        mm_str_t value;
        char number[24];
        if (!values[i])
            continue;
        if (!check_value(values[i], host, wanted->keys[i], number, &value, why))
            return false;
        bool is_added = mm_attributes_add(buffer->attributes, size, wanted->keys[i], value);
        assert(is_added);
    }
    return true;
}

static bool parse_object(const json_t *object, const mm_attribute_keys_t *wanted,
                         hostline_buffer_t *buffer, hostline_t *ret_hostline,
                         char why[HOSTLINE_ERROR_MAX])
{
    const json_t *value = json_object_get(object, "host");
    mm_str_t host = {json_string_value(value), json_string_length(value)};
    size_t size = 0;
    if (!json_is_string(value)) {
        snprintf(why, HOSTLINE_ERROR_MAX, "the object has no \"host\" that is a text");
        return false;
    }
    if (!check_host(host, why) || !read_attributes(object, host, wanted, buffer, &size, why))
        return false;
    memcpy(buffer->host, host.data, host.size);
    *ret_hostline = (hostline_t){{buffer->host, host.size}, {buffer->attributes, size}};
    return true;
}

// Text: the object, behind `indent` bytes of its line. jansson refuses doubled keys, bad UTF-8 and
// NUL bytes. What it quotes of the line is cut off: it may be a secret.
static bool parse_json(mm_str_t text, int indent, const mm_attribute_keys_t *wanted,
                       hostline_buffer_t *buffer, hostline_t *ret_hostline,
                       char why[HOSTLINE_ERROR_MAX])
{
    json_error_t error;
    json_t *object = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL) {
        char *quoted = strstr(error.text, " near '");
        if (quoted != NULL)
            *quoted = '\0';
        for (char *c = error.text; *c != '\0'; c++)
            if (*c < ' ' || *c == 0x7f)
                *c = '?';
        snprintf(why, HOSTLINE_ERROR_MAX, "column %d: %s", indent + error.column, error.text);
        return false;
    }
    bool is_good = parse_object(object, wanted, buffer, ret_hostline, why);
    json_decref(object);
    return is_good;
}

bool hostline_parse(mm_str_t line, bool is_first, const mm_attribute_keys_t *wanted,
                    hostline_buffer_t *buffer, hostline_t *ret_hostline,
                    char why[HOSTLINE_ERROR_MAX])
{
    buffer->has = 0;
    buffer->lacking = -1;
    mm_str_t text = trim(is_first ? without_mark(line) : line);
    if (text.size > 0 && text.data[0] == '{')
        return parse_json(text, (int)(text.data - line.data), wanted, buffer, ret_hostline, why);
    text = trim(without_comment(text));
    if (text.size > 0 && !check_host(text, why))
        return false;
    for (size_t i = 0; i < wanted->count && text.size > 0; i++) {
        if (wanted->is_optional[i])
            continue;
        buffer->lacking = (int)i;
        return complain_lacking(text, wanted->keys[i], NULL, buffer, why);
    }
    *ret_hostline = (hostline_t){.host = text};
    return true;
}
