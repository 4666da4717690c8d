// See log_format.h. Formatting is most of the cost of a log line: the date is made once a
// millisecond, and a text without anything to escape is copied. The result is one line, and valid
// JSON, for any text: control characters and bytes that are not UTF-8 are escaped.

#include "log_format.h"
#include "utf8.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const level_names[MM_LOG_LEVELS] = {"DEBUG", "INFO", "WARN", "ERROR"};

#define STAMP_SIZE 24 // "2026-11-22T07:25:14.123Z"
#define JSON_START "{\"ts\":\""

// Where the next byte goes. The buffer is large enough for any line: nothing is checked on the way.
typedef struct {
    char *at;
} cursor_t;

static void put_bytes(cursor_t *out, const char *data, size_t size)
{
    memcpy(out->at, data, size);
    out->at += size;
}

static void put_string(cursor_t *out, const char *string)
{
    put_bytes(out, string, strlen(string));
}

static void put_char(cursor_t *out, char c)
{
    *out->at++ = c;
}

static void put_unsigned(cursor_t *out, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put_bytes(out, digits + first, sizeof digits - first);
}

// The sign, if there is one; returns the rest.
static uint64_t put_sign(cursor_t *out, int64_t number)
{
    if (number >= 0)
        return (uint64_t)number;
    put_char(out, '-');
    return -(uint64_t)number;
}

static void put_thousandths(cursor_t *out, uint64_t number)
{
    put_unsigned(out, number / 1000);
    unsigned rest = (unsigned)(number % 1000);
    const char digits[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
                           (char)('0' + rest % 10)};
    put_bytes(out, digits, sizeof digits);
}

static void put_hex(cursor_t *out, const char *prefix, unsigned byte)
{
    static const char hex[] = "0123456789abcdef";
    put_string(out, prefix);
    put_char(out, hex[byte >> 4]);
    put_char(out, hex[byte & 15]);
}

// Stands for itself in a text without quotes.
static bool is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

// Sixteen bytes, which compilers handle in one register where there is one.
typedef unsigned char block_t __attribute__((vector_size(16)));

