// A schema for each test on the server that TEST_POSTGRESQL names (a URI of a role that may
// make schemas), seen by a connection of its own.

#ifndef TEMP_POSTGRESQL_H
#define TEMP_POSTGRESQL_H

#include <stdbool.h>
#include <stddef.h>

// NULL: there is no server, or this was built without libpq.
const char *temp_postgresql_server(void);
// For the begin and the end of a test. URI of the new schema, valid until the end.
const char *temp_postgresql_begin(void);
void temp_postgresql_end(void);
// Whether a test with such a schema is under way.
bool temp_postgresql_is_used(void);
// Asks in that schema; the rows as `query` of temp_database.h gives them. size 0: there are none.
const char *temp_postgresql_query(const char *sql, char *answer, size_t size);

#endif
