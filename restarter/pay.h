// Pays what hosts of a record owe, before a run begins: runs --after for each host that was
// restarted, or got no command, and whose --after has not succeeded. No saver may work on the
// record meanwhile, which is locked.

#ifndef PAY_H
#define PAY_H

#include "driver.h"

// Tries each `attempts` times, and puts on record what is paid at once, so that a kill costs at
// most that it is done again. Prints a line for each host. Returns 0, also when something stays
// owed, or a sysexits code after a complaint.
int pay_debts(const mm_options_t *options, driver_t *driver);

#endif
