// See logline.h. A line may be cut off, or come from another program: one that does not have a
// format to its end is refused.

#include "logline.h"
#include "duration.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void logline_clear(logline_t *self)
{
    free(self->text);
    json_decref(self->json);
    *self = (logline_t){0};
}

// "2026-11-22T11:21:05.790Z", or run.log's "2026-11-22T12:21:05+0100". Returns the byte behind it;
// NULL: it is no time.
static char *parse_time(const char *text, int64_t *ret_wall_ms)
{
    struct tm parts = {0};
    long ms = 0;
    char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts), *end;
    if (at && *at == '.') {
        ms = strtol(at + 1, &end, 10);
        at = isdigit((unsigned char)at[1]) && end == at + 4 ? end : NULL;
    }
    at = at ? strptime(at, "%z", &parts) : NULL;
    int64_t offset = parts.tm_gmtoff; // timegm sets it to 0
    if (at)
        *ret_wall_ms = ((int64_t)timegm(&parts) - offset) * 1000 + ms;
    return at;
}

// ---- the text format: parsed in place

// Begins with "key=".
static bool is_field(const char *at)
{
    size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
    return size > 0 && at[size] == '=';
}

// Removes the escapes from a quoted text and ends it. Returns the byte behind its closing quote;
// NULL: there is none.
static char *unquote(char *at)
{
    char *out = at;
    for (; *at && *at != '"'; at++) {
        char c = *at;
        if (c == '\\' && at[1]) {
            c = *++at;
            if (c == 'x' && at[1] && at[2]) {
                c = (char)strtol((char[]){at[1], at[2], '\0'}, NULL, 16);
                at += 2;
            } else if (c == 'n' || c == 't') {
                c = c == 'n' ? '\n' : '\t';
            }
        }
        *out++ = c;
    }
    if (!*at)
        return NULL;
    *out = '\0';
    return at + 1;
}

// Ends the word of this size, if it is followed by `c`. Returns the byte behind that; NULL: it is
// not.
static char *end_word(char *word, size_t size, char c)
{
    if (word[size] != c)
        return NULL;
    word[size] = '\0';
    return word + size + 1;
}

static bool parse_fields(char *at, logline_t *line)
{
    while (*at) {
        if (line->count == MM_LOG_FIELDS || !is_field(at))
            return false;
        logline_field_t *field = &line->fields[line->count++];
        field->key = at;
        at = end_word(at, strcspn(at, "="), '=');
        field->value = *at == '"' ? at + 1 : at;
        at = *at == '"' ? unquote(at + 1) : at + strcspn(at, " ");
        if (!at || (*at && *at != ' '))
            return false;
        if (*at)
            *at++ = '\0';
    }
    return true;
}

// "TIME LEVEL PROCESS[PID] MESSAGE FIELD...". Lines of run.log have neither a level nor fields.
static bool parse_text(char *at, logline_t *line)
{
    at = parse_time(at, &line->wall_ms);
    if (!at || *at++ != ' ')
        return false;
    size_t size = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    bool has_level = size > 0;
    line->level = has_level ? at : "";
    at = has_level ? end_word(at, size, ' ') : at;
    line->process = at;
    at = at ? end_word(at, strcspn(at, "[ "), '[') : NULL;
    line->pid = at ? strtoll(at, &at, 10) : 0;
    if (!at || strncmp(at, "] ", 2) != 0)
        return false;
    char *end = at += 2;
    line->message = at;
    while (*at && (!has_level || !is_field(at))) {
        end = at + strcspn(at, " ");
        at = *end ? end + 1 : end;
    }
    if (end == line->message)
        line->message = "";
    else
        *end = '\0';
    return parse_fields(at, line);
}

// ---- the JSON format

// A member as text; a number is replaced by its text. NULL: it is neither.
static const char *text_of(json_t *object, void *member)
{
    const json_t *value = json_object_iter_value(member);
    char text[512];
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        (void)snprintf(text, sizeof text, "%.3f", json_real_value(value));
    else
        return NULL;
    int rc = json_object_iter_set_new(object, member, json_string(text));
    assert(rc == 0);
    return json_string_value(json_object_iter_value(member));
}

static bool parse_json(json_t *object, logline_t *line)
{
    line->pid = json_integer_value(json_object_get(object, "pid"));
    void *member = json_object_iter(object);
    for (; member; member = json_object_iter_next(object, member)) {
        const char *key = json_object_iter_key(member), *text = text_of(object, member);
        if (!text || (strcmp(key, "ts") == 0 && !parse_time(text, &line->wall_ms)))
            return false;
        if (strcmp(key, "level") == 0)
            line->level = text;
        else if (strcmp(key, "process") == 0)
            line->process = text;
        else if (strcmp(key, "message") == 0)
            line->message = text;
        else if (strcmp(key, "ts") != 0 && strcmp(key, "pid") != 0 && line->count < MM_LOG_FIELDS)
            line->fields[line->count++] = (logline_field_t){key, text};
    }
    return line->wall_ms != 0 && line->level && line->process && line->message;
}

// ---- from outside

bool logline_parse(mm_str_t text, logline_t *ret_line)
{
    logline_t line = {0};
    bool is_json = text.size > 0 && *text.data == '{';
    if (is_json)
        line.json = json_loadb(text.data, text.size, 0, NULL);
    else
        line.text = strndup(text.data, text.size);
    assert(is_json || line.text);
    bool is_good = is_json ? parse_json(line.json, &line) : parse_text(line.text, &line);
    if (is_good)
        *ret_line = line;
    else
        logline_clear(&line);
    return is_good;
}

const char *logline_value(const logline_t *self, const char *key)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->fields[i].key, key) == 0)
            return self->fields[i].value;
    return NULL;
}

int64_t logline_number(const logline_t *self, const char *key, int64_t fallback)
{
    const char *value = logline_value(self, key);
    char *end;
    long long number = value ? strtoll(value, &end, 10) : 0;
    return value && *value && *end == '\0' ? number : fallback;
}

int64_t logline_ms(const logline_t *self, const char *key, int64_t fallback)
{
    const char *value = logline_value(self, key);
    mm_decimal_t decimal;
    if (!value || mm_decimal_read(mm_str(value), &decimal) == 0)
        return fallback;
    return decimal.whole * 1000 + decimal.millionth / 1000;
}

bool logline_same(const logline_t *a, const logline_t *b)
{
    if (a->pid != b->pid || a->count != b->count || strcmp(a->process, b->process) != 0 ||
        strcmp(a->message, b->message) != 0 || strcmp(a->level, b->level) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->fields[i].key, b->fields[i].key) != 0 ||
            strcmp(a->fields[i].value, b->fields[i].value) != 0)
            return false;
    return true;
}
