// See attribute_lacks.h.

#include "attribute_lacks.h"

#include <stdio.h>
#include <string.h>

void attribute_lacks_keep(attribute_lacks_t *self, const hostline_buffer_t *buffer,
                          const char complaint[ATTRIBUTE_COMPLAINT_MAX])
{
    attribute_lack_t *lack = buffer->lacking >= 0 ? &self->lacks[buffer->lacking] : NULL;
    if (!lack || lack->is_lacking)
        return;
    lack->is_lacking = true;
    memcpy(lack->complaint, complaint, sizeof lack->complaint);
    memcpy(lack->names, buffer->names, sizeof lack->names);
}

// Where the command stands that names the attribute.
static mm_str_t find_naming(const char *named_by, mm_str_t key)
{
    const char *line = named_by;
    while (line && *line != '\0') {
        size_t size = strcspn(line, "\n");
        if (size > key.size && memcmp(line, key.data, key.size) == 0 && line[key.size] == ' ')
            return (mm_str_t){line + key.size + 1, size - key.size - 1};
        line += size + (line[size] == '\n');
    }
    return mm_str("the command");
}

bool attribute_lacks_blame(const attribute_lacks_t *self, const mm_attribute_keys_t *wanted,
                           const char *named_by, const char *list, char *error, size_t size)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const attribute_lack_t *lack = &self->lacks[i];
        mm_str_t key = wanted->keys[i], naming = find_naming(named_by, key);
        if (!lack->is_lacking || (self->had >> i & 1) != 0)
            continue;
        (void)snprintf(error, size,
                       "%.*s names {%.*s}, and no host of %.200s has that; what they have is %s: "
                       "correct the name, or give it to each host (%s)",
                       (int)naming.size, naming.data, (int)key.size, key.data, list, lack->names,
                       lack->complaint);
        return true;
    }
    return false;
}
