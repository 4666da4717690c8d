// --take-over on record: the operator's word that what another driver has left is withdrawn.

#ifndef RUN_TAKE_OVER_H
#define RUN_TAKE_OVER_H

#include "run_settings.h"

// Under the lock of the folder, before the publisher withdraws it. Without --take-over, and when no
// other driver has left a job, nothing is written. Returns 0, or an exit code after a complaint.
int run_take_over_record(const run_settings_t *settings);

#endif
