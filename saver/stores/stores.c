// See stores.h: the registry.

#include "stores.h"

#include <string.h>

// The first row whose scheme `db` begins with opens it.
static const struct {
    const char *scheme; // "postgresql://"; "": anything
    store_open_fn *open;
} stores[] = {
    {"", store_sqlite_open},
};

int store_open(const char *db, store_t **ret_self, char error[MM_ERROR_MAX])
{
    size_t i = 0;
    while (strncmp(db, stores[i].scheme, strlen(stores[i].scheme)) != 0)
        i++; // ends: the last scheme is empty
    return stores[i].open(db, ret_self, error);
}
