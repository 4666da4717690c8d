// See source.h: a list of hosts, from a file or as a stream. Each distinct host is given once. A
// regular file is checked whole before it is accepted, and its second reading gives nothing that
// differs from the first. A stream is read only when there is something to read, so that the
// caller's loop never waits for it.

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
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "attribute_lacks.h"
#include "foreign_format.h"
#include "host_filter.h"
#include "host_fold.h"
#include "host_words.h"
#include "hostline.h"
#include "hostset.h"
#include "input_fingerprint.h"
#include "inventory_ini.h"

#define LINE_MAX_BYTES 65536
#define TEXT_OF_(x)    #x
#define TEXT_OF(x)     TEXT_OF_(x)
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

// What the lines are: the first one that says something tells.
typedef enum {
    FORM_UNKNOWN = 0,
    FORM_LINES,     // each says a host
    FORM_INVENTORY, // they say hosts together, at their end
    FORM_RESOLVED   // of what was an inventory
} form_t;

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
    size_t start;          // first byte that belongs to no line yet
    size_t end;            // behind the last byte read
    bool is_eof;           // read said so
    bool is_too_long;      // in the middle of a line that is dropped
    uint64_t position;     // of `start` in the input
    uint64_t digest;       // of all bytes before `start`
    uint64_t first_digest; // of none: it tells parts of a list apart
    uint64_t line;         // number of the last line read
    uint64_t line_end;     // position behind the last whole line
    uint64_t line_digest;  // of all bytes before that

    hostset_t *seen;            // by a stream, or while a file is checked
    fingerprint_t fingerprint;  // of a file
    source_progress_t recorded; // where a resumed run goes on
    bool is_compared;           // that a resumed stream is the same one
    source_progress_t progress; // of a file: digest and counts of all of it
    form_t form;
    inventory_t *inventory; // NULL: it is none
    hostline_rules_t rules;
    const char *named_by;
    attribute_lacks_t lacks;
    host_filter_t *filter; // NULL: all
    uint64_t limit;        // 0: all
    uint64_t taken;        // distinct hosts, those before a resume included
    uint64_t left_out;     // hosts that the filter does not take
    bool allows_empty;
    void (*see)(void *arg, mm_str_t host, mm_str_t attributes); // NULL: nobody
    void *see_arg;
    hostline_buffer_t host;
    char complaint[ATTRIBUTE_COMPLAINT_MAX]; // about the last line
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

static void rewind_reading(file_t *self)
{
    self->position = self->line = self->line_end = 0;
    self->start = self->end = 0;
    self->is_eof = false;
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

// The first line that says something tells what the list is. Returns what is wrong with it; NULL:
// nothing.
static const char *find_form(file_t *self, mm_str_t line)
{
    mm_str_t text = host_words_trim(self->line == 1 ? hostline_without_mark(line) : line);
    if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';')
        return NULL;
    self->form = inventory_is_header(text) ? FORM_INVENTORY : FORM_LINES;
    if (self->form == FORM_LINES)
        return foreign_header(text);
    self->inventory = inventory_new(&self->rules, self->filter);
    return NULL;
}

// What is wrong with a line before it is parsed; NULL: nothing.
static const char *line_complaint(file_t *self, mm_str_t line, bool is_too_long)
{
    if (is_too_long)
        return "the line is longer than " TEXT_OF(LINE_MAX_BYTES) " bytes";
    if (self->form == FORM_UNKNOWN)
        return find_form(self, line);
    if (self->form == FORM_LINES && line.size > 0 && line.data[0] == '[' &&
        inventory_is_header(line))
        return "it looks like a section of an Ansible inventory, which must begin with one: write "
               "[ungrouped] in front of the first host";
    return NULL;
}

// Says nothing of a host that is not to be taken.
static void filter(file_t *self, hostline_t *said)
{
    if (!self->filter || self->form == FORM_RESOLVED || said->host.size == 0 ||
        host_filter_takes(self->filter, said->host, said->groups))
        return;
    self->left_out++;
    *said = (hostline_t){0};
}

// Of a line that an inventory has resolved: takes the number of the line where it was found.
static uint64_t take_number(mm_str_t *line)
{
    uint64_t number = 0;
    for (; line->size > 0 && mm_is_digit(line->data[0]); line->data++, line->size--)
        number = 10 * number + (uint64_t)(line->data[0] - '0');
    return number;
}

// Parses a line without a complaint; false: `why` says what is wrong.
static bool parse_good_line(file_t *self, mm_str_t line, hostline_t *ret_hostline,
                            char why[HOSTLINE_ERROR_MAX])
{
    bool is_good =
        hostline_parse(line, self->line == 1, &self->rules, &self->host, ret_hostline, why);
    attribute_lacks_see(&self->lacks, &self->host);
    if (is_good)
        filter(self, ret_hostline);
    return is_good;
}

