// See state_page.h.

#include "state_page.h"

#define ENTRY_BYTES 64 // on the wire, beside its texts, at most
#define FRAME_BYTES 256
#define PART_SHIFT  62

void state_page_empty(state_page_t *self)
{
    self->count = self->byte_count = 0;
    self->size = FRAME_BYTES;
    self->last = 0;
    self->is_full = false;
}

static size_t size_of(const mm_entry_t *entry)
{
    return ENTRY_BYTES + entry->name.size + entry->groups.size + entry->why.size;
}

bool state_page_add(state_page_t *self, state_part_t part, uint64_t row, const mm_entry_t *entries,
                    size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += size_of(&entries[i]);
    if (self->count + count > MM_BATCH_ITEMS || self->size + size > MM_BATCH_BYTES) {
        self->is_full = true;
        return false;
    }
    char *end = self->bytes + self->byte_count;
    for (size_t i = 0; i < count; i++) {
        mm_entry_t *kept = &self->items[self->count++];
        *kept = entries[i];
        kept->name = mm_str_copy(&end, entries[i].name);
        kept->groups = mm_str_copy(&end, entries[i].groups);
        kept->why = mm_str_copy(&end, entries[i].why);
    }
    self->byte_count = (size_t)(end - self->bytes);
    self->size += size;
    self->last = (uint64_t)part << PART_SHIFT | row;
    return true;
}

uint64_t state_page_next(const state_page_t *self)
{
    return self->is_full ? self->last : 0;
}

uint64_t state_page_row(uint64_t from, state_part_t part)
{
    uint64_t at = from >> PART_SHIFT;
    if (at != (uint64_t)part)
        return at < (uint64_t)part ? 0 : UINT64_MAX;
    return from & ((UINT64_C(1) << PART_SHIFT) - 1);
}
