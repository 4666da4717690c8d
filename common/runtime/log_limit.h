// Lines that a flood of messages would repeat. Of each message the first MM_LOG_MOST of a second
// are logged; of the rest one line tells how many they were. What a line tells of an attempt at a
// restart must not go through here: it is a part of its job's story.

#ifndef MM_LOG_LIMIT_H
#define MM_LOG_LIMIT_H

#include "log.h"

#define MM_LOG_MOST  100 // lines of a message in a second
#define MM_LOG_KINDS 16  // messages

// The second of a message that began with its first line.
typedef struct {
    const char *message;
    mm_log_level_t level;
    int64_t begin_ms;
    uint64_t lines;
} mm_log_second_t;

// Zeroed: nothing was logged yet.
typedef struct {
    mm_log_second_t seconds[MM_LOG_KINDS];
    size_t count;
} mm_log_limit_t;

// Whether the caller is to log a line; a message is known by its pointer, which is kept. now_ms:
// CLOCK_BOOTTIME. Beyond MM_LOG_KINDS messages every line is.
bool mm_log_limit_pass(mm_log_limit_t *self, mm_log_level_t level, const char *message,
                       int64_t now_ms);
// Logs what was left out in the seconds that are over by now. Returns when it is to be called next,
// MM_NEVER: nothing was left out. INT64_MAX as the time: all that was left out, at the end.
int64_t mm_log_limit_tell(mm_log_limit_t *self, int64_t now_ms);

#endif
