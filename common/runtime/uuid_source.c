// UUIDv7: 48 bits of Unix milliseconds, a 12-bit counter, 62 random bits. Milliseconds and counter
// are one number of 60 bits that only grows (RFC 9562, 6.2, method 1): a counter that overflows
// advances the time. Aborts without getrandom(2).

#include "uuid_source.h"
#include "big_endian.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define COUNTER_BITS 12
#define POOL_BYTES   4096 // a system call for 512 ids

struct mm_id_source {
    uint64_t last; // milliseconds << COUNTER_BITS | counter of the last id
    size_t used;   // bytes of the pool that are in ids
    uint8_t pool[POOL_BYTES];
};

// A read of more than 256 bytes may be cut short by a signal.
static void fill_random(void *data, size_t size)
{
    uint8_t *bytes = data;
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        assert(got > 0 || (got < 0 && errno == EINTR));
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
}

mm_id_source_t *mm_id_source_new(void)
{
    mm_id_source_t *self = malloc(sizeof *self);
    assert(self);
    self->last = 0;
    self->used = POOL_BYTES;
    return self;
}

void mm_id_source_destroy(mm_id_source_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

void mm_id_next(mm_id_source_t *self, int64_t wall_ms, mm_id_t *ret_id)
{
    assert(wall_ms >= 0 && wall_ms < INT64_C(1) << 48);
    uint64_t next = (uint64_t)wall_ms << COUNTER_BITS;
    if (next <= self->last)
        next = self->last + 1;
    self->last = next;

    if (self->used == POOL_BYTES) {
        fill_random(self->pool, POOL_BYTES);
        self->used = 0;
    }
    uint64_t random;
    memcpy(&random, self->pool + self->used, sizeof random);
    self->used += sizeof random;

    uint64_t counter = next & ((1U << COUNTER_BITS) - 1);
    mm_big_endian_put(next >> COUNTER_BITS << 16 | UINT64_C(0x7000) | counter, 8, ret_id->bytes);
    mm_big_endian_put(UINT64_C(1) << 63 | random >> 2, 8, ret_id->bytes + 8);
}

int64_t mm_id_wall_ms(const mm_id_t *id)
{
    return (int64_t)mm_big_endian_get(id->bytes, 6);
}

uint64_t mm_instance_draw(void)
{
    uint64_t instance = 0;
    while (instance == 0)
        fill_random(&instance, sizeof instance);
    return instance;
}
