// Whether a host of the list is this machine: restarting it would end the run that restarts it.
// Asks the kernel for names and addresses once, and no name server.

#ifndef OWN_HOST_H
#define OWN_HOST_H

#include "string_view.h"

#include <stdbool.h>

typedef struct own_host own_host_t;

own_host_t *own_host_new(void);
// No-op for NULL.
void own_host_destroy(own_host_t **self_p);

// The host's name, whatever its case, up to the first dot where only one of the two has more; or an
// address of this machine, however it is written. Loopback addresses but 127.0.0.1 and ::1 are
// nobody's. attributes: as in attributes.h; its `address` counts, too.
bool own_host_is(const own_host_t *self, mm_str_t host, mm_str_t attributes);

#endif
