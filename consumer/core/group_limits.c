// See group_limits.h.

#include "group_limits.h"
#include "array.h"
#include "duration.h"
#include "host_fold.h"
#include "string_view.h"

#include <assert.h>
#include <stdlib.h>

// ---- groups and classes

static bool is_group(const void *group, const void *name)
{
    return mm_str_equal(mm_str(((const group_t *)group)->rules.name), *(const mm_str_t *)name);
}

group_t *limits_find(const limits_t *self, mm_str_t name)
{
    return mm_table_find(&self->group_of, mm_str_hash(name), is_group, &name);
}

static void set_limits(group_t *group)
{
    group->cap = mm_amount_of(group->rules.cap, group->hosts);
    group->budget = mm_amount_of(group->rules.max_unavailable, group->hosts);
    for (size_t i = 0; i < group->rules.ramp_count; i++) {
        uint32_t hosts = mm_amount_of(group->rules.ramp[i], group->hosts);
        group->ramp[i] = hosts > 0 ? hosts : 1;
    }
}

static void init_group(group_t *group, const mm_rules_t *rules, int64_t margin_ms)
{
    group->rules = *rules;
    group->rules.last_start_ms = mm_later(rules->last_start_ms, margin_ms);
    for (size_t i = 0; i < rules->breaker_count; i++)
        if (rules->breakers[i].of_last > group->last_size)
            group->last_size = rules->breakers[i].of_last;
    if (group->last_size > 0) {
        group->last = calloc(group->last_size, 1);
        assert(group->last);
    }
    set_limits(group);
}

void limits_init(limits_t *self, const mm_policy_t *given, int64_t margin_ms)
{
    static const mm_rules_t none;
    *self = (limits_t){.is_given = given->count > 0};
    self->group_count = self->is_given ? given->count : 1;
    self->groups = calloc(self->group_count, sizeof *self->groups);
    assert(self->groups);
    for (size_t i = 0; i < self->group_count; i++) {
        init_group(&self->groups[i], self->is_given ? &given->groups[i] : &none, margin_ms);
        mm_table_add(&self->group_of, mm_str_hash(mm_str(self->groups[i].rules.name)),
                     &self->groups[i]);
    }
    self->is_sized = !self->is_given;
    self->has_guard = given->has_guard;
    if (given->rate > 0)
        self->interval_ms = (given->rate_ms + given->rate - 1) / given->rate;
}

void limits_set_cap(limits_t *self, uint32_t hosts)
{
    if (self->groups[0].rules.cap.is_set)
        return; // a share of them
    self->groups[0].rules.cap = (mm_amount_t){.value = hosts, .is_set = true};
    set_limits(&self->groups[0]);
}

void limits_clear(limits_t *self)
{
    const place_t *place;
    for (size_t at = 0; (place = mm_table_next(&self->places, &at)) != NULL;)
        free((void *)place);
    mm_table_clear(&self->places);
    mm_heap_clear(&self->open);
    for (size_t i = 0; i < self->listed_count; i++) {
        free(self->listed[i]->name);
        free(self->listed[i]);
    }
    free(self->listed);
    class_queue_clear(&self->to_look);
    class_queue_clear(&self->looked);
    class_queue_clear(&self->closed);
    mm_table_clear(&self->classes);
    for (size_t i = 0; i < self->group_count; i++) {
        class_queue_clear(&self->groups[i].blocked);
        free(self->groups[i].last);
    }
    free(self->groups);
    mm_table_clear(&self->group_of);
    *self = (limits_t){0};
}

bool limits_set_hosts(limits_t *self, mm_str_t group, uint32_t hosts)
{
    group_t *found = limits_find(self, group);
    if (!found)
        return false;
    bool is_new = !found->is_sized || found->hosts != hosts;
    found->hosts = hosts;
    found->is_sized = true;
    set_limits(found);
    self->is_sized = true;
    for (size_t i = 0; i < self->group_count; i++)
        self->is_sized = self->is_sized && self->groups[i].is_sized;
    return is_new;
}

