// Log lines as bytes: from an entry to one line of text or JSON. It does no I/O. Private to log.c
// and its test.

#ifndef MM_LOG_FORMAT_H
#define MM_LOG_FORMAT_H

#include "log.h"

#include <sys/types.h>

#define MM_LOG_LEVELS   4
#define MM_LOG_KEY_MAX  63          // bytes of a key; the rest is cut off
#define MM_LOG_LINE_MAX (48 * 1024) // bytes: all fields at MM_ERROR_MAX, all bytes escaped

// What is the same from line to line.
typedef struct {
    mm_name_t process;
    pid_t pid;
    bool json;
    char heads[MM_LOG_LEVELS][MM_NAME_MAX + 112]; // by level: time, level, process and pid
    size_t head_sizes[MM_LOG_LEVELS];
    int64_t wall_ms; // Unix time in the heads; -1: none yet
} mm_log_format_t;

typedef struct {
    int64_t wall_ms; // Unix time
    mm_log_level_t level;
    uint32_t count; // of fields, at most MM_LOG_FIELDS
    const char *message;
} mm_log_entry_t;

void mm_log_format_init(mm_log_format_t *self, mm_name_t process, pid_t pid, bool json);

// Writes one line, with its newline. Texts beyond MM_ERROR_MAX bytes are cut. Returns its size.
size_t mm_log_format(mm_log_format_t *self, const mm_log_entry_t *entry, const mm_field_t *fields,
                     char buffer[MM_LOG_LINE_MAX]);

// The size of a text cut to MM_ERROR_MAX bytes, but not within a UTF-8 sequence.
size_t mm_log_text_size(mm_str_t text);

#endif
