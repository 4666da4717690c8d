// See state_page.h.

#include "state_page.h"

#include <assert.h>

#include "utf8.h"

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

// A text of the record, whatever somebody may have written into it, as the wire takes it.
static mm_str_t fit(mm_str_t text, size_t size_max)
{
    return (mm_str_t){text.data, mm_utf8_prefix(text, text.size < size_max ? text.size : size_max)};
}

static size_t size_of(const mm_entry_t *entry)
{
    return ENTRY_BYTES + entry->name.size + entry->groups.size + entry->why.size;
}

bool state_page_add(state_page_t *self, state_part_t part, uint64_t row, const mm_entry_t *entries,
                    size_t count)
{
    mm_entry_t fitted[2];
    size_t size = 0;
    assert(count <= 2);
    for (size_t i = 0; i < count; i++) {
        fitted[i] = entries[i];
        fitted[i].name = fit(entries[i].name, MM_HOST_MAX);
        fitted[i].groups = fit(entries[i].groups, MM_GROUPS_BYTES);
        fitted[i].why = fit(entries[i].why, MM_ERROR_MAX);
        size += size_of(&fitted[i]);
    }
    if (self->count + count > MM_BATCH_ITEMS || self->size + size > MM_BATCH_BYTES) {
        self->is_full = true;
        return false;
    }
    char *end = self->bytes + self->byte_count;
    for (size_t i = 0; i < count; i++) {
        mm_entry_t *kept = &self->items[self->count++];
        *kept = fitted[i];
        kept->name = mm_str_copy(&end, fitted[i].name);
        kept->groups = mm_str_copy(&end, fitted[i].groups);
        kept->why = mm_str_copy(&end, fitted[i].why);
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