static bool is_class(const void *class, const void *name)
{
    return mm_str_equal(mm_str(((const class_t *)class)->name), *(const mm_str_t *)name);
}

static void add_groups(const limits_t *self, class_t *class, mm_str_t groups)
{
    class->groups[class->group_count++] = &self->groups[0];
    for (size_t at = 0; at < groups.size;) {
        size_t from = at;
        while (at < groups.size && groups.data[at] != ',')
            at++;
        mm_str_t name = {groups.data + from, at - from};
        at++; // behind the comma
        group_t *group = name.size > 0 ? limits_find(self, name) : NULL;
        for (size_t i = 0; group && i < class->group_count; i++)
            if (class->groups[i] == group)
                group = NULL;
        if (group && class->group_count <= MM_HOST_GROUPS_MAX)
            class->groups[class->group_count++] = group;
    }
}

class_t *limits_class(limits_t *self, mm_str_t groups)
{
    if (!self->is_given)
        groups = (mm_str_t){0};
    uint64_t hash = mm_str_hash(groups);
    class_t *class = mm_table_find(&self->classes, hash, is_class, &groups);
    if (class)
        return class;
    class = calloc(1, sizeof *class);
    assert(class);
    mm_str_replace(&class->name, groups);
    class->hash = hash;
    add_groups(self, class, groups);
    mm_table_add(&self->classes, hash, class);
    *MM_ARRAY_ADD(self->listed, self->listed_count, self->listed_capacity) = class;
    return class;
}

// ---- limits

void limits_window(const group_t *group, int64_t unix_ms, int64_t *ret_opens, int64_t *ret_closes)
{
    const mm_opening_t *opening = group->rules.has_window ? mm_rules_opening(&group->rules, unix_ms)
                                                          : &(mm_opening_t){0, MM_NEVER};
    *ret_opens = !opening ? MM_NEVER : opening->opens_ms <= unix_ms ? 0 : opening->opens_ms;
    *ret_closes = opening ? opening->closes_ms : MM_NEVER;
}

static bool is_baking(const group_t *group, int64_t unix_ms, int64_t *ret_until)
{
    if (group->step_ended_ms == 0)
        return false;
    *ret_until = group->step_ended_ms + group->rules.bake_ms;
    return unix_ms < *ret_until;
}

// The span until an instant of Unix time, by the other clock.
static int64_t at(int64_t now_ms, int64_t unix_ms, int64_t until_ms)
{
    return until_ms == MM_NEVER ? MM_NEVER : now_ms + mm_later(until_ms - unix_ms, 1);
}

mm_reason_t limits_closed(const limits_t *self, const class_t *class, int64_t now_ms,
                          int64_t unix_ms, int64_t *ret_until)
{
    int64_t until_ms;
    *ret_until = MM_NEVER;
    if (!self->is_complete || !self->is_sized)
        return MM_REASON_STATE;
    if (self->is_halted)
        return MM_REASON_HALT;
    for (size_t i = 0; i < class->group_count; i++)
        if (class->groups[i]->is_tripped)
            return MM_REASON_BREAKER;
    for (size_t i = 0; i < class->group_count; i++) {
        until_ms = mm_rules_next_start(&class->groups[i]->rules, unix_ms);
        if (until_ms > unix_ms) {
            *ret_until = at(now_ms, unix_ms, until_ms);
            return MM_REASON_WINDOW;
        }
    }
    if (self->has_guard && now_ms >= self->guard_until_ms)
        return MM_REASON_GUARD;
    for (size_t i = 0; i < class->group_count; i++)
        if (is_baking(class->groups[i], unix_ms, &until_ms)) {
            *ret_until = at(now_ms, unix_ms, until_ms);
            return MM_REASON_BAKE;
        }
    return MM_REASON_NONE;
}

// What the host has already of the group's counts.
typedef struct {
    bool in_progress;
    bool casualty;
} counted_t;

