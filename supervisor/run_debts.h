// Before a run begins, what the hosts of its record owe is paid: their --after.

#ifndef RUN_DEBTS_H
#define RUN_DEBTS_H

#include "run_settings.h"

// Has a restarter do it, and waits for that; what it says goes to `output`. Does nothing when
// nothing can be paid, or when the last run in the folder had another driver. A signal that ends
// this process ends the restarter, too.
void run_debts_pay(const run_settings_t *settings, int input, int output);

#endif
