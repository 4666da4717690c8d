// See stores.h.

#include "stores.h"

#include <string.h>

#define STORE(SCHEME, NAME) {SCHEME, store_##NAME##_open},
static const struct {
    const char *scheme; // "postgresql://"
    store_open_fn *open;
} stores[] = {STORES};
#undef STORE

int store_open(const char *db, store_t **ret_self, char error[MM_ERROR_MAX])
{
    size_t i = 0;
    while (strncmp(db, stores[i].scheme, strlen(stores[i].scheme)) != 0)
        i++; // ends: the last scheme is empty
    return stores[i].open(db, ret_self, error);
}
