// Searches all log files of a pipeline for lines with one of some words. It reads them from end to
// end with one buffer: logs may be of any size, and grow or be emptied meanwhile.

#ifndef LOGSCAN_H
#define LOGSCAN_H

#include "job.h"

// Calls `add` once with each line (without its newline) of DIR/log/*.log that holds one of the
// words. Lines of one file come in their order if they hold the same word. False, with one sentence
// in error, when a file cannot be read. Without a directory log/, or with an empty one, nothing is
// found.
bool logscan(const char *dir, const char *const *words, size_t count,
             void (*add)(void *arg, mm_str_t line), void *arg, char error[MM_ERROR_MAX]);

#endif
