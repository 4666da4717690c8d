// Whether ZAP works in this process: a key that nobody knows connects to a socket of its own, and
// has to be refused. Without a handler libzmq lets it in, and says nothing.

#ifndef ZAP_PROBE_H
#define ZAP_PROBE_H

#include "socket.h"

#define ZAP_PROBE_DOMAIN "probe" // of the socket; no key may connect to it

// handler: the socket that is asked; serve answers what it has received. NULL: there is none here.
// True when the key was refused by an answer 400; false when it was let in, or nothing has happened
// within limit_ms.
bool zap_probe(mm_socket_t *handler, void (*serve)(void *arg), void *arg, int64_t limit_ms);

#endif
