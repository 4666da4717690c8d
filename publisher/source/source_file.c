// See source.h: a file of hosts or standard input. Each distinct host is given once. A regular file
// is checked whole before it is accepted, and its second reading gives nothing that differs from
// the first. A stream is read only when there is something to read, so that the caller's loop never
// waits for it.

#include "source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "hostline.h"
#include "hostset.h"
#include "input_fingerprint.h"

#define LINE_MAX_BYTES (64 * 1024)
#define BUFFER_BYTES   (256 * 1024)
#define BLOCK_BYTES    (128 * 1024)  // of a file that are compared at a time
#define TURN_BYTES     (1024 * 1024) // what one source_next reads without finding a host
#define BAD_LINES_MAX  10            // listed one by one
#define FNV_START      UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME      UINT64_C(0x100000001b3)

typedef enum {
    READ_LINE = 1,
    READ_LONG_LINE, // returned as soon as the line is too long; the rest of it is dropped
    READ_ON,        // no line yet: call again
    READ_NOTHING,   // nothing is there now
    READ_END,
    READ_CUT,     // the end of a stream that has not ended
    READ_CHANGED, // a file is not what it was when it was checked
    READ_FAILED
} read_status_t;

// An attribute that hosts lack.
typedef struct {
    bool is_lacking;
    char complaint[768]; // about the first one of them
    char names[HOSTLINE_NAMES_MAX];
} lack_t;

typedef struct {
    source_t base;
    char *name;     // for messages
    char *end_mark; // "" without one
    int fd;
    bool is_stream;
    bool is_checked; // a file, in its second reading
    bool skips_bad_lines;
    bool is_ended; // END was returned, or BAD with `ends`

    // The reading.
    char *buffer;
    size_t start;         // first byte that belongs to no line yet
    size_t end;           // behind the last byte read
    bool is_eof;          // read said so
    bool is_too_long;     // in the middle of a line that is dropped
    uint64_t position;    // of `start` in the input
    uint64_t digest;      // of all bytes before `start`
    uint64_t line;        // number of the last line read
    uint64_t line_end;    // position behind the last whole line
    uint64_t line_digest; // of all bytes before that

    hostset_t *seen;            // by a stream, or while a file is checked
    fingerprint_t fingerprint;  // of a file
    source_progress_t recorded; // where a resumed run goes on
    bool is_compared;           // that a resumed stream is the same one
    source_progress_t progress; // of a file: digest and counts of all of it
    mm_attribute_keys_t wanted;
    const char *named_by;
    uint32_t had;                    // of the wanted ones, those that any host has: bits
    lack_t lacks[MM_ATTRIBUTES_MAX]; // by the index of the wanted one
    void (*see)(void *arg, mm_str_t host, mm_str_t attributes); // NULL: nobody
    void *see_arg;
    hostline_buffer_t host;
    char complaint[768]; // about the last line
    char error[SOURCE_ERROR_MAX];
} file_t;

// ---- reading lines

static uint64_t digest_of(uint64_t digest, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ (unsigned char)data[i]) * FNV_PRIME;
    return digest;
}

static void consume(file_t *self, size_t size)
{
    if (!self->is_checked)
        self->digest = digest_of(self->digest, self->buffer + self->start, size);
    self->position += size;
    self->start += size;
}

// Reads a block of a file, whole unless it is the last one, and compares it with the first reading.
static read_status_t fill_block(file_t *self)
{
    char *block = self->buffer + self->end;
    size_t size = 0;
    for (ssize_t got = 1; size < BLOCK_BYTES && got != 0; size += got > 0 ? (size_t)got : 0) {
        got = read(self->fd, block + size, BLOCK_BYTES - size);
        if (got < 0 && errno != EINTR)
            return READ_FAILED;
    }
    self->is_eof = size < BLOCK_BYTES;
    self->end += size;
    if (!self->is_checked && size > 0)
        fingerprint_put_block(&self->fingerprint, block, size);
    else if (self->is_checked &&
             ((size > 0 && !fingerprint_is_same(&self->fingerprint, block, size)) ||
              (self->is_eof && !fingerprint_is_end(&self->fingerprint))))
        return READ_CHANGED;
    return READ_ON;
}

