// See host_groups.h.

#include "host_groups.h"
#include "host_fold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

typedef struct {
    UT_hash_handle hh;
    uint32_t host_size;
    uint32_t groups_size;
    char host[]; // folded, and then the groups
} entry_t;

struct host_groups {
    entry_t *entries; // uthash
};

host_groups_t *host_groups_new(void)
{
    host_groups_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void host_groups_destroy(host_groups_t **self_p)
{
    host_groups_t *self = *self_p;
    entry_t *entry, *next;
    if (!self)
        return;
    *self_p = NULL;
    HASH_ITER (hh, self->entries, entry, next) {
        HASH_DEL(self->entries, entry);
        free(entry);
    }
    free(self);
}

void host_groups_put(host_groups_t *self, mm_str_t host, mm_str_t attributes)
{
    char buffer[MM_HOST_MAX];
    mm_str_t folded = mm_host_fold(host, buffer), groups = {0};
    (void)mm_attributes_find(attributes, mm_str("groups"), &groups);
    entry_t *entry = malloc(sizeof *entry + folded.size + groups.size);
    assert(entry);
    entry->host_size = (uint32_t)folded.size;
    entry->groups_size = (uint32_t)groups.size;
    char *end = entry->host;
    (void)mm_str_copy(&end, folded);
    (void)mm_str_copy(&end, groups);
    HASH_ADD_KEYPTR(hh, self->entries, entry->host, folded.size, entry);
}

// The groups come last, as they do when a list is read. There is always room for them: else the
// options had been refused, and what a former command named beside them goes.
mm_str_t host_groups_set(const host_groups_t *self, mm_str_t host, mm_str_t attributes,
                         char buffer[MM_ATTRIBUTES_BYTES])
{
    char folding[MM_HOST_MAX];
    mm_str_t folded = mm_host_fold(host, folding);
    const entry_t *entry = NULL;
    HASH_FIND(hh, self->entries, folded.data, folded.size, entry);
    if (!entry)
        return attributes;
    mm_attribute_t pair;
    size_t size = 0;
    for (size_t i = 1; i < MM_ATTRIBUTES_MAX && mm_attributes_next(&attributes, &pair);) {
        if (mm_str_equal(pair.key, mm_str("groups")))
            continue;
        (void)mm_attributes_add(buffer, &size, pair.key, pair.value);
        i++;
    }
    if (entry->groups_size > 0)
        (void)mm_attributes_add(buffer, &size, mm_str("groups"),
                                (mm_str_t){entry->host + entry->host_size, entry->groups_size});
    return (mm_str_t){buffer, size};
}
