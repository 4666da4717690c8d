// See hostset.h. Open addressing over an arena: a slot is 24 bits of the hash and 40 of the place
// of the text. Those bits tell nearly every other host apart without a look at its text, and the
// table grows without the old one: the arena is walked again.

#include "hostset.h"
#include "array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_BITS 40
#define INDEX_MASK ((UINT64_C(1) << INDEX_BITS) - 1)

struct hostset {
    uint64_t *slots;      // hash bits above INDEX_BITS, place + 1 below; 0: free
    uint64_t slot_count;  // a power of two
    unsigned char *arena; // for each host its size in one byte, then its bytes
    size_t arena_size;
    size_t arena_capacity;
    uint64_t count;
};

static void make_slots(hostset_t *self, uint64_t count)
{
    free(self->slots);
    self->slots = calloc(count, sizeof *self->slots);
    assert(self->slots != NULL);
    self->slot_count = count;
}

hostset_t *hostset_new(void)
{
    hostset_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    make_slots(self, 1024);
    return self;
}

void hostset_destroy(hostset_t **self_p)
{
    hostset_t *self = *self_p;
    if (self == NULL)
        return;
    *self_p = NULL;
    free(self->slots);
    free(self->arena);
    free(self);
}

// The slot that holds this host, or the free one where it belongs.
static uint64_t *find_slot(const hostset_t *self, const void *data, size_t size, uint64_t hash)
{
    uint64_t mask = self->slot_count - 1;
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        uint64_t slot = self->slots[at];
        if (slot == 0)
            return &self->slots[at];
        if (((slot ^ hash) & ~INDEX_MASK) != 0)
            continue;
        const unsigned char *host = self->arena + (slot & INDEX_MASK) - 1;
        if (host[0] == size && memcmp(host + 1, data, size) == 0)
            return &self->slots[at];
    }
}

// The hashes of some hosts; their slots are prefetched.
static void hash_many(const hostset_t *self, const mm_str_t *hosts, size_t count,
                      uint64_t *ret_hashes)
{
    for (size_t i = 0; i < count; i++) {
        ret_hashes[i] = mm_str_hash(hosts[i]);
        __builtin_prefetch(&self->slots[ret_hashes[i] & (self->slot_count - 1)], 1);
    }
}

// Doubles the table and puts all hosts into it, in the order of the arena.
static void grow_slots(hostset_t *self)
{
    make_slots(self, 2 * self->slot_count);
    for (uint64_t place = 0; place < self->arena_size;) {
        mm_str_t hosts[HOSTSET_MANY];
        uint64_t hashes[HOSTSET_MANY], places[HOSTSET_MANY];
        size_t count = 0;
        for (; count < HOSTSET_MANY && place < self->arena_size; count++) {
            const unsigned char *host = self->arena + place;
            hosts[count] = (mm_str_t){(const char *)host + 1, host[0]};
            places[count] = place + 1;
            place += 1U + host[0];
        }
        hash_many(self, hosts, count, hashes);
        for (size_t i = 0; i < count; i++)
            *find_slot(self, hosts[i].data, hosts[i].size, hashes[i]) =
                (hashes[i] & ~INDEX_MASK) | places[i];
    }
}

static uint64_t keep(hostset_t *self, mm_str_t host)
{
    size_t place = self->arena_size;
    self->arena_size += 1 + host.size;
    assert(self->arena_size < INDEX_MASK);
    self->arena = mm_array_reserve(self->arena, &self->arena_capacity, self->arena_size, 1);
    self->arena[place] = (unsigned char)host.size;
    memcpy(self->arena + place + 1, host.data, host.size);
    return place;
}

static bool add(hostset_t *self, mm_str_t host, uint64_t hash)
{
    assert(host.size > 0 && host.size <= MM_HOST_MAX);
    uint64_t *slot = find_slot(self, host.data, host.size, hash);
    if (*slot != 0)
        return false;
    *slot = (hash & ~INDEX_MASK) | (keep(self, host) + 1);
    self->count++;
    if (4 * self->count > 3 * self->slot_count)
        grow_slots(self);
    return true;
}

bool hostset_add(hostset_t *self, mm_str_t host)
{
    return add(self, host, mm_str_hash(host));
}

void hostset_add_many(hostset_t *self, const mm_str_t *hosts, size_t count, bool *ret_new)
{
    uint64_t hashes[HOSTSET_MANY];
    assert(count <= HOSTSET_MANY);
    hash_many(self, hosts, count, hashes);
    for (size_t i = 0; i < count; i++)
        ret_new[i] = add(self, hosts[i], hashes[i]);
}

bool hostset_has(const hostset_t *self, mm_str_t host)
{
    return *find_slot(self, host.data, host.size, mm_str_hash(host)) != 0;
}

uint64_t hostset_count(const hostset_t *self)
{
    return self->count;
}
