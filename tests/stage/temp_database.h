// A database in the folder of the test, also seen from outside by a connection of its own. Or a
// schema of a server of PostgreSQL (temp_postgresql.h), which `query` and `execute` then ask.

#ifndef TEMP_DATABASE_H
#define TEMP_DATABASE_H

#include "job.h"
#include "temp_folder.h"

extern char path[TEMP_PATH_MAX];      // of the database
extern char open_error[MM_ERROR_MAX]; // of its last open

// For the begin of a test.
void make_database_folder(const char *name);

// The result of a query: rows end with ';', columns are joined by '|', NULL is NULL, and a truth is
// 1 or 0. Valid until the next query.
const char *query(const char *sql);
void execute(const char *sql);

#endif
