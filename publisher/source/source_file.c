// See source.h: a list of hosts, from a file or as a stream. Each distinct host is given once. A
// regular file is checked whole before it is accepted, and its second reading gives nothing that
// differs from the first. A stream is read only when there is something to read, so that the
// caller's loop never waits for it.

#include "source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "host_fold.h"
#include "hostset.h"
#include "input_fingerprint.h"
#include "line_reader.h"
#include "list_parser.h"

#define TURN_BYTES    (1024 * 1024) // what one source_next reads without finding a host
#define BAD_LINES_MAX 10            // listed one by one

typedef struct {
    source_t base;
    line_reader_t lines;
    list_parser_t parser;
    bool skips_bad_lines;
    bool allows_empty;
    bool is_ended;              // END was returned, or BAD with `ends`
    hostset_t *seen;            // by a stream, or while a file is checked
    source_progress_t recorded; // where a resumed run goes on
    bool is_compared;           // that a resumed stream is the same one
    source_progress_t progress; // of a file: digest and counts of all of it
    uint64_t limit;             // 0: all
    uint64_t taken;             // distinct hosts, those before a resume included
    void (*see)(void *arg, mm_str_t host, mm_str_t attributes); // NULL: nobody
    void *see_arg;
    char error[SOURCE_ERROR_MAX];
} file_t;

// The whole inventory was read: from now on its list is. Returns 0, or an exit code after a text.
static int resolve(file_t *self, char error[SOURCE_ERROR_MAX])
{
    int fd, exit_code = list_parser_resolve(&self->parser, &fd, error);
    if (exit_code == 0)
        line_reader_replace(&self->lines, fd);
    return exit_code;
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
    if (!self->skips_bad_lines && list_parser_blame(&self->parser, blame))
        return end_badly(self, EX_DATAERR, ret_item, "%s", blame);
    if (!self->skips_bad_lines)
        return end_badly(self, EX_DATAERR, ret_item, "%s; fix the line or use --on-bad-line skip",
                         self->parser.complaint);
    self->progress.skipped += self->lines.is_stream;
    (void)snprintf(self->error, sizeof self->error, "%s; left out", self->parser.complaint);
    *ret_item = (source_item_t){.error = self->error, .exit_code = EX_DATAERR};
    return SOURCE_BAD;
}

// Why the list has no host, as a sentence.
static void say_empty(const file_t *self, uint64_t skipped, char error[SOURCE_ERROR_MAX])
{
    bool is_resolved = self->parser.form == LIST_RESOLVED;
    const char *why = skipped > 0 ? "all its lines are bad and were left out"
                      : self->parser.filter && (is_resolved || self->parser.left_out > 0)
                          ? "--only takes none of its hosts"
                      : is_resolved           ? "its sections have none"
                      : self->lines.line == 0 ? "it is empty"
                                              : "it has nothing but comments and empty lines";
    (void)snprintf(error, SOURCE_ERROR_MAX,
                   "%.200s has no host to restart: %s; give it one, or use --allow-empty",
                   self->parser.name, why);
}

// Whether as many hosts were taken as are to be.
static bool is_enough(const file_t *self)
{
    return self->limit > 0 && self->taken >= self->limit;
}

