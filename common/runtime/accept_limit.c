// See accept_limit.h.

#include "accept_limit.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint64_t most = UINT64_MAX; // a connection's descriptor is below this
static _Atomic uint64_t refused;

void mm_accept_limit(uint64_t limit)
{
    most = limit > MM_ACCEPT_SPARE ? limit - MM_ACCEPT_SPARE : 0;
}

uint64_t mm_accept_refused(void)
{
    return refused;
}

// As in <sys/socket.h>, whose declaration has a union for the address that only glibc can define.
int accept4(int socket, void *address, void *size, int flags);

// The kernel gives the lowest free number, so a high one means that there are few left. To libzmq
// such a connection is one that its peer has given up.
int accept4(int socket, void *address, void *size, int flags)
{
    int descriptor = (int)syscall(SYS_accept4, socket, address, size, flags);
    if (descriptor < 0 || (uint64_t)descriptor < most)
        return descriptor;
    (void)close(descriptor);
    refused++;
    errno = ECONNABORTED;
    return -1;
}
