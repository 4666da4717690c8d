// Who has a place, and what is wrong with it, in the order of the lines.

#include "judge_private.h"

#include <stdio.h>
#include <string.h>

void judge_find(judge_t *self, judge_rule_t rule, const host_t *host, uint32_t group,
                const char *words)
{
    self->found =
        judge_grow(self->found, self->found_count, &self->found_size, sizeof *self->found);
    judgement_t *found = &self->found[self->found_count++];
    *found = (judgement_t){.rule = rule, .line = self->line, .at_ms = self->now_ms};
    (void)snprintf(found->words, sizeof found->words, "%s", words);
    if (host)
        (void)snprintf(found->host, sizeof found->host, "%s", host->name);
    if (group != NO_GROUP)
        (void)snprintf(found->group, sizeof found->group, "%s", self->groups[group].name);
}

static void find_all(judge_t *self, const host_t *host, const objections_t *objections)
{
    for (size_t i = 0; i < objections->count; i++)
        judge_find(self, objections->items[i].rule, host, objections->items[i].group,
                   objections->items[i].words);
}

// ---- what was in force before it was written

// The last one of this rule and group, since the host has the place.
static void drop_one(judge_t *self, judge_rule_t rule, const char *group, int64_t since_ms)
{
    for (size_t i = self->found_count; i-- > 0 && self->found[i].at_ms >= since_ms;)
        if (self->found[i].rule == rule && strcmp(self->found[i].group, group) == 0) {
            memmove(&self->found[i], &self->found[i + 1],
                    (self->found_count - i - 1) * sizeof *self->found);
            self->found_count--;
            return;
        }
}

void judge_excuse_place(judge_t *self, const host_t *host)
{
    static const judge_rule_t rules[] = {JUDGE_CAP, JUDGE_UNAVAILABLE, JUDGE_RAMP};
    int64_t late_ms = self->now_ms - self->late_ms;
    int64_t since_ms = host->start_ms > late_ms ? host->start_ms : late_ms + 1;
    for (size_t i = 0; self->late_ms > 0 && host->is_in_progress && i < host->group_count; i++)
        for (size_t j = 0; j < sizeof rules / sizeof *rules; j++)
            drop_one(self, rules[j], self->groups[host->groups[i]].name, since_ms);
}

// ---- places

// The host as it is to be; its groups count the difference.
static void become(judge_t *self, host_t *host, const host_t *next)
{
    bool had = host->is_in_progress || host->is_open, has = next->is_in_progress || next->is_open;
    bool was_down = had || host->is_casualty, is_down = has || next->is_casualty;
    for (size_t i = 0; i < host->group_count; i++) {
        group_t *group = &self->groups[host->groups[i]];
        group->places = group->places + has - had;
        group->unavailable = group->unavailable + is_down - was_down;
        group->in_step = group->in_step + next->is_in_step - host->is_in_step;
    }
    *host = *next;
}

void judge_start(judge_t *self, host_t *host)
{
    objections_t objections = {0};
    judge_weigh_start(self, host, &objections);
    find_all(self, host, &objections);
    host_t next = *host;
    next.is_in_progress = true;
    next.is_open = false;
    next.is_in_step = !next.is_proven;
    next.start_ms = self->now_ms;
    become(self, host, &next);
    self->start_ms =
        judge_grow(self->start_ms, self->start_count, &self->start_size, sizeof *self->start_ms);
    self->start_ms[self->start_count++] = self->now_ms;
    self->starts++;
}

// What was not sent counts for no rate.
static void take_back(judge_t *self, const host_t *host)
{
    for (size_t i = self->start_count; i-- > 0;) {
        if (self->start_ms[i] != host->start_ms)
            continue;
        memmove(&self->start_ms[i], &self->start_ms[i + 1],
                (self->start_count - i - 1) * sizeof *self->start_ms);
        self->start_count--;
        return;
    }
}

void judge_command(judge_t *self, host_t *host, int64_t tolerance_ms)
{
    objections_t objections = {0};
    judge_weigh_command(self, host, tolerance_ms, &objections);
    find_all(self, host, &objections);
}

void judge_leave_all(judge_t *self, host_t *host)
{
    host_t next = *host;
    next.is_in_progress = next.is_open = next.is_in_step = false;
    become(self, host, &next);
}

void judge_give_back(judge_t *self, host_t *host)
{
    judge_excuse_place(self, host);
    if (host->is_in_progress)
        take_back(self, host);
    judge_leave_all(self, host);
}

void judge_leave(judge_t *self, host_t *host)
{
    host_t next = *host;
    next.is_in_progress = next.is_open = false; // in its step still
    become(self, host, &next);
}

void judge_open(judge_t *self, host_t *host)
{
    host_t next = *host;
    next.is_in_progress = false;
    next.is_open = true;
    next.is_in_step = !next.is_proven;
    become(self, host, &next);
}

void judge_expire(judge_t *self, host_t *host)
{
    host_t next = *host;
    if (!host->is_open)
        return;
    next.is_open = next.is_in_step = false;
    become(self, host, &next);
}

void judge_set_casualty(judge_t *self, host_t *host, bool is_casualty)
{
    host_t next = *host;
    next.is_casualty = is_casualty;
    become(self, host, &next);
}

void judge_waiting(judge_t *self)
{
    for (size_t i = 0; i < self->host_count; i++) {
        const host_t *host = &self->hosts[i];
        objections_t objections = {0};
        if (host->has_outcome || host->is_in_progress || host->is_open)
            continue;
        judge_weigh_waiting(self, host, &objections);
        if (objections.count == 0)
            judge_find(self, JUDGE_STARVED, host, NO_GROUP, "no limit holds it back");
    }
}
