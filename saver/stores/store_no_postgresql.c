// In the place of store_postgresql.c where libpq was not there when this program was built.

#include "stores.h"

#include <stdio.h>
#include <sysexits.h>

int store_postgresql_open(const char *uri, store_t **ret_self, char error[MM_ERROR_MAX])
{
    (void)uri, (void)ret_self;
    (void)snprintf(error, MM_ERROR_MAX,
                   "this program was built without PostgreSQL: install libpq-dev, and build it"
                   " again (make clean all)");
    return EX_UNAVAILABLE;
}
