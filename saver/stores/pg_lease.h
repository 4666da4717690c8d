// The lease of a record in PostgreSQL: asks for it over a connection of its own, so that none waits
// behind a batch. What an ask does is in postgresql.sql (mayhem_lease); store.h says what it means.

#ifndef PG_LEASE_H
#define PG_LEASE_H

#include "store.h"

typedef struct pg_lease pg_lease_t;

// As mm_pg_open. name: by which the database knows the session.
int pg_lease_open(const char *uri, const char *name, pg_lease_t **ret_self,
                  char error[MM_ERROR_MAX]);
// NULL is fine. What was not answered is not answered any more.
void pg_lease_close(pg_lease_t **self_p);

// The same until the close, readable when pg_lease_step has something to do.
int pg_lease_descriptor(const pg_lease_t *self);
void pg_lease_step(pg_lease_t *self);
// As store_lease. An ask that waits takes the place of a former one of the same asker, and is
// dropped when it could not be sent within a second (A10): what it was to extend may be over.
void pg_lease_ask(pg_lease_t *self, const store_lease_ask_t *ask);
// As store_leases.
size_t pg_lease_answers(pg_lease_t *self, const store_lease_t **ret_answers);
// As mm_pg_trouble.
const char *pg_lease_trouble(const pg_lease_t *self);

#endif
