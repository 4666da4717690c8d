// See record.h.

#include "record.h"

#include <stdio.h>

outbox_db_t *record_open(const char *dir)
{
    char path[4096], error[MM_ERROR_MAX];
    outbox_db_t *self = NULL;
    (void)snprintf(path, sizeof path, "%s/outbox.db", dir);
    return outbox_db_open(path, true, &self, error) == 0 ? self : NULL;
}

bool record_read(outbox_db_t *self, outbox_run_t *ret_run)
{
    bool found = false;
    return self && outbox_db_latest(self, ret_run, &found) == OUTBOX_DB_OK && found;
}
