// See host_record.h.

#include "host_record.h"

#include "duration.h"
#include "utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD "mayhem host 1\n"

// ---- the text

static bool is_plain(mm_str_t text)
{
    if (mm_utf8_prefix(text, text.size) != text.size)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (mm_utf8_is_control(&text.data[i]))
            return false;
    return true;
}

host_dir_t host_dir(mm_str_t dir)
{
    host_dir_t kept = {0};
    size_t from = dir.size > HOST_RECORD_DIR_MAX ? dir.size - HOST_RECORD_DIR_MAX : 0;
    while (from > 0 && from < dir.size && mm_utf8_is_continuation(dir.data[from]))
        from++;
    mm_str_t tail = {dir.data + from, dir.size - from};
    bool is_as_it_is = is_plain(tail);
    for (size_t i = 0; i < tail.size; i++) {
        char c = tail.data[i];
        kept.text[i] = is_as_it_is || (c >= ' ' && c <= '~') ? c : '?';
    }
    return kept;
}

static size_t print_restart(const char *name, const host_restart_t *restart, char *text,
                            size_t size)
{
    char job[MM_ID_TEXT];
    if (restart->at_ms == 0)
        return 0;
    int length = snprintf(text, size, "%s %" PRId64 " %s %s\n", name, restart->at_ms,
                          mm_id_print(&restart->job, job), restart->dir.text);
    assert(length > 0 && (size_t)length < size);
    return (size_t)length;
}

size_t host_record_print(const host_record_t *self, mm_str_t host, char ret_text[HOST_RECORD_MAX])
{
    size_t used = 0;
    used +=
        (size_t)snprintf(ret_text, HOST_RECORD_MAX, HEAD "host %.*s\n", (int)host.size, host.data);
    if (self->held_pid > 0)
        used += (size_t)snprintf(ret_text + used, HOST_RECORD_MAX - used, "held %" PRId64 " %s\n",
                                 self->held_pid, self->held_dir.text);
    used += print_restart("restarted", &self->restarted, ret_text + used, HOST_RECORD_MAX - used);
    used += print_restart("sent", &self->sent, ret_text + used, HOST_RECORD_MAX - used);
    if (self->left_pid > 0)
        used += (size_t)snprintf(ret_text + used, HOST_RECORD_MAX - used,
                                 "left %" PRId64 " %" PRIu64 " %s\n", self->left_pid,
                                 self->left_started, self->left_dir.text);
    used += (size_t)snprintf(ret_text + used, HOST_RECORD_MAX - used, "end\n");
    assert(used < HOST_RECORD_MAX);
    return used;
}

// Takes the text up to `end`, and the end itself, off the front of another one.
static bool take(mm_str_t *text, char end, mm_str_t *ret_part)
{
    const char *at = text->size > 0 ? memchr(text->data, end, text->size) : NULL;
    if (!at)
        return false;
    *ret_part = (mm_str_t){text->data, (size_t)(at - text->data)};
    text->size -= ret_part->size + 1;
    text->data = at + 1;
    return true;
}

static bool take_number(mm_str_t *line, int64_t *ret_number)
{
    mm_str_t digits;
    int64_t number = 0;
    if (!take(line, ' ', &digits) || digits.size == 0 || digits.size > 18)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (!mm_is_digit(digits.data[i]))
            return false;
        number = 10 * number + (digits.data[i] - '0');
    }
    *ret_number = number;
    return true;
}

static bool read_dir(mm_str_t line, host_dir_t *ret_dir)
{
    *ret_dir = host_dir(line);
    return line.size <= HOST_RECORD_DIR_MAX;
}

static bool read_restart(mm_str_t line, host_restart_t *ret_restart)
{
    mm_str_t job;
    return take_number(&line, &ret_restart->at_ms) && take(&line, ' ', &job) &&
           mm_id_parse(job, &ret_restart->job) && read_dir(line, &ret_restart->dir);
}

static bool read_left(mm_str_t line, host_record_t *self)
{
    int64_t started;
    bool is_good = take_number(&line, &self->left_pid) && take_number(&line, &started) &&
                   read_dir(line, &self->left_dir);
    self->left_started = is_good ? (uint64_t)started : 0;
    return is_good;
}

