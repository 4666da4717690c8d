// See line_reader.h.

#include "line_reader.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (256 * 1024)
#define BLOCK_BYTES  (128 * 1024) // of a file that are compared at a time
#define FNV_PRIME    UINT64_C(0x100000001b3)

uint64_t line_reader_digest(uint64_t digest, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * FNV_PRIME;
    return digest;
}

static void consume(line_reader_t *self, size_t size)
{
    if (!self->is_checked)
        self->digest = line_reader_digest(self->digest, self->buffer + self->start, size);
    self->position += size;
    self->start += size;
}

// Reads a block of a file, whole unless it is the last one, and compares it with the first reading.
static read_status_t fill_block(line_reader_t *self)
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
static read_status_t fill(line_reader_t *self)
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

static void end_line(line_reader_t *self)
{
    self->is_too_long = false;
    self->line_end = self->position;
    self->line_digest = self->digest;
}

read_status_t line_reader_next(line_reader_t *self, mm_str_t *ret_line)
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

void line_reader_begin(line_reader_t *self, const char *end_mark, uint64_t first_digest)
{
    self->end_mark = strdup(end_mark ? end_mark : "");
    self->buffer = malloc(BUFFER_BYTES);
    assert(self->end_mark && self->buffer);
    self->first_digest = self->digest = self->line_digest = first_digest;
}

void line_reader_end(line_reader_t *self)
{
    if (self->fd > STDIN_FILENO)
        (void)close(self->fd);
    fingerprint_clear(&self->fingerprint);
    free(self->buffer);
    free(self->end_mark);
}

static void start_over(line_reader_t *self)
{
    self->position = self->line = self->line_end = 0;
    self->start = self->end = 0;
    self->is_eof = false;
}

void line_reader_rewind(line_reader_t *self)
{
    self->is_checked = true;
    start_over(self);
}

void line_reader_replace(line_reader_t *self, int fd)
{
    if (self->fd > STDIN_FILENO)
        (void)close(self->fd);
    self->fd = fd;
    self->digest = self->line_digest = self->first_digest;
    fingerprint_clear(&self->fingerprint);
    start_over(self);
}
