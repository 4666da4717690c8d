// See hosts.h.

#include "hosts.h"
#include "host.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SPARE_MAX 4096 // hosts that are kept to be used again

static bool has_name(const void *host, const void *name)
{
    return mm_str_equal(host_name(host), *(const mm_str_t *)name);
}

// One that nobody refers to, when its room is enough.
static host_t *new_host(hosts_t *self, mm_str_t name, uint64_t hash)
{
    assert(name.size <= MM_HOST_MAX);
    host_t *host = self->spare;
    if (host) {
        LL_DELETE2(self->spare, host, next_spare);
        self->spare_count--;
    }
    if (host && host->capacity < name.size) {
        free(host);
        host = NULL;
    }
    uint8_t capacity = host ? host->capacity : (uint8_t)name.size;
    size_t bytes = offsetof(host_t, name) + capacity;
    if (!host)
        host = malloc(bytes > sizeof *host ? bytes : sizeof *host);
    assert(host);
    *host = (host_t){.hash = hash, .size = (uint8_t)name.size, .capacity = capacity};
    memcpy(host->name, name.data, name.size);
    return host;
}

host_t *hosts_get(hosts_t *self, mm_str_t name)
{
    uint64_t hash = mm_str_hash(name);
    host_t *host = mm_table_find(&self->table, hash, has_name, &name);
    if (!host) {
        host = new_host(self, name, hash);
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
    mm_table_remove(&self->table, host->hash, host);
    if (self->spare_count == SPARE_MAX) {
        free(host); // after a peak, others need the memory
        return;
    }
    LL_PREPEND2(self->spare, host, next_spare);
    self->spare_count++;
}

void hosts_clear(hosts_t *self)
{
    assert(self->table.count == 0);
    for (host_t *host; (host = self->spare) != NULL;) {
        LL_DELETE2(self->spare, host, next_spare);
        free(host);
    }
    mm_table_clear(&self->table);
}

mm_str_t host_name(const host_t *self)
{
    return (mm_str_t){self->name, self->size};
}
