// See hosts.h.

#include "hosts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

host_t *hosts_get(hosts_t *self, mm_text_t name)
{
    host_t *host = NULL;
    HASH_FIND(hh, self->table, name.data, name.size, host);
    if (!host) {
        host = calloc(1, sizeof *host + name.size + 1);
        assert(host);
        host->size = name.size;
        memcpy(host->name, name.data, name.size);
        HASH_ADD_KEYPTR(hh, self->table, host->name, host->size, host);
    }
    host->references++;
    return host;
}

void hosts_put(hosts_t *self, host_t **host_p)
{
    host_t *host = *host_p;
    *host_p = NULL;
    if (!host)
        return;
    assert(host->references > 0);
    if (--host->references > 0)
        return;
    assert(host->busy == 0 && host->waiting == NULL);
    HASH_DELETE(hh, self->table, host);
    free(host);
}

mm_text_t host_name(const host_t *self)
{
    return (mm_text_t){self->name, self->size};
}
