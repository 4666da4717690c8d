// The addresses of all sockets, derived from the consumer's base address. ipc://PATH gives
// PATH.jobs, PATH.inbox, PATH.events, PATH.task.SESSION and PATH.viewers; tcp://HOST:PORT gives
// PORT, PORT+1, PORT+2 and, for tasks and viewers, ports of the system's choice. A listener
// (--listen) has its viewers on PORT+3.

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

#define MM_PORTS_ABOVE 3 // a base, whose fixed sockets have them
#define MM_PORT_MAX    (65535 - MM_PORTS_ABOVE)

// Reads an address, ipc://PATH or tcp://HOST:PORT; false, and untouched, when it is none.
bool mm_endpoint_parse(const char *address, mm_endpoint_t *ret_base);
// Whether a tcp host is this machine and nothing else: 127.x.x.x, [::1] or localhost.
bool mm_endpoint_is_loopback(const char *host);
#define MM_SOCKET_PATH_MAX 107 // bytes in sun_path, without the NUL
// Bytes of the longest path of a socket with this ipc path: "PATH.task." and 16 hex digits.
size_t mm_endpoint_path_bytes(const char *path);
// NULL when a program may connect to this base, with a key or without; else the complaint, as the
// end of a sentence.
const char *mm_endpoint_complaint(const mm_endpoint_t *base, bool has_key);
// The endpoint of one of the three fixed sockets; returns buffer.
const char *mm_endpoint_of(const mm_endpoint_t *base, mm_socket_role_t role,
                           char buffer[MM_ENDPOINT_MAX]);
#define MM_SUFFIX_VIEWERS "viewers"
// The endpoint for the suffix in a welcome ("task.0000000000000001", or a port), or of the viewers:
// MM_SUFFIX_VIEWERS is PORT+3 on tcp. Returns buffer.
const char *mm_endpoint_suffix(const mm_endpoint_t *base, const char *suffix,
                               char buffer[MM_ENDPOINT_MAX]);
// The endpoint of a base to bind for viewers, on tcp with a port of the system's choice; returns
// buffer.
const char *mm_endpoint_viewers(const mm_endpoint_t *base, char buffer[MM_ENDPOINT_MAX]);
// The endpoint to bind for a session's tasks, likewise; returns buffer.
const char *mm_endpoint_session(const mm_endpoint_t *base, uint64_t session,
                                char buffer[MM_ENDPOINT_MAX]);

// Locks an ipc base by a file beside it until the process ends, since a second bind of the same
// path would silently replace the first. Removes the sockets that a former consumer left behind.
// Returns 0, or a sysexits code with one sentence in error.
int mm_endpoint_lock(const mm_endpoint_t *base, char error[MM_ERROR_MAX]);
// Removes the socket files of a locked ipc base, after the sockets were closed.
void mm_endpoint_unlink(const mm_endpoint_t *base);

#endif