static bool read_line(mm_str_t line, host_record_t *self)
{
    mm_str_t name;
    if (!take(&line, ' ', &name))
        return false;
    if (mm_str_equal(name, mm_str("host")))
        return true; // for people
    if (mm_str_equal(name, mm_str("held")))
        return take_number(&line, &self->held_pid) && read_dir(line, &self->held_dir);
    if (mm_str_equal(name, mm_str("restarted")))
        return read_restart(line, &self->restarted);
    if (mm_str_equal(name, mm_str("sent")))
        return read_restart(line, &self->sent);
    return mm_str_equal(name, mm_str("left")) && read_left(line, self);
}

bool host_record_parse(mm_str_t text, host_record_t *ret_self)
{
    host_record_t found = {0};
    mm_str_t line = {0};
    if (text.size > 0 &&
        (!take(&text, '\n', &line) || !mm_str_equal(line, mm_str("mayhem host 1"))))
        return false;
    while (text.size > 0) {
        if (!take(&text, '\n', &line))
            return false;
        if (mm_str_equal(line, mm_str("end"))) {
            *ret_self = found;
            return true;
        }
        if (!read_line(line, &found))
            return false;
    }
    if (line.size > 0)
        return false; // it has no end
    *ret_self = found;
    return true;
}

// ---- what it means

static bool is_of(const host_restart_t *restart, const mm_id_t *job)
{
    return restart->at_ms > 0 && mm_id_equal(&restart->job, job);
}

const host_restart_t *host_record_recent(const host_record_t *self, const mm_id_t *job,
                                         int64_t now_ms, int64_t cooldown_ms)
{
    const host_restart_t *last = &self->restarted;
    if (self->sent.at_ms > last->at_ms)
        last = &self->sent;
    if (cooldown_ms == 0 || last->at_ms == 0 || is_of(last, job))
        return NULL;
    return now_ms - last->at_ms < cooldown_ms ? last : NULL;
}

void host_record_words(const host_record_t *self, const host_restart_t *restart,
                       int64_t cooldown_ms, char *ret_words, size_t size)
{
    char span[MM_DURATION_TEXT];
    int head =
        snprintf(ret_words, size, "%srestarted within %s by ",
                 restart == &self->sent ? "maybe " : "", mm_duration_print(cooldown_ms, span));
    assert(head > 0 && (size_t)head + sizeof "..." < size);
    size_t room = size - (size_t)head - 1, length = strlen(restart->dir.text);
    const char *from = restart->dir.text;
    if (length > room) { // the end of a path tells more than its begin
        from += length - (room - strlen("..."));
        while (mm_utf8_is_continuation(*from))
            from++;
    }
    (void)snprintf(ret_words + head, size - (size_t)head, "%s%s", length > room ? "..." : "", from);
}

void host_record_send(host_record_t *self, const host_restart_t *sent)
{
    if (self->sent.at_ms > self->restarted.at_ms && !is_of(&self->sent, &sent->job))
        self->restarted = self->sent; // that of another job stays what it may have been
    self->sent = *sent;
}

void host_record_end(host_record_t *self, const host_restart_t *now, mm_status_t status,
                     mm_end_t end)
{
    bool is_restarted = status == MM_STATUS_OK && end == MM_END_RESTARTED;
    bool is_not = status == MM_STATUS_FAILED && (end == MM_END_SAME_BOOT || end == MM_END_EXIT);
    if (is_restarted)
        self->restarted = *now;
    if ((is_restarted || is_not) && is_of(&self->sent, &now->job))
        self->sent = (host_restart_t){0};
}

// ---- its file

void host_record_file(mm_str_t host, char ret_name[HOST_FILE_MAX + 1])
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789._:-";
    const size_t most = HOST_FILE_MAX - 17;
    size_t size = 0, taken = 0;
    uint64_t hash = UINT64_C(0xcbf29ce484222325); // FNV-1a
    for (size_t i = 0; i < host.size; i++)
        hash = (hash ^ (unsigned char)host.data[i]) * UINT64_C(0x100000001b3);
    for (; taken < host.size && size + 3 <= most; taken++) {
        char c = host.data[taken];
        bool is_good = c != '\0' && strchr(good, c) && (taken > 0 || c != '.');
        size += (size_t)snprintf(ret_name + size, HOST_FILE_MAX + 1 - size,
                                 is_good ? "%c" : "%%%02X", is_good ? c : (unsigned char)c);
    }
    ret_name[size] = '\0';
    if (taken < host.size || host.size == 0)
        (void)snprintf(ret_name + size, HOST_FILE_MAX + 1 - size, "%%%016" PRIx64, hash);
}
