// See host_filter.h.

#include "host_filter.h"
#include "array.h"
#include "host_fold.h"
#include "host_words.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>

typedef struct {
    char *group;   // as it was given
    char *pattern; // as folded hosts match it
} name_t;

struct host_filter {
    name_t *names;
    size_t count, capacity;
};

host_filter_t *host_filter_new(const char *only)
{
    mm_str_t rest = mm_str(only), name;
    host_filter_t *self = NULL;
    while (host_words_next_name(&rest, &name)) {
        char buffer[MM_HOST_MAX];
        mm_str_t pattern = mm_host_fold(name, buffer);
        if (!self)
            self = calloc(1, sizeof *self);
        assert(self);
        *MM_ARRAY_ADD(self->names, self->count, self->capacity) = (name_t){
            .group = strndup(name.data, name.size), .pattern = strndup(pattern.data, pattern.size)};
    }
    return self;
}

void host_filter_destroy(host_filter_t **self_p)
{
    host_filter_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free(self->names[i].group);
        free(self->names[i].pattern);
    }
    free(self->names);
    free(self);
    *self_p = NULL;
}

static bool is_in(const char *name, mm_str_t groups)
{
    for (mm_str_t group; host_words_next_name(&groups, &group);)
        if (mm_str_equal(group, mm_str(name)))
            return true;
    return false;
}

bool host_filter_takes(const host_filter_t *self, mm_str_t host, mm_str_t groups)
{
    char buffer[MM_HOST_MAX], text[MM_HOST_MAX + 1];
    mm_str_t folded = mm_host_fold(host, buffer);
    memcpy(text, folded.data, folded.size);
    text[folded.size] = '\0';
    for (size_t i = 0; i < self->count; i++)
        if (fnmatch(self->names[i].pattern, text, 0) == 0 || is_in(self->names[i].group, groups))
            return true;
    return false;
}

bool host_filter_has(const host_filter_t *self, mm_str_t group)
{
    for (size_t i = 0; i < self->count; i++)
        if (is_in(self->names[i].group, group))
            return true;
    return false;
}

void host_groups_add(hostset_t *set, mm_str_t groups)
{
    for (mm_str_t group; set && host_words_next_name(&groups, &group);)
        if (group.size > 0 && group.size <= MM_HOST_MAX)
            (void)hostset_add(set, group);
}
