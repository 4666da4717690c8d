// See logline.h. A line may be cut off or from another program: what cannot be parsed is skipped,
// never guessed.

#include "logline.h"
#include "duration.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *at;
    const char *end;
} reader_t;

static char *copy_bytes(const char *data, size_t size)
{
    char *copied = strndup(data, size);
    assert(copied);
    return copied;
}

void logline_clear(logline_t *self)
{
    free(self->level);
    free(self->process);
    free(self->message);
    for (size_t i = 0; i < self->count; i++) {
        free(self->fields[i].key);
        free(self->fields[i].value);
    }
    *self = (logline_t){0};
}

// ---- the time

static bool parse_char(reader_t *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool parse_digits(reader_t *in, int count, int *ret_number)
{
    int number = 0;
    if (in->end - in->at < count)
        return false;
    for (int i = 0; i < count; i++, in->at++) {
        if (*in->at < '0' || *in->at > '9')
            return false;
        number = 10 * number + (*in->at - '0');
    }
    *ret_number = number;
    return true;
}

// "2026-11-22T11:21:05.790Z", or run.sh's "2026-11-22T12:21:05+0100".
static bool parse_time(reader_t *in, int64_t *ret_wall_ms)
{
    struct tm parts = {0};
    int ms = 0, hours = 0, minutes = 0;
    if (!parse_digits(in, 4, &parts.tm_year) || !parse_char(in, '-') ||
        !parse_digits(in, 2, &parts.tm_mon) || !parse_char(in, '-') ||
        !parse_digits(in, 2, &parts.tm_mday) || !parse_char(in, 'T') ||
        !parse_digits(in, 2, &parts.tm_hour) || !parse_char(in, ':') ||
        !parse_digits(in, 2, &parts.tm_min) || !parse_char(in, ':') ||
        !parse_digits(in, 2, &parts.tm_sec))
        return false;
    if (parse_char(in, '.') && !parse_digits(in, 3, &ms))
        return false;
    if (!parse_char(in, 'Z')) {
        bool is_east = parse_char(in, '+');
        if ((!is_east && !parse_char(in, '-')) || !parse_digits(in, 2, &hours) ||
            !parse_digits(in, 2, &minutes))
            return false;
        if (!is_east)
            hours = -hours, minutes = -minutes;
    }
    parts.tm_year -= 1900;
    parts.tm_mon--;
    int64_t seconds = timegm(&parts) - 3600 * hours - 60 * minutes;
    *ret_wall_ms = seconds * 1000 + ms;
    return true;
}

// ---- the text format

static void skip_word(reader_t *in)
{
    while (in->at < in->end && *in->at != ' ')
        in->at++;
}

// The next word begins with "key=".
static bool is_field(const reader_t *in)
{
    const char *at = in->at;
    while (at < in->end && ((*at >= 'a' && *at <= 'z') || *at == '_'))
        at++;
    return at > in->at && at < in->end && *at == '=';
}

static char hex_byte(const char *digits)
{
    char text[] = {digits[0], digits[1], '\0'};
    return (char)strtol(text, NULL, 16);
}

// A value in quotes. NULL: they are not closed.
static char *parse_quoted(reader_t *in)
{
    char *value = malloc((size_t)(in->end - in->at) + 1), *out = value;
    assert(value);
    for (; in->at < in->end && *in->at != '"'; in->at++) {
        if (*in->at != '\\' || in->end - in->at < 2) {
            *out++ = *in->at;
            continue;
        }
        char c = *++in->at;
        if (c == 'x' && in->end - in->at > 2) {
            *out++ = hex_byte(in->at + 1);
            in->at += 2;
        } else {
            *out++ = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c);
        }
    }
    *out = '\0';
    if (parse_char(in, '"'))
        return value;
    free(value);
    return NULL;
}

