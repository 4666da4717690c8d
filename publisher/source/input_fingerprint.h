// What the first reading of a file leaves for the second: a hash of each block, which shows that
// the file has changed before anything of the change is given, and a bit for each host that was
// there before, so that repeated hosts are not looked up again. It is small: 8 bytes for 128 KiB of
// the file, and nothing for hosts while none is repeated.

#ifndef INPUT_FINGERPRINT_H
#define INPUT_FINGERPRINT_H

#include "hostset.h"

// Zeroed: empty. fingerprint_clear frees what it has grown.
typedef struct {
    uint64_t *blocks; // their hashes
    size_t block_count;
    size_t block_capacity;
    size_t block_next; // of the second reading
    uint8_t *repeats;  // bits, by the number of the host in the file
    size_t repeat_bytes;
    uint64_t host_next; // of the second reading
} fingerprint_t;

void fingerprint_clear(fingerprint_t *self);

// The first reading, in order.
void fingerprint_put_block(fingerprint_t *self, const void *data, size_t size);

// The second reading: whether the next block is the same, whether no more blocks follow, and
// whether the next host was there before.
bool fingerprint_is_same(fingerprint_t *self, const void *data, size_t size);
bool fingerprint_is_end(const fingerprint_t *self);
bool fingerprint_is_repeat(fingerprint_t *self);

// Looks up repeated hosts, a few at a time. Zeroed but for the first two.
typedef struct {
    fingerprint_t *fingerprint;
    hostset_t *seen;
    uint64_t host_count; // looked up
    uint64_t repeat_count;
    size_t count; // of those that wait
    mm_str_t hosts[HOSTSET_MANY];
    char bytes[HOSTSET_MANY][MM_HOST_MAX];
} repeats_t;

void repeats_put(repeats_t *self, mm_str_t host); // copies it
// Looks up those that wait: only then do they count.
void repeats_flush(repeats_t *self);

#endif