// Parses a line; false, with a complaint that begins with file and line, when it is bad. A line of
// an inventory says nothing: it is kept.
static bool parse_line(file_t *self, mm_str_t line, bool is_too_long, hostline_t *ret_hostline)
{
    char why[HOSTLINE_ERROR_MAX];
    uint64_t number = self->form == FORM_RESOLVED ? take_number(&line) : self->line;
    const char *complaint = line_complaint(self, line, is_too_long);
    if (self->inventory) {
        if (complaint)
            inventory_put_bad(self->inventory, number, complaint);
        else
            inventory_put(self->inventory, line, number);
        *ret_hostline = (hostline_t){0};
        return true;
    }
    self->host.lacking = -1;
    if (self->form == FORM_RESOLVED && line.size > 0 && line.data[0] == INVENTORY_BAD_LINE)
        (void)snprintf(why, sizeof why, "%.*s", (int)line.size - 1, line.data + 1);
    else if (!complaint && parse_good_line(self, line, ret_hostline, why))
        return true;
    (void)snprintf(self->complaint, sizeof self->complaint, "%.200s:%" PRIu64 ": %s", self->name,
                   number, complaint ? complaint : why);
    attribute_lacks_keep(&self->lacks, &self->host, self->complaint);
    return false;
}

static bool blame_command(const file_t *self, char error[SOURCE_ERROR_MAX])
{
    return attribute_lacks_blame(&self->lacks, &self->rules.wanted, self->named_by, self->name,
                                 error, SOURCE_ERROR_MAX);
}

// ---- inventories

