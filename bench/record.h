// The latest run in the outbox.db of a folder, read beside the publisher on one connection.

#ifndef RECORD_H
#define RECORD_H

#include "outbox_db.h"

// A connection belongs to the process that opened it. NULL: there is no record yet.
outbox_db_t *record_open(const char *dir);
// False: there is no run yet. Clear what it was by outbox_run_clear.
bool record_read(outbox_db_t *self, outbox_run_t *ret_run);

#endif