// Whether one more place is too many.
static mm_reason_t group_room(const group_t *group, counted_t own, uint32_t reserved,
                              bool *ret_ends)
{
    uint64_t taken = (uint64_t)group->in_progress - own.in_progress + reserved;
    uint32_t down = group->casualties - own.casualty;
    uint32_t step = group->step < group->rules.ramp_count ? group->ramp[group->step] : UINT32_MAX;
    if (step != UINT32_MAX && group->proven + taken >= step) {
        *ret_ends = *ret_ends && group->proven < step;
        return MM_REASON_RAMP;
    }
    if (group->budget != UINT32_MAX && taken + down >= group->budget) {
        *ret_ends = *ret_ends && down < group->budget;
        return MM_REASON_BUDGET;
    }
    if (group->cap != UINT32_MAX && taken >= group->cap) {
        *ret_ends = *ret_ends && group->cap > 0;
        return *group->rules.name == '\0' ? MM_REASON_AT_ONCE : MM_REASON_CAP;
    }
    return MM_REASON_NONE;
}

static counted_t counted(const place_t *own, const group_t *group)
{
    counted_t counted = {false, false};
    for (size_t i = 0; own && i < own->class->group_count; i++)
        if (own->class->groups[i] == group) {
            counted.in_progress = own->is_running || own->is_open;
            counted.casualty = !counted.in_progress && own->is_casualty;
        }
    return counted;
}

mm_reason_t limits_room(const class_t *class, const place_t *own, bool *ret_ends,
                        group_t **ret_blocker)
{
    mm_reason_t first = MM_REASON_NONE;
    *ret_ends = true;
    *ret_blocker = NULL;
    for (size_t i = 0; i < class->group_count; i++) {
        group_t *group = class->groups[i];
        counted_t mine = counted(own, group);
        mm_reason_t reason = group_room(group, mine, 0, ret_ends);
        if (reason != MM_REASON_NONE) // rather one of the host's own than the whole run
            *ret_blocker = group;
        else if (group->reserved > 0 &&
                 group_room(group, mine, group->reserved, ret_ends) != MM_REASON_NONE)
            reason = MM_REASON_RESERVED;
        if (first == MM_REASON_NONE)
            first = reason;
    }
    return first;
}

// Whether the group alone gives the reason.
static bool gives(const limits_t *self, group_t *group, const place_t *own, mm_reason_t reason,
                  int64_t now_ms, int64_t unix_ms)
{
    int64_t until_ms;
    bool ends;
    group_t *blocker;
    class_t alone = {.groups = {group}, .group_count = 1};
    return limits_closed(self, &alone, now_ms, unix_ms, &until_ms) == reason ||
           limits_room(&alone, own, &ends, &blocker) == reason;
}

const group_t *limits_holder(const limits_t *self, const class_t *class, const place_t *own,
                             mm_reason_t reason, int64_t now_ms, int64_t unix_ms)
{
    bool is_of_group = reason == MM_REASON_BREAKER || reason == MM_REASON_WINDOW ||
                       reason == MM_REASON_BAKE ||
                       (reason >= MM_REASON_RAMP && reason <= MM_REASON_RESERVED);
    for (size_t i = 0; is_of_group && self->is_given && i < class->group_count; i++)
        if (gives(self, class->groups[i], own, reason, now_ms, unix_ms))
            return class->groups[i];
    return NULL;
}

static void see_room(group_t *group)
{
    bool ends = false;
    group->has_room = group_room(group, (counted_t){false, false}, 0, &ends) == MM_REASON_NONE;
}

void limits_see_room(limits_t *self)
{
    for (size_t i = 0; i < self->group_count; i++)
        see_room(&self->groups[i]);
}

void limits_reserve(class_t *class)
{
    for (size_t i = 0; i < class->group_count; i++)
        class->groups[i]->reserved++;
}

void limits_reserve_nothing(limits_t *self)
{
    for (size_t i = 0; i < self->group_count; i++)
        self->groups[i].reserved = 0;
}

void limits_start(limits_t *self, int64_t now_ms)
{
    self->next_start_ms = now_ms + self->interval_ms;
}

