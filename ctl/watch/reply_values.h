// Values of a process's reply. A reply may hold anything: what is read here is within bounds, fits
// its buffer, and may be printed.

#ifndef REPLY_VALUES_H
#define REPLY_VALUES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

// From 0 up to a bound at which sums and scaled values do not overflow; 0: there is none.
int64_t reply_number(const json_t *object, const char *key);
// The same, or -1: no limit, or never.
int64_t reply_limit(const json_t *object, const char *key);
// A time in microseconds, from the key "NAME_us" or "NAME_ms"; -1: there is none. name: size bytes.
int64_t reply_time(const json_t *object, const char *name, size_t size);
// Copies the text, cut to size_max with its NUL; other bytes than printable ASCII become '?'.
void reply_text(const json_t *object, const char *key, char *to, size_t size_max);

#endif
