// How a chunk of jobs is written: hosts and attributes as JSON arrays of strings, which jobs are
// settled as bits, and the token that names a job by its chunk and place. Pure, and no SQL.

#ifndef OUTBOX_CHUNK_H
#define OUTBOX_CHUNK_H

#include <jansson.h>

#include "job.h"

#define OUTBOX_CHUNK_BITS  10
#define OUTBOX_CHUNK_MAX   (1 << OUTBOX_CHUNK_BITS) // jobs in a chunk
#define OUTBOX_CHUNK_BYTES (OUTBOX_CHUNK_MAX / 8)   // of the bits of a full one

// Appended bytes; they may move with each append.
typedef struct {
    char *data;
    size_t count;
    size_t capacity;
} outbox_bytes_t;

void outbox_append(outbox_bytes_t *bytes, const void *data, size_t size);

// Chunks are numbered from 1, so that no token is 0.
static inline uint64_t outbox_token(int64_t chunk, size_t place)
{
    return (uint64_t)chunk << OUTBOX_CHUNK_BITS | place;
}

static inline int64_t outbox_token_chunk(uint64_t token)
{
    return (int64_t)(token >> OUTBOX_CHUNK_BITS);
}

static inline size_t outbox_token_place(uint64_t token)
{
    return token & (OUTBOX_CHUNK_MAX - 1);
}

// Bit 0 is the highest of the first byte, as hex digits are read.
static inline bool outbox_bit(const uint8_t *bits, size_t place)
{
    return bits[place / 8] & 0x80U >> place % 8;
}

static inline void outbox_set_bit(uint8_t *bits, size_t place)
{
    bits[place / 8] |= (uint8_t)(0x80U >> place % 8);
}

// Appends a text to an array; the first one opens it.
void outbox_put_text(outbox_bytes_t *array, mm_str_t text, bool is_first);
// Closes it.
void outbox_end_texts(outbox_bytes_t *array);
// Finds the `count` texts of an array. They live in its bytes, or in *ret_parsed, which the caller
// releases with json_decref; NULL: the former. False: it is not such an array.
bool outbox_find_texts(mm_str_t array, size_t count, mm_str_t *ret_texts, json_t **ret_parsed);

#endif
