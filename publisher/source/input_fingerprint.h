// What the first reading of a file leaves for the second, so that this one need not look for
// repeated hosts again, and notices that the file has changed before it gives anything of what has:
// a hash of each block, and a bit for each host that was there before. Both are small: 8 bytes for
// 128 KiB, and nothing for hosts while none is repeated.

#ifndef FILECHECK_H
#define FILECHECK_H

#include "hostset.h"

// Zeroed: empty. filecheck_clear frees what it has grown.
typedef struct {
    uint64_t *blocks; // their hashes
    size_t block_count;
    size_t block_room;
    size_t block_next; // of the second reading
    uint8_t *repeats;  // bits, by the number of the host in the file
    size_t repeat_bytes;
    uint64_t host_next; // of the second reading
} filecheck_t;

void filecheck_clear(filecheck_t *self);

// The first reading, in order.
void filecheck_put_block(filecheck_t *self, const void *data, size_t size);
void filecheck_put_repeat(filecheck_t *self, uint64_t host);

// The second reading: whether the next block is the same, whether there are no more, and whether
// the next host was there before.
bool filecheck_is_same(filecheck_t *self, const void *data, size_t size);
bool filecheck_is_end(const filecheck_t *self);
bool filecheck_is_repeat(filecheck_t *self);

// Looks for repeated hosts, a few at a time. Zeroed but for the first two.
typedef struct {
    filecheck_t *check;
    hostset_t *seen;
    uint64_t host_count; // looked at
    uint64_t repeat_count;
    size_t count; // that wait
    mm_str_t hosts[HOSTSET_MANY];
    char bytes[HOSTSET_MANY][MM_HOST_MAX];
} repeats_t;

void repeats_put(repeats_t *self, mm_str_t host); // copies it
// Looks at those that wait: nothing is counted of them before.
void repeats_flush(repeats_t *self);

#endif
