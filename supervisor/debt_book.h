// What the hosts of a record in a database owe, for a restarter that pays: it reads and writes a
// file of SQLite, as if that were the record. What it has paid is then carried over, by one
// statement that may be repeated. The file stays until that is known to be done, so that nothing
// paid is forgotten.

#ifndef DEBT_BOOK_H
#define DEBT_BOOK_H

#include "job.h"

// Carries over what an earlier book in this folder has paid, and writes a new one: DIR/debts.db,
// for what can be paid. *ret_path is the caller's. Returns 0, or a sysexits code with one sentence
// in error; nothing may be paid then.
int debt_book_open(const char *dir, const char *uri, char **ret_path, char error[MM_ERROR_MAX]);
// Carries over what was paid, and removes the file. Returns as above; the file stays then, and the
// next one begins with it.
int debt_book_close(const char *dir, const char *uri, char error[MM_ERROR_MAX]);

#endif
