// Structured logging that never blocks the loop: a line is copied in binary into a ring; a writer
// thread formats and writes it, and another has the disk begin with what was written to a file. One
// ring per process: only the thread that started the log may log. When the ring is full, lines are
// dropped and counted, and the count is logged. Only main programs and shells log; cores do not,
// nor does a child after fork(2).

#ifndef MM_LOG_H
#define MM_LOG_H

#include "host.h"
#include "job.h"
#include "uuid.h"

typedef enum { MM_LOG_DEBUG = 0, MM_LOG_INFO, MM_LOG_WARN, MM_LOG_ERROR } mm_log_level_t;

typedef enum {
    MM_FIELD_INT = 1,  // key=42
    MM_FIELD_UNSIGNED, // the same of a uint64_t, which may be 2^63 and more
    MM_FIELD_SECONDS,  // key=0.412s, given in milliseconds
    MM_FIELD_TEXT,     // key=text, quoted when it holds spaces or quotes; copied into the ring
    MM_FIELD_ID        // key=0193..., 32 hex digits
} mm_field_type_t;

typedef struct {
    const char *key; // a string literal: only the pointer is kept
    mm_field_type_t type;
    union {
        int64_t number;
        mm_str_t text;
        const mm_id_t *id;
    } as;
} mm_field_t;

// A uint64_t is unsigned in the log, too: sessions and task numbers may be 2^63 and more.
// clang-format off
#define MM_INT(KEY, VALUE)                                                                         \
    ((mm_field_t){.key = (KEY),                                                                    \
                  .type = _Generic((VALUE), uint64_t: MM_FIELD_UNSIGNED, default: MM_FIELD_INT),   \
                  .as.number = (int64_t)(VALUE)})
// clang-format on
#define MM_SECONDS(KEY, MILLISECONDS)                                                              \
    ((mm_field_t){.key = (KEY), .type = MM_FIELD_SECONDS, .as.number = (int64_t)(MILLISECONDS)})
#define MM_STR(KEY, TEXT) ((mm_field_t){.key = (KEY), .type = MM_FIELD_TEXT, .as.text = (TEXT)})
#define MM_STRING(KEY, STRING)                                                                     \
    ((mm_field_t){.key = (KEY), .type = MM_FIELD_TEXT, .as.text = mm_str(STRING)})
#define MM_JOB(ID) ((mm_field_t){.key = "job", .type = MM_FIELD_ID, .as.id = (ID)})

typedef struct {
    const char *process;  // "restarter-2": the name before the pid in each line
    const char *path;     // file to append to (O_APPEND); NULL: standard error
    mm_log_level_t level; // a line below it costs one comparison
    bool json;
    size_t ring_bytes; // 0: the default, 4 MiB
} mm_log_config_t;

// Starts its threads, with all signals blocked. Returns 0, or -1 with errno when the file
// cannot be opened. Before the start and after the stop, lines go directly to standard error.
// config->process must be a name (mm_name_from); nothing of config is kept.
int mm_log_start(const mm_log_config_t *config);
// Writes the lines in the ring and ends the threads. A write that hangs for 0.8 s (a stopped
// terminal) is abandoned: later lines are lost. Idempotent.
void mm_log_stop(void);
// Lines dropped since the start.
uint64_t mm_log_dropped(void);

// The current level; for the macro only.
extern mm_log_level_t mm_log_threshold;

// Logs one line: a constant message (only the pointer is kept), then key=value fields. Use mm_log.
// Texts are cut at MM_ERROR_MAX bytes and escaped: a log line is always one line.
void mm_log_line(mm_log_level_t level, const char *message, const mm_field_t *fields, size_t count);

#define MM_LOG_FIELDS 12 // in a line, at most: one more does not compile

// mm_log(MM_LOG_INFO, "restarted", MM_JOB(&id), MM_STR("host", host), MM_SECONDS("took", ms));
#define mm_log(LEVEL, ...)                                                                         \
    do {                                                                                           \
        if ((LEVEL) >= mm_log_threshold)                                                           \
            MM_LOG_PICK(__VA_ARGS__, FULL, FULL, FULL, FULL, FULL, FULL, FULL, FULL, FULL, FULL,   \
                        FULL, FULL, BARE, )                                                        \
        (LEVEL, __VA_ARGS__);                                                                      \
    } while (0)
// ISO C11 has no empty variadic argument: a bare message and one with fields are two macros.
#define MM_LOG_PICK(M, A, B, C, D, E, F, G, H, I, J, K, L, NAME, ...) MM_LOG_CALL_##NAME

#define MM_LOG_CALL_BARE(LEVEL, MESSAGE) mm_log_line(LEVEL, MESSAGE, NULL, 0)

#define MM_LOG_CALL_FULL(LEVEL, MESSAGE, ...)                                                      \
    mm_log_line(LEVEL, MESSAGE, (const mm_field_t[]){__VA_ARGS__},                                 \
                sizeof(const mm_field_t[]){__VA_ARGS__} / sizeof(mm_field_t))

#endif
