// See hosts.h.

#include "hosts.h"
#include "text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define NAME_ROOM 40 // bytes for a name: enough for nearly all

static bool has_name(const void *host, const void *name)
{
    return mm_text_equal(host_name(host), *(const mm_text_t *)name);
}

// One that nobody refers to, when its room is enough.
static host_t *new_host(hosts_t *self, mm_text_t name, uint64_t hash)
{
    assert(name.size <= MM_HOST_MAX);
    host_t *host = self->spare;
    if (host)
        LL_DELETE2(self->spare, host, next_spare);
    if (host && host->room < name.size) {
        free(host);
        host = NULL;
    }
    uint8_t room = host ? host->room : name.size <= NAME_ROOM ? NAME_ROOM : MM_HOST_MAX;
    if (!host)
        host = malloc(sizeof *host + room);
    assert(host);
    *host = (host_t){.hash = hash, .size = (uint8_t)name.size, .room = room};
    memcpy(host->name, name.data, name.size);
    return host;
}

host_t *hosts_get(hosts_t *self, mm_text_t name)
{
    uint64_t hash = mm_text_hash(name);
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
    LL_PREPEND2(self->spare, host, next_spare);
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

mm_text_t host_name(const host_t *self)
{
    return (mm_text_t){self->name, self->size};
}
