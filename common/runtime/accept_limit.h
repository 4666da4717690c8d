// Connections are refused before the process runs out of descriptors. libzmq 4.3 aborts when accept
// fails for want of them (src/ipc_listener.cpp), and databases, new sockets and commands need some,
// too. So this file defines accept4, which libzmq then calls in place of the C library's.

#ifndef MM_ACCEPT_LIMIT_H
#define MM_ACCEPT_LIMIT_H

#include <stdint.h>

#define MM_ACCEPT_SPARE 512 // descriptors that connections leave to all else

// Refuses from now on what would get one of the last MM_ACCEPT_SPARE descriptors below `limit`.
void mm_accept_limit(uint64_t limit);
// How many connections were refused so far. Any thread.
uint64_t mm_accept_refused(void);

#endif
