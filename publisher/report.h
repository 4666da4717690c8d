// The summary of a run, from its database alone: for --report, also beside a running publisher, and
// for DIR/dead.txt.

#ifndef REPORT_H
#define REPORT_H

#include "options.h"
#include "outbox_db.h"

// Prints the last run's summary to standard output. Returns 0 when all hosts were restarted, 1 when
// some are dead, 75 when work is left, or the sysexits code of an error, which is on stderr.
int report_print(const mm_options_t *options);

// Whether dead.txt may be written. is_left: the run has work left, and must not lose its input.
bool report_may_write_dead(const mm_options_t *options, bool is_left);
// Writes the dead hosts of a run to DIR/dead.txt, a valid input, with their errors as comments;
// removes the file when there are none. False, with errno, when that fails.
bool report_write_dead(outbox_db_t *db, int64_t run, const char *dir);

#endif
