// The chain of the audit: the hash of each row covers the row and the hash before it, so that
// nothing can be changed, put in or taken out without all later hashes changing, too. The saver
// makes it, `mayhem audit` makes it again and compares. Pure; allocates nothing.

#ifndef MM_AUDIT_CHAIN_H
#define MM_AUDIT_CHAIN_H

#include "string_view.h"

#define MM_AUDIT_HASH 32                      // bytes: SHA-256
#define MM_AUDIT_TEXT (2 * MM_AUDIT_HASH + 1) // as hex digits, with a NUL

// A value of a row, of one of the types that SQLite has.
typedef enum { MM_AUDIT_NULL, MM_AUDIT_INTEGER, MM_AUDIT_STRING, MM_AUDIT_BLOB } mm_audit_type_t;

typedef struct {
    mm_audit_type_t type;
    int64_t number;
    mm_str_t bytes; // of a text or a blob
} mm_audit_value_t;

// The place of the last row in the chain. Before the first one both are zero.
typedef struct {
    uint64_t seq;
    uint8_t hash[MM_AUDIT_HASH];
} mm_audit_head_t;

// SHA-256 of `before`, then of each value: its type as a byte, then 8 bytes, most significant
// first, which are the number, or the size of a text or a blob, whose bytes follow. So no two rows
// give the same bytes. ret_hash may be `before`.
void mm_audit_hash(const uint8_t before[MM_AUDIT_HASH], const mm_audit_value_t *values,
                   size_t count, uint8_t ret_hash[MM_AUDIT_HASH]);

// Prints a hash as hex digits, in lower case. Returns the buffer.
char *mm_audit_print(const uint8_t hash[MM_AUDIT_HASH], char buffer[MM_AUDIT_TEXT]);
// Reads what mm_audit_print has printed. False, and the output untouched, for anything else.
bool mm_audit_parse(mm_str_t text, uint8_t ret_hash[MM_AUDIT_HASH]);

#endif
