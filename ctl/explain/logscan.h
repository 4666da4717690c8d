// Finds the lines that hold one of some words in all log files of a pipeline. It reads them from
// end to end, as fast as memory can be searched, and never keeps more than a buffer of them: logs
// may be of any size, and grow or be emptied meanwhile.

#ifndef LOGSCAN_H
#define LOGSCAN_H

#include "job.h"

#define LOGSCAN_WORDS 8 // at most

// Calls `take` once with each line (without its newline) of DIR/log/*.log that holds one of the
// words, those of one file in their order as far as they hold the same word. Returns 0, or a
// sysexits code with one sentence in error: 74 when a file cannot be read. No folder log/, or an
// empty one: nothing is found.
int logscan(const char *dir, const char *const *words, size_t count,
            void (*take)(void *arg, mm_str_t line), void *arg, char error[MM_ERROR_MAX]);

#endif
