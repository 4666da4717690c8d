// A connection to PostgreSQL that never blocks, with one command under way at a time, and what is
// known of its outcome. Connects to the primary among the hosts of the URI, and again when the
// connection has broken. Not for threads. Only looking up the name of a host may block: addresses
// in the URI do not.
//
// A command is DONE only when it has completed without a warning of class 01 and without the
// server's farewell (57P01) since it was sent: a wait for a synchronous standby that somebody
// cancels, a terminated backend and a fast shutdown all answer as success, and the rows are gone
// after a promotion. Nothing is ever cancelled here: a command that has its deadline behind it ends
// by closing the connection, and is UNKNOWN. So no command may warn by itself (RAISE WARNING).
//
// Each session has, whatever the role's settings say: client_min_messages = warning, READ
// COMMITTED, no timeout of statements, locks or idleness, and synchronous_commit = on where it is
// weaker. The server ends what still waits 2 s after its connection was closed, where it can.

#ifndef MM_PG_LINK_H
#define MM_PG_LINK_H

#include "job.h"

#include <libpq-fe.h>

typedef struct mm_pg_link mm_pg_link_t;

typedef struct {
    const char *uri;             // postgresql://…; read during the call only
    const char *name;            // application_name, unless the URI has one
    int64_t deadline_ms;         // of a command; of a connect to each address, at most 3,000 unless
                                 // the URI has connect_timeout
    const char *const *prepares; // "NAME", "SQL", ..., NULL: prepared on each new connection; NULL:
                                 // none
} mm_pg_config_t;

typedef enum {
    MM_PG_DONE,    // completed, and durable as the server promises; the result is valid
    MM_PG_FAILED,  // the server refused it: nothing of it is there; sqlstate says why
    MM_PG_UNKNOWN, // nobody knows; the same command may be sent again on the next connection
} mm_pg_outcome_t;

// The answer to a command; what it points to lives until the next call with this link.
typedef struct {
    mm_pg_outcome_t outcome;
    const PGresult *result; // DONE
    char sqlstate[6];       // FAILED; else ""
    const char *error;      // one sentence that tells no password; "" when DONE
} mm_pg_answer_t;

// Connects, and waits for it: for a program that starts. Tries each address once. Returns 0, or a
// sysexits code with one sentence, which tells no password, in error and *ret_self untouched: 64 no
// URI; 69 nobody answers, or no primary; 77 the password or the role is refused; 78 no such
// database, or a `prepare` fails.
int mm_pg_open(const mm_pg_config_t *config, mm_pg_link_t **ret_self, char error[MM_ERROR_MAX]);
// Closes the connection; a command under way stays unknown. NULL is fine.
void mm_pg_close(mm_pg_link_t **self_p);

// The same descriptor until the close: an epoll, readable when mm_pg_step has something to do.
int mm_pg_descriptor(const mm_pg_link_t *self);
// Goes on with whatever is under way: connecting (with pauses of 100 ms to 2 s), sending,
// receiving. True: the command has ended; its answer is in ret_answer.
bool mm_pg_step(mm_pg_link_t *self, mm_pg_answer_t *ret_answer);
// Whether a command can be sent now: connected, and none is under way.
bool mm_pg_is_ready(const mm_pg_link_t *self);
// Sends a prepared command with up to 64 parameters in binary format, which are copied; NULL is
// NULL. Its result is in binary format, too. Only when ready.
void mm_pg_send(mm_pg_link_t *self, const char *prepared, int count, const char *const *values,
                const int *sizes);
// Sends a command and waits for its end, up to the deadline: for a program that starts, and tools.
// Waits as long for a connection before; without one it is FAILED with 08001. None may be under
// way. Several statements are one transaction, and the result is that of the last, as text.
mm_pg_answer_t mm_pg_run(mm_pg_link_t *self, const char *sql);

// "host:port" of the server, or where it is sought; and why it is not connected ("" when it is).
const char *mm_pg_server(const mm_pg_link_t *self);
const char *mm_pg_trouble(const mm_pg_link_t *self);

#endif
