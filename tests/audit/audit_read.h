// What the auditor reads besides the record, put into tables of a database in memory:
//   input(host)                                          what was to be restarted
//   run(seq, host, pid, begin_ms, end_ms, ok, is_log)    what restarters say that they ran
//   kills(ms, signal, name, pid, span_ms)                what was done to the processes
//   ready(name, ms)                                      when a process was back at work
//   held(id, host)                                       jobs that the outbox holds
//   broken(text)                                         what in the outbox cannot be read
// It knows nothing of the pipeline's code. Times are wall-clock milliseconds.

#ifndef AUDIT_READ_H
#define AUDIT_READ_H

#include <sqlite3.h>

// All end the program with a message and a sysexits code when something cannot be read.

void audit_create_tables(sqlite3 *db);

// Runs statements without a result.
void audit_execute(sqlite3 *db, const char *sql);

// Hosts, one a line, `#` comments; repeated ones count once.
void audit_read_input(sqlite3 *db, const char *path);

// The attached database `outbox`: its chunks, less the jobs of them that are settled.
void audit_read_outbox(sqlite3 *db);

// Lines of tests/audit/append.c, or a restarter's log. Returns how many lines could not be
// understood.
long audit_read_record(sqlite3 *db, const char *path);

// Lines "MS SIGNAL NAME PID SPAN_MS".
void audit_read_kills(sqlite3 *db, const char *path);

// Of any process's log, only the lines that say that it is ready or has joined.
void audit_read_log(sqlite3 *db, const char *path);

#endif
