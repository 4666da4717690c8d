// See hosts.h.

#include "hosts.h"
#include "host.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static bool has_name(const void *host, const void *name)
{
    return mm_str_equal(host_name(host), *(const mm_str_t *)name);
}

static size_t bytes_of(size_t name_size)
{
    return offsetof(host_t, name) + name_size;
}

static host_t *add_host(hosts_t *self, mm_str_t name, uint64_t hash)
{
    assert(name.size <= MM_HOST_MAX);
    host_t *host = mm_pool_get(&self->pool, bytes_of(name.size));
    *host = (host_t){.restarts.limit = 1, .hash = hash, .size = (uint8_t)name.size};
    memcpy(host->name, name.data, name.size);
    mm_table_add(&self->table, hash, host);
    return host;
}

host_t *hosts_get(hosts_t *self, mm_str_t name)
{
    uint64_t hash = mm_str_hash(name);
    host_t *host = mm_table_find(&self->table, hash, has_name, &name);
    if (!host)
        host = add_host(self, name, hash);
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
    assert(host->restarts.busy == 0 && host->restarts.grants == 0 && !host->restarts.waiting);
    mm_table_remove(&self->table, host->hash, host);
    mm_pool_put(&self->pool, host, bytes_of(host->size));
}

void hosts_clear(hosts_t *self)
{
    assert(self->table.count == 0);
    mm_table_clear(&self->table);
    mm_pool_clear(&self->pool);
}

mm_str_t host_name(const host_t *self)
{
    return (mm_str_t){self->name, self->size};
}
