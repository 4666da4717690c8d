// See audit_text.h.

#include "audit_text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

mm_str_t audit_groups(const mm_real_t *real)
{
    mm_str_t groups = {0};
    if (real && real->run != 0 && mm_attributes_are_valid(real->attributes))
        (void)mm_attributes_find(real->attributes, mm_str("groups"), &groups);
    return groups;
}

mm_str_t audit_ids(const mm_real_t *real, char buffer[AUDIT_IDS_BYTES])
{
    char machine[MM_HEX_TEXT], boot[MM_UUID_TEXT], after[MM_UUID_TEXT];
    int size = 0;
    if (real && real->row != MM_ROW_NONE)
        size = snprintf(buffer, AUDIT_IDS_BYTES, "attempt=%" PRIu32 " command=%" PRIu32,
                        real->attempt, real->command);
    const struct {
        const char *name, *value;
        bool is_known;
    } ids[] = {
        {"machine", real ? mm_hex_print(&real->machine, machine) : "",
         real && !mm_id_is_none(&real->machine)},
        {"boot", real ? mm_uuid_print(&real->boot, boot) : "", real && !mm_id_is_none(&real->boot)},
        {"boot_after", real ? mm_uuid_print(&real->boot_after, after) : "",
         real && !mm_id_is_none(&real->boot_after)},
    };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (ids[i].is_known)
            size += snprintf(buffer + size, AUDIT_IDS_BYTES - (size_t)size, "%s%s=%s",
                             size > 0 ? " " : "", ids[i].name, ids[i].value);
    assert(size < AUDIT_IDS_BYTES);
    return (mm_str_t){buffer, (size_t)size};
}
