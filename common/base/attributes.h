// The attributes of a job: what the command names of its host beside the name itself, as one text
// of pairs with a blank between them, "bmc=10.0.0.1 zone=eu"; empty: none. No key comes twice, and
// no value needs an escape in a log, in JSON or in SQL. Pure; allocates nothing.

#ifndef MM_ATTRIBUTES_H
#define MM_ATTRIBUTES_H

#include "host.h"
#include "string_view.h"

#define MM_ATTRIBUTES_MAX      8   // pairs of one job
#define MM_ATTRIBUTE_KEY_MAX   32  // bytes; at least one
#define MM_ATTRIBUTE_VALUE_MAX 256 // bytes
#define MM_ATTRIBUTES_BYTES                                                                        \
    (MM_ATTRIBUTES_MAX * (MM_ATTRIBUTE_KEY_MAX + MM_ATTRIBUTE_VALUE_MAX + 2) - 1) // of a text

typedef struct {
    mm_str_t key;
    mm_str_t value;
} mm_attribute_t;

// Whether it is a key: [a-z][a-z0-9_]*, 1 to MM_ATTRIBUTE_KEY_MAX bytes.
bool mm_attribute_is_key(mm_str_t key);
// NULL when the text may be a value, else why not, as the end of a sentence ("it begins with '-'
// ..."): up to MM_ATTRIBUTE_VALUE_MAX of [A-Za-z0-9._:@/+=,-], not beginning with '-'.
const char *mm_attribute_complaint(mm_str_t value);

// Whether it is such a text; the functions below ask for one.
bool mm_attributes_are_valid(mm_str_t attributes);
// Takes the first pair off *rest; false when there is none.
bool mm_attributes_next(mm_str_t *rest, mm_attribute_t *ret_attribute);
bool mm_attributes_find(mm_str_t attributes, mm_str_t key, mm_str_t *ret_value);
// Appends a pair to the *size bytes of a text in memory for MM_ATTRIBUTES_BYTES. False, and nothing
// is changed, when it is no pair, the key is there already, or there are MM_ATTRIBUTES_MAX.
bool mm_attributes_add(char *text, size_t *size, mm_str_t key, mm_str_t value);

// A host with its attributes as a line of an input: its name alone, or JSON Lines when it has some.
// Returns the bytes, without a line end, and a NUL behind them.
#define MM_HOST_LINE (MM_HOST_MAX + MM_ATTRIBUTES_BYTES + MM_ATTRIBUTES_MAX * 7 + 32)
size_t mm_attributes_line(mm_str_t host, mm_str_t attributes, char ret_line[MM_HOST_LINE]);

// Keys, each once.
typedef struct {
    mm_str_t keys[MM_ATTRIBUTES_MAX];
    bool is_optional[MM_ATTRIBUTES_MAX]; // a host may do without
    size_t count;
} mm_attribute_keys_t;

// Adds a key that is not there yet; false when there is no room for it. One that is needed once is
// not optional.
bool mm_attribute_keys_add(mm_attribute_keys_t *self, mm_str_t key);
bool mm_attribute_keys_add_optional(mm_attribute_keys_t *self, mm_str_t key);
// Sets *ret_keys, which point into the list, from "bmc,port?", where ? marks an optional one; an
// empty list has none. False when one is no key or comes twice, or there are too many.
bool mm_attribute_keys_parse(mm_str_t list, mm_attribute_keys_t *ret_keys);

#endif
