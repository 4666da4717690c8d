// A record in PostgreSQL, copied for the auditor: it reads the two tables of it by SQL of its own,
// as text, in one snapshot.

#ifndef AUDIT_POSTGRESQL_H
#define AUDIT_POSTGRESQL_H

#include <sqlite3.h>
#include <stdbool.h>

// Whether it names a database of PostgreSQL, and no file.
bool audit_is_uri(const char *store);

// Attaches `store` to the auditor's database, in memory, with the tables jobs and attempts as they
// are at this moment at the primary among the servers of the URI. Ends the program with a sysexits
// code and a message, which tells no password: 69 nobody answers, or this was built without libpq;
// 65 the record cannot be read.
void audit_copy_store(sqlite3 *db, const char *uri);

// Whether no job is on record there, or there is no record yet. Ends the program as above.
bool audit_store_is_empty(const char *uri);

#endif
