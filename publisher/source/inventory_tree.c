// See inventory_tree.h. When it is resolved, each group knows its ancestors, and the groups have an
// order of precedence.

#include "inventory_tree.h"
#include "array.h"
#include "host_fold.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

enum { ALL = 0 }; // the group

typedef struct {
    size_t *items;
    size_t count, capacity;
} numbers_t;

typedef enum { NEW = 0, OPEN, DONE } visit_t;

typedef struct {
    UT_hash_handle hh;
    char *name;
    size_t number;
    bool is_defined;
    uint64_t named_line;
    numbers_t children, ancestors; // the ancestors with itself
    char *values[MM_ATTRIBUTES_MAX];
    visit_t visit;
    size_t depth; // from "all"
    size_t seen;  // the last host that has asked, + 1
} group_t;

typedef struct {
    UT_hash_handle hh;
    char *folded;
    char *name; // the first spelling
    size_t number;
    uint64_t line;
    numbers_t groups;
    char **values; // NULL: it has none of its own
} host_t;

struct inventory_tree {
    group_t **groups;
    size_t group_count, group_capacity;
    group_t *group_names; // uthash
    host_t **hosts;
    size_t host_count, host_capacity;
    host_t *host_names; // uthash
    char *text;         // of the groups of the last host that was asked for
    size_t text_capacity;
};

static void add_number(numbers_t *self, size_t number)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i] == number)
            return;
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = number;
}

static char *copy(mm_str_t text)
{
    char *bytes = malloc(text.size + 1);
    assert(bytes);
    char *end = bytes;
    (void)mm_str_copy(&end, text);
    *end = '\0';
    return bytes;
}

inventory_tree_t *inventory_tree_new(void)
{
    inventory_tree_t *self = calloc(1, sizeof *self);
    assert(self);
    inventory_tree_define_group(self, inventory_tree_group(self, mm_str("all")));
    return self;
}

static void free_group(group_t *group)
{
    for (size_t i = 0; i < MM_ATTRIBUTES_MAX; i++)
        free(group->values[i]);
    free(group->children.items);
    free(group->ancestors.items);
    free(group->name);
    free(group);
}

static void free_host(host_t *host)
{
    for (size_t i = 0; host->values && i < MM_ATTRIBUTES_MAX; i++)
        free(host->values[i]);
    free(host->values);
    free(host->groups.items);
    free(host->folded);
    free(host->name);
    free(host);
}

void inventory_tree_destroy(inventory_tree_t **self_p)
{
    inventory_tree_t *self = *self_p;
    if (!self)
        return;
    HASH_CLEAR(hh, self->group_names);
    HASH_CLEAR(hh, self->host_names);
    for (size_t i = 0; i < self->group_count; i++)
        free_group(self->groups[i]);
    for (size_t i = 0; i < self->host_count; i++)
        free_host(self->hosts[i]);
    free(self->groups);
    free(self->hosts);
    free(self->text);
    free(self);
    *self_p = NULL;
}

size_t inventory_tree_group(inventory_tree_t *self, mm_str_t name)
{
    group_t *group = NULL;
    HASH_FIND(hh, self->group_names, name.data, name.size, group);
    if (group)
        return group->number;
    group = calloc(1, sizeof *group);
    assert(group);
    group->name = copy(name);
    group->number = self->group_count;
    *MM_ARRAY_ADD(self->groups, self->group_count, self->group_capacity) = group;
    HASH_ADD_KEYPTR(hh, self->group_names, group->name, name.size, group);
    return group->number;
}

void inventory_tree_name_group(inventory_tree_t *self, size_t group, uint64_t line)
{
    if (self->groups[group]->named_line == 0)
        self->groups[group]->named_line = line;
}

void inventory_tree_define_group(inventory_tree_t *self, size_t group)
{
    self->groups[group]->is_defined = true;
}

void inventory_tree_add_child(inventory_tree_t *self, size_t group, size_t child)
{
    add_number(&self->groups[group]->children, child);
}

