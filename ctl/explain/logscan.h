// Finds the lines with one of some words in all log files of a pipeline. It reads the files from
// end to end through one buffer, so logs may have any size, and may grow or be truncated meanwhile.

#ifndef LOGSCAN_H
#define LOGSCAN_H

#include "job.h"

#define LOGSCAN_WORDS 8 // at most

// Calls `take` once with each line (without its newline) of DIR/log/*.log that has one of the
// words; lines of one file with the same word come in their order. Returns 0, also when there is no
// folder log/, or a sysexits code with one sentence in error: 74 when a file cannot be read.
int logscan(const char *dir, const char *const *words, size_t count,
            void (*take)(void *arg, mm_str_t line), void *arg, char error[MM_ERROR_MAX]);

#endif
