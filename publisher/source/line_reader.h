// Lines of a file or a stream. A file is read twice: the second reading gives nothing that differs
// from the first. A stream is read only when there is something to read.

#ifndef LINE_READER_H
#define LINE_READER_H

#include "input_fingerprint.h"

#define LINE_MAX_BYTES    65536
#define LINE_READER_START UINT64_C(0xcbf29ce484222325) // the digest of nothing

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

// Zeroed, but for the descriptor, until line_reader_begin.
typedef struct {
    int fd;         // owned, unless it is standard input
    char *end_mark; // of a stream: the file that says that it has ended; "" without one; owned
    bool is_stream;
    bool is_checked; // a file, in its second reading
    char *buffer;
    size_t start;              // first byte that belongs to no line yet
    size_t end;                // behind the last byte read
    bool is_eof;               // read said so
    bool is_too_long;          // in the middle of a line that is dropped
    uint64_t position;         // of `start` in the input
    uint64_t first_digest;     // of no byte
    uint64_t digest;           // of all bytes before `start`: FNV-1a
    uint64_t line;             // number of the last line read
    uint64_t line_end;         // position behind the last whole line
    uint64_t line_digest;      // of all bytes before that
    fingerprint_t fingerprint; // of a file
} line_reader_t;

uint64_t line_reader_digest(uint64_t digest, const void *data, size_t size);

// end_mark is copied; NULL: there is none.
void line_reader_begin(line_reader_t *self, const char *end_mark, uint64_t first_digest);
void line_reader_end(line_reader_t *self);
// To the first line of a file that was checked, whose descriptor is at its begin.
void line_reader_rewind(line_reader_t *self);
// Goes on with another input, whose descriptor is at its begin and owned from now on.
void line_reader_replace(line_reader_t *self, int fd);

// The next line without its end; valid until the next call.
read_status_t line_reader_next(line_reader_t *self, mm_str_t *ret_line);

#endif