static source_status_t give_end(file_t *self, source_item_t *ret_item)
{
    if (!is_enough(self) && self->lines.line_end < self->recorded.position)
        return end_badly(self, EX_DATAERR, ret_item,
                         "%s is shorter than what this run has read of it; give it the same "
                         "input, or start a new run",
                         self->parser.name);
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
    if (self->is_compared || self->lines.line_end < self->recorded.position)
        return false;
    self->is_compared = true;
    return self->lines.line_end != self->recorded.position ||
           self->lines.line_digest != self->recorded.digest;
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
    if (!list_parser_parse(&self->parser, line, self->lines.line, is_too_long, &said)) {
        if (!is_old)
            return give_bad_line(self, ret_item);
        self->progress.skipped += self->lines.is_stream;
        return SOURCE_WAIT;
    }
    if (said.host.size == 0)
        return SOURCE_WAIT;
    char buffer[MM_HOST_MAX];
    bool is_new = self->lines.is_stream ? hostset_add(self->seen, mm_host_fold(said.host, buffer))
                                        : !fingerprint_is_repeat(&self->lines.fingerprint);
    if (self->lines.is_stream)
        see(self, &said);
    if (!is_new && self->lines.is_stream)
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
    self->progress.position = self->lines.line_end;
    if (self->lines.is_stream)
        self->progress.digest = self->lines.line_digest;
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
    uint64_t turn_start = self->lines.position;
    while (self->lines.position - turn_start < TURN_BYTES) {
        if (is_enough(self))
            return give_end(self, ret_item);
        bool is_old = self->lines.line_end < self->recorded.position;
        mm_str_t line = {0};
        source_status_t given = SOURCE_WAIT;
        read_status_t status = line_reader_next(&self->lines, &line);
        if (!self->parser.inventory && is_other_stream(self))
            return end_badly(self, EX_DATAERR, ret_item,
                             "%s is not what this run has read before; give it the same input, or "
                             "start a new run",
                             self->parser.name);
        switch (status) {
        case READ_ON: break;
        case READ_NOTHING: ret_item->until_ms = MM_NEVER; return SOURCE_WAIT;
        case READ_END:
            if (!self->parser.inventory)
                return give_end(self, ret_item);
            given = begin_list(self, ret_item);
            turn_start = 0;
            break;
        case READ_CUT:
            return end_badly(self, EX_TEMPFAIL, ret_item,
                             "%s was cut off: what comes after it is left for the next run",
                             self->parser.name);
        case READ_CHANGED:
            return end_badly(self, EX_DATAERR, ret_item,
                             "%s was changed while it was being read; start again",
                             self->parser.name);
        case READ_FAILED:
            return end_badly(self, EX_IOERR, ret_item, "cannot read %s: %s", self->parser.name,
                             strerror(errno));
        case READ_LINE:
        case READ_LONG_LINE:
            given = accept_line(self, line, status == READ_LONG_LINE, is_old, ret_item);
            break;
        }
        if (!self->is_ended &&
            !self->parser.inventory) // else the bad line is to be read again once it is fixed
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
    assert(self->lines.position == 0);
    self->recorded = *recorded;
    self->is_compared = !self->lines.is_stream || recorded->position == 0;
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
    bool is_read = self->lines.is_stream && self->parser.form != LIST_RESOLVED;
    return is_read && !self->is_ended && !self->lines.is_eof ? self->lines.fd : -1;
}

static void file_destroy(source_t *base)
{
    file_t *self = (file_t *)base;
    hostset_destroy(&self->seen);
    line_reader_end(&self->lines);
    list_parser_end(&self->parser);
    free(self);
}

// ---- opening

// Counts one bad line of the check; the first ones are listed.
static void list_bad_line(file_t *self, size_t *length)
{
    if (self->progress.skipped++ >= BAD_LINES_MAX)
        return;
    int size = snprintf(self->error + *length, sizeof self->error - *length, "%s%s",
                        *length > 0 ? "\n" : "", self->parser.complaint);
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
    snprintf(error, SOURCE_ERROR_MAX, "%.3900s%s; fix the line%s or use --on-bad-line skip",
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
    while ((status = line_reader_next(&self->lines, &line)) == READ_LINE ||
           status == READ_LONG_LINE || status == READ_ON) {
        hostline_t said = {0};
        if (status == READ_ON)
            continue;
        if (!list_parser_parse(&self->parser, line, self->lines.line, status == READ_LONG_LINE,
                               &said))
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
    repeats_t repeats = {.fingerprint = &self->lines.fingerprint, .seen = self->seen};
    read_status_t status = check_lines(self, &repeats);
    if (status == READ_END && self->parser.inventory) {
        int exit_code = resolve(self, error);
        if (exit_code != 0)
            return exit_code;
        status = check_lines(self, &repeats);
    }
    if (status != READ_END || lseek(self->lines.fd, 0, SEEK_SET) != 0) {
        snprintf(error, SOURCE_ERROR_MAX, "cannot read '%s': %s", self->parser.name,
                 strerror(errno));
        return EX_IOERR;
    }
    if (self->progress.skipped > 0 && list_parser_blame(&self->parser, error))
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
    self->progress.digest = self->lines.digest;
    hostset_destroy(&self->seen);
    list_parser_rewind(&self->parser);
    line_reader_rewind(&self->lines);
    return 0;
}

// Opens the input and tells a file from a stream.
static int open_input(file_t *self, const char *path, char error[SOURCE_ERROR_MAX])
{
    bool is_stdin = strcmp(path, "-") == 0;
    self->lines.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (self->lines.fd < 0 || fstat(self->lines.fd, &status) != 0) {
        int cause = errno;
        snprintf(error, SOURCE_ERROR_MAX, "cannot open '%.3000s': %s; check the path of --input",
                 self->parser.name, strerror(cause));
        return cause == EIO ? EX_IOERR : EX_DATAERR;
    }
    if (S_ISDIR(status.st_mode)) {
        snprintf(error, SOURCE_ERROR_MAX, "'%.3000s' is a folder; name a file with --input",
                 self->parser.name);
        return EX_DATAERR;
    }
    self->lines.is_stream = is_stdin || !S_ISREG(status.st_mode);
    return 0;
}

// Another part of the same list is another input.
static uint64_t first_digest(const source_file_config_t *config)
{
    uint64_t digest = LINE_READER_START;
    if (config->only)
        digest = line_reader_digest(digest, config->only, strlen(config->only));
    return config->limit == 0 ? digest
                              : line_reader_digest(digest, &config->limit, sizeof config->limit);
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
    self->limit = config->limit;
    self->allows_empty = config->allows_empty;
    self->see = config->see;
    self->see_arg = config->see_arg;
    self->seen = hostset_new();
    line_reader_begin(&self->lines, config->end_mark, first_digest(config));
    list_parser_begin(&self->parser, config,
                      strcmp(config->path, "-") != 0                ? config->path
                      : config->stream_name && *config->stream_name ? config->stream_name
                                                                    : "standard input");
    self->is_compared = true;
    int code = open_input(self, config->path, error);
    if (code == 0 && !self->lines.is_stream)
        code = check_file(self, error);
    if (code != 0) {
        file_destroy(&self->base);
        return code;
    }
    *ret_self = &self->base;
    return 0;
}
