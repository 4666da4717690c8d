// Where the sockets are: everything follows from the consumer's one base address. ipc://PATH gives
// PATH.jobs, PATH.inbox, PATH.events, PATH.task.SESSION and PATH.viewers; tcp://HOST:PORT gives
// PORT, PORT+1, PORT+2 and, for tasks and viewers, ports that the system picks.

#ifndef MM_ENDPOINT_H
#define MM_ENDPOINT_H

#include "job.h"

#define MM_ENDPOINT_MAX 256

typedef struct {
    bool is_ipc;
    char path[MM_ENDPOINT_MAX]; // ipc: the base path
    char host[MM_ENDPOINT_MAX]; // tcp
    unsigned port;              // tcp
} mm_endpoint_t;

typedef enum { MM_SOCKET_JOBS = 0, MM_SOCKET_INBOX = 1, MM_SOCKET_EVENTS = 2 } mm_socket_role_t;

#define MM_PORT_MAX 65533 // of a base: its sockets have two more ports above it

// Reads an address, ipc://PATH or tcp://HOST:PORT; false, and untouched, when it is none.
bool mm_endpoint_parse(const char *address, mm_endpoint_t *ret_base);
// Whether a tcp host is this machine and nothing else: 127.x.x.x, [::1] or localhost.
bool mm_endpoint_is_loopback(const char *host);
#define MM_SOCKET_PATH_MAX 107 // bytes in sun_path, without the NUL
// Of the longest socket behind an ipc path, a session's: "PATH.task." and 16 hex digits.
size_t mm_endpoint_path_bytes(const char *path);
// NULL when one may connect to this base; else why not, as the end of a sentence.
const char *mm_endpoint_complaint(const mm_endpoint_t *base);
// The endpoint of one of the three fixed places; returns buffer.
const char *mm_endpoint_of(const mm_endpoint_t *base, mm_socket_role_t place,
                           char buffer[MM_ENDPOINT_MAX]);
// The endpoint behind a welcome's suffix ("task.0000000000000001", or a port): returns buffer.
const char *mm_endpoint_suffix(const mm_endpoint_t *base, const char *suffix,
                               char buffer[MM_ENDPOINT_MAX]);
// What to bind for those who watch, on tcp a port of the system's choice; returns buffer.
const char *mm_endpoint_viewers(const mm_endpoint_t *base, char buffer[MM_ENDPOINT_MAX]);
// What to bind for a session's tasks, on tcp a port of the system's choice; returns buffer.
const char *mm_endpoint_session(const mm_endpoint_t *base, uint64_t session,
                                char buffer[MM_ENDPOINT_MAX]);

// The right to bind a base: a lock on a file beside it (ipc), held until the process ends, since a
// second bind of the same path silently steals it. Removes what a former consumer left behind.
// Returns 0, or a sysexits code and one sentence in error.
int mm_endpoint_lock(const mm_endpoint_t *base, char error[MM_ERROR_MAX]);
// Removes the sockets of a base that was locked and bound (ipc), once they are closed.
void mm_endpoint_unlink(const mm_endpoint_t *base);

#endif