// The whole inventory was read: from now on its list is. Returns 0, or an exit code after a text.
static int resolve(file_t *self, char error[SOURCE_ERROR_MAX])
{
    char why[INVENTORY_ERROR_MAX];
    mm_str_t list;
    if (!inventory_finish(self->inventory, &list, why)) {
        (void)snprintf(error, SOURCE_ERROR_MAX, "%.200s:%s", self->name, why);
        return EX_DATAERR;
    }
    int fd = memfd_create("hosts", MFD_CLOEXEC);
    for (size_t done = 0; fd >= 0 && done < list.size;) {
        ssize_t size = write(fd, list.data + done, list.size - done);
        if (size < 0 && errno != EINTR)
            break;
        done += size > 0 ? (size_t)size : 0;
    }
    if (fd < 0 || lseek(fd, 0, SEEK_CUR) != (off_t)list.size || lseek(fd, 0, SEEK_SET) != 0) {
        (void)snprintf(error, SOURCE_ERROR_MAX, "cannot keep the hosts of %.200s: %s", self->name,
                       strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return EX_OSERR;
    }
    inventory_destroy(&self->inventory);
    if (self->fd > STDIN_FILENO)
        (void)close(self->fd);
    self->fd = fd;
    self->form = FORM_RESOLVED;
    rewind_reading(self);
    self->digest = self->line_digest = self->first_digest;
    fingerprint_clear(&self->fingerprint);
    return 0;
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

// Why the list has no host, as a sentence.
static void say_empty(const file_t *self, uint64_t skipped, char error[SOURCE_ERROR_MAX])
{
    bool is_resolved = self->form == FORM_RESOLVED;
    const char *why = skipped > 0 ? "all its lines are bad and were left out"
                      : self->filter && (is_resolved || self->left_out > 0)
                          ? "--only takes none of its hosts"
                      : is_resolved     ? "its sections have none"
                      : self->line == 0 ? "it is empty"
                                        : "it has nothing but comments and empty lines";
    (void)snprintf(error, SOURCE_ERROR_MAX,
                   "%.200s has no host to restart: %s; give it one, or use --allow-empty",
                   self->name, why);
}

// Whether as many hosts were taken as are to be.
static bool is_enough(const file_t *self)
{
    return self->limit > 0 && self->taken >= self->limit;
}

static source_status_t give_end(file_t *self, source_item_t *ret_item)
{
    if (!is_enough(self) && self->line_end < self->recorded.position)
        return end_badly(self, EX_DATAERR, ret_item,
                         "%s is shorter than what this run has read of it; give it the same "
                         "input, or start a new run",
                         self->name);
    if (self->taken == 0 && !self->allows_empty) {
        char error[SOURCE_ERROR_MAX];
        say_empty(self, self->progress.skipped, error);
        return end_badly(self, EX_DATAERR, ret_item, "%s", error);
    }
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
    char buffer[MM_HOST_MAX];
    bool is_new = self->is_stream ? hostset_add(self->seen, mm_host_fold(said.host, buffer))
                                  : !fingerprint_is_repeat(&self->fingerprint);
    if (self->is_stream)
        see(self, &said);
    if (!is_new && self->is_stream)
        self->progress.repeated++;
    self->taken += is_new;
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

// The end of a stream that was an inventory: its hosts come now.
static source_status_t begin_list(file_t *self, source_item_t *ret_item)
{
    char error[SOURCE_ERROR_MAX];
    int exit_code = resolve(self, error);
    return exit_code == 0 ? SOURCE_WAIT : end_badly(self, exit_code, ret_item, "%s", error);
}

static source_status_t file_next(source_t *base, int64_t now_ms, source_item_t *ret_item)
{
    file_t *self = (file_t *)base;
    if (self->is_ended)
        return SOURCE_END;
    uint64_t turn_start = self->position;
    while (self->position - turn_start < TURN_BYTES) {
        if (is_enough(self))
            return give_end(self, ret_item);
        bool is_old = self->line_end < self->recorded.position;
        mm_str_t line = {0};
        source_status_t given = SOURCE_WAIT;
        read_status_t status = read_line(self, &line);
        if (!self->inventory && is_other_stream(self))
            return end_badly(self, EX_DATAERR, ret_item,
                             "%s is not what this run has read before; give it the same input, or "
                             "start a new run",
                             self->name);
        switch (status) {
        case READ_ON: break;
        case READ_NOTHING: ret_item->until_ms = MM_NEVER; return SOURCE_WAIT;
        case READ_END:
            if (!self->inventory)
                return give_end(self, ret_item);
            given = begin_list(self, ret_item);
            turn_start = 0;
            break;
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
        if (!self->is_ended &&
            !self->inventory) // else the bad line is to be read again once it is fixed
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
    bool is_read = self->is_stream && self->form != FORM_RESOLVED;
    return is_read && !self->is_ended && !self->is_eof ? self->fd : -1;
}

static void file_destroy(source_t *base)
{
    file_t *self = (file_t *)base;
    if (self->fd > STDIN_FILENO)
        (void)close(self->fd);
    hostset_destroy(&self->seen);
    fingerprint_clear(&self->fingerprint);
    inventory_destroy(&self->inventory);
    host_filter_destroy(&self->filter);
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

// A good line of the check.
static void check_host(file_t *self, repeats_t *repeats, const hostline_t *said)
{
    char buffer[MM_HOST_MAX];
    repeats_put(repeats, mm_host_fold(said->host, buffer));
    if (self->limit > 0)
        repeats_flush(repeats);
    if (self->limit == 0 || hostset_count(self->seen) <= self->limit)
        see(self, said);
}

// Reads all lines and lists the bad ones. Returns how it ended.
static read_status_t check_lines(file_t *self, repeats_t *repeats)
{
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
        else if (said.host.size > 0)
            check_host(self, repeats, &said);
    }
    repeats_flush(repeats);
    return status;
}

// Reads a regular file from end to end, then rewinds it.
static int check_file(file_t *self, char error[SOURCE_ERROR_MAX])
{
    repeats_t repeats = {.fingerprint = &self->fingerprint, .seen = self->seen};
    read_status_t status = check_lines(self, &repeats);
    if (status == READ_END && self->inventory) {
        int exit_code = resolve(self, error);
        if (exit_code != 0)
            return exit_code;
        status = check_lines(self, &repeats);
    }
    if (status != READ_END || lseek(self->fd, 0, SEEK_SET) != 0) {
        snprintf(error, SOURCE_ERROR_MAX, "cannot read '%s': %s", self->name, strerror(errno));
        return EX_IOERR;
    }
    if (self->progress.skipped > 0 && blame_command(self, error))
        return EX_DATAERR;
    if (self->progress.skipped > 0 && !self->skips_bad_lines)
        return refuse_bad_lines(self, error);
    self->progress.total = hostset_count(self->seen);
    if (self->progress.total == 0 && !self->allows_empty) {
        say_empty(self, self->progress.skipped, error);
        return EX_DATAERR;
    }
    if (self->limit > 0 && self->progress.total > self->limit)
        self->progress.total = self->limit;
    self->progress.repeated = repeats.repeat_count;
    self->progress.digest = self->digest;
    hostset_destroy(&self->seen);
    self->is_checked = true;
    self->form = self->form == FORM_RESOLVED ? FORM_RESOLVED : FORM_UNKNOWN; // its first line again
    rewind_reading(self);
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

// Another part of the same list is another input.
static uint64_t first_digest(const source_file_config_t *config)
{
    uint64_t digest = FNV_START;
    if (config->only)
        digest = digest_of(digest, config->only, strlen(config->only));
    return config->limit == 0
               ? digest
               : digest_of(digest, (const char *)&config->limit, sizeof config->limit);
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
    self->rules = (hostline_rules_t){.wanted = config->wanted};
    self->filter = host_filter_new(config->only ? config->only : "");
    self->rules.reads_groups = self->filter != NULL;
    self->named_by = config->named_by;
    self->limit = config->limit;
    self->allows_empty = config->allows_empty;
    self->see = config->see;
    self->see_arg = config->see_arg;
    self->name = strdup(strcmp(config->path, "-") == 0 ? "standard input" : config->path);
    self->end_mark = strdup(config->end_mark ? config->end_mark : "");
    self->buffer = malloc(BUFFER_BYTES);
    assert(self->name != NULL && self->end_mark != NULL && self->buffer != NULL);
    self->seen = hostset_new();
    self->first_digest = first_digest(config);
    self->digest = self->line_digest = self->first_digest;
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
