// The stores of this program. To add one: its store_NAME.c, a declaration here, a row in stores.c.

#ifndef STORES_H
#define STORES_H

#include "store.h"

// As store_open.
typedef int(store_open_fn)(const char *db, store_t **ret_self, char error[MM_ERROR_MAX]);

store_open_fn store_sqlite_open; // the path of a file

#endif