size_t inventory_tree_host(inventory_tree_t *self, mm_str_t name, uint64_t line)
{
    char buffer[MM_HOST_MAX];
    mm_str_t folded = mm_host_fold(name, buffer);
    host_t *host = NULL;
    HASH_FIND(hh, self->host_names, folded.data, folded.size, host);
    if (host)
        return host->number;
    host = calloc(1, sizeof *host);
    assert(host);
    host->folded = copy(folded);
    host->name = copy(name);
    host->number = self->host_count;
    host->line = line;
    *MM_ARRAY_ADD(self->hosts, self->host_count, self->host_capacity) = host;
    HASH_ADD_KEYPTR(hh, self->host_names, host->folded, folded.size, host);
    return host->number;
}

void inventory_tree_add_host(inventory_tree_t *self, size_t group, size_t host)
{
    add_number(&self->hosts[host]->groups, group);
}

size_t inventory_tree_hosts(const inventory_tree_t *self)
{
    return self->host_count;
}

void inventory_tree_set_of_group(inventory_tree_t *self, size_t group, size_t key, mm_str_t value)
{
    free(self->groups[group]->values[key]);
    self->groups[group]->values[key] = copy(value);
}

void inventory_tree_set_of_host(inventory_tree_t *self, size_t number, size_t key, mm_str_t value)
{
    host_t *host = self->hosts[number];
    if (!host->values)
        host->values = calloc(MM_ATTRIBUTES_MAX, sizeof *host->values);
    assert(host->values);
    free(host->values[key]);
    host->values[key] = copy(value);
}

// ---- resolving

// What nobody has as a child is a child of "all".
static void adopt(inventory_tree_t *self)
{
    bool *has_parent = calloc(self->group_count, sizeof *has_parent);
    assert(has_parent);
    for (size_t i = 0; i < self->group_count; i++)
        for (size_t j = 0; j < self->groups[i]->children.count; j++)
            has_parent[self->groups[i]->children.items[j]] = true;
    for (size_t i = 1; i < self->group_count; i++)
        if (!has_parent[i])
            inventory_tree_add_child(self, ALL, i);
    free(has_parent);
}

// Says how the path of open groups comes back to the group at its end.
static bool refuse_cycle(const inventory_tree_t *self, const numbers_t *path, size_t group,
                         char why[INVENTORY_ERROR_MAX])
{
    size_t first = 0;
    while (path->items[first] != group)
        first++;
    int size = snprintf(why, INVENTORY_ERROR_MAX,
                        "%" PRIu64 ": the groups are a cycle: ", self->groups[group]->named_line);
    for (size_t i = first; i < path->count && size < INVENTORY_ERROR_MAX / 2; i++)
        size += snprintf(why + size, INVENTORY_ERROR_MAX - (size_t)size, "%.60s -> ",
                         self->groups[path->items[i]]->name);
    (void)snprintf(why + size, INVENTORY_ERROR_MAX - (size_t)size,
                   "%.60s; take one of them out of the children of the other",
                   self->groups[group]->name);
    return false;
}

typedef struct {
    numbers_t path;  // the open groups
    numbers_t nexts; // of each, which child is next
    numbers_t done;  // the groups, children before their parents
} walk_t;

static void enter(inventory_tree_t *self, walk_t *walk, size_t group)
{
    self->groups[group]->visit = OPEN;
    *MM_ARRAY_ADD(walk->path.items, walk->path.count, walk->path.capacity) = group;
    *MM_ARRAY_ADD(walk->nexts.items, walk->nexts.count, walk->nexts.capacity) = 0;
}

// Walks through all that is below a group, without recursion: the depth is the inventory's.
static bool walk_from(inventory_tree_t *self, walk_t *walk, size_t start, char *why)
{
    enter(self, walk, start);
    while (walk->path.count > 0) {
        group_t *group = self->groups[walk->path.items[walk->path.count - 1]];
        size_t *next = &walk->nexts.items[walk->nexts.count - 1];
        if (*next == group->children.count) {
            group->visit = DONE;
            *MM_ARRAY_ADD(walk->done.items, walk->done.count, walk->done.capacity) = group->number;
            walk->path.count--;
            walk->nexts.count--;
            continue;
        }
        size_t child = group->children.items[(*next)++];
        if (self->groups[child]->visit == OPEN)
            return refuse_cycle(self, &walk->path, child, why);
        if (self->groups[child]->visit == NEW)
            enter(self, walk, child);
    }
    return true;
}

