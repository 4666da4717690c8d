// See hosts.h.

#include "hosts.h"
#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool has_name(const void *host, const void *name)
{
    return mm_text_equal(host_name(host), *(const mm_text_t *)name);
}

host_t *hosts_get(hosts_t *self, mm_text_t name)
{
    uint64_t hash = mm_text_hash(name);
    host_t *host = mm_table_find(&self->table, hash, has_name, &name);
    if (!host) {
        host = calloc(1, sizeof *host + name.size + 1);
        assert(host);
        host->size = name.size;
        memcpy(host->name, name.data, name.size);
        mm_table_add(&self->table, hash, host);
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
    mm_table_remove(&self->table, mm_text_hash(host_name(host)), host);
    free(host);
}

void hosts_clear(hosts_t *self)
{
    assert(self->table.count == 0);
    mm_table_clear(&self->table);
}

mm_text_t host_name(const host_t *self)
{
    return (mm_text_t){self->name, self->size};
}