static bool is_plain_block(const unsigned char *data)
{
    block_t block;
    memcpy(&block, data, sizeof block);
    block_t odd = (block_t)(block <= ' ') | (block_t)(block >= 0x7f) | (block_t)(block == '"') |
                  (block_t)(block == '\\') | (block_t)(block == '=');
    uint64_t halves[2];
    memcpy(halves, &odd, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

// How many plain bytes are in front. Blocks may overlap.
static size_t plain_size(const unsigned char *data, size_t size)
{
    size_t plain = 0;
    while (plain + sizeof(block_t) <= size && is_plain_block(data + plain))
        plain += sizeof(block_t);
    if (size > sizeof(block_t) && size - plain < sizeof(block_t) &&
        is_plain_block(data + size - sizeof(block_t)))
        return size;
    while (plain < size && is_plain(data[plain]))
        plain++;
    return plain;
}

static void put_escaped(cursor_t *out, const char *data, size_t size, bool json)
{
    for (size_t i = 0; i < size;) {
        size_t length = mm_utf8_character(data + i, size - i);
        char c = data[i];
        if (length == 0) {
            if (json)
                put_string(out, "\\ufffd");
            else
                put_hex(out, "\\x", (unsigned char)c);
            i++;
            continue;
        }
        if (c == '"' || c == '\\') {
            put_char(out, '\\');
            put_char(out, c);
        } else if (c == '\n') {
            put_string(out, "\\n");
        } else if (c == '\t') {
            put_string(out, "\\t");
        } else if (mm_utf8_is_control(data + i)) {
            put_hex(out, json ? "\\u00" : "\\x", (unsigned char)data[i + length - 1]);
        } else {
            put_bytes(out, data + i, length);
        }
        i += length;
    }
}

static void put_text(cursor_t *out, mm_str_t text, bool json)
{
    size_t size = mm_log_text_size(text);
    size_t plain = plain_size((const unsigned char *)text.data, size);
    bool is_quoted = json || size == 0 || plain < size;
    if (is_quoted)
        put_char(out, '"');
    if (plain > 0)
        put_bytes(out, text.data, plain);
    put_escaped(out, text.data + plain, size - plain, json);
    if (is_quoted)
        put_char(out, '"');
}

static void put_id(cursor_t *out, const mm_id_t *id, bool json)
{
    char text[MM_ID_TEXT];
    if (json)
        put_char(out, '"');
    put_string(out, mm_id_print(id, text));
    if (json)
        put_char(out, '"');
}

static void put_field(cursor_t *out, const mm_field_t *field, bool json)
{
    put_string(out, json ? ",\"" : " ");
    put_bytes(out, field->key, strnlen(field->key, MM_LOG_KEY_MAX));
    put_string(out, json ? "\":" : "=");
    switch (field->type) {
    case MM_FIELD_INT: put_unsigned(out, put_sign(out, field->as.number)); return;
    case MM_FIELD_UNSIGNED: put_unsigned(out, (uint64_t)field->as.number); return;
    case MM_FIELD_SECONDS:
        put_thousandths(out, put_sign(out, field->as.number));
        if (!json)
            put_char(out, 's');
        return;
    case MM_FIELD_TEXT: put_text(out, field->as.text, json); return;
    case MM_FIELD_ID: put_id(out, field->as.id, json); return;
    }
    assert(false);
}

// Puts the time into all heads, whose lines mostly share it.
static void set_time(mm_log_format_t *self, int64_t wall_ms)
{
    char stamp[STAMP_SIZE + 1];
    struct tm parts;
    time_t second = (time_t)(wall_ms / 1000);
    assert(wall_ms >= 0);
    struct tm *done = gmtime_r(&second, &parts);
    assert(done);
    size_t size = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
    unsigned ms = (unsigned)(wall_ms % 1000);
    const char tail[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
                         (char)('0' + ms % 10), 'Z'};
    assert(size + sizeof tail == STAMP_SIZE);
    memcpy(stamp + size, tail, sizeof tail);
    for (size_t i = 0; i < MM_LOG_LEVELS; i++)
        memcpy(self->heads[i] + (self->json ? strlen(JSON_START) : 0), stamp, STAMP_SIZE);
    self->wall_ms = wall_ms;
}

void mm_log_format_init(mm_log_format_t *self, mm_name_t process, pid_t pid, bool json)
{
    memset(self, 0, sizeof *self);
    self->process = process;
    self->pid = pid;
    self->json = json;
    self->wall_ms = -1;
    for (size_t i = 0; i < MM_LOG_LEVELS; i++) {
        cursor_t out = {self->heads[i]};
        put_string(&out, json ? JSON_START : "");
        out.at += STAMP_SIZE;
        put_string(&out, json ? "\",\"level\":\"" : " ");
        put_string(&out, level_names[i]);
        put_string(&out, json ? "\",\"process\":\"" : " ");
        put_string(&out, process.text);
        put_string(&out, json ? "\",\"pid\":" : "[");
        put_unsigned(&out, (uint64_t)pid);
        put_string(&out, json ? ",\"message\":" : "] ");
        self->head_sizes[i] = (size_t)(out.at - self->heads[i]);
    }
}

size_t mm_log_text_size(mm_str_t text)
{
    size_t size = text.size;
    if (size <= MM_ERROR_MAX)
        return size;
    size = MM_ERROR_MAX;
    // Back over the continuation bytes of a sequence that would be cut in two: three at most.
    while (size > MM_ERROR_MAX - 3 && mm_utf8_is_continuation(text.data[size]))
        size--;
    return size;
}

size_t mm_log_format(mm_log_format_t *self, const mm_log_entry_t *entry, const mm_field_t *fields,
                     char buffer[MM_LOG_LINE_MAX])
{
    assert(entry->count <= MM_LOG_FIELDS);
    cursor_t out = {buffer};
    if (entry->wall_ms != self->wall_ms)
        set_time(self, entry->wall_ms);
    put_bytes(&out, self->heads[entry->level], self->head_sizes[entry->level]);
    if (self->json)
        put_text(&out, mm_str(entry->message), true);
    else
        put_bytes(&out, entry->message, strnlen(entry->message, MM_ERROR_MAX));
    for (uint32_t i = 0; i < entry->count; i++)
        put_field(&out, &fields[i], self->json);
    put_string(&out, self->json ? "}\n" : "\n");
    return (size_t)(out.at - buffer);
}