// READ_ON: there may be more in the buffer now.
static read_status_t fill(file_t *self)
{
    memmove(self->buffer, self->buffer + self->start, self->end - self->start);
    self->end -= self->start;
    self->start = 0;
    if (!self->is_stream)
        return fill_block(self);
    struct pollfd poll_fd = {.fd = self->fd, .events = POLLIN};
    if (poll(&poll_fd, 1, 0) <= 0)
        return READ_NOTHING;
    ssize_t size = read(self->fd, self->buffer + self->end, BUFFER_BYTES - self->end);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? READ_NOTHING : READ_FAILED;
    // What is left in the buffer may be half a host.
    if (size == 0 && *self->end_mark && access(self->end_mark, F_OK) != 0)
        return READ_CUT;
    self->is_eof = size == 0;
    self->end += (size_t)size;
    return READ_ON;
}

static void end_line(file_t *self)
{
    self->is_too_long = false;
    self->line_end = self->position;
    self->line_digest = self->digest;
}

// The next line without its end; valid until the next call.
static read_status_t read_line(file_t *self, mm_str_t *ret_line)
{
    const char *data = self->buffer + self->start;
    size_t rest = self->end - self->start;
    const char *newline = memchr(data, '\n', rest);
    size_t size = newline != NULL ? (size_t)(newline - data) : rest;
    bool is_rest = self->is_too_long;
    if (newline == NULL && !self->is_eof && rest <= LINE_MAX_BYTES)
        return fill(self);
    if (newline == NULL && self->is_eof && rest == 0 && !is_rest)
        return READ_END;
    consume(self, newline != NULL ? size + 1 : size);
    if (newline != NULL || self->is_eof)
        end_line(self);
    else
        self->is_too_long = true;
    if (is_rest)
        return READ_ON;
    self->line++;
    *ret_line = (mm_str_t){data, size};
    return size > LINE_MAX_BYTES ? READ_LONG_LINE : READ_LINE;
}

static bool read_host(file_t *self, mm_str_t line, hostline_t *ret_hostline,
                      char why[HOSTLINE_ERROR_MAX])
{
    bool is_good =
        hostline_parse(line, self->line == 1, &self->wanted, &self->host, ret_hostline, why);
    self->had |= self->host.has;
    return is_good;
}

// The first host that lacks an attribute stands for all of them.
static void keep_lack(file_t *self)
{
    lack_t *lack = self->host.lacking >= 0 ? &self->lacks[self->host.lacking] : NULL;
    if (!lack || lack->is_lacking)
        return;
    lack->is_lacking = true;
    memcpy(lack->complaint, self->complaint, sizeof lack->complaint);
    memcpy(lack->names, self->host.names, sizeof lack->names);
}

// Parses a line; false, with a complaint that begins with file and line, when it is bad.
static bool parse_line(file_t *self, mm_str_t line, bool is_too_long, hostline_t *ret_hostline)
{
    char why[HOSTLINE_ERROR_MAX];
    if (is_too_long)
        snprintf(why, sizeof why, "the line is longer than %d bytes", LINE_MAX_BYTES);
    else if (read_host(self, line, ret_hostline, why))
        return true;
    snprintf(self->complaint, sizeof self->complaint, "%.200s:%" PRIu64 ": %s", self->name,
             self->line, why);
    if (!is_too_long)
        keep_lack(self);
    return false;
}

// Where the command stands that names the attribute.
static mm_str_t find_naming(const file_t *self, mm_str_t key)
{
    const char *line = self->named_by;
    while (line && *line != '\0') {
        size_t size = strcspn(line, "\n");
        if (size > key.size && memcmp(line, key.data, key.size) == 0 && line[key.size] == ' ')
            return (mm_str_t){line + key.size + 1, size - key.size - 1};
        line += size + (line[size] == '\n');
    }
    return mm_str("the command");
}

