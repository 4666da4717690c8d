// See policy_groups.h.

#include "policy_groups.h"
#include "array.h"
#include "host_words.h"
#include "policy.h"
#include "string_view.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct policy_groups {
    char *names;        // the texts
    mm_group_t *groups; // [0]: the whole list, then in the order of their names
    size_t count, capacity;
};

static int compare_names(const void *a, const void *b)
{
    return mm_str_compare(((const mm_group_t *)a)->name, ((const mm_group_t *)b)->name);
}

policy_groups_t *policy_groups_new(const char *names)
{
    policy_groups_t *self = calloc(1, sizeof *self);
    assert(self);
    self->names = strdup(names);
    assert(self->names);
    *MM_ARRAY_ADD(self->groups, self->count, self->capacity) = (mm_group_t){.name = mm_str("")};
    mm_str_t rest = mm_str(self->names);
    for (mm_str_t name; host_words_next_name(&rest, &name);)
        *MM_ARRAY_ADD(self->groups, self->count, self->capacity) = (mm_group_t){.name = name};
    qsort(self->groups + 1, self->count - 1, sizeof *self->groups, compare_names);
    size_t count = 1;
    for (size_t i = 1; i < self->count; i++)
        if (!mm_str_equal(self->groups[count - 1].name, self->groups[i].name))
            self->groups[count++] = self->groups[i];
    self->count = count;
    return self;
}

void policy_groups_destroy(policy_groups_t **self_p)
{
    policy_groups_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    free(self->names);
    free(self->groups);
    free(self);
}

// NULL: the policy does not name it.
static mm_group_t *find(const policy_groups_t *self, mm_str_t name)
{
    mm_group_t wanted = {.name = name};
    return bsearch(&wanted, self->groups + 1, self->count - 1, sizeof wanted, compare_names);
}

// Adds a group to those of a host, in order; false: there is no room for it.
static bool insert(const mm_group_t *groups[MM_HOST_GROUPS_MAX], size_t *count,
                   const mm_group_t *group)
{
    size_t at = *count;
    while (at > 0 && groups[at - 1] > group)
        at--;
    if (at > 0 && groups[at - 1] == group)
        return true;
    if (*count == MM_HOST_GROUPS_MAX)
        return false;
    memmove(groups + at + 1, groups + at, (*count - at) * sizeof *groups);
    groups[at] = group;
    ++*count;
    return true;
}

static bool refuse(mm_str_t host, const char *what, char why[POLICY_GROUPS_WHY_MAX])
{
    (void)snprintf(
        why, POLICY_GROUPS_WHY_MAX,
        "host %.*s is in too many groups of the policy: %s; take it out of some, or take "
        "sections out of the policy",
        (int)(host.size < 100 ? host.size : 100), host.data, what);
    return false;
}

#define TEXT_OF_(x) #x
#define TEXT_OF(x)  TEXT_OF_(x)

bool policy_groups_select(const policy_groups_t *self, mm_str_t host, mm_str_t groups,
                          char buffer[MM_GROUPS_BYTES], mm_str_t *ret_selected,
                          char why[POLICY_GROUPS_WHY_MAX])
{
    const mm_group_t *selected[MM_HOST_GROUPS_MAX];
    size_t count = 0, size = 0;
    for (mm_str_t name; host_words_next_name(&groups, &name);) {
        const mm_group_t *group = find(self, name);
        if (group && !insert(selected, &count, group))
            return refuse(host, TEXT_OF(MM_HOST_GROUPS_MAX) " at most", why);
    }
    for (size_t i = 0; i < count; i++) {
        mm_str_t name = selected[i]->name;
        if (size + (i > 0) + name.size > MM_GROUPS_BYTES)
            return refuse(host, "their names have " TEXT_OF(MM_GROUPS_BYTES) " bytes at most", why);
        if (i > 0)
            buffer[size++] = ',';
        memcpy(buffer + size, name.data, name.size);
        size += name.size;
    }
    *ret_selected = (mm_str_t){buffer, size};
    return true;
}

void policy_groups_count(policy_groups_t *self, mm_str_t attributes)
{
    mm_str_t groups = {0};
    policy_groups_count_all(self, 1);
    (void)mm_attributes_find(attributes, mm_str("groups"), &groups);
    for (mm_str_t name; host_words_next_name(&groups, &name);) {
        mm_group_t *group = find(self, name);
        if (group)
            group->hosts++;
    }
}

void policy_groups_count_all(policy_groups_t *self, uint64_t hosts)
{
    uint64_t sum = self->groups[0].hosts + hosts;
    self->groups[0].hosts = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

const mm_group_t *policy_groups_sizes(const policy_groups_t *self, size_t *ret_count)
{
    *ret_count = self->count;
    return self->groups;
}

// "group web has 2 hosts, and a share of the policy comes to 0 of fewer than 3".
static bool refuse_size(const mm_group_t *group, uint32_t need, char why[POLICY_GROUPS_WHY_MAX])
{
    mm_str_t name = group->name;
    const char *which = name.size > 0 ? "group " : "the list";
    if (group->hosts == 0)
        (void)snprintf(why, POLICY_GROUPS_WHY_MAX, MM_POLICY_NO_HOST, (int)name.size, name.data);
    else
        (void)snprintf(why, POLICY_GROUPS_WHY_MAX,
                       "%s%.*s has %" PRIu32 " host%s, and a share of the policy comes to 0 of "
                       "fewer than %" PRIu32 ": write a number, or a larger share",
                       which, (int)name.size, name.data, group->hosts, group->hosts == 1 ? "" : "s",
                       need);
    return false;
}

bool policy_groups_suffice(const policy_groups_t *self, const char *needs, bool allows_empty,
                           char why[POLICY_GROUPS_WHY_MAX])
{
    mm_str_t rest = mm_str(needs);
    for (mm_str_t item; self->groups[0].hosts > 0 && host_words_next_name(&rest, &item);) {
        const char *equals = memchr(item.data, '=', item.size);
        mm_str_t name = {item.data, equals ? (size_t)(equals - item.data) : item.size};
        const mm_group_t *group = name.size > 0 ? find(self, name) : &self->groups[0];
        uint32_t need = equals ? (uint32_t)strtoul(equals + 1, NULL, 10) : 1;
        if (group && group->hosts < need && (group->hosts > 0 || !allows_empty))
            return refuse_size(group, need, why);
    }
    return true;
}
