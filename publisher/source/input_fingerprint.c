// See input_fingerprint.h.

#include "input_fingerprint.h"
#include "hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void filecheck_clear(filecheck_t *self)
{
    free(self->blocks);
    free(self->repeats);
    *self = (filecheck_t){0};
}

void filecheck_put_block(filecheck_t *self, const void *data, size_t size)
{
    if (self->block_count == self->block_room) {
        self->block_room = 2 * self->block_room + 64;
        self->blocks = realloc(self->blocks, self->block_room * sizeof *self->blocks);
        assert(self->blocks != NULL);
    }
    self->blocks[self->block_count++] = hash_of(data, size);
}

void filecheck_put_repeat(filecheck_t *self, uint64_t host)
{
    if (host / 8 >= self->repeat_bytes) {
        size_t former = self->repeat_bytes;
        self->repeat_bytes = 2 * (size_t)(host / 8) + 64;
        self->repeats = realloc(self->repeats, self->repeat_bytes);
        assert(self->repeats != NULL);
        memset(self->repeats + former, 0, self->repeat_bytes - former);
    }
    self->repeats[host / 8] |= (uint8_t)(1U << host % 8);
}

bool filecheck_is_same(filecheck_t *self, const void *data, size_t size)
{
    return self->block_next < self->block_count &&
           self->blocks[self->block_next++] == hash_of(data, size);
}

bool filecheck_is_end(const filecheck_t *self)
{
    return self->block_next == self->block_count;
}

bool filecheck_is_repeat(filecheck_t *self)
{
    uint64_t host = self->host_next++;
    return host / 8 < self->repeat_bytes && (self->repeats[host / 8] & 1U << host % 8) != 0;
}

void repeats_put(repeats_t *self, mm_str_t host)
{
    assert(host.size <= MM_HOST_MAX);
    memcpy(self->bytes[self->count], host.data, host.size);
    self->hosts[self->count] = (mm_str_t){self->bytes[self->count], host.size};
    if (++self->count == HOSTSET_MANY)
        repeats_flush(self);
}

void repeats_flush(repeats_t *self)
{
    bool is_new[HOSTSET_MANY];
    hostset_add_many(self->seen, self->hosts, self->count, is_new);
    for (size_t i = 0; i < self->count; i++, self->host_count++) {
        if (is_new[i])
            continue;
        filecheck_put_repeat(self->check, self->host_count);
        self->repeat_count++;
    }
    self->count = 0;
}