// The name of an attribute that no host has is wrong in the command rather than in each line.
// False: there is none.
static bool blame_command(const file_t *self, char error[SOURCE_ERROR_MAX])
{
    for (size_t i = 0; i < self->wanted.count; i++) {
        const lack_t *lack = &self->lacks[i];
        mm_str_t key = self->wanted.keys[i], naming = find_naming(self, key);
        if (!lack->is_lacking || (self->had >> i & 1) != 0)
            continue;
        snprintf(error, SOURCE_ERROR_MAX,
                 "%.*s names {%.*s}, and no host of %.200s has that; what they have is %s: correct "
                 "the name, or give it to each host (%s)",
                 (int)naming.size, naming.data, (int)key.size, key.data, self->name, lack->names,
                 lack->complaint);
        return true;
    }
    return false;
}

// ---- giving hosts

// Ends with a complaint, which format and arguments give.
__attribute__((format(printf, 4, 5))) static source_status_t
end_badly(file_t *self, int exit_code, source_item_t *ret_item, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->error, sizeof self->error, format, arguments);
    va_end(arguments);
    self->is_ended = true;
    *ret_item = (source_item_t){.error = self->error, .ends = true, .exit_code = exit_code};
    return SOURCE_BAD;
}

static source_status_t give_bad_line(file_t *self, source_item_t *ret_item)
{
    char blame[SOURCE_ERROR_MAX];
    if (!self->skips_bad_lines && blame_command(self, blame))
        return end_badly(self, EX_DATAERR, ret_item, "%s", blame);
    if (!self->skips_bad_lines)
        return end_badly(self, EX_DATAERR, ret_item, "%s; mend the line or use --on-bad-line skip",
                         self->complaint);
    self->progress.skipped += self->is_stream;
    (void)snprintf(self->error, sizeof self->error, "%s; left out", self->complaint);
    *ret_item = (source_item_t){.error = self->error, .exit_code = EX_DATAERR};
    return SOURCE_BAD;
}

static source_status_t give_end(file_t *self, source_item_t *ret_item)
{
    if (self->line_end < self->recorded.position)
        return end_badly(self, EX_DATAERR, ret_item,
                         "%s is shorter than what this run has read of it; give it the same "
                         "input, or start a new run",
                         self->name);
    self->is_ended = true;
    self->progress.done = true;
    hostset_destroy(&self->seen);
    return SOURCE_END;
}

// Whether a resumed stream, at the recorded position, is not the one that was recorded.
static bool is_other_stream(file_t *self)
{
    if (self->is_compared || self->line_end < self->recorded.position)
        return false;
    self->is_compared = true;
    return self->line_end != self->recorded.position || self->line_digest != self->recorded.digest;
}

static void see(const file_t *self, const hostline_t *said)
{
    if (self->see)
        self->see(self->see_arg, said->host, said->attributes);
}

// What a line gives; SOURCE_WAIT: nothing, read on. Old lines were given before the resume.
static source_status_t accept_line(file_t *self, mm_str_t line, bool is_too_long, bool is_old,
                                   source_item_t *ret_item)
{
    hostline_t said = {0};
    if (!parse_line(self, line, is_too_long, &said)) {
        if (!is_old)
            return give_bad_line(self, ret_item);
        self->progress.skipped += self->is_stream;
        return SOURCE_WAIT;
    }
    if (said.host.size == 0)
        return SOURCE_WAIT;
    bool is_new = self->is_stream ? hostset_add(self->seen, said.host)
                                  : !fingerprint_is_repeat(&self->fingerprint);
    if (self->is_stream)
        see(self, &said);
    if (!is_new && self->is_stream)
        self->progress.repeated++;
    if (!is_new || is_old)
        return SOURCE_WAIT;
    ret_item->host = said.host;
    ret_item->attributes = said.attributes;
    return SOURCE_ITEM;
}

