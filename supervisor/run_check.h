// `mayhem run --check`: reads everything that a run would read, says what it would do, and starts
// nothing.

#ifndef RUN_CHECK_H
#define RUN_CHECK_H

#include "run_settings.h"

// Has a publisher read the list, a stream as well, and prints how many hosts would be restarted, at
// most how many at once, by what and proven how. Returns 0, or what the run would have ended with,
// after a complaint.
int run_check_print(const run_settings_t *settings);

#endif
