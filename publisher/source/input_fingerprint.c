// See input_fingerprint.h.

#include "input_fingerprint.h"
#include "array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void fingerprint_clear(fingerprint_t *self)
{
    free(self->blocks);
    free(self->repeats);
    *self = (fingerprint_t){0};
}

void fingerprint_put_block(fingerprint_t *self, const void *data, size_t size)
{
    *MM_ARRAY_ADD(self->blocks, self->block_count, self->block_capacity) =
        mm_str_hash((mm_str_t){data, size});
}

static void put_repeat(fingerprint_t *self, uint64_t host)
{
    size_t former = self->repeat_bytes;
    self->repeats = mm_array_reserve(self->repeats, &self->repeat_bytes, (size_t)(host / 8) + 1, 1);
    memset(self->repeats + former, 0, self->repeat_bytes - former);
    self->repeats[host / 8] |= (uint8_t)(1U << host % 8);
}

bool fingerprint_is_same(fingerprint_t *self, const void *data, size_t size)
{
    return self->block_next < self->block_count &&
           self->blocks[self->block_next++] == mm_str_hash((mm_str_t){data, size});
}

bool fingerprint_is_end(const fingerprint_t *self)
{
    return self->block_next == self->block_count;
}

bool fingerprint_is_repeat(fingerprint_t *self)
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
        put_repeat(self->fingerprint, self->host_count);
        self->repeat_count++;
    }
    self->count = 0;
}