// All whole lines so far are done.
static void mark(file_t *self)
{
    self->progress.position = self->line_end;
    if (self->is_stream)
        self->progress.digest = self->line_digest;
}

static source_status_t file_next(source_t *base, int64_t now_ms, source_item_t *ret_item)
{
    file_t *self = (file_t *)base;
    if (self->is_ended)
        return SOURCE_END;
    uint64_t turn_start = self->position;
    while (self->position - turn_start < TURN_BYTES) {
        bool is_old = self->line_end < self->recorded.position;
        mm_str_t line = {0};
        source_status_t given = SOURCE_WAIT;
        read_status_t status = read_line(self, &line);
        if (is_other_stream(self))
            return end_badly(self, EX_DATAERR, ret_item,
                             "%s is not what this run has read before; give it the same input, or "
                             "start a new run",
                             self->name);
        switch (status) {
        case READ_ON: break;
        case READ_NOTHING: ret_item->until_ms = MM_NEVER; return SOURCE_WAIT;
        case READ_END: return give_end(self, ret_item);
        case READ_CUT:
            return end_badly(self, EX_TEMPFAIL, ret_item,
                             "%s was cut off: what comes after it is left for the next run",
                             self->name);
        case READ_CHANGED:
            return end_badly(self, EX_DATAERR, ret_item,
                             "%s was changed while it was being read; start again", self->name);
        case READ_FAILED:
            return end_badly(self, EX_IOERR, ret_item, "cannot read %s: %s", self->name,
                             strerror(errno));
        case READ_LINE:
        case READ_LONG_LINE:
            given = accept_line(self, line, status == READ_LONG_LINE, is_old, ret_item);
            break;
        }
        if (!self->is_ended) // else the bad line is to be read again once it is fixed
            mark(self);
        if (given != SOURCE_WAIT)
            return given;
    }
    ret_item->until_ms = now_ms;
    return SOURCE_WAIT;
}

static void file_resume(source_t *base, const source_progress_t *recorded)
{
    file_t *self = (file_t *)base;
    assert(self->position == 0);
    self->recorded = *recorded;
    self->is_compared = !self->is_stream || recorded->position == 0;
    self->is_ended = recorded->done;
}

// Until a resumed run has passed the recorded position, the record stands.
static void file_progress(const source_t *base, source_progress_t *ret_progress)
{
    const file_t *self = (const file_t *)base;
    bool is_behind = self->recorded.done || self->progress.position < self->recorded.position;
    *ret_progress = is_behind ? self->recorded : self->progress;
}

static int file_descriptor(const source_t *base)
{
    const file_t *self = (const file_t *)base;
    return self->is_stream && !self->is_ended && !self->is_eof ? self->fd : -1;
}

static void file_destroy(source_t *base)
{
    file_t *self = (file_t *)base;
    if (self->fd > STDIN_FILENO)
        (void)close(self->fd);
    hostset_destroy(&self->seen);
    fingerprint_clear(&self->fingerprint);
    free(self->buffer);
    free(self->name);
    free(self->end_mark);
    free(self);
}

// ---- opening

// Counts one bad line of the check; the first ones are listed.
static void list_bad_line(file_t *self, size_t *length)
{
    if (self->progress.skipped++ >= BAD_LINES_MAX)
        return;
    int size = snprintf(self->error + *length, sizeof self->error - *length, "%s%s",
                        *length > 0 ? "\n" : "", self->complaint);
    *length += (size_t)size;
    if (*length >= sizeof self->error)
        *length = sizeof self->error - 1;
}

