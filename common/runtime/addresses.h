// The addresses of the consumers that a client knows, of which one leads: ADDR,ADDR… with the forms
// of endpoint.h.

#ifndef MM_ADDRESSES_H
#define MM_ADDRESSES_H

#include "endpoint.h"

#define MM_ADDRESSES_MAX 8

typedef struct {
    mm_endpoint_t items[MM_ADDRESSES_MAX];
    size_t count; // 1 to MM_ADDRESSES_MAX
} mm_addresses_t;

// Where a list is to be cut. A comma within the path of an ipc address stays there: it ends an
// address only before another address, another comma, or the end. Fills ret_items, and returns how
// many there are, those beyond them included.
size_t mm_addresses_split(const char *text, mm_str_t ret_items[MM_ADDRESSES_MAX]);
// Reads a list. False, and untouched, with a sentence about what is wrong in error.
bool mm_addresses_parse(const char *text, mm_addresses_t *ret_self, char error[MM_ERROR_MAX]);
// Whether all are of this machine: ipc, where there are no keys.
bool mm_addresses_are_ipc(const mm_addresses_t *self);
// The address as it is written; returns buffer.
const char *mm_addresses_print(const mm_endpoint_t *base, char buffer[MM_ENDPOINT_MAX + 16]);

#endif
