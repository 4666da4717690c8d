// The servers that a URI names, in its order, and a connection to one of them. Each address is
// tried by itself, since libpq goes on from a server that is silent only in the calls that block.

#ifndef MM_PG_SERVERS_H
#define MM_PG_SERVERS_H

#include "job.h"

#include <libpq-fe.h>

typedef struct mm_pg_servers mm_pg_servers_t;

// Reads postgresql://…; NULL with one sentence, which tells no password, when it is none.
// limit_ms: after which data that the peer does not acknowledge break a connection.
mm_pg_servers_t *mm_pg_servers_new(const char *uri, const char *name, int64_t limit_ms,
                                   char error[MM_ERROR_MAX]);
void mm_pg_servers_destroy(mm_pg_servers_t **self_p);

// Looks up the addresses of all hosts by the C library, which may block when the URI has names.
// Returns their number, at least 1.
size_t mm_pg_servers_look_up(mm_pg_servers_t *self);
// Begins to connect to one of them (PQconnectStartParams). The connection is the caller's.
PGconn *mm_pg_servers_connect(const mm_pg_servers_t *self, size_t index);
// "host:port", as the URI spells the host.
const char *mm_pg_servers_name(const mm_pg_servers_t *self, size_t index);
// How long a connect to one of them may take, in ms: connect_timeout of the URI; without it 3,000,
// or limit_ms if that is less.
int64_t mm_pg_servers_connect_ms(const mm_pg_servers_t *self);

#endif