static int refuse_bad_lines(const file_t *self, char error[SOURCE_ERROR_MAX])
{
    uint64_t count = self->progress.skipped;
    char more[64] = "";
    if (count > BAD_LINES_MAX)
        snprintf(more, sizeof more, "\nand %" PRIu64 " more", count - BAD_LINES_MAX);
    snprintf(error, SOURCE_ERROR_MAX, "%.3900s%s; mend the line%s or use --on-bad-line skip",
             self->error, more, count == 1 ? "" : "s");
    return EX_DATAERR;
}

// Reads a regular file from end to end, then rewinds it.
static int check_file(file_t *self, char error[SOURCE_ERROR_MAX])
{
    repeats_t repeats = {.fingerprint = &self->fingerprint, .seen = self->seen};
    size_t length = 0;
    mm_str_t line;
    read_status_t status;
    while ((status = read_line(self, &line)) == READ_LINE || status == READ_LONG_LINE ||
           status == READ_ON) {
        hostline_t said = {0};
        if (status == READ_ON)
            continue;
        if (!parse_line(self, line, status == READ_LONG_LINE, &said))
            list_bad_line(self, &length);
        else if (said.host.size > 0) {
            repeats_put(&repeats, said.host);
            see(self, &said);
        }
    }
    repeats_flush(&repeats);
    if (status != READ_END || lseek(self->fd, 0, SEEK_SET) != 0) {
        snprintf(error, SOURCE_ERROR_MAX, "cannot read '%s': %s", self->name, strerror(errno));
        return EX_IOERR;
    }
    if (self->progress.skipped > 0 && blame_command(self, error))
        return EX_DATAERR;
    if (self->progress.skipped > 0 && !self->skips_bad_lines)
        return refuse_bad_lines(self, error);
    self->progress.total = hostset_count(self->seen);
    self->progress.repeated = repeats.repeat_count;
    self->progress.digest = self->digest;
    hostset_destroy(&self->seen);
    self->is_checked = true;
    self->position = self->line = self->line_end = 0;
    self->start = self->end = 0;
    self->is_eof = false;
    return 0;
}

// Opens the input and tells a file from a stream.
static int open_input(file_t *self, const char *path, char error[SOURCE_ERROR_MAX])
{
    bool is_stdin = strcmp(path, "-") == 0;
    self->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (self->fd < 0 || fstat(self->fd, &status) != 0) {
        int cause = errno;
        snprintf(error, SOURCE_ERROR_MAX, "cannot open '%.3000s': %s; check the path of --input",
                 self->name, strerror(cause));
        return cause == EIO ? EX_IOERR : EX_DATAERR;
    }
    if (S_ISDIR(status.st_mode)) {
        snprintf(error, SOURCE_ERROR_MAX, "'%.3000s' is a folder; name a file with --input",
                 self->name);
        return EX_DATAERR;
    }
    self->is_stream = is_stdin || !S_ISREG(status.st_mode);
    return 0;
}

int source_file_open(const source_file_config_t *config, source_t **ret_self,
                     char error[SOURCE_ERROR_MAX])
{
    static const source_methods_t methods = {.next = file_next,
                                             .resume = file_resume,
                                             .progress = file_progress,
                                             .descriptor = file_descriptor,
                                             .destroy = file_destroy};
    file_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->base.methods = &methods;
    self->skips_bad_lines = config->skips_bad_lines;
    self->wanted = config->wanted;
    self->named_by = config->named_by;
    self->see = config->see;
    self->see_arg = config->see_arg;
    self->name = strdup(strcmp(config->path, "-") == 0 ? "standard input" : config->path);
    self->end_mark = strdup(config->end_mark ? config->end_mark : "");
    self->buffer = malloc(BUFFER_BYTES);
    assert(self->name != NULL && self->end_mark != NULL && self->buffer != NULL);
    self->seen = hostset_new();
    self->digest = FNV_START;
    self->is_compared = true;
    int code = open_input(self, config->path, error);
    if (code == 0 && !self->is_stream)
        code = check_file(self, error);
    if (code != 0) {
        file_destroy(&self->base);
        return code;
    }
    *ret_self = &self->base;
    return 0;
}