static void inherit(inventory_tree_t *self, const numbers_t *done)
{
    for (size_t i = done->count; i > 0; i--) { // parents first
        group_t *group = self->groups[done->items[i - 1]];
        add_number(&group->ancestors, group->number);
        for (size_t j = 0; j < group->children.count; j++) {
            group_t *child = self->groups[group->children.items[j]];
            for (size_t k = 0; k < group->ancestors.count; k++)
                add_number(&child->ancestors, group->ancestors.items[k]);
            if (child->depth < group->depth + 1)
                child->depth = group->depth + 1;
        }
    }
}

bool inventory_tree_resolve(inventory_tree_t *self, char why[INVENTORY_ERROR_MAX])
{
    walk_t walk = {.path = {0}};
    bool is_good = true;
    for (size_t i = 0; i < self->group_count && is_good; i++) {
        const group_t *group = self->groups[i];
        is_good = group->is_defined;
        if (!is_good)
            (void)snprintf(why, INVENTORY_ERROR_MAX,
                           "%" PRIu64 ": the group %.60s has no section: add [%.60s], or correct "
                           "its name",
                           group->named_line, group->name, group->name);
    }
    adopt(self);
    for (size_t i = 0; i < self->group_count && is_good; i++)
        if (self->groups[i]->visit == NEW)
            is_good = walk_from(self, &walk, i, why);
    if (is_good)
        inherit(self, &walk.done);
    free(walk.path.items);
    free(walk.nexts.items);
    free(walk.done.items);
    return is_good;
}

// ---- asking

static bool goes_before(const group_t *one, const group_t *other)
{
    return one->depth != other->depth ? one->depth > other->depth
                                      : strcmp(one->name, other->name) > 0;
}

// Takes in a group that the host is in: its name, and those of its values that count more.
static void take_group(inventory_tree_t *self, const group_t *group, const group_t **owners,
                       inventory_host_t *host, size_t *text_size)
{
    for (size_t i = 0; i < MM_ATTRIBUTES_MAX; i++) {
        if (!group->values[i] || (owners[i] && goes_before(owners[i], group)))
            continue;
        owners[i] = group;
        host->values[i] = group->values[i];
    }
    if (group->number == ALL)
        return;
    size_t length = strlen(group->name);
    self->text = mm_array_reserve(self->text, &self->text_capacity, *text_size + length + 1, 1);
    if (*text_size > 0)
        self->text[(*text_size)++] = ',';
    memcpy(self->text + *text_size, group->name, length);
    *text_size += length;
}

void inventory_tree_get(inventory_tree_t *self, size_t number, inventory_host_t *ret_host)
{
    const host_t *host = self->hosts[number];
    const group_t *owners[MM_ATTRIBUTES_MAX] = {NULL};
    size_t size = 0;
    *ret_host = (inventory_host_t){.host = mm_str(host->name), .line = host->line};
    for (size_t i = 0; i < host->groups.count; i++) {
        const numbers_t *groups = &self->groups[host->groups.items[i]]->ancestors;
        for (size_t j = 0; j < groups->count; j++) {
            group_t *group = self->groups[groups->items[j]];
            if (group->seen == number + 1)
                continue;
            group->seen = number + 1;
            take_group(self, group, owners, ret_host, &size);
        }
    }
    for (size_t i = 0; host->values && i < MM_ATTRIBUTES_MAX; i++)
        if (host->values[i])
            ret_host->values[i] = host->values[i];
    static const char all[] = ",all"; // an empty name in front counts for nothing
    self->text = mm_array_reserve(self->text, &self->text_capacity, size + sizeof all, 1);
    memcpy(self->text + size, all, sizeof all);
    ret_host->groups = (mm_str_t){self->text, size};
    ret_host->groups_with_all = (mm_str_t){self->text, size + sizeof all - 1};
}
