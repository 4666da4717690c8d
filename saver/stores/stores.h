// The registry of stores. To add one: store_NAME.c, which defines store_NAME_open, a row here
// before sqlite, its library in PACKAGES of the Makefile and missing_for_build of run.sh.
// CONTRIBUTING.md lists the rest.

#ifndef STORES_H
#define STORES_H

#include "store.h"

// STORE(SCHEME, NAME) for each; the first one whose scheme --store begins with is the one.
#define STORES                                                                                     \
    STORE("postgresql://", postgresql)                                                             \
    STORE("postgres://", postgresql)                                                               \
    STORE("", sqlite) /* the path of a file; the last row, since it takes anything */

// As store_open.
typedef int(store_open_fn)(const char *db, store_t **ret_self, char error[MM_ERROR_MAX]);

#define STORE(SCHEME, NAME) extern store_open_fn store_##NAME##_open;
STORES
#undef STORE

#endif
