// Attributes that hosts lack. When no host of a list has one, its name in the command is wrong
// rather than each line of the list.

#ifndef ATTRIBUTE_LACKS_H
#define ATTRIBUTE_LACKS_H

#include "hostline.h"

#define ATTRIBUTE_COMPLAINT_MAX 1024

// The first host that lacks it stands for all of them.
typedef struct {
    bool is_lacking;
    char complaint[ATTRIBUTE_COMPLAINT_MAX];
    char names[HOSTLINE_NAMES_MAX];
} attribute_lack_t;

// Zeroed: no host was read.
typedef struct {
    uint32_t had;                              // of the wanted ones, those that any host has: bits
    attribute_lack_t lacks[MM_ATTRIBUTES_MAX]; // by the index of the wanted one
} attribute_lacks_t;

// Notes what a line has, which has just been parsed with this buffer.
static inline void attribute_lacks_see(attribute_lacks_t *self, const hostline_buffer_t *buffer)
{
    self->had |= buffer->has;
}
// The same for a bad line, with its complaint.
void attribute_lacks_keep(attribute_lacks_t *self, const hostline_buffer_t *buffer,
                          const char complaint[ATTRIBUTE_COMPLAINT_MAX]);

// Says in `error` which name that a command has no host of the list has. named_by: a line "KEY
// WHERE" for each key, or NULL. False: there is none.
bool attribute_lacks_blame(const attribute_lacks_t *self, const mm_attribute_keys_t *wanted,
                           const char *named_by, const char *list, char *error, size_t size);

#endif
