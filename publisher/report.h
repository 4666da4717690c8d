// The summary of a run, from its database alone: the output of --report, beside a running publisher
// too, and DIR/dead.txt.

#ifndef REPORT_H
#define REPORT_H

#include "options.h"
#include "outbox_db.h"

// Prints the summary of the last run to standard output, or (dead) writes its dead.txt, where it
// may be written, which is 0 or 74. Returns 0 when all hosts were restarted, 1 when some are dead,
// 75 when work is left, or another sysexits code after an error, with its reason on standard error.
int report_print(const mm_options_t *options);

// Whether dead.txt may be written: not over the input of a run that has work left.
bool report_may_write_dead(const char *dir, const char *input_path, bool left);
// Writes the dead hosts of a run to DIR/dead.txt, which is a valid input, with the attributes of
// those that have some, and each one's error as a comment; without dead ones the file is removed.
// False with errno when that fails.
bool report_write_dead(outbox_db_t *db, int64_t run, const char *dir);

#endif
