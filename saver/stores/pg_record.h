// The record in a database of PostgreSQL, when a saver starts: it is made there when there is none,
// and of a version that this program knows.

#ifndef PG_RECORD_H
#define PG_RECORD_H

#include "audit_chain.h"
#include "job.h"

#define PG_RECORD_VERSION "1" // of postgresql.sql, which also says it

// Connects, makes the record in the first schema of the search path unless it has one, and reads
// the head of the audit. Several programs may do so at once. Waits for the database, each time up
// to deadline_ms. Returns 0, or a sysexits code with one sentence, which tells no password, in
// error: as mm_pg_open; 65 the schema belongs to another program; 78 another version, or the
// database is none that can hold a record.
int pg_record_open(const char *uri, const char *name, int64_t deadline_ms,
                   mm_audit_head_t *ret_head, char error[MM_ERROR_MAX]);

#endif