static bool parse_field(reader_t *in, logline_t *line)
{
    const char *key = in->at;
    if (line->count == MM_LOG_FIELDS || !is_field(in))
        return false;
    while (*in->at != '=')
        in->at++;
    size_t key_size = (size_t)(in->at - key);
    in->at++;
    char *value;
    if (parse_char(in, '"')) {
        value = parse_quoted(in);
        if (!value)
            return false;
    } else {
        const char *start = in->at;
        skip_word(in);
        value = copy_bytes(start, (size_t)(in->at - start));
    }
    line->fields[line->count++] = (logline_field_t){copy_bytes(key, key_size), value};
    return in->at == in->end || parse_char(in, ' ');
}

// "restarter-2[3711] "
static bool parse_process(reader_t *in, logline_t *line)
{
    const char *start = in->at;
    while (in->at < in->end && *in->at != '[' && *in->at != ' ')
        in->at++;
    line->process = copy_bytes(start, (size_t)(in->at - start));
    if (!parse_char(in, '['))
        return false;
    for (int digit; parse_digits(in, 1, &digit) && line->pid < INT32_MAX;)
        line->pid = 10 * line->pid + digit;
    return parse_char(in, ']') && parse_char(in, ' ');
}

// A line of run.sh has no level and no fields.
static bool parse_text(reader_t *in, logline_t *line)
{
    if (!parse_time(in, &line->wall_ms) || !parse_char(in, ' '))
        return false;
    const char *level = in->at;
    while (in->at < in->end && *in->at >= 'A' && *in->at <= 'Z')
        in->at++;
    size_t level_size = (size_t)(in->at - level);
    line->level = copy_bytes(level, level_size);
    if ((level_size > 0 && !parse_char(in, ' ')) || !parse_process(in, line))
        return false;
    const char *message = in->at, *message_end = in->at;
    while (in->at < in->end && (level_size == 0 || !is_field(in))) {
        skip_word(in);
        message_end = in->at;
        (void)parse_char(in, ' ');
    }
    line->message = copy_bytes(message, (size_t)(message_end - message));
    while (in->at < in->end)
        if (!parse_field(in, line))
            return false;
    return true;
}

// ---- the JSON format

static char *json_as_text(const json_t *value)
{
    char *text = NULL;
    int size = 0;
    if (json_is_string(value))
        return copy_bytes(json_string_value(value), json_string_length(value));
    if (json_is_integer(value))
        size = asprintf(&text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        size = asprintf(&text, "%.3f", json_real_value(value));
    assert(size >= 0);
    return text;
}

static bool parse_member(const char *key, const json_t *value, logline_t *line)
{
    char **texts[] = {&line->level, &line->process, &line->message};
    static const char *const names[] = {"level", "process", "message"};
    char *text = json_as_text(value);
    if (!text)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (strcmp(key, names[i]) == 0) {
            free(*texts[i]);
            *texts[i] = text;
            return true;
        }
    reader_t time = {text, text + strlen(text)};
    bool is_good = true;
    if (strcmp(key, "ts") == 0)
        is_good = parse_time(&time, &line->wall_ms);
    else if (strcmp(key, "pid") == 0)
        line->pid = json_integer_value(value);
    else if (line->count < MM_LOG_FIELDS) {
        line->fields[line->count++] = (logline_field_t){copy_bytes(key, strlen(key)), text};
        return true;
    }
    free(text);
    return is_good;
}

static bool parse_json(mm_str_t text, logline_t *line)
{
    json_t *object = json_loadb(text.data, text.size, 0, NULL);
    bool is_good = json_is_object(object);
    const char *key;
    json_t *value;
    if (is_good)
        json_object_foreach(object, key, value) is_good = is_good && parse_member(key, value, line);
    json_decref(object);
    return is_good && line->wall_ms != 0;
}

// ---- from outside

bool logline_parse(mm_str_t text, logline_t *ret_line)
{
    logline_t line = {0};
    reader_t in = {text.data, text.data + text.size};
    bool is_json = text.size > 0 && *text.data == '{';
    if ((is_json ? parse_json(text, &line) : parse_text(&in, &line)) && line.level &&
        line.process && line.message) {
        *ret_line = line;
        return true;
    }
    logline_clear(&line);
    return false;
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
    if (!value || mm_decimal_read((mm_str_t){value, strlen(value)}, &decimal) == 0)
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