// ---- places

static bool is_place(const void *place, const void *host)
{
    const place_t *self = place;
    return mm_str_equal((mm_str_t){self->host, self->size}, *(const mm_str_t *)host);
}

// As the record and orders have it, whatever the list writes.
place_t *limits_place(const limits_t *self, mm_str_t host)
{
    char buffer[MM_HOST_MAX];
    mm_str_t folded = mm_host_fold(host, buffer);
    return mm_table_find(&self->places, mm_str_hash(folded), is_place, &folded);
}

static void count(const place_t *place, bool is_added)
{
    bool progress = place->is_running || place->is_open;
    bool casualty = !progress && place->is_casualty;
    for (size_t i = 0; i < place->class->group_count; i++) {
        group_t *group = place->class->groups[i];
        if (is_added) {
            group->in_progress += progress;
            group->casualties += casualty;
        } else {
            group->in_progress -= progress;
            group->casualties -= casualty;
        }
        see_room(group);
    }
}

static place_t *get_place(limits_t *self, mm_str_t host, class_t *class)
{
    char buffer[MM_HOST_MAX];
    place_t *place = limits_place(self, host);
    if (place)
        return place;
    assert(host.size <= MM_HOST_MAX);
    host = mm_host_fold(host, buffer);
    place = calloc(1, sizeof *place + host.size);
    assert(place);
    place->class = class;
    place->hash = mm_str_hash(host);
    place->size = (uint8_t)host.size;
    memcpy(place->host, host.data, host.size);
    mm_table_add(&self->places, place->hash, place);
    return place;
}

static void free_if_nothing(limits_t *self, place_t *place)
{
    if (place->is_running || place->is_open || place->is_casualty || place->denied_ms > 0)
        return;
    mm_table_remove(&self->places, place->hash, place);
    free(place);
}

void limits_take(limits_t *self, mm_str_t host, class_t *class)
{
    place_t *place = get_place(self, host, class);
    count(place, false);
    place->class = class;
    place->is_running = true;
    place->is_open = false;
    mm_heap_remove(&self->open, &place->expiry);
    count(place, true);
}

void limits_leave(limits_t *self, mm_str_t host, int64_t open_until_ms)
{
    place_t *place = limits_place(self, host);
    if (!place)
        return;
    count(place, false);
    place->is_running = false;
    place->is_open = open_until_ms > 0;
    mm_heap_remove(&self->open, &place->expiry);
    if (place->is_open)
        mm_heap_put(&self->open, &place->expiry, open_until_ms);
    count(place, true);
    free_if_nothing(self, place);
}

void limits_set_casualty(limits_t *self, mm_str_t host, class_t *class, bool is_casualty)
{
    place_t *place = is_casualty ? get_place(self, host, class) : limits_place(self, host);
    if (!place)
        return;
    count(place, false);
    if (class)
        place->class = class; // a place that was only denied has had none
    place->is_casualty = is_casualty;
    count(place, true);
    free_if_nothing(self, place);
}

void limits_deny(limits_t *self, mm_str_t host, int64_t until_ms)
{
    place_t *place = get_place(self, host, limits_class(self, (mm_str_t){0}));
    place->denied_ms = until_ms > 0 ? until_ms : MM_NEVER;
}

int64_t limits_denied(const limits_t *self, mm_str_t host, int64_t unix_ms)
{
    const place_t *place = limits_place(self, host);
    return place && place->denied_ms > unix_ms ? place->denied_ms : 0;
}

void limits_forget(limits_t *self, place_t *place)
{
    count(place, false);
    place->is_open = place->is_casualty = false;
    place->denied_ms = 0;
    mm_heap_remove(&self->open, &place->expiry);
    count(place, true);
    free_if_nothing(self, place);
}

const place_t *limits_expired(const limits_t *self, int64_t now_ms)
{
    mm_heap_node_t *node = mm_heap_first(&self->open);
    return node && node->due_ms <= now_ms ? MM_HEAP_OWNER(node, place_t, expiry) : NULL;
}
