// The lines with which a trace begins: the policy, and the hosts with their groups.

#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

bool judge_read_number(const char *text, int64_t *ret_number)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    long long number = strtoll(text, &end, 10);
    if (*end != '\0')
        return false;
    *ret_number = number;
    return true;
}

static bool read_count(const char *text, uint32_t *ret_count)
{
    int64_t number;
    if (!judge_read_number(text, &number) || number > UINT32_MAX)
        return false;
    *ret_count = (uint32_t)number;
    return true;
}

// N, or P%.
static bool read_amount(char *text, amount_t *ret_amount)
{
    amount_t amount = {.is_set = true};
    size_t size = strlen(text);
    if (size > 0 && text[size - 1] == '%') {
        amount.is_percent = true;
        text[size - 1] = '\0';
    }
    if (!read_count(text, &amount.value))
        return false;
    *ret_amount = amount;
    return true;
}

// The text in front of the separator, and behind it.
static bool split(char *text, const char *separator, char **ret_behind)
{
    char *at = strstr(text, separator);
    if (!at)
        return false;
    *at = '\0';
    *ret_behind = at + strlen(separator);
    return true;
}

static bool read_ramp(group_t *group, char *text)
{
    char *rest;
    for (char *step = strtok_r(text, ",", &rest); step; step = strtok_r(NULL, ",", &rest))
        if (group->ramp_count == RAMP_MAX || !read_amount(step, &group->ramp[group->ramp_count++]))
            return false;
    return group->ramp_count > 0;
}

static bool read_breaker(group_t *group, char *text)
{
    char *behind;
    if (group->breaker_count == BREAKERS_MAX || !split(text, "/", &behind))
        return false;
    breaker_t *breaker = &group->breakers[group->breaker_count++];
    return read_count(text, &breaker->failures) && read_count(behind, &breaker->of_last) &&
           breaker->failures > 0 && breaker->failures <= breaker->of_last &&
           breaker->of_last <= LAST_MAX;
}

static bool read_window(group_t *group, char *text)
{
    opening_t opening;
    char *behind;
    group->has_window = true;
    if (strcmp(text, "none") == 0)
        return true;
    if (!split(text, "..", &behind) || !judge_read_number(text, &opening.opens_ms) ||
        !judge_read_number(behind, &opening.closes_ms))
        return false;
    size_t size = group->opening_count; // one more each time: there are few
    group->openings =
        judge_grow(group->openings, group->opening_count, &size, sizeof *group->openings);
    group->openings[group->opening_count++] = opening;
    return true;
}

static bool read_run_key(judge_t *self, const char *key, char *value)
{
    char *behind;
    if (strcmp(key, "guard") == 0)
        return self->has_guard = true;
    if (strcmp(key, "permit") == 0)
        return judge_read_number(value, &self->permit_ms);
    if (strcmp(key, "before") == 0)
        return judge_read_number(value, &self->before_ms);
    if (strcmp(key, "late") == 0)
        return judge_read_number(value, &self->late_ms);
    return strcmp(key, "rate") == 0 && split(value, "/", &behind) &&
           read_count(value, &self->rate) && judge_read_number(behind, &self->rate_ms);
}

static bool read_key(judge_t *self, group_t *group, const char *key, char *value)
{
    if (strcmp(key, "hosts") == 0)
        return read_count(value, &group->hosts);
    if (strcmp(key, "cap") == 0)
        return read_amount(value, &group->cap);
    if (strcmp(key, "max-unavailable") == 0)
        return read_amount(value, &group->max_unavailable);
    if (strcmp(key, "ramp") == 0)
        return read_ramp(group, value);
    if (strcmp(key, "bake") == 0)
        return judge_read_number(value, &group->bake_ms);
    if (strcmp(key, "breaker") == 0)
        return read_breaker(group, value);
    if (strcmp(key, "window") == 0)
        return read_window(group, value);
    if (strcmp(key, "last-start") == 0)
        return judge_read_number(value, &group->last_start_ms);
    return group == &self->groups[WHOLE_RUN] && read_run_key(self, key, value);
}

static uint32_t make_group(judge_t *self, const char *name)
{
    uint32_t index = judge_find_group(self, name);
    if (index != NO_GROUP)
        return index;
    self->groups =
        judge_grow(self->groups, self->group_count, &self->group_size, sizeof *self->groups);
    group_t *group = &self->groups[self->group_count];
    *group = (group_t){0};
    (void)strncpy(group->name, name, JUDGE_NAME_MAX);
    return (uint32_t)self->group_count++;
}

bool judge_read_limit(judge_t *self, char **rest)
{
    char *name = strtok_r(NULL, " ", rest), none[] = "";
    if (!name || strlen(name) > JUDGE_NAME_MAX || self->host_count > 0)
        return judge_fail(self, "a limit needs a group, before all hosts");
    uint32_t group = make_group(self, name);
    for (char *key; (key = strtok_r(NULL, " ", rest));) {
        char *value = none;
        (void)split(key, "=", &value);
        if (!read_key(self, &self->groups[group], key, value))
            return judge_fail(self, "a limit has no key %s with that value", key);
    }
    return true;
}

// FNV-1a.
static size_t bucket_of(const judge_t *self, const char *name)
{
    uint64_t hash = 14695981039346656037U;
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 1099511628211U;
    return (size_t)(hash ^ hash >> 32) & (self->bucket_count - 1);
}

size_t judge_find_host(const judge_t *self, const char *name)
{
    size_t index = self->bucket_count > 0 ? self->buckets[bucket_of(self, name)] : NOBODY;
    while (index != NOBODY && strcmp(self->hosts[index].name, name) != 0)
        index = self->hosts[index].next;
    return index;
}

static void link_host(judge_t *self, size_t index)
{
    size_t *first = &self->buckets[bucket_of(self, self->hosts[index].name)];
    self->hosts[index].next = *first;
    *first = index;
}

static void grow_buckets(judge_t *self)
{
    if (self->host_count < self->bucket_count)
        return;
    self->bucket_count = self->bucket_count > 0 ? 2 * self->bucket_count : 64;
    free(self->buckets);
    self->buckets = judge_grow(NULL, 0, &(size_t){0}, self->bucket_count * sizeof *self->buckets);
    for (size_t i = 0; i < self->bucket_count; i++)
        self->buckets[i] = NOBODY;
    for (size_t i = 0; i < self->host_count; i++)
        link_host(self, i);
}

bool judge_read_host(judge_t *self, char **rest)
{
    char *name = strtok_r(NULL, " ", rest), *groups = strtok_r(NULL, " ", rest), *next;
    if (!name || strlen(name) > JUDGE_NAME_MAX || judge_find_host(self, name) != NOBODY)
        return judge_fail(self, "a host has a name of its own");
    self->hosts = judge_grow(self->hosts, self->host_count, &self->host_size, sizeof *self->hosts);
    host_t host = {.group_count = 1};
    (void)strncpy(host.name, name, JUDGE_NAME_MAX);
    for (char *group = groups ? strtok_r(groups, ",", &next) : NULL; group;
         group = strtok_r(NULL, ",", &next)) {
        uint32_t index = judge_find_group(self, group);
        if (index == NO_GROUP || host.group_count == GROUPS_MAX)
            return judge_fail(self, "%s: group %s has no limit, or is one too many", name, group);
        host.groups[host.group_count++] = index;
    }
    self->hosts[self->host_count] = host;
    grow_buckets(self);
    link_host(self, self->host_count++);
    return true;
}
